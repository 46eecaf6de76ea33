"""Rigid transforms as 4x4 matrices, named target_from_source: `camera_from_object @ object_from_hand`."""

from __future__ import annotations

import numpy as np

from scene.arrays import Floats

OPENGL_FROM_OPENCV: Floats = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenCV camera (x right, y down, z forward) to OpenGL camera (x right, y up, z backward); its own inverse."""


def rigid(rotation: Floats, translation: Floats) -> Floats:
    """(..., 3, 3) and (..., 3) metres -> (..., 4, 4)."""
    rotation, translation = np.asarray(rotation, float), np.asarray(translation, float)
    transform = np.zeros((*np.broadcast_shapes(rotation.shape[:-2], translation.shape[:-1]), 4, 4))
    transform[..., :3, :3] = rotation
    transform[..., :3, 3] = translation
    transform[..., 3, 3] = 1.0
    return transform


def inverse(target_from_source: Floats) -> Floats:
    """(..., 4, 4) target_from_source -> (..., 4, 4) source_from_target."""
    rotation = np.swapaxes(target_from_source[..., :3, :3], -1, -2)
    translation = -(rotation @ target_from_source[..., :3, 3:])[..., 0]
    return rigid(rotation, translation)


def apply(target_from_source: Floats, points_source: Floats) -> Floats:
    """(..., 4, 4) and (..., N, 3) points in source -> (..., N, 3) points in target."""
    rotation = np.swapaxes(target_from_source[..., :3, :3], -1, -2)
    moved: Floats = points_source @ rotation + target_from_source[..., None, :3, 3]
    return moved
