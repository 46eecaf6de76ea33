"""What stands behind the hand: a table, things on it, the floor; and from where the camera looks at them."""

from __future__ import annotations

import numpy as np

from recorder.simulation.skin import waves
from recorder.simulation.surfaces import Surface, box, pattern, sheet, turned
from scene.arrays import Bytes, Floats
from scene.drawing import CLUTTER, Body, Light
from scene.transforms import inverse, rigid

CAMERA_HEIGHT = (0.88, 0.95)
"""metres above the table, from and to: high enough for a hand at 0.75 m to stay above what lies there"""
CAMERA_PITCH_DEG = (50.0, 58.0)
"""downwards from level"""
THINGS, LARGEST_THING = (7, 13), 0.12
"""how many stand there, from and to; metres of the highest"""
FLOOR_BELOW = 0.72
"""metres from the table top"""
THING_SPACING, TABLE_SPACING = 0.005, 0.008
"""metres between vertices, hence the finest detail of a pattern"""
WOODS = ((168, 128, 88), (120, 84, 56), (205, 188, 160), (92, 92, 96), (214, 212, 206))


def camera_from_table(rng: np.random.Generator) -> Floats:
    """(4, 4). Table frame: origin on its top below the camera, x right, y away from the camera, z up; metres."""
    pitch, height = np.deg2rad(rng.uniform(*CAMERA_PITCH_DEG)), rng.uniform(*CAMERA_HEIGHT)
    forward = np.array([0, np.cos(pitch), -np.sin(pitch)])
    down = np.array([0, -np.sin(pitch), -np.cos(pitch)])
    roll = rng.uniform(-0.08, 0.08)
    right = np.cos(roll) * np.array([1.0, 0, 0]) + np.sin(roll) * down
    rotation = np.stack([right, np.cross(forward, right), forward], axis=1)
    return inverse(rigid(rotation, np.array([0, 0, height])))


def clutter(pose: Floats, rng: np.random.Generator) -> list[Body]:
    """Table, floor and things; `pose` is camera_from_table."""
    bodies = [_table(pose, rng), _floor(pose, rng)]
    for _ in range(rng.integers(*THINGS)):
        vertices, faces = _thing(rng)
        place = np.array([rng.uniform(-0.55, 0.55), rng.uniform(0.3, 1.15), 0])
        turn = rng.uniform(0, 2 * np.pi)
        rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        bodies.append(Body(vertices, faces, pattern(vertices, rng), CLUTTER, pose @ rigid(rotation, place)))
    return bodies


def lamp(pose: Floats, rng: np.random.Generator) -> Light:
    """A lamp above the table, to one side; `pose` is camera_from_table."""
    direction = np.array([rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.3), 1.0])
    towards = pose[:3, :3] @ (direction / np.linalg.norm(direction))
    warmth = rng.uniform(-0.06, 0.06)
    return Light(towards, rng.uniform(0.38, 0.5), rng.uniform(0.5, 0.65), np.array([1 + warmth, 1.0, 1 - warmth]))


def _thing(rng: np.random.Generator) -> Surface:
    width, height = rng.uniform(0.03, 0.09), rng.uniform(0.02, LARGEST_THING)
    kind = rng.integers(4)
    if kind == 0:
        return box(np.array([2 * width, rng.uniform(0.04, 0.2), height]), THING_SPACING)
    if kind == 1:  # a book or a sheet of paper
        return box(np.array([rng.uniform(0.12, 0.22), rng.uniform(0.15, 0.3), 0.2 * height]), THING_SPACING)
    if kind == 2:  # a tin
        return turned(np.array([[0, height], [0.6 * width, height], [0.6 * width, 0]]), THING_SPACING)
    angle = np.linspace(0, np.pi, 24)  # a ball
    radius = min(0.6 * width, LARGEST_THING / 2)
    return turned(radius * np.stack([np.sin(angle), 1 + np.cos(angle)], axis=1), THING_SPACING)


def _table(pose: Floats, rng: np.random.Generator) -> Body:
    corner = np.array([-1.0, -0.35, 0.0])
    vertices, faces = sheet(corner, np.array([2.0, 0, 0]), np.array([0, 1.75, 0]), TABLE_SPACING)
    return Body(vertices, faces, _grain(vertices, np.array(WOODS[rng.integers(len(WOODS))], float), rng), CLUTTER, pose)


def _grain(vertices: Floats, color: Floats, rng: np.random.Generator) -> Bytes:
    """(V, 3) RGB of wood whose grain runs along x."""
    along = vertices * (0.05, 0.35, 1.0)
    shade = 0.06 * waves(along, rng) + 0.03 * waves(vertices * 0.3, rng) + 0.01 * rng.standard_normal(len(vertices))
    return np.clip(np.rint(color * (1 + shade[:, None])), 0, 255).astype(np.uint8)


def _floor(pose: Floats, rng: np.random.Generator) -> Body:
    corner = np.array([-4.0, -1.0, -FLOOR_BELOW])
    vertices, faces = sheet(corner, np.array([8.0, 0, 0]), np.array([0, 6.0, 0]), 0.05)
    return Body(vertices, faces, _grain(vertices, rng.uniform(60, 160, 3), rng), CLUTTER, pose)
