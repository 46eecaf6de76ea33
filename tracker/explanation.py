"""What a hypothesis makes of a frame, pixel by pixel: which points are the object's, which the hand's, what is hidden.

The objective only needs one number; colours, quality and visibility need to know which pixel is whose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Booleans, Floats
from tracker.hypothesis import Layout
from tracker.kernel_geometry import (
    capsules_distance,
    compiled,
    object_distance,
    pixel_of,
    place_capsules,
    place_samples,
    rotation_of,
)
from tracker.objective import HAND_STATIONS, Evidence, Models, own_surface
from tracker.weights import Weights

ON_BODY = 0.007
"""metres from a surface within which a point is taken to be on it"""
ON_FLESH = 0.008
"""metres from the surface seen within which a finger's is taken to be it"""
OFF_BODY = 0.009
"""metres from the other body beyond which it is not taken to be on that one"""


@dataclass(frozen=True)
class SampleView:
    """How the object's facing samples are seen."""

    support: float
    """share of those not hidden by the object itself that are where the sensor sees something"""
    violation: float
    """share that the sensor saw through, or that are inside the table"""
    hidden: float
    """share that something else hides, or that are outside the image or unmeasured"""
    feature_shift: Floats
    """(3,) mean of pixel minus sample colour features over the supported samples"""


def point_distances(
    vector: Floats, layout: Layout, points: Floats, models: Models, use_hand: bool
) -> tuple[Floats, Floats]:
    """(N, 3) points_camera -> (N,) metres to the object's surface (absolute) and (N,) to the hand's (signed)."""
    to_object, to_hand = np.full(len(points), np.inf), np.full(len(points), np.inf, np.float32)
    _point_distances(
        vector, layout.object_reference, layout.hand_reference, points, models, use_hand, to_object, to_hand
    )
    return to_object, to_hand


def on_bodies(to_object: Floats, to_hand: Floats) -> tuple[Booleans, Booleans]:
    """(N,), (N,) metres -> (N,) on the object, (N,) on the hand; neither where the two cannot be told apart."""
    on_object = (to_object < ON_BODY) & (to_hand > OFF_BODY)
    on_hand = (np.abs(to_hand) < ON_BODY) & (to_object > OFF_BODY)
    return on_object, on_hand


def view_samples(vector: Floats, layout: Layout, evidence: Evidence, models: Models, weights: Weights) -> SampleView:
    """Looks every sample of the object's surface up in the frame."""
    sums = np.zeros(7)
    _view_samples(vector, layout.object_reference, evidence, models, weights, sums)
    facing, supported = max(sums[0], 1e-9), max(sums[1], 1e-9)
    return SampleView(
        support=sums[1] / facing,
        violation=sums[2] / facing,
        hidden=sums[3] / facing,
        feature_shift=sums[4:7] / supported,
    )


def view_fingers(vector: Floats, layout: Layout, evidence: Evidence, models: Models) -> tuple[float, float]:
    """Shares of the fingers' camera side that are where the sensor measured a surface, and before what it measured."""
    sums = np.zeros(2)
    _view_fingers(vector, layout.hand_reference, evidence.depth, evidence.intrinsics, models, sums)
    return float(sums[0]), float(sums[1])


@compiled
def _view_fingers(vector, hand_reference, depth, intrinsics, models, sums):  # type: ignore[no-untyped-def]
    """Adds up both shares, over three places along each of the fingers' bones."""
    hand, palm = np.empty((3, 3)), models.palm_segments.shape[0]
    capsules = np.empty((palm + 15, 9))
    rotation_of(vector[9], vector[10], vector[11], hand_reference, hand)
    place_capsules(vector, hand, models, capsules)
    for s in range(palm, palm + 15):
        for station in range(HAND_STATIONS):
            along = (station + 0.5) / HAND_STATIONS
            x, y, z = capsules[s, 0], capsules[s, 1], capsules[s, 2]
            x, y, z = x + along * capsules[s, 3], y + along * capsules[s, 4], z + along * capsules[s, 5]
            towards = 1.0 - (capsules[s, 6] + along * capsules[s, 7]) / np.sqrt(x * x + y * y + z * z)
            row, column = pixel_of(towards * x, towards * y, towards * z, intrinsics, *depth.shape)
            if row >= 0 and depth[row, column] > 0:
                gap = depth[row, column] - towards * z
                sums[0] += (abs(gap) < ON_FLESH) / (15.0 * HAND_STATIONS)
                sums[1] += (gap >= ON_FLESH) / (15.0 * HAND_STATIONS)


@compiled
def _point_distances(vector, object_reference, hand_reference, points, models, use_hand, to_object, to_hand):  # type: ignore[no-untyped-def]
    pose = np.empty((3, 3))
    rotation_of(vector[3], vector[4], vector[5], object_reference, pose)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] - vector[0], points[i, 1] - vector[1], points[i, 2] - vector[2]
        to_object[i] = abs(object_distance(pose, x, y, z, models))
    if use_hand:
        capsules = np.empty((models.palm_segments.shape[0] + 15, 9))
        rotation_of(vector[9], vector[10], vector[11], hand_reference, pose)
        place_capsules(vector, pose, models, capsules)
        to_hand[:] = np.inf
        capsules_distance(points, capsules, to_hand)


@compiled
def _view_samples(vector, object_reference, evidence, models, weights, sums):  # type: ignore[no-untyped-def]
    """Adds up: facing, supported, violating, hidden, and three feature differences."""
    pose, placed, intrinsics = np.empty((3, 3)), np.empty((4, models.samples.shape[0])), evidence.intrinsics
    rotation_of(vector[3], vector[4], vector[5], object_reference, pose)
    place_samples(pose, vector, models.samples, models.normals, placed)
    for i in range(placed.shape[1]):
        x, y, z, cosine = placed[0, i], placed[1, i], placed[2, i], placed[3, i]
        if cosine <= 0.15:
            continue
        row, column = pixel_of(x, y, z, intrinsics, *evidence.depth.shape)
        seen = evidence.depth[row, column] if row >= 0 else 0.0
        gap = seen - z
        if seen > 0 and gap < -0.01 and own_surface(pose, vector, row, column, seen, intrinsics, models, weights):
            continue
        sums[0] += cosine
        height = evidence.table[0] * x + evidence.table[1] * y + evidence.table[2] * z + evidence.table[3]
        if seen > 0 and (gap > 0.012 or height < -0.006):
            sums[2] += cosine
        elif seen <= 0 or gap < -0.012:
            sums[3] += cosine
        else:
            sums[1] += cosine
            for channel in range(3):
                sums[4 + channel] += cosine * (
                    evidence.features[row, column, channel] - models.sample_features[i, channel]
                )
