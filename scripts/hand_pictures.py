"""What a depth camera sees of a hand at random, as tracker/hand_crop.py cuts it out: pictures and what they are of.

The camera looks at about the middle of the hand, the arm comes from below. Drawn by splatting balls.
"""

from __future__ import annotations

import numba
import numpy as np

from scene.arrays import Floats
from scene.hand_pose import HandPose, bones, joints_of_bones, segments
from scene.hand_shape import HandShape
from scene.rotations import matrix_from_rotation_vector
from scripts.drawn_grasps import Held, drawn_grasp, drawn_shape
from tracker.hand_crop import SIDE_PX, encoded, focal_px

NEAREST, FARTHEST = 0.35, 1.2
OFF_CENTRE = (0.018, 0.018, 0.018)
OFTEN_FARTHER = (1, 2.5)
FLEXED_DEG, DEVIATED_DEG = 35, 14
IN_PLANE_DEG, TILTED_DEG = 14, 30
SLEEVE, BARE = 0.5, 0.5
NOTHING, HAND, OTHER = range(3)


def picture(rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """One example.

    Returns:
        (2, SIDE_PX, SIDE_PX) uint8 as hand_crop.encoded, (21, 3) joints in metres from the crop's centre, crop frame,
        (20,) radians.
    """
    while True:
        made = _picture(rng)
        if made is not None:
            return made


def _picture(rng):
    shape = drawn_shape(rng)
    angles, held = drawn_grasp(shape, rng)
    hand_from_bone = bones(shape, angles)
    joints = joints_of_bones(shape, hand_from_bone)
    crop_from_hand, arm = _drawn_view(rng)
    centre = joints.mean(axis=0)
    distance = rng.uniform(NEAREST, FARTHEST)
    off = rng.normal(size=3) * OFF_CENTRE * rng.choice(OFTEN_FARTHER)
    shift = -crop_from_hand @ centre + off + (0, 0, distance)
    ends, radii, _ = segments(shape, angles)
    ends = ends @ crop_from_hand.T + shift
    depth = np.full((SIDE_PX, SIDE_PX), np.inf)
    label = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    focal = focal_px(distance)
    splat(ends, radii, HAND, focal, depth, label)
    _draw_arm(crop_from_hand, shift, arm, shape, focal, depth, label, rng)
    if held is not None:
        thing = np.column_stack([crop_from_hand @ held.hand_from_thing[:, :3], crop_from_hand @ held.hand_from_thing[:, 3] + shift])
        draw_thing(held.kind, thing, held.half, focal, depth, label)
    if (label == HAND).sum() < 60:
        return None
    depth, label = _measured(depth, label, distance, rng)
    return encoded(np.where(label == HAND, depth - distance, np.nan), np.where(label == OTHER, depth - distance, np.nan)), joints @ crop_from_hand.T + shift - (0, 0, distance), angles


def _drawn_view(rng):
    """(3, 3) crop_from_hand and (3,) unit direction, crop frame, in which the arm points."""
    pitch, roll, yaw = np.deg2rad(rng.normal() * TILTED_DEG), rng.uniform(-np.pi, np.pi), np.deg2rad(rng.normal() * IN_PLANE_DEG)
    # arm frame: x along the arm; in the crop it points up (-y) but for yaw and pitch
    up = np.array([np.sin(yaw) * np.cos(pitch), -np.cos(yaw) * np.cos(pitch), np.sin(pitch)])
    aside = np.cross(up, (0.0, 0.0, 1.0))
    aside /= np.linalg.norm(aside)
    crop_from_arm = np.stack([up, aside, np.cross(up, aside)], axis=1) @ matrix_from_rotation_vector(np.array([roll, 0, 0]))
    flexed = matrix_from_rotation_vector(np.array([0, 0, np.deg2rad(rng.normal() * FLEXED_DEG)]))
    deviated = matrix_from_rotation_vector(np.array([0, np.deg2rad(rng.normal() * DEVIATED_DEG), 0]))
    return crop_from_arm @ flexed @ deviated, up


def _draw_arm(crop_from_hand, shift, arm, shape, focal, depth, label, rng):
    wrist = shift
    radius = shape.palm_radii[4:6].mean() * rng.uniform(1.2, 1.7)
    side = crop_from_hand[:, 2] * radius * 0.6
    cut = rng.uniform(0.0, 0.12) if rng.random() < SLEEVE else 0.3
    far = 0.3 if rng.random() < 0.8 else rng.uniform(0.03, 0.2)
    for sign in (-1, 1):
        ends = np.stack([wrist - 0.01 * arm + sign * side, wrist - min(cut + 0.02, far) * arm + 1.3 * sign * side])[None]
        splat(ends, np.array([[0.8, 1.0]]) * radius, HAND, focal, depth, label)
        if cut < far:
            ends = np.stack([wrist - (cut + 0.02) * arm + sign * side, wrist - far * arm + 1.3 * sign * side])[None]
            splat(ends, np.array([[1.0, 1.1]]) * radius + rng.uniform(0.003, 0.015), OTHER, focal, depth, label)


def _measured(depth, label, distance, rng):
    rows, columns = np.indices(depth.shape) + rng.normal(size=(2, *depth.shape)) * rng.uniform(0, 0.45)
    rows, columns = (np.clip(np.rint(at), 0, SIDE_PX - 1).astype(int) for at in (rows, columns))
    depth, label = depth[rows, columns], label[rows, columns].copy()
    depth = depth + rng.normal(size=depth.shape) * rng.uniform(0.0003, 0.004)
    if rng.random() < 0.3:
        tilt = rng.normal(size=2) * 0.3
        grid = (np.indices(depth.shape) - SIDE_PX / 2) / focal_px(distance) * distance
        behind = distance + rng.uniform(0.02, 0.2) + tilt[0] * grid[0] + tilt[1] * grid[1]
        far = label == NOTHING
        depth[far], label[far] = behind[far], OTHER
    for _ in range(rng.poisson(0.7)):
        _mistake(label, rng)
    gone = rng.random(depth.shape) < rng.choice([0, 0, 0.03, 0.1])
    edge = np.zeros_like(gone)
    steps = np.abs(np.diff(np.where(np.isfinite(depth), depth, 9.0), axis=1)) > 0.02
    edge[:, 1:] |= steps
    gone |= edge & (rng.random(depth.shape) < rng.uniform(0, 0.8))
    label[gone] = NOTHING
    return depth, label


def _mistake(label, rng):
    """In place: a disc of something taken for something else."""
    rows, columns = np.indices(label.shape)
    at, radius = rng.uniform(0, SIDE_PX, 2), rng.uniform(1, 6)
    disc = (rows - at[0]) ** 2 + (columns - at[1]) ** 2 < radius**2
    source, target = [(HAND, OTHER), (OTHER, HAND), (HAND, NOTHING), (OTHER, NOTHING)][rng.integers(4)]
    label[disc & (label == source)] = target


@numba.njit(cache=True)
def splat(ends, radii, mark, focal, depth, label):  # type: ignore[no-untyped-def]
    """Draws tapered capsules as close rows of balls."""
    size = depth.shape[0]
    half = 0.5 * (size - 1)
    for segment in range(len(ends)):
        length = np.sqrt(((ends[segment, 1] - ends[segment, 0]) ** 2).sum())
        count = max(2, int(length / 0.003) + 1)
        for station in range(count):
            s = station / (count - 1)
            x, y, z = (ends[segment, 0] * (1 - s) + ends[segment, 1] * s)
            radius = radii[segment, 0] * (1 - s) + radii[segment, 1] * s
            if z < 0.1:
                continue
            reach = radius * focal / z
            u, v = x * focal / z + half, y * focal / z + half
            for row in range(max(0, int(np.ceil(v - reach))), min(size, int(v + reach) + 1)):
                for column in range(max(0, int(np.ceil(u - reach))), min(size, int(u + reach) + 1)):
                    a, b = (column - u) * z / focal, (row - v) * z / focal
                    inside = radius * radius - a * a - b * b
                    if inside > 0 and z - np.sqrt(inside) < depth[row, column]:
                        depth[row, column] = z - np.sqrt(inside)
                        label[row, column] = mark


@numba.njit(cache=True)
def draw_thing(kind, crop_from_thing, half, focal, depth, label):  # type: ignore[no-untyped-def]
    """Draws what is held, by marching along each ray."""
    from_ = crop_from_thing[:, 3]
    size = depth.shape[0]
    middle = 0.5 * (size - 1)
    reach = np.sqrt((half * half).sum()) + (half[0] if kind == 2 else 0.0)
    ray = np.empty(3)
    point = np.empty(3)
    for row in range(size):
        for column in range(size):
            ray[0], ray[1], ray[2] = (column - middle) / focal, (row - middle) / focal, 1.0
            norm = np.sqrt((ray * ray).sum())
            along = (from_ * ray).sum() / norm
            if (from_ * from_).sum() - along * along > reach * reach:
                continue
            t = along - reach
            for _ in range(30):
                for axis in range(3):
                    point[axis] = t * ray[axis] / norm
                d = distance_in(point, kind, crop_from_thing, half)
                if d < 0.0007 or t > along + reach:
                    break
                t += d * 0.8 + 0.0002
            if d < 0.0015 and t / norm < depth[row, column]:
                depth[row, column] = t / norm
                label[row, column] = 2


from scripts.drawn_grasps import thing_distance as distance_in  # noqa: E402
