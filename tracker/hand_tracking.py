"""The hand beside an object, from frame to frame: followed, looked for where that fails, learned from where it is sure.

In: a frame's estimate of the object, where things were in the frame before, and what the frames before told of the
hand. Out: the estimate with its hand, and what they tell now. How a hand is followed, found and judged stands in
tracker/following.py, tracker/anew.py and tracker/hand_quality.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeGuard

import numpy as np

from scene.hand_pose import HandPose, joints
from tracker.anew import hand_evidence, with_hand_found
from tracker.carried import object_carried
from tracker.config import RunConfig
from tracker.following import Last, hand_followed, has_jumped
from tracker.grasp_views import GraspViews, View
from tracker.grasps import Grasps
from tracker.hand_leaps import Sighting
from tracker.hand_size import HandSizes, problem_of
from tracker.hold import Hold, held, put_in_hand
from tracker.hypothesis import HandObjectPose
from tracker.judgement import KNOWN, LEARNING, Estimate
from tracker.let_go import LetGo, is_off
from tracker.observation import Observation
from tracker.reviews import Reviews
from tracker.scene_knowledge import SceneKnowledge

REVIEW_EVERY, AGREED_REVIEW_EVERY = 6, 12
"""frames from one search for the hand to the next, where nothing is in doubt, at first; and where views agree"""
SURE_OF_HAND = 0.65
"""chance from which a hand is TRACKED: a wrong label costs more than a missing one"""
TELLS_HOLD = 0.87
"""chance from which a hand first tells how it holds the object; then one that is TRACKED turns the object with it"""
SAME_HAND = 0.010
"""metres between joints, on average, within which a hand found anew is the one that was followed"""
HAND_AREA = 0.0015
"""square metres of hand-coloured surface from which a hand is looked for"""


@dataclass(frozen=True)
class Moment:
    """A frame while it is tracked."""

    index: int
    observation: Observation
    knowledge: SceneKnowledge
    config: RunConfig
    rng: np.random.Generator


@dataclass(frozen=True)
class HandMemory:
    """What the frames before told of the hand."""

    grasps: Grasps = field(default_factory=Grasps)
    grasp: GraspViews = field(default_factory=GraspViews)
    """of the hand as it holds the object now"""
    sizes: HandSizes = field(default_factory=HandSizes.unknown)
    hold: Hold | None = None
    """of the object by the hand; None before both were seen well"""
    let_go: LetGo = field(default_factory=LetGo)
    """of the object by the hand, as far as it is seen"""
    sighting: Sighting | None = None
    """of the hand, the last"""
    reviews: Reviews = field(default_factory=Reviews)
    """the searches for it"""

    def elsewhere(self) -> HandMemory:
        """Where tracking goes on in another frame: of where the hand was nothing holds, of what it is all does."""
        return replace(self, hold=None, let_go=self.let_go.elsewhere(), sighting=None, reviews=Reviews())


def sees_hand(observation: Observation) -> bool:
    """Whether enough looks like a hand to look for one."""
    return observation.area(observation.hand_like) >= HAND_AREA


def vouches_for_hand(estimate: Estimate, config: RunConfig) -> bool:
    """Whether a hand lies on its points well enough to be followed and learned from."""
    return estimate.hand_confidence >= config.confidence  # NaN where none was looked for


def is_sure_of_hand(estimate: Estimate, config: RunConfig) -> bool:
    """Whether it is likely right, however well it lies on its points: then it is TRACKED."""
    return estimate.hand_certainty >= max(config.confidence, SURE_OF_HAND)


def knows_hand(estimate: Estimate, config: RunConfig) -> bool:
    """Whether a hand that fits is not one of several, so that what it shows counts for later frames."""
    return vouches_for_hand(estimate, config) and estimate.hand_told >= KNOWN


def tells_hold(estimate: Estimate, config: RunConfig) -> bool:
    """Whether it is so likely right that how it holds the object is how the object is held."""
    return vouches_for_hand(estimate, config) and estimate.hand_certainty >= TELLS_HOLD


def hand_tracked(
    now: Moment, estimate: Estimate | None, last: Last | None, memory: HandMemory
) -> tuple[Estimate | None, HandMemory]:
    """The object with its hand, as that holds it; where either is in doubt as the hand of the frame before carries it.

    Args:
        now: the frame.
        estimate: of the object in it.
        last: where object and hand were.
        memory: of the hand.
    """
    judged: tuple[Estimate | None, HandMemory] = estimate, memory
    if estimate is not None and estimate.confidence >= now.config.confidence:
        with_its_hand = _hand_judged(now, estimate, last, memory)
        if is_sure_of_hand(with_its_hand[0], now.config):
            return _sighted(now, *_as_held(now, *with_its_hand, last))
        judged = with_its_hand
    if last is None or (_is_tracked(judged[0], now.config) and not has_jumped(judged[0].pose, last)):
        return judged
    carried = _carried(now, last, memory)
    if carried is None or (_is_tracked(judged[0], now.config) and not _is_tracked(carried[0], now.config)):
        return judged
    return _sighted(now, *carried)


def _is_tracked(estimate: Estimate | None, config: RunConfig) -> TypeGuard[Estimate]:
    return estimate is not None and estimate.certainty >= config.confidence


def _sighted(now: Moment, estimate: Estimate, memory: HandMemory) -> tuple[Estimate, HandMemory]:
    """Remembers where a hand was that is sure."""
    return estimate, replace(memory, sighting=Sighting.of(now.index, estimate.pose))


def _as_held(now: Moment, estimate: Estimate, memory: HandMemory, last: Last | None) -> tuple[Estimate, HandMemory]:
    """The object as its hand, which is sure, holds it."""
    if memory.hold is None:
        return estimate, memory
    before = estimate.confidence if last is None else last.estimate.confidence
    estimate, hold = held(now.observation, estimate, memory.hold, before, now.knowledge, now.rng)
    return estimate, replace(memory, hold=hold)


def _carried(now: Moment, last: Last, memory: HandMemory) -> tuple[Estimate, HandMemory] | None:
    """The object where the hand has it that held it in the frame before; None where that is not sure any more."""
    before = last.estimate
    if memory.hold is None or not (vouches_for_hand(before, now.config) and is_sure_of_hand(before, now.config)):
        return None
    how = now.knowledge, now.config.swarm, now.config.sizes, now.rng
    carried = object_carried(now.observation, last, memory.hold, *how)
    if carried is None:
        return None
    there = replace(carried, hand_confidence=before.hand_confidence, hand_told=before.hand_told)
    estimate, memory = _hand_judged(now, carried, Last(there, np.eye(4)), memory)
    if memory.hold is None or not is_sure_of_hand(estimate, now.config):
        return None
    there = put_in_hand(now.observation, estimate, memory.hold, before.confidence, now.knowledge, now.rng)
    return there, memory


def _hand_judged(now: Moment, estimate: Estimate, last: Last | None, memory: HandMemory) -> tuple[Estimate, HandMemory]:
    """The object with its hand, and what speaks against that."""
    estimate, memory = with_hand(now, estimate, last, memory)
    if vouches_for_hand(estimate, now.config):
        memory = let_go_seen(now, estimate, memory)
    if estimate.hand_quality is not None and not _may_be_hand(now, memory, estimate.pose):
        estimate = replace(estimate, hand_told=0.0)
    return estimate, memory


def with_hand(now: Moment, estimate: Estimate, last: Last | None, memory: HandMemory) -> tuple[Estimate, HandMemory]:
    """With the hand followed where it was TRACKED, and now and then looked for where that fails or it was not."""
    before = _hand_before(now, estimate, last, memory)
    if before is not None:
        estimate, grasp = hand_followed(
            now.observation, estimate, before, now.knowledge, now.config.swarm, now.config.sizes, memory.grasp, now.rng
        )
        memory = replace(memory, grasp=grasp)
    every = AGREED_REVIEW_EVERY if len(memory.grasp.views) > 1 else REVIEW_EVERY
    due = memory.reviews.due(now.index, every, doubtful=not knows_hand(estimate, now.config))
    if not due or not sees_hand(now.observation):
        return estimate, memory
    found, memory = _hand_found(now, estimate, memory)
    agreed = _is_same_hand(now, estimate, found)
    return found, replace(memory, reviews=memory.reviews.searched(now.index, agreed=agreed))


def let_go_seen(now: Moment, estimate: Estimate, memory: HandMemory) -> HandMemory:
    """With what this frame tells of whether the hand touches the object; one that is away holds nothing."""
    let_go = memory.let_go.seen(now.index, estimate.pose, now.knowledge)
    return replace(memory, let_go=let_go, hold=None if let_go.is_away else memory.hold)


def hand_learned(now: Moment, estimate: Estimate, memory: HandMemory) -> tuple[HandMemory, SceneKnowledge]:
    """What a frame in which the object is TRACKED tells of the hand, and the scene with that hand's size."""
    if not knows_hand(estimate, now.config) or memory.let_go.is_away:
        return memory, now.knowledge
    memory = replace(memory, grasps=memory.grasps.remembered(estimate.pose))
    if estimate.certainty < LEARNING:
        return memory, now.knowledge
    if memory.hold is None and tells_hold(estimate, now.config):
        memory = replace(memory, hold=Hold.of(estimate.pose))
    return hand_seen(now, estimate, memory)


