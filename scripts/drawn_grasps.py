"""Hands at random as they hold things, of people at random, for learning what a hand looks like.

Unlike the simulated sensor's grasps (recorder/simulation/grasp.py), which are checked on all of the skin and take
seconds, these take a millisecond: the thing is a box, an ellipsoid or a rod, and a finger stops where stations along
its bones meet it. Some hands hold nothing, and some fingers stay out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np

from scene.arrays import Floats
from scene.hand_pose import ANGLE_LIMITS, place_bones
from scene.hand_shape import HandShape, average_hand
from scene.rotations import random_rotations

OPEN_DEG = ((25, 0, 0, 0), *[(0, 0, 5, 3)] * 4)
CLOSED_DEG = ((38, 40, 50, 60), *[(0, 80, 95, 60)] * 4)
"""(finger, motion) between which fingers close"""
OWN_WAY_DEG = ((14, 12, 10, 12), (7, 12, 14, 10), (6, 12, 14, 10), (6, 12, 14, 10), (7, 12, 14, 10))
"""deviation of each angle from that, and the shares of it with which open and closed fingers have it"""
OPEN_SHARES, CLOSED_SHARES = (1, 0.5, 0.4, 0.3), (1, 1, 0.7, 0.7)
THUMB_OPPOSES_DEG = (-10, 25)
"""range by which the thumb's abduction changes while it closes"""
HOLD_POINT, HOLD_SPREAD = (0.080, -0.045, -0.010), (0.022, 0.014, 0.020)
"""metres, hand frame: about where things are held, and its deviation"""
SMALLEST, LARGEST, OWN_SIZE = 0.010, 0.055, 0.4
"""metres between which the half of a thing's size is, and the deviation of each side's logarithm from it"""
EMPTY, STAYS_OUT, ALIKE = 0.2, 0.25, 0.5
"""chances that nothing is held, that a finger stops short, and that the fingers of an empty hand bend alike"""
MOST = 1.1
"""of the way from open to closed"""
SIZE, FINGERS, THICK, BONE, FLESH, JOINT = 0.09, 0.06, 0.12, 0.06, 0.06, 0.003
"""deviations, of logarithms but for the last, metres: of a person's hand, its fingers and their flesh; of each"""
BOX, ELLIPSOID, ROD = range(3)
AWAY, STEPS_AWAY = 0.003, 60
"""metres by which a thing is moved out of the palm, and how often at most"""


@dataclass(frozen=True)
class Held:
    """A thing in the hand's frame."""

    kind: int
    hand_from_thing: Floats
    """(3, 4)"""
    half: Floats
    """(3,) metres: half extents; of a rod its radius twice, and half of its length along z"""


def drawn_shape(rng: np.random.Generator) -> HandShape:
    """A person's right hand."""
    average = average_hand()
    size, fingers, thick, wide, deep = np.exp(rng.normal(size=5) * (SIZE, FINGERS, THICK, FINGERS, THICK))
    own_flesh = np.exp(rng.normal(size=(5, 1)) * FLESH + rng.normal(size=(5, 4)) * FLESH)
    return replace(
        average,
        base_offsets=average.base_offsets * size + rng.normal(size=(5, 3)) * JOINT,
        phalanx_lengths=average.phalanx_lengths * size * fingers * np.exp(rng.normal(size=(5, 3)) * BONE),
        radii=average.radii * size * thick * own_flesh,
        palm_segments=average.palm_segments * size * np.array([1, 1, wide]),
        palm_radii=average.palm_radii * size * deep,
    )


def drawn_grasp(shape: HandShape, rng: np.random.Generator) -> tuple[Floats, Held | None]:
    """(20,) radians of a right hand, and what it holds."""
    own = rng.normal(size=(5, 4)) * OWN_WAY_DEG
    opened, closed = np.array(OPEN_DEG) + own * OPEN_SHARES, np.array(CLOSED_DEG) + own * CLOSED_SHARES
    closed[:, 0] = opened[:, 0]
    closed[0, 0] += rng.uniform(*THUMB_OPPOSES_DEG)
    if rng.random() < EMPTY:
        shares = rng.random() + rng.normal(size=5) * 0.1 if rng.random() < ALIKE else rng.random(5)
        return _limited(np.deg2rad(opened + np.clip(shares, 0, MOST)[:, None] * (closed - opened))), None
    most = np.where(rng.random(5) < STAYS_OUT, rng.random(5), MOST)
    held = _out_of_palm(shape, _drawn_thing(rng))
    bone_places = shape.base_offsets, shape.base_rotations, shape.phalanx_lengths, shape.radii
    thing = held.kind, held.hand_from_thing, held.half
    return _limited(closed_on(*bone_places, np.deg2rad(opened), np.deg2rad(closed), most, *thing)), held


def _limited(angles: Floats) -> Floats:
    return np.clip(angles.reshape(20), ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])


