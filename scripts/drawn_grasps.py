"""Hands at random as they hold things, of people at random, for learning what a hand looks like.

Unlike the simulated sensor's grasps (recorder/simulation/grasp.py), which are checked on all of the skin and take
seconds, these take microseconds: the thing is a box, an ellipsoid or a rod, and a finger stops where stations along its
bones meet it. Some hands hold nothing, and some fingers stay out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np

from scene.arrays import Floats
from scene.hand_pose import ANGLE_LIMITS, place_bones
from scene.hand_shape import HandShape, average_hand
from scene.rotations import random_rotations

OPEN_DEG = ((25, 0, 0, 0), (0, 0, 5, 3), (0, 0, 5, 3), (0, 0, 5, 3), (0, 0, 5, 3))
CLOSED_DEG = ((38, 40, 50, 60), (0, 80, 95, 60), (0, 80, 95, 60), (0, 80, 95, 60), (0, 80, 95, 60))
"""(finger, motion) between which fingers close"""
OWN_WAY_DEG = ((14, 12, 10, 12), (7, 12, 14, 10), (6, 12, 14, 10), (6, 12, 14, 10), (7, 12, 14, 10))
"""deviation of each angle from that"""
HOLD_POINT, HOLD_SPREAD = (0.080, -0.045, -0.010), (0.022, 0.014, 0.020)
"""metres, hand frame: about where things are held"""
EMPTY, STAYS_OUT, ALIKE = 0.2, 0.25, 0.5
"""chances that nothing is held, that a finger stops short, and that the fingers of an empty hand bend alike"""
STEPS = 24
BOX, ELLIPSOID, ROD = range(3)


@dataclass(frozen=True)
class Held:
    """A thing in the hand's frame."""

    kind: int
    hand_from_thing: Floats
    """(3, 4)"""
    half: Floats
    """(3,) metres: half extents; of a rod the radius twice and half its length along z"""


def drawn_shape(rng: np.random.Generator) -> HandShape:
    """A person's right hand."""
    average = average_hand()
    size, fingers, thick = np.exp(rng.normal(size=3) * (0.09, 0.06, 0.12))
    return replace(
        average,
        base_offsets=average.base_offsets * size + rng.normal(size=(5, 3)) * 0.003,
        phalanx_lengths=average.phalanx_lengths * size * fingers * np.exp(rng.normal(size=(5, 3)) * 0.06),
        radii=average.radii * size * thick * np.exp(rng.normal(size=(5, 1)) * 0.06 + rng.normal(size=(5, 4)) * 0.05),
        palm_segments=average.palm_segments * size * np.array([1, 1, np.exp(rng.normal() * 0.06)]),
        palm_radii=average.palm_radii * size * np.exp(rng.normal() * 0.12),
    )


def drawn_grasp(shape: HandShape, rng: np.random.Generator) -> tuple[Floats, Held | None]:
    """(20,) radians, and what is held."""
    own = rng.normal(size=(5, 4)) * OWN_WAY_DEG
    opened = np.array(OPEN_DEG) + own * (1, 0.5, 0.4, 0.3)
    closed = np.array(CLOSED_DEG) + own * (1, 1, 0.7, 0.7)
    closed[:, 0] = opened[:, 0] + np.where(np.arange(5) == 0, rng.uniform(-10, 25), 0)
    most = np.where(rng.random(5) < STAYS_OUT, rng.random(5), 1.1)
    if rng.random() < EMPTY:
        most = np.clip(rng.random() + rng.normal(size=5) * 0.1, 0, 1.1) if rng.random() < ALIKE else rng.random(5)
        return _limited(opened + most[:, None] * (closed - opened)), None
    held = _drawn_thing(rng)
    held = _out_of_palm(shape, held)
    angles = close_on(
        shape.base_offsets, shape.base_rotations, shape.phalanx_lengths, shape.radii,
        np.deg2rad(opened), np.deg2rad(closed), most, held.kind, held.hand_from_thing, held.half,
    )  # fmt: skip
    return _limited(np.rad2deg(angles)), held


def _limited(angles_deg: Floats) -> Floats:
    return np.clip(np.deg2rad(angles_deg).reshape(20), ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])


def _drawn_thing(rng: np.random.Generator) -> Held:
    kind = int(rng.integers(3))
    size = np.exp(rng.uniform(np.log(0.010), np.log(0.055)))
    half = size * np.exp(rng.normal(size=3) * 0.4)
    if kind == ROD:
        half[1] = half[0] = min(half[0], 0.03)
        half[2] = max(half[2], 1.5 * half[0])
    place = np.array(HOLD_POINT) + np.array(HOLD_SPREAD) * rng.normal(size=3)
    return Held(kind, np.column_stack([random_rotations(1, rng)[0], place]), np.clip(half, 0.006, 0.11))