def hand_seen(now: Moment, estimate: Estimate, memory: HandMemory) -> tuple[HandMemory, SceneKnowledge]:
    """Keeps the frame as a view of the grasp where it shows another side of it, and asks it for the hand's size."""
    pose, knowledge, camera_from_object = estimate.pose, now.knowledge, estimate.pose.camera_from_object
    wanted, asked = memory.grasp.wants(camera_from_object), memory.sizes.asks(now.index)
    if not wanted and not asked:
        return memory, knowledge
    seen = hand_evidence(now.observation, estimate, knowledge, now.config.points, now.rng)
    if seen is None:
        return memory, knowledge
    if wanted:
        memory = replace(memory, grasp=memory.grasp.seen(View.of(seen[0], camera_from_object)))
    if asked:
        sizes, knowledge = memory.sizes.learned(problem_of(seen[0], pose, knowledge), pose, knowledge)
        memory = replace(memory, sizes=sizes)
    return memory, knowledge


def _hand_before(now: Moment, estimate: Estimate, last: Last | None, memory: HandMemory) -> Last | None:
    """Where a hand is followed from: where it was, or else as it last held the object."""
    if last is not None and vouches_for_hand(last.estimate, now.config):
        return last
    grasps = memory.grasps.hands(estimate.pose.camera_from_object)
    if not grasps or not sees_hand(now.observation):
        return None
    return Last(replace(estimate, pose=replace(estimate.pose, hand=grasps[0])), np.eye(4))


