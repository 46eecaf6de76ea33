"""Which of the observed points a hypothesis has to explain: those about object and hand, spread evenly over both."""

from __future__ import annotations

import numpy as np

from scene.arrays import Booleans, Floats, Integers
from scene.hand_pose import HandPose, joints
from scene.hand_shape import HandShape
from scene.transforms import inverse
from tracker.hypothesis import HandObjectPose
from tracker.objective import Evidence
from tracker.observation import Observation

REACH = 1.3
"""of the object's reach: as far about its centre points are its own"""
FROM_JOINT, BEHIND_WRIST, HAND_REACH = 0.04, 0.02, 0.25
"""metres from a joint within which a point may be the hand's, behind the wrist from which it is the forearm's, and from
the wrist beyond which no hand reaches"""


def within(points: Floats, centre: Floats, reach: float) -> Booleans:
    """(N, 3) -> (N,) which are less than `reach` metres from the centre (3,)."""
    away = points - centre
    near: Booleans = np.einsum("ij,ij->i", away, away) < reach * reach
    return near


def pick(mask: Booleans, count: int, rng: np.random.Generator) -> Integers:
    """(F,) -> the indices that are True, or `count` of them, in ascending order."""
    indices = np.nonzero(mask)[0]
    return indices if len(indices) <= count else np.sort(rng.choice(indices, count, replace=False))


def about_object(
    observation: Observation, poses: list[HandObjectPose], reach: float, count: int, rng: np.random.Generator
) -> Evidence:
    """At most `count` points about the object at any of the poses; `reach` metres is the object's."""
    return observation.evidence(pick(_near_object(observation.points, poses, reach), count, rng))


def about_hand_and_object(
    observation: Observation,
    poses: list[HandObjectPose],
    reach: float,
    shape: HandShape,
    count: int,
    rng: np.random.Generator,
) -> Evidence:
    """At most `count` points, half of them about the object and half about the hand; the forearm is nobody's."""
    near_object = _near_object(observation.points, poses, reach)
    near_hand = np.any([_near_hand(observation.points, shape, pose.hand) for pose in poses], axis=0)
    if observation.arm is not None:
        near_hand &= observation.arm.beyond_wrist(observation.points)
    halves = pick(near_object, count // 2, rng), pick(near_hand & ~near_object, count // 2, rng)
    return observation.evidence(np.sort(np.concatenate(halves)))


def about_hand(
    observation: Observation, hands: list[HandPose], shape: HandShape, count: int, rng: np.random.Generator
) -> Evidence:
    """At most `count` of the hand's points, about it at any of the poses."""
    near = np.any([_near_hand(observation.points, shape, hand) for hand in hands], axis=0)
    return observation.evidence(pick(near & observation.hand_points, count, rng))


def _near_object(points: Floats, poses: list[HandObjectPose], reach: float) -> Booleans:
    near: Booleans = np.any([within(points, pose.camera_from_object[:3, 3], REACH * reach) for pose in poses], axis=0)
    return near


def _near_hand(points: Floats, shape: HandShape, hand: HandPose) -> Booleans:
    near = np.zeros(len(points), bool)
    hand_from_camera = inverse(hand.camera_from_hand)
    ahead = points @ hand_from_camera[0, :3] + hand_from_camera[0, 3] > -BEHIND_WRIST
    close = np.nonzero(ahead & within(points, hand.camera_from_hand[:3, 3], HAND_REACH))[0]
    # all squared distances as one product of matrices, a row for each joint: minima of many short rows take longer
    mine, of_joints = points[close] - hand.camera_from_hand[:3, 3], joints(shape, hand) - hand.camera_from_hand[:3, 3]
    squares = (of_joints**2).sum(axis=1)[:, None] - 2 * of_joints @ mine.T
    near[close[squares.min(axis=0) + np.einsum("ij,ij->i", mine, mine) < FROM_JOINT**2]] = True
    return near
