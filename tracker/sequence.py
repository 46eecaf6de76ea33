"""The loop over a recording: follow, judge, search anew where the judgement is bad, learn where it is good.

A frame is TRACKED only where its confidence passes; what was not, is NaN in the track.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from scene.arrays import Bytes, Floats
from scene.frame import RgbdFrame
from scene.hand_shape import HandShape
from scene.progress import track as shown
from scene.rotations import geodesic_angle
from scene.transforms import inverse, rigid
from tracker.anew import object_at, objects_found
from tracker.config import RunConfig
from tracker.following import Last, object_followed
from tracker.hand_tracking import (
    HandMemory,
    Moment,
    hand_learned,
    hand_tracked,
    is_sure_of_hand,
    sees_hand,
    vouches_for_hand,
)
from tracker.hints import unlabelled, with_labels
from tracker.hypothesis import HandObjectPose
from tracker.initialisation import pose_without_hand
from tracker.judgement import LEARNING, Estimate
from tracker.objective import TERMS
from tracker.observation import Observation
from tracker.reviews import Reviews
from tracker.scene_knowledge import SceneKnowledge
from tracker.track import TrackStatus
from tracker.tracked_frame import TrackedFrame
from tracker.tracker_state import TrackerState

PLANES_EVERY = 10
"""frames after which table and wall are looked for again, as the camera may be pushed; in each where nothing stands
still and so all of it may be moving"""
REVIEW_EVERY = 12
"""frames from one search of the whole view to the next, where nothing is in doubt; at first"""
SAME_STEP, SAME_TURN = 0.01, 0.17
"""metres and radians between two poses of the object that are one"""
RECHECK = 0.8
"""confidence below which there is doubt"""
MORE_CONFIDENT, MORE_CONFIDENT_FAR = 1.0, 2.5
"""log odds by which a pose found anew must beat the one that was followed to replace it; and the same where the object
would have had to move faster than hands do"""
STILL_FOLLOWED = 0.1
"""confidence down to which a pose is followed further, though it is not called TRACKED"""
FASTEST_STEP, FASTEST_TURN = 0.08, 0.7
"""metres and radians from one frame to the next"""
PATIENCE = 12
"""frames for which a lost object is still looked for where it was"""
LEARNING_RATE, FIRST_LEARNING_RATE = 0.1, 0.7
"""of colours, and in the frame that tracking begins with"""
ENTERED_SHARE = 0.1
"""of the square of the object's reach: by so much more in its colours than in the last search, it is due now"""
ABSENT_SHARE = 0.05
"""of the square of the object's reach: with less of its colours in view an object without a pose is called ABSENT"""


@dataclass(frozen=True)
class Ahead:
    """What a look at frames spread over the recording came to."""

    anchor: int
    """index of the frame in which the object is seen best, to begin with; the first where it was found in none"""
    found_in: int
    """number of frames in which it was found"""
    poses: tuple[tuple[int, Floats], ...] = ()
    """of those frames: the index, and camera_from_object (4, 4)"""
    evidence: float = 0.0
    """log odds that what was found is right, summed over the frames in which they speak for it"""