def _hand_found(now: Moment, estimate: Estimate, memory: HandMemory) -> tuple[Estimate, HandMemory]:
    """With the best of the hand that was followed, of the grasps seen before, and of those found anew."""
    guesses: list[HandPose] = memory.grasps.hands(estimate.pose.camera_from_object)
    if vouches_for_hand(estimate, now.config):
        guesses = [estimate.pose.hand, *guesses]
    known, may_be = (now.knowledge, guesses, memory.grasp), partial(_may_be_hand, now, memory)
    estimate, grasp = with_hand_found(now.observation, estimate, *known, now.config.points, now.rng, may_be)
    return estimate, replace(memory, grasp=grasp)


def _may_be_hand(now: Moment, memory: HandMemory, pose: HandObjectPose) -> bool:
    """Whether a hand that was found touches what it moves, and did not leap there."""
    if memory.let_go.is_contradicted(now.index) and is_off(pose, now.knowledge):
        return False
    return memory.sighting is None or memory.sighting.may_become(now.index, pose, now.knowledge.shape)


def _is_same_hand(now: Moment, followed: Estimate, found: Estimate) -> bool:
    """Whether a hand that is sure enough to be TRACKED is about the one that was followed."""
    if not vouches_for_hand(followed, now.config) or found.hand_certainty < SURE_OF_HAND:
        return False
    one, other = (joints(now.knowledge.shape, estimate.pose.hand) for estimate in (followed, found))
    return bool(np.linalg.norm(one - other, axis=1).mean() < SAME_HAND)
