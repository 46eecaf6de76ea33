"""Recordings of a bare hand with its forearm, depth alone, whose truth is known; its size is not the model's.

Nothing stands behind it that the sensor reaches, as in a recording of a person by a short-range camera; or a body does.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import trimesh

from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth
from scene.arrays import Floats
from scene.drawing import FOREARM, HAND, open_drawer, painted
from scene.frame import RgbdFrame
from scene.hand_pose import HandPose, joints, rest_angles
from scene.hand_shape import HandShape, average_hand, proportioned
from scene.hand_surface import HandSurface
from scene.noise import noisy_depth
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import apply, rigid
from tests.tracker.samples import CAMERA, SKIN

COUNT = 0.000125
"""metres"""


@cache
def someone() -> HandShape:
    return proportioned(average_hand(), 1.04, 0.97)


@cache
def surface() -> HandSurface:
    return HandSurface.build(someone(), spacing=0.004)


def pose(index: int) -> HandPose:
    """Open and upright; turned to the left with the fingers half bent."""
    angles = rest_angles() * 0.3
    turn = np.array([0.1, -0.2, 0.15])
    if index % 2:
        angles.reshape(5, 4)[1:, 1:] = [0.5, 0.6, 0.3]
        turn = np.array([-0.2, 0.25, -1.0])
    return HandPose(rigid(matrix_from_rotation_vector(turn) @ upright(), np.array([0.0, 0.07, 0.45])), angles)


def upright() -> Floats:
    """(3, 3) of a right hand: x up in the image, y (its back) away from the camera."""
    x, y = np.array([0.0, -1, 0]), np.array([0.0, 0, 1])
    return np.stack([x, y, np.cross(x, y)], axis=1)


def drawn_depth(index: int, *, body: bool = False) -> Floats:
    """(H, W) metres without noise; `body` stands a chest behind the hand."""
    hand = pose(index)
    arm = trimesh.creation.capsule(height=0.3, radius=0.026)
    forearm = apply(hand.camera_from_hand, arm.vertices[:, [2, 0, 1]] - [0.16, 0, 0])
    bodies = [
        painted(surface().posed(hand), surface().faces, SKIN, HAND),
        painted(forearm, arm.faces, SKIN, FOREARM),
    ]
    if body:
        chest = trimesh.creation.box((0.35, 0.5, 0.02))
        bodies.append(painted(chest.vertices + np.array([0.08, 0, 0.8]), chest.faces, SKIN, FOREARM))
    return open_drawer("rays").draw(bodies, CAMERA).depth


def frame(index: int, *, body: bool = False) -> RgbdFrame:
    depth = noisy_depth(drawn_depth(index, body=body), CAMERA, np.random.default_rng(index), "structured-light")
    return RgbdFrame(index, index / 30, np.zeros((*depth.shape, 3), np.uint8), depth.astype(np.float32), False)


def write_bare_session(path: Path, *, frames: int = 2) -> Path:
    """A recording of depth alone, with the joints' truth."""
    with SessionWriter(path, SessionHeader(CAMERA, COUNT, "drawn")) as writer:
        for index in range(frames):
            truth = replace(
                Truth.unknown(), joints_camera=joints(someone(), pose(index)), hand_visibility=np.asarray(1.0)
            )
            counts = np.rint(frame(index, body=True).depth / COUNT).astype(np.uint16)
            writer.append(SensorFrame(None, counts, index / 30, truth=truth))
    return path
