"""Poses proposed by pairs of oriented points: two observed points that lie to each other as two of the object's do.

In: the object's surface samples and observed surface points, each with a normal and a colour. Out: thousands of poses,
most of them wrong, among which the objective finds the right one. A pair with its two normals fixes all six degrees of
freedom (Drost, Ulrich, Navab and Ilic, "Model globally, match locally", 2010); colours thin out what matches (Choi and
Christensen, "3D pose estimation of daily objects using an RGB-D camera", 2012). Because both points were measured, a
pose is right to a centimetre even where a hand hides most of the object, which no grid of places and orientations is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import KDTree

from scene.arrays import Floats, Integers
from scene.errors import require
from scene.object_model import OPEN3D_SYSTEM
from tracker.objective import Models

PAIRS = 1_500
"""observed pairs that are looked up"""
MATCHES = 8
"""pairs of the object that each of them may be"""
SHORTEST, LONGEST = 0.25, 0.9
"""of the object's extent: shorter pairs fix no orientation, longer ones are rarely both in view"""
LEAST_ACROSS = 0.3
"""length of both normals' sum across the line, below which a pair fixes no orientation"""
LENGTH_SCALE, ANGLE_SCALE, COLOR_SCALE = 0.06, 0.25, 0.15
"""share of the object's extent, radians and colour features by which a true match is off"""
FARTHEST_MATCH = 3.0
"""of those scales, all features together"""
INEXACT = 1.0
"""share by which the matches found may be farther than the nearest: they come sooner, and propose as well"""
PALENESS = 0.8
"""saturation that a camera leaves of a scan's colours, in the middle of what the objective allows"""
NORMAL_RADIUS, NORMAL_NEIGHBOURS = 0.010, 40
"""metres and points from which an observed normal is estimated"""


class OrientedPoints(NamedTuple):
    """Points of a surface."""

    points: Floats
    """(N, 3) metres"""
    normals: Floats
    """(N, 3) unit, outward"""
    features: Floats
    """(N, 3) colour features, tracker/colors.py; only the first two, which light hardly changes, are compared"""

    def at(self, chosen: Integers) -> OrientedPoints:
        """Those of the indices (K,)."""
        return OrientedPoints(self.points[chosen], self.normals[chosen], self.features[chosen])


def observed_normals(points_camera: Floats, chosen: Integers) -> Floats:
    """(N, 3) points_camera of a surface -> (K, 3) unit normals towards the camera at those of indices `chosen` (K,)."""
    open3d: Any = require("open3d", system=OPEN3D_SYSTEM)
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points_camera))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(NORMAL_RADIUS, NORMAL_NEIGHBOURS))
    cloud.orient_normals_towards_camera_location(np.zeros(3))
    return np.asarray(cloud.normals)[chosen]


def proposed_poses(
    observed: OrientedPoints, share: Floats, models: Models, rng: np.random.Generator, *, colored: bool
) -> tuple[Floats, Floats]:
    """Poses of the object at which a random pair of observed points lies on it.

    Args:
        observed: in camera coordinates.
        share: (N,) how often each of them is drawn, adding up to 1.
        models: whose samples are the object.
        rng: of the drawing.
        colored: whether the samples' colours are the object's.

    Returns:
        (P, 3) positions in metres and (P, 3, 3) orientations of camera_from_object; P <= PAIRS * MATCHES, and 0 where
        nothing in view is like the object.
    """
    extent = _extent(models.samples)
    sampled = OrientedPoints(models.samples, models.normals, models.sample_features * [PALENESS, PALENESS, 1.0])
    starts, ends = _usable(_all_pairs(len(models.samples)), sampled, extent)
    tree = KDTree(_pair_features(sampled.at(starts), sampled.at(ends), extent, colored=colored))
    drawn = rng.choice(len(share), (2, 3 * PAIRS), p=share)
    first, second = _usable(drawn, observed, extent)
    if len(first) == 0:
        return np.zeros((0, 3)), np.zeros((0, 3, 3))
    pairs = observed.at(first[:PAIRS]), observed.at(second[:PAIRS])
    distances, matches = tree.query(
        _pair_features(*pairs, extent, colored=colored), MATCHES, eps=INEXACT, distance_upper_bound=FARTHEST_MATCH
    )
    which, matched = np.nonzero(np.isfinite(distances))[0], matches[np.isfinite(distances)]
    return _aligning((pairs[0].at(which), pairs[1].at(which)), (sampled.at(starts[matched]), sampled.at(ends[matched])))


