"""Hands that a network sees in a frame: where to begin a search.

Thousands of hands at random come near to the right one now and then; a network that has learned from drawn pictures
what hands look like (scripts/learn_hand_proposals.py) mostly does. It only proposes: the objective decides. In: a frame
and places that may be the hand's middle. Out: hands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Floats, Integers
from scene.hand_pose import ANGLE_LIMITS, HandPose, bones, joints_of_bones
from scene.hand_shape import HandShape
from scene.transforms import rigid
from tracker.hand_crop import Croppable, HandCrop
from tracker.observation import Observation

ROUNDS = 5
"""in each of which the picture is taken anew about the middle of the hand that the last one showed"""
PALM_JOINTS = (0, 1, 5, 9, 13, 17)
"""which keep their places to each other"""
TURNS = 8
"""directions from which the arm may come where it is not known"""
SPREAD = 5
"""points, each as far from the others as there are any, about which the hand may be, too"""
TIPS_SHARE, HAND_DEEP = 0.97, 0.13
"""of the distances from the arm's entry, that of the finger tips; and metres before that which are surely hand"""
SAME = 0.01
"""metres a joint, on average, between two proposals that are one"""
AGREED = 0.6
"""of the starts, that must come to one and the same hand for it to be believed"""


@dataclass(frozen=True)
class Proposals:
    """Hands that differ, the one to which most starts came first."""

    hands: tuple[HandPose, ...] = ()
    agreed: bool = False
    """whether most starts came to the first"""


NO_PROPOSALS = Proposals()


def proposed_hands(observation: Observation, points: Floats, near: Floats, shape: HandShape) -> Proposals:
    """The hands that may be in a frame.

    Args:
        observation: of the frame.
        points: (N, 3) points_camera that look like the hand, N > 0.
        near: (M, 3) points_camera about which it may be, too, such as the object's place.
        shape: of the hand.

    """
    croppable, mirror = Croppable.of(observation), np.array([1.0 if shape.side == "right" else -1.0, 1.0, 1.0])
    views = [(centre, up) for centre in [*_middles(observation, points), *near] for up in _ups(observation, points)]
    centres, ups = (np.array(each) for each in zip(*views, strict=True))
    for _ in range(ROUNDS):
        crops = [croppable.taken(centre, up) for centre, up in zip(centres, ups, strict=True)]
        joints, angles = _seen(crops, mirror)
        centres = joints.mean(axis=1)
    chosen, counts = _different(joints)
    hands = tuple(_hand(joints[one], angles[one], shape) for one in chosen)
    return Proposals(hands, agreed=bool(counts[0] >= AGREED * len(joints)))


def _middles(observation: Observation, points: Floats) -> list[Floats]:
    """The middle of the points, as if all were seen from the same distance; and of those farthest from the arm."""
    middles = [_middle(points)]
    if observation.arm is not None:
        away = np.linalg.norm(points - observation.arm.entry, axis=1)
        middles.append(_middle(points[away > np.quantile(away, TIPS_SHARE) - HAND_DEEP]))
    return [*middles, *_spread(points, middles[0])]


def _spread(points: Floats, first: Floats) -> list[Floats]:
    """Points each of which is the farthest from those before it, and from the first place."""
    chosen: list[Floats] = []
    away = np.linalg.norm(points - first, axis=1)
    for _ in range(SPREAD):
        chosen.append(points[away.argmax()])
        away = np.minimum(away, np.linalg.norm(points - chosen[-1], axis=1))
    return chosen


def _middle(points: Floats) -> Floats:
    return np.asarray(np.average(points, axis=0, weights=points[:, 2] ** 2))


def _ups(observation: Observation, points: Floats) -> list[Floats]:
    """Directions in which the arm may point."""
    if observation.arm is not None:
        return [observation.arm.direction]
    turns = 2 * np.pi * np.arange(TURNS) / TURNS
    return [np.array([np.cos(turn), np.sin(turn), 0.0]) for turn in turns]


def _seen(crops: list[HandCrop], mirror: Floats) -> tuple[Floats, Floats]:
    """(C, 21, 3) joints_camera and (C, 20) radians of the hands in pictures; the network knows right hands alone."""
    pictures = np.stack([crop.picture for crop in crops])
    if mirror[0] < 0:
        pictures = pictures[..., ::-1].copy()
    from tracker.hand_network import answered  # torch, which takes seconds to load, where a hand is searched for

    joints, angles = answered(pictures)
    placed = [crop.to_camera(own * mirror) for crop, own in zip(crops, joints, strict=True)]
    return np.stack(placed), np.clip(angles, ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])


def _hand(joints: Floats, angles: Floats, shape: HandShape) -> HandPose:
    """The hand whose palm lies best on that of (21, 3) joints_camera."""
    palm = joints_of_bones(shape, bones(shape, angles))[list(PALM_JOINTS)]
    seen = joints[list(PALM_JOINTS)]
    middle, there = palm.mean(axis=0), seen.mean(axis=0)
    left, _, right = np.linalg.svd((seen - there).T @ (palm - middle))
    turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    return HandPose(rigid(turn, there - turn @ middle), angles)


def _different(joints: Floats) -> tuple[Integers, Integers]:
    """Of (C, 21, 3), those that repeat none before, and how many repeat each, itself among them; the most first."""
    chosen: list[int] = []
    counts: list[int] = []
    for one in range(len(joints)):
        off = np.linalg.norm(joints[chosen] - joints[one], axis=2).mean(axis=1)
        if (off > SAME).all():
            chosen.append(one)
            counts.append(1)
        else:
            counts[int(off.argmin())] += 1
    order = np.argsort(-np.array(counts), kind="stable")
    return np.array(chosen)[order], np.array(counts)[order]
