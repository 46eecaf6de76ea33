"""What a depth camera sees of a hand at random, as tracker/hand_crop.py cuts it out: pictures and what they are of.

The camera looks at about the middle of the hand, the arm comes from below, bare or in a sleeve. The hand is drawn as
rows of balls, what it holds by marching along rays; then come noise, edges that are not measured, things behind, and
colours that are taken for another body's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from scene.arrays import Bytes, Floats
from scene.hand_pose import bones, joints_of_bones, segments
from scene.hand_shape import HandShape
from scene.rotations import matrix_from_rotation_vector
from scripts.drawn_grasps import ROD, Held, drawn_grasp, drawn_shape, thing_distance
from tracker.hand_crop import SIDE_PX, encoded, focal_px

NEAREST, FARTHEST = 0.35, 1.2
"""metres from the camera"""
OFF_CENTRE, OFTEN_FARTHER = 0.018, (1, 2.5)
"""metres, deviation of the hand's middle from where the camera looks, and what that is times, one or the other"""
FLEXED_DEG, DEVIATED_DEG, IN_PLANE_DEG, TILTED_DEG = 35, 14, 14, 30
"""deviations: of the wrist, two ways; and of the arm from the picture's upward direction, in it and out of it"""
SLEEVE, ENDS = 0.5, 0.2
"""chances that the arm has a sleeve, and that it ends in the picture"""
SCENERY = 0.3
"""chance that something stands behind"""
MISTAKES = 0.7
"""discs, on average, in which one body is taken for another"""
FEWEST_PX = 60
"""of the hand, below which a picture is not taken"""
NOTHING, HAND, OTHER = range(3)


@dataclass(frozen=True)
class Pictures:
    """N of them."""

    pictures: Bytes
    """(N, 2, SIDE_PX, SIDE_PX) as hand_crop.encoded has them"""
    joints: Floats
    """(N, 21, 3) metres from the centre, crop frame"""
    angles: Floats
    """(N, 20) radians"""


@dataclass
class _Canvas:
    """Drawn into."""

    focal: float
    depth: Floats
    label: Bytes

    @staticmethod
    def empty(distance: float) -> _Canvas:
        square = (SIDE_PX, SIDE_PX)
        return _Canvas(focal_px(distance), np.full(square, np.inf), np.zeros(square, np.uint8))


def drawn_pictures(count: int, rng: np.random.Generator) -> Pictures:
    """At random."""
    made: list[tuple[Bytes, Floats, Floats]] = []
    while len(made) < count:
        one = _picture(rng)
        made += [] if one is None else [one]
    pictures, joints, angles = (np.stack(each) for each in zip(*made, strict=True))
    return Pictures(pictures, joints.astype(np.float32), angles.astype(np.float32))


def _picture(rng: np.random.Generator) -> tuple[Bytes, Floats, Floats] | None:
    """One, or None where too little of the hand is seen."""
    shape, distance = drawn_shape(rng), rng.uniform(NEAREST, FARTHEST)
    angles, held = drawn_grasp(shape, rng)
    joints = joints_of_bones(shape, bones(shape, angles))
    turn, arm = _drawn_view(rng)
    off = rng.normal(size=3) * OFF_CENTRE * rng.choice(OFTEN_FARTHER)
    wrist = off + np.array([0, 0, distance]) - turn @ joints.mean(axis=0)
    canvas = _Canvas.empty(distance)
    ends, radii, _ = segments(shape, angles)
    splat(ends @ turn.T + wrist, radii, HAND, canvas.focal, canvas.depth, canvas.label)
    _draw_arm(canvas, wrist, turn[:, 2], arm, shape, rng)
    if held is not None:
        _draw_held(canvas, held, turn, wrist)
    if (canvas.label == HAND).sum() < FEWEST_PX:
        return None
    _measure(canvas, distance, rng)
    behind = canvas.depth - distance
    seen = encoded(*(np.where(canvas.label == body, behind, np.nan) for body in (HAND, OTHER)))
    return seen, joints @ turn.T + wrist - (0, 0, distance), angles