def _out_of_palm(shape: HandShape, held: Held) -> Held:
    """Moved away from the palm until that does not reach into it."""
    moved = held.hand_from_thing.copy()
    shares = np.linspace(0, 1, 5)[None, :, None]
    stations = shape.palm_segments[:, :1] * (1 - shares) + shape.palm_segments[:, 1:] * shares
    radii = shape.palm_radii[:, :1] * (1 - shares[..., 0]) + shape.palm_radii[:, 1:] * shares[..., 0]
    for _ in range(60):
        if not touches(stations.reshape(-1, 3), radii.reshape(-1), held.kind, moved, held.half):
            break
        moved[1, 3] -= 0.003
    return replace(held, hand_from_thing=moved)


@numba.njit(cache=True)
def touches(points, radii, kind, hand_from_thing, half):  # type: ignore[no-untyped-def]
    """Whether a ball of (N,) radii at (N, 3) points of the hand frame reaches into the thing."""
    for index in range(len(points)):
        if thing_distance(points[index], kind, hand_from_thing, half) < radii[index] - 0.001:
            return True
    return False


@numba.njit(cache=True)
def thing_distance(point, kind, hand_from_thing, half):  # type: ignore[no-untyped-def]
    """Metres from a point of the hand frame to the thing's surface, negative inside; of an ellipsoid about so."""
    x, y, z = point[0] - hand_from_thing[0, 3], point[1] - hand_from_thing[1, 3], point[2] - hand_from_thing[2, 3]
    u = hand_from_thing[0, 0] * x + hand_from_thing[1, 0] * y + hand_from_thing[2, 0] * z
    v = hand_from_thing[0, 1] * x + hand_from_thing[1, 1] * y + hand_from_thing[2, 1] * z
    w = hand_from_thing[0, 2] * x + hand_from_thing[1, 2] * y + hand_from_thing[2, 2] * z
    if kind == 0:
        a, b, c = abs(u) - half[0], abs(v) - half[1], abs(w) - half[2]
        outside = np.sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2)
        return outside + min(max(a, max(b, c)), 0.0)
    if kind == 1:
        scaled = np.sqrt((u / half[0]) ** 2 + (v / half[1]) ** 2 + (w / half[2]) ** 2)
        gradient = np.sqrt((u / half[0] ** 2) ** 2 + (v / half[1] ** 2) ** 2 + (w / half[2] ** 2) ** 2)
        return scaled * (scaled - 1.0) / max(gradient, 1e-9)
    along = max(abs(w) - half[2], 0.0)
    return np.sqrt(u * u + v * v + along * along) - half[0]


@numba.njit(cache=True)
def close_on(base_offsets, base_rotations, lengths, radii, opened, closed, most, kind, hand_from_thing, half):  # type: ignore[no-untyped-def]
    """(5, 4) radians: each finger closed from `opened` as far as `most` (5,) of the way, or until it meets the thing.

    First all its joints turn; once a bone is stopped the joints after it go on.
    """
    angles = opened.copy()
    frames = np.zeros((16, 4, 4))
    point = np.empty(3)
    for finger in range(5):
        first = 1  # joint from which on the finger still turns
        share = np.zeros(4)
        while first < 4:
            tried = share.copy()
            for joint in range(first, 4):
                tried[joint] = share[joint] + 1.0 / 24
            if first == 1:
                tried[0] = tried[1]
            if tried[3] > most[finger]:
                break
            before = angles[finger].copy()
            for joint in range(4):
                angles[finger, joint] = opened[finger, joint] + tried[joint] * (closed[finger, joint] - opened[finger, joint])
            place_bones(base_offsets, base_rotations, lengths, 1.0, angles.reshape(20), frames)
            stopped = 0
            for bone in range(3):
                frame = frames[1 + 3 * finger + bone]
                for station in range(1, 5):
                    if bone == 0 and station < 3:
                        continue
                    s = station / 4.0
                    for axis in range(3):
                        point[axis] = frame[axis, 3] + s * lengths[finger, bone] * frame[axis, 0]
                    radius = radii[finger, bone] * (1 - s) + radii[finger, bone + 1] * s
                    if thing_distance(point, kind, hand_from_thing, half) < radius - 0.001:
                        stopped = bone + 1
            if stopped > 0:
                angles[finger] = before
                first = max(first, stopped) + 1
            else:
                share = tried
    return angles
