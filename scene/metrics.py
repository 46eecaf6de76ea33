"""Errors of estimated poses: angles in degrees, as they are printed, distances of points in metres."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from scene.arrays import Floats
from scene.rotations import geodesic_angle
from scene.transforms import apply

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


def average_distance(estimated: Floats, true: Floats, points: Floats) -> Floats:
    """ADD of Hinterstoisser et al. 2012: (..., 4, 4) poses, (P, 3) points_object in metres -> (...) metres."""
    mean: Floats = np.linalg.norm(apply(estimated, points) - apply(true, points), axis=-1).mean(axis=-1)
    return mean


def average_distance_symmetric(estimated: Floats, true: Floats, points: Floats) -> Floats:
    """ADD-S (ADI): from each point under the true pose to the nearest under the estimate, as BOP's toolkit has it.

    (N, 4, 4) poses, (P, 3) points_object in metres -> (N,) metres. In the other direction values differ a little.
    """
    pairs = zip(apply(estimated, points), apply(true, points), strict=True)
    return np.array([cKDTree(found).query(wanted)[0].mean() for found, wanted in pairs], float)


def surface_distance(estimated: Floats, true: Floats, points: Floats) -> Floats:
    """The largest distance of a point under two poses; least over symmetries it is MSSD (Hodan et al. 2020).

    (..., 4, 4) poses, (P, 3) points_object in metres -> (...) metres.
    """
    largest: Floats = np.linalg.norm(apply(estimated, points) - apply(true, points), axis=-1).max(axis=-1)
    return largest


def nearest_symmetric(estimated: Floats, true: Floats, symmetries: Floats, points: Floats) -> Floats:
    """Of all truths that look alike, the one at the least surface_distance from the estimate.

    (N, 4, 4) estimates and truths, (S, 4, 4) object_from_object, (P, 3) points_object in metres -> (N, 4, 4).
    """
    alike = [pose @ symmetries for pose in true]
    nearest = [
        int(surface_distance(found[None], candidates, points).argmin())
        for found, candidates in zip(estimated, alike, strict=True)
    ]
    return np.array([candidates[at] for candidates, at in zip(alike, nearest, strict=True)]).reshape(-1, 4, 4)


def area_under_curve(errors: Floats, largest: float = 0.1) -> float:
    """Of the share of errors (N,) below a threshold, over thresholds from 0 to `largest`, as a share; exact."""
    return float(np.clip(1 - errors / largest, 0, None).mean())
