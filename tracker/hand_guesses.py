"""Hands as they may be anywhere: drawn at random about places that look like one, varied, or moved by a finger."""

from __future__ import annotations

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import ANGLE_LIMITS
from scene.rotations import matrix_from_rotation_vector, random_rotations, rotation_vector_from_matrix
from tracker.hypothesis import HAND_ANGLES, HAND_ROTATION, HAND_TRANSLATION, VECTOR_SIZE, clamp_angles

CENTRE = np.array([0.075, -0.01, 0.0])
"""hand frame, metres: about the middle of what is seen of a hand, about which hands are placed and turned"""
NEAR = 0.015
"""metres, deviation of that middle from a place that looks like a hand"""
CLOSED_DEG, MOST_CLOSED = (0, 65, 70, 40), 1.1
"""the four angles of a finger of a fist; fingers are drawn between straight and this share of it, all alike"""
OWN_WAY_DEG = (5, 12, 12, 10)
"""deviation of each finger's angles from that"""
THUMB_DEG, THUMB_OWN_WAY_DEG = (15, 10, 15, 15), 15
HALF_CLOSED: Floats = np.deg2rad(np.array([THUMB_DEG, *[(0, 35, 40, 20)] * 4], float).reshape(20))
"""(20,) radians: the prior's middle while nothing is known"""
STEP, TURN, BEND = 0.015, 0.25, 0.25
"""metres, radians and radians by which a hand varies at a scale of 1"""
WAYS = {"moved": 0.35, "a finger bent": 0.3, "a finger redrawn": 0.1, "a finger taken": 0.15, "all": 0.1}
"""in which a hand varies, and how often"""


def drawn_hands(count: int, places: Floats, arm: Floats, least_along: float, rng: np.random.Generator) -> Floats:
    """Hands at random.

    Args:
        count: of them.
        places: (N, 3) points_camera that look like a hand, N > 0.
        arm: (3,) unit vector, camera frame: the way the arm comes; zero where unknown.
        least_along: cosine between that and the hand's x axis, below which no hand is drawn.
        rng: of all randomness.

    Returns:
        (count, 32) vectors, orientations counted from none, the object's numbers zero.
    """
    rotations = _drawn_rotations(count, arm, least_along, rng)
    hands = np.zeros((count, VECTOR_SIZE))
    centres = places[rng.integers(len(places), size=count)] + rng.normal(size=(count, 3)) * NEAR
    hands[:, HAND_TRANSLATION] = centres - rotations @ CENTRE
    hands[:, HAND_ROTATION] = rotation_vector_from_matrix(rotations)
    hands[:, HAND_ANGLES] = _drawn_angles(count, rng)
    return hands


def varied(hands: Floats, scale: float, others: Floats, rng: np.random.Generator) -> Floats:
    """Hands that differ each in one way, for 26 numbers changed at once hardly ever all change for the better.

    Args:
        hands: (N, 32), orientations counted from none.
        scale: of the changes.
        others: (M, 32) hands from which fingers may be taken.
        rng: of all randomness.

    Returns:
        (N, 32) each either shifted and turned about its middle, or with one finger bent a little, bent anyhow or taken
        from another hand, or changed in all of these ways a little.
    """
    moved, bent = _moved(hands, scale, rng), hands[:, HAND_ANGLES] + rng.normal(size=(len(hands), 20)) * BEND * scale
    way = rng.choice(len(WAYS), p=list(WAYS.values()), size=len(hands))
    is_moved, is_bent, is_redrawn, is_taken, is_all = (way == index for index in range(len(WAYS)))
    changed = np.where((is_moved | is_all)[:, None], moved, hands)
    one_finger = np.arange(5) == rng.integers(5, size=len(hands))[:, None]
    angles = changed[:, HAND_ANGLES].reshape(-1, 5, 4)
    drawn, taken = _drawn_angles(len(hands), rng), others[rng.integers(len(others), size=len(hands))][:, HAND_ANGLES]
    for chosen, source in ((is_bent, bent), (is_redrawn, drawn), (is_taken, taken)):
        here = chosen[:, None] & one_finger
        angles[here] = source.reshape(-1, 5, 4)[here]
    changed[:, HAND_ANGLES] = np.where(is_all[:, None], bent, angles.reshape(-1, 20))
    return clamp_angles(changed)


def moved_by_a_finger(hand: Floats, knuckles: Floats, by: int) -> Floats:
    """The hand moved aside so that each finger stands where its neighbour stood, bent as that was.

    A hand one of whose fingers is taken for the next one explains nearly all that is seen: a deep minimum, from which
    no change of one finger, and no small change of all, leads to the right one.

    Args:
        hand: (32,), its orientation counted from none.
        knuckles: (4, 3) metres, hand frame, of the fingers after the thumb.
        by: +1 moves each towards the little finger, -1 towards the thumb.
    """
    fingers = np.arange(4)
    there = np.clip(fingers + by, 0, 3)
    step = (knuckles[there] - knuckles)[there != fingers].mean(axis=0)
    moved = hand.copy()
    moved[HAND_TRANSLATION] += matrix_from_rotation_vector(hand[HAND_ROTATION]) @ step
    moved[HAND_ANGLES].reshape(5, 4)[1:] = hand[HAND_ANGLES].reshape(5, 4)[1 + there]
    return moved


def _moved(hands: Floats, scale: float, rng: np.random.Generator) -> Floats:
    """(N, 32) -> each shifted, and turned about its middle."""
    changed, count = hands.copy(), len(hands)
    before = matrix_from_rotation_vector(hands[:, HAND_ROTATION])
    after = matrix_from_rotation_vector(rng.normal(size=(count, 3)) * TURN * scale) @ before
    changed[:, HAND_ROTATION] = rotation_vector_from_matrix(after)
    changed[:, HAND_TRANSLATION] += (before - after) @ CENTRE + rng.normal(size=(count, 3)) * STEP * scale
    return changed


def _drawn_rotations(count: int, arm: Floats, least_along: float, rng: np.random.Generator) -> Floats:
    """(count, 3, 3), none of which points against the arm."""
    kept = np.zeros((0, 3, 3))
    while len(kept) < count:
        rotations = random_rotations(count, rng)
        if arm.any():
            rotations = rotations[rotations[:, :, 0] @ arm >= least_along]
        kept = np.concatenate([kept, rotations])
    return kept[:count]


def _drawn_angles(count: int, rng: np.random.Generator) -> Floats:
    """(count, 20) radians within their limits."""
    closed = rng.uniform(0, MOST_CLOSED, (count, 1)) * CLOSED_DEG
    fingers = [closed + rng.normal(size=(count, 4)) * OWN_WAY_DEG for _ in range(4)]
    thumb = np.asarray(THUMB_DEG) + rng.normal(size=(count, 4)) * THUMB_OWN_WAY_DEG
    degrees = np.concatenate([thumb, *fingers], axis=1)
    angles: Floats = np.clip(np.deg2rad(degrees), ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
    return angles