def _drawn_thing(rng: np.random.Generator) -> Held:
    kind = int(rng.integers(3))
    half = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)) + rng.normal(size=3) * OWN_SIZE)
    if kind == ROD:
        half[1] = half[0] = min(half[0], 0.03)
        half[2] = max(half[2], 1.5 * half[0])
    place = np.array(HOLD_POINT) + np.array(HOLD_SPREAD) * rng.normal(size=3)
    return Held(kind, np.column_stack([random_rotations(1, rng)[0], place]), np.clip(half, 0.006, 0.11))


def _out_of_palm(shape: HandShape, held: Held) -> Held:
    """Moved away from the palm until it does not reach into it."""
    shares = np.linspace(0, 1, 5)
    first, last = shape.palm_segments[:, None, 0], shape.palm_segments[:, None, 1]
    stations = (first + shares[:, None] * (last - first)).reshape(-1, 3)
    radii = (shape.palm_radii[:, :1] + shares * (shape.palm_radii[:, 1:] - shape.palm_radii[:, :1])).reshape(-1)
    moved = held.hand_from_thing.copy()
    for _ in range(STEPS_AWAY):
        if not touches(stations, radii, held.kind, moved, held.half):
            break
        moved[1, 3] -= AWAY
    return replace(held, hand_from_thing=moved)


@numba.njit(cache=True)
def touches(points, radii, kind, hand_from_thing, half):  # type: ignore[no-untyped-def]
    """Whether a ball of (N,) radii about (N, 3) points of the hand frame reaches a millimetre into the thing."""
    for index in range(len(points)):
        if thing_distance(points[index], kind, hand_from_thing, half) < radii[index] - 0.001:
            return True
    return False


@numba.njit(cache=True)
def thing_distance(point, kind, hand_from_thing, half):  # type: ignore[no-untyped-def]
    """Metres from a point of the hand frame to the thing's surface, negative inside; of an ellipsoid about that."""
    x, y, z = point[0] - hand_from_thing[0, 3], point[1] - hand_from_thing[1, 3], point[2] - hand_from_thing[2, 3]
    u = hand_from_thing[0, 0] * x + hand_from_thing[1, 0] * y + hand_from_thing[2, 0] * z
    v = hand_from_thing[0, 1] * x + hand_from_thing[1, 1] * y + hand_from_thing[2, 1] * z
    w = hand_from_thing[0, 2] * x + hand_from_thing[1, 2] * y + hand_from_thing[2, 2] * z
    if kind == BOX:
        a, b, c = abs(u) - half[0], abs(v) - half[1], abs(w) - half[2]
        outside = np.sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2)
        return outside + min(max(a, max(b, c)), 0.0)
    if kind == ELLIPSOID:
        scaled = np.sqrt((u / half[0]) ** 2 + (v / half[1]) ** 2 + (w / half[2]) ** 2)
        gradient = np.sqrt((u / half[0] ** 2) ** 2 + (v / half[1] ** 2) ** 2 + (w / half[2] ** 2) ** 2)
        return scaled * (scaled - 1.0) / max(gradient, 1e-9)
    along = max(abs(w) - half[2], 0.0)
    return np.sqrt(u * u + v * v + along * along) - half[0]


@numba.njit(cache=True)
def closed_on(  # type: ignore[no-untyped-def]
    base_offsets, base_rotations, lengths, radii, opened, closed, most, kind, hand_from_thing, half
):
    """(5, 4) radians: each finger closed from `opened` as far as `most` (5,) of the way, or until it meets the thing.

    First all its joints turn; once a bone is stopped only the joints after it go on.
    """
    angles, frames = opened.copy(), np.zeros((16, 4, 4))
    for finger in range(5):
        first, share = 1, np.zeros(4)  # first: joint from which on the finger still turns
        while first < 4:
            tried = share.copy()
            tried[first:] += 1.0 / 24
            if first == 1:
                tried[0] = tried[1]
            if tried[3] > most[finger]:
                break
            before = angles[finger].copy()
            angles[finger] = opened[finger] + tried * (closed[finger] - opened[finger])
            place_bones(base_offsets, base_rotations, lengths, 1.0, angles.reshape(20), frames)
            stopped = _bone_stopped(finger, frames, lengths, radii, kind, hand_from_thing, half)
            if stopped > 0:
                angles[finger] = before
                first = max(first, stopped) + 1
            else:
                share = tried
    return angles


@numba.njit(cache=True)
def _bone_stopped(finger, frames, lengths, radii, kind, hand_from_thing, half):  # type: ignore[no-untyped-def]
    """Number, from 1, of the outermost bone of a finger that reaches into the thing; 0 where none does."""
    point, stopped = np.empty(3), 0
    for bone in range(3):
        frame = frames[1 + 3 * finger + bone]
        for station in range(3 if bone == 0 else 1, 5):  # where a finger begins its flesh is the palm's
            along = station / 4.0
            for axis in range(3):
                point[axis] = frame[axis, 3] + along * lengths[finger, bone] * frame[axis, 0]
            radius = radii[finger, bone] * (1 - along) + radii[finger, bone + 1] * along
            if thing_distance(point, kind, hand_from_thing, half) < radius - 0.001:
                stopped = bone + 1
    return stopped
