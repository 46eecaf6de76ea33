"""Whose hand it is, where a recording does not say: the one that explains more, and is more surely right.

A palm fits the back of the other hand, so that a wrong hand may fit nearly as well. What tells them apart is how surely
either is right (tracker/hand_quality.py), and by how much the objective of the one is below that of the other. Frames
are looked at one by one until they tell enough, as in a sequential test (Wald 1945): first some far from each other, in
each of which either hand is searched for, and then, as one that is seldom found is sooner followed, some in a row.

In: frames. Out: log odds that it is a left hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.special import logit

from scene.arrays import Bytes, Floats
from scene.frame import RgbdFrame
from scene.hand_shape import Side, average_hand
from tracker.anew import object_at, with_hand_found
from tracker.grasp_views import GraspViews
from tracker.hints import with_labels
from tracker.judgement import Estimate
from tracker.objective import CONTACT, HAND, POINTS, PRIOR
from tracker.observation import Observation
from tracker.scene_knowledge import SceneKnowledge
from tracker.sequence import SequenceTracker

CLEARLY, ENOUGH = 2.0, 10.0
"""log odds, summed over the frames, by which a left hand must be surer than a right one, as most are right ones; and
from which on, for either, no more frames are asked"""
IN_A_ROW = 0.3
"""share of its log odds that counts of a frame in a row of them, which all tell nearly the same"""
LEAST, MOST = 0.02, 0.98
"""chances between which one frame counts"""
LOWER = 0.03
"""of the objective: as much as a unit of log odds"""
OF_HANDS = [POINTS, HAND, CONTACT, PRIOR]
"""terms of the objective that a hand has a part in"""


def seen_to_be_left(
    frames: Iterable[tuple[RgbdFrame, Floats]],
    knowledge: SceneKnowledge,
    points: int,
    seed: int,
    labels_of: Callable[[int], Bytes | None],
) -> float:
    """Log odds by searching for a right and for a left hand in one frame after the other, until they are clear.

    Args:
        frames: each with camera_from_object (4, 4).
        knowledge: of the scene.
        points: observed points a hand has to explain.
        seed: of all randomness.
        labels_of: a frame's number, as hints.unlabelled.
    """
    for_left = 0.0
    for frame, camera_from_object in frames:
        known = knowledge.with_planes_of(frame)
        observation = with_labels(known.observed(frame), labels_of(frame.index))
        estimate = object_at(observation, camera_from_object, known, np.random.default_rng([seed, frame.index]))
        left, right = (_with_hand(observation, estimate, known, side, points, seed) for side in ("left", "right"))
        for_left += log_odds_for((left.hand_certainty, left.terms), (right.hand_certainty, right.terms))
        if abs(for_left) > ENOUGH:
            break
    return for_left


def followed_to_be_left(
    frames: Iterable[RgbdFrame], left: SequenceTracker, right: SequenceTracker, before: float
) -> float:
    """Log odds by following a right and a left hand through frames in a row, until they are clear.

    Args:
        frames: from where both trackers stand.
        left: follows a left hand.
        right: follows a right one.
        before: log odds that are known already.
    """
    for_left = before
    for frame in frames:
        one, other = left.track(frame), right.track(frame)
        for_left += IN_A_ROW * log_odds_for((one.hand_confidence, one.terms), (other.hand_confidence, other.terms))
        if abs(for_left) > ENOUGH:
            break
    return for_left


def _with_hand(
    observation: Observation, estimate: Estimate, knowledge: SceneKnowledge, side: Side, points: int, seed: int
) -> Estimate:
    """The object with the average hand of a side, found in this frame alone; chance plays the same part for both."""
    known, rng = knowledge.with_shape(average_hand(side)), np.random.default_rng(seed)
    return with_hand_found(observation, estimate, known, (), GraspViews(), points, rng)[0]


def log_odds_for(one: tuple[float, Floats], other: tuple[float, Floats]) -> float:
    """By which one hand is rather the right one than the other; each is its chance and the (6,) terms of the objective.

    0 where either cannot be judged. Where neither is likely to be right it says little which of them is less wrong.
    """
    chances = np.array([one[0], other[0]])
    if not np.isfinite(chances).all():
        return 0.0
    mine, others = logit(np.clip(chances, LEAST, MOST))
    lower = (other[1] - one[1])[OF_HANDS].sum() / LOWER
    return float(chances.max() * (mine - others + lower))