def _extent(samples: Floats) -> float:
    """Largest distance between two samples, metres."""
    return float(np.linalg.norm(samples[:, None] - samples, axis=2).max())


def _all_pairs(count: int) -> Integers:
    """(2, count^2) indices."""
    return np.stack(np.divmod(np.arange(count * count), count))


def _usable(pairs: Integers, oriented: OrientedPoints, extent: float) -> Integers:
    """(2, K) indices of points -> those pairs whose length fits the object and whose normals fix an orientation."""
    first, second = oriented.at(pairs[0]), oriented.at(pairs[1])
    line = second.points - first.points
    length = np.linalg.norm(line, axis=1)
    across = np.linalg.norm(_across(first, second, _unit(line)), axis=1)
    return pairs[:, (length > SHORTEST * extent) & (length < LONGEST * extent) & (across > LEAST_ACROSS)]


def _pair_features(first: OrientedPoints, second: OrientedPoints, extent: float, *, colored: bool) -> Floats:
    """(K, 4 or 8) what stays the same when both points move together, each divided by its scale.

    The distance; the angle of either normal to the line; the turn of one normal about the line to the other, with its
    sign (which tells a pair from its mirror image), counted less where a normal is along the line; the colours.
    """
    line = second.points - first.points
    length = np.linalg.norm(line, axis=1)
    line /= length[:, None]
    along_first, along_second = _dot(first.normals, line), _dot(second.normals, line)
    angles = [np.arccos(np.clip(along, -1, 1)) for along in (along_first, along_second)]
    turn = np.arctan2(
        _dot(np.cross(first.normals, second.normals), line),
        _dot(first.normals, second.normals) - along_first * along_second,
    )
    turn *= np.sin(angles[0]) * np.sin(angles[1])
    geometry = [length / (LENGTH_SCALE * extent), *(angle / ANGLE_SCALE for angle in (*angles, turn))]
    colors = [first.features[:, :2] / COLOR_SCALE, second.features[:, :2] / COLOR_SCALE] if colored else []
    return np.column_stack([*geometry, *colors])


def _aligning(
    observed: tuple[OrientedPoints, OrientedPoints], sampled: tuple[OrientedPoints, OrientedPoints]
) -> tuple[Floats, Floats]:
    """The motion that brings each pair of samples to its observed pair: (K, 3) and (K, 3, 3)."""
    rotations: Floats = _pair_frames(*observed) @ np.swapaxes(_pair_frames(*sampled), 1, 2)
    there = (observed[0].points + observed[1].points) / 2
    here = (sampled[0].points + sampled[1].points) / 2
    return there - np.einsum("kij,kj->ki", rotations, here), np.ascontiguousarray(rotations)


def _pair_frames(first: OrientedPoints, second: OrientedPoints) -> Floats:
    """(K, 3, 3) columns: along the line, across it towards both normals, and perpendicular to these."""
    line = _unit(second.points - first.points)
    across = _unit(_across(first, second, line))
    return np.stack([line, across, np.cross(line, across)], axis=2)


def _across(first: OrientedPoints, second: OrientedPoints, line: Floats) -> Floats:
    """(K, 3) what of both normals together is perpendicular to the line: short where they cancel or lie along it."""
    between = first.normals + second.normals
    across: Floats = between - _dot(between, line)[:, None] * line
    return across


def _dot(a: Floats, b: Floats) -> Floats:
    dot: Floats = np.einsum("ki,ki->k", a, b)
    return dot


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