def _drawn_view(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(3, 3) rotation crop_from_hand, and (3,) unit direction in the crop frame in which the arm points."""
    tilted, aside = np.deg2rad(rng.normal(size=2) * (TILTED_DEG, IN_PLANE_DEG))
    arm = np.array([np.sin(aside) * np.cos(tilted), -np.cos(aside) * np.cos(tilted), np.sin(tilted)])
    y = np.cross(arm, (0.0, 0.0, 1.0))
    y /= np.linalg.norm(y)
    crop_from_arm = np.stack([arm, y, np.cross(arm, y)], axis=1)
    flexed, deviated = np.deg2rad(rng.normal(size=2) * (FLEXED_DEG, DEVIATED_DEG))
    turns = np.array([[rng.uniform(-np.pi, np.pi), 0, 0], [0, 0, flexed], [0, deviated, 0]])
    rolled, bent, turned = matrix_from_rotation_vector(turns)
    return crop_from_arm @ rolled @ bent @ turned, arm


def _draw_arm(
    canvas: _Canvas, wrist: Floats, across: Floats, arm: Floats, shape: HandShape, rng: np.random.Generator
) -> None:
    """Two rows of balls beside each other, from the wrist on back; behind the end of skin they are not hand."""
    radius = shape.palm_radii[4:6].mean() * rng.uniform(1.2, 1.7)
    skin = rng.uniform(0.0, 0.12) if rng.random() < SLEEVE else 0.3
    length = rng.uniform(0.03, 0.2) if rng.random() < ENDS else 0.3
    thicker = rng.uniform(0.003, 0.015)
    for aside in (-0.6 * radius * across, 0.6 * radius * across):

        def at(back: float, aside: Floats = aside) -> Floats:
            return np.asarray(wrist - back * arm + (1 + back) * aside)

        parts = [(at(-0.01), at(min(skin + 0.02, length)), 0.8 * radius, radius, HAND)]
        if skin < length:
            parts.append((at(skin + 0.02), at(length), radius + thicker, 1.1 * radius + thicker, OTHER))
        for start, end, first, last, body in parts:
            ends, radii = np.stack([start, end])[None], np.array([[first, last]])
            splat(ends, radii, body, canvas.focal, canvas.depth, canvas.label)


def _draw_held(canvas: _Canvas, held: Held, turn: Floats, wrist: Floats) -> None:
    placed = np.column_stack([turn @ held.hand_from_thing[:, :3], turn @ held.hand_from_thing[:, 3] + wrist])
    draw_thing(held.kind, placed, held.half, OTHER, canvas.focal, canvas.depth, canvas.label)


def _measure(canvas: _Canvas, distance: float, rng: np.random.Generator) -> None:
    """What the sensor and the colours make of the ideal picture."""
    moved = np.indices(canvas.depth.shape) + rng.normal(size=(2, *canvas.depth.shape)) * rng.uniform(0, 0.45)
    rows, columns = np.clip(np.rint(moved), 0, SIDE_PX - 1).astype(int)
    noise = rng.normal(size=canvas.depth.shape) * rng.uniform(0.0003, 0.004)
    canvas.depth, canvas.label = canvas.depth[rows, columns] + noise, canvas.label[rows, columns]
    if rng.random() < SCENERY:
        slopes = rng.normal(size=2) * 0.3
        places = (np.indices(canvas.depth.shape) - SIDE_PX / 2) / canvas.focal * distance
        behind = distance + rng.uniform(0.02, 0.2) + np.tensordot(slopes, places, 1)
        far = canvas.label == NOTHING
        canvas.depth[far], canvas.label[far] = behind[far], OTHER
    for _ in range(rng.poisson(MISTAKES)):
        _mistake(canvas.label, rng)
    edge = np.zeros(canvas.depth.shape, bool)
    edge[:, 1:] = np.abs(np.diff(np.where(np.isfinite(canvas.depth), canvas.depth, 9.0), axis=1)) > 0.02
    gone = rng.random(edge.shape) < rng.choice([0, 0, 0.03, 0.1])
    gone |= edge & (rng.random(edge.shape) < rng.uniform(0, 0.8))
    canvas.label[gone] = NOTHING


def _mistake(label: Bytes, rng: np.random.Generator) -> None:
    """In place: a disc of one body taken for another, or not measured."""
    rows, columns = np.indices(label.shape)
    at, radius = rng.uniform(0, SIDE_PX, 2), rng.uniform(1, 6)
    disc = (rows - at[0]) ** 2 + (columns - at[1]) ** 2 < radius**2
    source, target = ((HAND, OTHER), (OTHER, HAND), (HAND, NOTHING), (OTHER, NOTHING))[rng.integers(4)]
    label[disc & (label == source)] = target


@numba.njit(cache=True)
def splat(ends, radii, body, focal, depth, label):  # type: ignore[no-untyped-def]
    """Draws (S, 2, 3) tapered capsules as balls 3 mm from each other, where they are nearest."""
    size = depth.shape[0]
    middle = 0.5 * (size - 1)
    for segment in range(len(ends)):
        length = np.sqrt(((ends[segment, 1] - ends[segment, 0]) ** 2).sum())
        count = max(2, int(length / 0.003) + 1)
        for station in range(count):
            along = station / (count - 1)
            x, y, z = ends[segment, 0] * (1 - along) + ends[segment, 1] * along
            radius = radii[segment, 0] * (1 - along) + radii[segment, 1] * along
            if z < 0.1:
                continue
            u, v, reach = x * focal / z + middle, y * focal / z + middle, radius * focal / z
            for row in range(max(0, int(np.ceil(v - reach))), min(size, int(v + reach) + 1)):
                for column in range(max(0, int(np.ceil(u - reach))), min(size, int(u + reach) + 1)):
                    a, b = (column - u) * z / focal, (row - v) * z / focal
                    before = radius * radius - a * a - b * b
                    if before > 0 and z - np.sqrt(before) < depth[row, column]:
                        depth[row, column] = z - np.sqrt(before)
                        label[row, column] = body


@numba.njit(cache=True)
def draw_thing(kind, crop_from_thing, half, body, focal, depth, label):  # type: ignore[no-untyped-def]
    """Draws what is held, by marching along the ray of each pixel."""
    size, place = depth.shape[0], crop_from_thing[:, 3]
    middle = 0.5 * (size - 1)
    reach = np.sqrt((half * half).sum()) + (half[0] if kind == ROD else 0.0)
    ray = np.empty(3)
    for row in range(size):
        for column in range(size):
            ray[0], ray[1], ray[2] = (column - middle) / focal, (row - middle) / focal, 1.0
            length = np.sqrt((ray * ray).sum())
            along = (place * ray).sum() / length
            if (place * place).sum() - along * along > reach * reach:
                continue
            walked, distance = along - reach, 1.0
            for _ in range(30):
                distance = thing_distance(ray * (walked / length), kind, crop_from_thing, half)
                if distance < 0.0007 or walked > along + reach:
                    break
                walked += distance * 0.8 + 0.0002
            if distance < 0.0015 and walked / length < depth[row, column]:
                depth[row, column] = walked / length
                label[row, column] = body