class SequenceTracker:
    """Follows one hand and one object through the frames it is given, in order."""

    def __init__(
        self, knowledge: SceneKnowledge, config: RunConfig, labels_of: Callable[[int], Bytes | None] = unlabelled
    ) -> None:
        """Starts with nothing known of where anything is; `labels_of` a frame's number is what a session says of it."""
        self._knowledge, self._config, self._labels_of = knowledge, config, labels_of
        self._last: Last | None = None
        self._last_seen: Floats | None = None
        self._anchor: Estimate | None = None
        self._hand = HandMemory()
        self._reviews, self._seen_area = Reviews(), 0.0
        self._rng = np.random.default_rng(config.seed)

    @property
    def state(self) -> TrackerState:
        """What the next frame's answer depends on; an immutable one, which later frames do not change."""
        return TrackerState(**{field.name: getattr(self, f"_{field.name}") for field in fields(TrackerState)})

    @staticmethod
    def resumed(
        state: TrackerState, config: RunConfig, labels_of: Callable[[int], Bytes | None] = unlabelled
    ) -> SequenceTracker:
        """A tracker that goes on as the one would have whose state it is, given the same configuration."""
        tracker = SequenceTracker(state.knowledge, config, labels_of)
        for field in fields(TrackerState):
            setattr(tracker, f"_{field.name}", getattr(state, field.name))
        return tracker

    def look_ahead(self, frames: Sequence[RgbdFrame], what: str = "looking ahead") -> Ahead:
        """Searches frames spread over the recording for the object, and stands ready in the one that shows it best."""
        best: tuple[Observation, Estimate, int] | None = None
        poses, evidence = [], 0.0
        for frame in shown(frames, what):
            observation, all_found = self.search(frame)
            for found in all_found[:1]:
                evidence += max(found.evidence, 0.0)
                if found.certainty < self._config.confidence:
                    continue
                poses.append((frame.index, found.pose.camera_from_object))
                if best is None or found.evidence > best[1].evidence:
                    best = observation, found, frame.index
        if best is None:
            return Ahead(0, 0, evidence=evidence)
        observation, self._anchor, index = best
        self._learn(observation, self._anchor, FIRST_LEARNING_RATE)
        self.return_to_anchor()
        return Ahead(index, len(poses), tuple(poses), evidence)

    def search(self, frame: RgbdFrame) -> tuple[Observation, list[Estimate]]:
        """A frame made ready, and what is found in all of it, the best first."""
        observation = self._observed(frame, fresh_planes=True)
        return observation, self._found(observation)

    def search_near(self, frame: RgbdFrame, camera_from_object: Floats) -> tuple[Observation, Estimate]:
        """The same of what is near a pose (4, 4) alone."""
        observation = self._observed(frame, fresh_planes=True)
        return observation, object_at(observation, camera_from_object, self._knowledge, self._rng)

    def keep_size(self) -> None:
        """Asks no longer for the hand's size, if it was told."""
        self._hand = replace(self._hand, sizes=self._hand.sizes.rehearsed())

    def take_hand(self, shape: HandShape) -> None:
        """Follows another hand from now on."""
        self._knowledge = self._knowledge.with_shape(shape)

    def start_at(self, frame: RgbdFrame, camera_from_object: Floats) -> None:
        """Begins in a frame in which the object's pose (4, 4) is known, though not exactly."""
        observation, self._anchor = self.search_near(frame, camera_from_object)
        self._learn(observation, self._anchor, FIRST_LEARNING_RATE)
        self.return_to_anchor()

    def return_to_anchor(self) -> None:
        """Forgets where things are now for where they were in the frame that tracking began with."""
        self._last = None if self._anchor is None else Last(self._anchor, np.eye(4))
        self._hand = self._hand.elsewhere()

    def track(self, frame: RgbdFrame) -> TrackedFrame:
        """Takes the next frame."""
        still = self._knowledge.surroundings.still
        observation = self._observed(frame, fresh_planes=not still or frame.index % PLANES_EVERY == 0)
        estimate = self._followed(observation)
        doubtful = self._is_doubtful(estimate)
        more_seen = doubtful and self._sees_more(observation)
        if self._reviews.due(frame.index, REVIEW_EVERY, doubtful=doubtful, more_seen=more_seen):
            estimate = self._reviewed(observation, estimate, frame.index, more_seen=more_seen)
        now = Moment(frame.index, observation, self._knowledge, self._config, self._rng)
        estimate, self._hand = hand_tracked(now, estimate, self._last, self._hand)
        answer = self._answer(observation, estimate)
        self._remember(now, answer, estimate)
        return answer

    def _observed(self, frame: RgbdFrame, *, fresh_planes: bool) -> Observation:
        self._rng = np.random.default_rng([self._config.seed, frame.index])
        if fresh_planes:
            pose = None if self._last is None else self._last.estimate.pose.camera_from_object
            self._knowledge = self._knowledge.with_planes_of(frame, camera_from_object=pose)
        return with_labels(self._knowledge.observed(frame), self._labels_of(frame.index))

    def _followed(self, observation: Observation) -> Estimate | None:
        if self._last is None:
            return None
        config = self._config
        return object_followed(observation, self._last, self._knowledge, config.swarm, config.sizes, self._rng)

    def _found(self, observation: Observation) -> list[Estimate]:
        return objects_found(observation, self._knowledge, self._rng, self._last_seen)

    def _is_doubtful(self, estimate: Estimate | None) -> bool:
        return estimate is None or estimate.confidence < max(self._config.confidence, RECHECK)

    def _reviewed(
        self, observation: Observation, followed: Estimate | None, index: int, *, more_seen: bool
    ) -> Estimate | None:
        """What was followed, or what is found anew where that is better."""
        best = next(iter(self._found(observation)), None)
        agreed = best is not None and followed is not None and self._is_same(best.pose, followed.pose)
        chosen = best if best is not None and self._is_better(best, followed) else followed
        agreed, found = agreed and not self._is_doubtful(followed), not self._is_doubtful(chosen)
        self._reviews = self._reviews.searched(index, agreed=agreed, found=found, more_seen=more_seen)
        self._seen_area = self._area_like_object(observation)
        return chosen

    def _sees_more(self, observation: Observation) -> bool:
        """Whether much more than in the last search looks like the object: it may have come back into view."""
        more = self._area_like_object(observation) - self._seen_area
        return more > ENTERED_SHARE * self._knowledge.models.object_reach**2

    def _area_like_object(self, observation: Observation) -> float:
        return observation.area(observation.object_rather_than_hand > 0.5)

    def _is_same(self, one: HandObjectPose, other: HandObjectPose) -> bool:
        """Whether the object is about at the same place and turned the same way, or one that looks alike."""
        here, there = one.camera_from_object, other.camera_from_object
        return self._knowledge.symmetries.alike(here, there, SAME_STEP, SAME_TURN)

    def _is_better(self, found: Estimate, followed: Estimate | None) -> bool:
        """Whether a pose found anew replaces the one that was followed."""
        if followed is None:
            return found.confidence >= self._config.confidence
        if found.certainty < self._config.confidence:
            return False
        lead = found.evidence - followed.evidence
        return lead > (MORE_CONFIDENT if self._is_plausible(found.pose) else MORE_CONFIDENT_FAR)

    def _is_plausible(self, pose: HandObjectPose) -> bool:
        """Whether the object can have got there from where it was last vouched for."""
        if self._last is None:
            return True
        here, there = pose.camera_from_object, self._last.estimate.pose.camera_from_object
        frames = 1 + self._last.lost_for
        near = np.linalg.norm(here[:3, 3] - there[:3, 3]) < FASTEST_STEP * frames
        return bool(near and geodesic_angle(here[:3, :3], there[:3, :3]) < FASTEST_TURN * frames)

    def _answer(self, observation: Observation, estimate: Estimate | None) -> TrackedFrame:
        hand_missing = TrackStatus.LOST if sees_hand(observation) else TrackStatus.ABSENT
        if estimate is None:
            nothing, nan = pose_without_hand(rigid(np.eye(3), np.zeros(3))), float("nan")
            terms = np.full(len(TERMS), nan)
            return TrackedFrame(self._missing(observation), hand_missing, nothing, nan, nan, terms, *[nan] * 5)
        tracked = estimate.certainty >= self._config.confidence
        sure_of_hand = is_sure_of_hand(estimate, self._config)
        quality = estimate.quality
        return TrackedFrame(
            TrackStatus.TRACKED if tracked else self._missing(observation),
            TrackStatus.TRACKED if sure_of_hand else hand_missing,
            estimate.pose,
            estimate.certainty,
            estimate.hand_certainty,
            estimate.terms,
            quality.residual,
            quality.view.support + quality.view.violation,
            *estimate.spread,
            estimate.hand_residual,
        )

    def _missing(self, observation: Observation) -> TrackStatus:
        """What to call an object without a pose: ABSENT where next to nothing in view has its colours."""
        seen = self._area_like_object(observation) > ABSENT_SHARE * self._knowledge.models.object_reach**2
        return TrackStatus.LOST if seen or not self._knowledge.colored else TrackStatus.ABSENT

    def _remember(self, now: Moment, answer: TrackedFrame, estimate: Estimate | None) -> None:
        """What the next frame starts from."""
        before = self._last
        tracked = answer.status == TrackStatus.TRACKED
        if estimate is None or not self._is_followed(estimate):
            if before is not None:
                lost_for = before.lost_for + 1
                self._last = replace(before, motion=np.eye(4), lost_for=lost_for) if lost_for <= PATIENCE else None
            return
        pose = estimate.pose.camera_from_object
        motion = np.eye(4) if before is None else pose @ inverse(before.estimate.pose.camera_from_object)
        self._last = Last(estimate, motion)
        if tracked:
            self._last_seen = pose[:3, 3]
            self._hand, self._knowledge = hand_learned(now, estimate, self._hand)
        if tracked and answer.confidence >= LEARNING:
            self._learn(now.observation, estimate, LEARNING_RATE)

    def _is_followed(self, estimate: Estimate) -> bool:
        """Whether the next frame starts from there: a lost object goes on with the hand that holds it."""
        return estimate.confidence >= STILL_FOLLOWED or vouches_for_hand(estimate, self._config)

    def _learn(self, observation: Observation, estimate: Estimate, rate: float) -> None:
        pose = estimate.pose
        if not vouches_for_hand(estimate, self._config):
            pose = pose_without_hand(pose.camera_from_object)
        self._knowledge = self._knowledge.learned(observation, pose, estimate.quality, rate)
