"""The arm behind the hand: skin at the wrist, then a sleeve, out of the view."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from recorder.simulation.motion import CHANNELS, REACH
from recorder.simulation.skin import Skin
from recorder.simulation.surfaces import lattice
from scene.arrays import Bytes, Floats, Integers
from scene.drawing import vertex_normals
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid

RINGS, SIDES = 64, 32
LENGTH, WRIST_BEHIND = 0.60, 0.012
"""metres of the arm; metres that its rounded end reaches into the hand"""
THROUGH, ACROSS = (0.0175, 0.040), (0.0265, 0.045)
"""metres, half the arm's thickness through and across the palm's plane, at the wrist and at the far end"""
SLEEVE_FROM, SLEEVE_THICKNESS, FOLDS = (0.05, 0.13), 0.004, 0.0022
"""metres from the wrist, from and to; how far cloth stands off; how high its folds are"""

BENDS = np.linspace(-1, 1, 5)
"""parts of the wrist's reach at which the arm is looked at"""


@dataclass(frozen=True)
class Forearm:
    """A surface in the forearm frame: origin at the wrist, x away from the hand, z as the hand's; metres."""

    vertices: Floats
    """(V, 3)"""
    faces: Integers
    """(F, 3)"""
    vertex_colors: Bytes
    """(V, 3) RGB"""
    normals: Floats
    """(V, 3) outward unit normals"""


def grow_forearm(skin: Skin, rng: np.random.Generator) -> Forearm:
    """An arm as thick as the hand wants, with the hand's colour and a sleeve of its own."""
    size = skin.shape.palm_radii.mean() / 0.0125
    x = np.concatenate([[-WRIST_BEHIND], -WRIST_BEHIND + WRIST_BEHIND * np.linspace(0.02, 1, 9), _far_rings()])
    rounding = np.sqrt(np.clip(1 - (np.minimum(x, 0) / WRIST_BEHIND) ** 2, 0, 1))
    part = np.clip(x / LENGTH, 0, 1)
    cuff = rng.uniform(*SLEEVE_FROM)
    angle = np.linspace(0, 2 * np.pi, SIDES + 1)
    cloth = np.where(x >= cuff, SLEEVE_THICKNESS, 0.0)[:, None] + _folds(x, angle, rng) * (x >= cuff)[:, None]
    y = (size * np.interp(part, (0, 0.4), THROUGH) * rounding)[:, None] + cloth
    z = (size * np.interp(part, (0, 0.4), ACROSS) * rounding)[:, None] + cloth
    vertices = np.stack([np.broadcast_to(x[:, None], y.shape), y * np.sin(angle), z * np.cos(angle)], axis=-1)
    colors = np.where((x >= cuff)[:, None, None], _sleeve(x, angle, rng), _wrist_color(skin))
    stored = np.clip(np.rint(np.broadcast_to(colors, vertices.shape)), 0, 255).astype(np.uint8)
    surface, faces = vertices.reshape(-1, 3), lattice(len(x), SIDES + 1)
    return Forearm(surface, faces, stored.reshape(-1, 3), vertex_normals(surface, faces))


def camera_from_forearm(camera_from_hand: Floats, direction_camera: Floats) -> Floats:
    """(4, 4) of an arm that leaves the wrist in `direction_camera` (a unit vector) and turns along with the hand."""
    across = camera_from_hand[:3, 2] - direction_camera * (direction_camera @ camera_from_hand[:3, 2])
    across = across / np.linalg.norm(across)
    rotation = np.stack([direction_camera, np.cross(across, direction_camera), across], axis=1)
    return rigid(rotation, camera_from_hand[:3, 3])


def reached_by(forearm: Forearm) -> Floats:
    """(P, 3) metres, hand frame: where the arm's surface is while the wrist bends as far as it does in any motion."""
    bend_y, bend_z = (REACH[CHANNELS.index(name)] for name in ("bend_y", "bend_z"))
    places = []
    for about_y, about_z in itertools.product(bend_y * BENDS, bend_z * BENDS):
        hand_bent = matrix_from_rotation_vector(np.array([0, about_y, 0])) @ matrix_from_rotation_vector(
            np.array([0, 0, about_z])
        )
        hand_from_forearm = camera_from_forearm(np.eye(4), hand_bent.T @ (-1.0, 0.0, 0.0))
        places.append(forearm.vertices @ hand_from_forearm[:3, :3].T)
    return np.concatenate(places)


def _far_rings() -> Floats:
    return np.linspace(0, LENGTH, RINGS - 9)[1:]


def _folds(x: Floats, angle: Floats, rng: np.random.Generator) -> Floats:
    """(rings, sides + 1) metres that the cloth rises and falls."""
    phase = rng.uniform(0, 2 * np.pi, 3)
    around = 0.6 * np.sin(angle + phase[0]) + 0.4 * np.sin(2 * angle + phase[1])
    folds: Floats = FOLDS * np.sin(2 * np.pi * x[:, None] / 0.035 + 2.5 * around + phase[2])
    return folds


def _sleeve(x: Floats, angle: Floats, rng: np.random.Generator) -> Floats:
    """(rings, sides + 1, 3) RGB: plain, striped or checked cloth."""
    first, second = rng.uniform(20, 200, (2, 3))
    rings, sides = np.floor(x / 0.02) % 2, np.floor(angle / (2 * np.pi / 10)) % 2
    none = np.zeros((len(x), len(angle)))
    kinds = (none, rings[:, None] + none, sides + none, np.abs(rings[:, None] - sides))
    which = kinds[rng.integers(len(kinds))]
    cloth: Floats = first + which[..., None] * (second - first)
    return cloth


def _wrist_color(skin: Skin) -> Floats:
    """(3,) mean RGB of the skin nearest to the wrist."""
    near = skin.surface.vertices[:, 0] < 0.01
    color: Floats = skin.vertex_colors[near].mean(axis=0)
    return color
