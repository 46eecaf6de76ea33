"""Errors of estimated poses as they are printed: degrees and ranges of visibility. Stored figures stay in SI units."""

from __future__ import annotations

import numpy as np

from scene.arrays import Floats
from scene.rotations import geodesic_angle

VISIBILITY_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""borders of the ranges of the visible fraction by which errors are reported; the last range includes 1"""


def rotation_error_deg(estimated: Floats, true: Floats) -> Floats:
    """(..., 3, 3) rotations -> (...) geodesic angle between them in degrees."""
    return np.degrees(geodesic_angle(estimated, true))


def mean_euler_error_deg(estimated: Floats, true: Floats) -> Floats:
    """(..., 3, 3) rotations -> (...) mean absolute difference of their three Euler angles in degrees.

    Intrinsic ZYX (yaw, pitch, roll); each difference is wrapped to at most 180 degrees. The metric of Doumanoglou et
    al. 2016, table 2, who give neither order nor wrapping. Not comparable with the geodesic error.
    """
    difference = np.abs(_euler_zyx_deg(estimated) - _euler_zyx_deg(true))
    wrapped = np.minimum(difference, 360 - difference)
    mean: Floats = wrapped.mean(axis=-1)
    return mean


def _euler_zyx_deg(rotation: Floats) -> Floats:
    """By hand: scipy warns at the gimbal lock, where yaw and roll are one angle and any split of it is right."""
    rotation = np.asarray(rotation, float)
    yaw = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    pitch = np.arcsin(np.clip(-rotation[..., 2, 0], -1, 1))
    roll = np.arctan2(rotation[..., 2, 1], rotation[..., 2, 2])
    angles: Floats = np.degrees(np.stack([yaw, pitch, roll], axis=-1))
    return angles
