"""Which turns leave a mesh looking as it did, in shape and colour. In: ObjectModel. Out: Symmetries.

A symmetry fixes the surface's centroid. Axes are tried along the principal axes of the surface and, where these are not
unique, over all directions; each is moved to where it fits best and then has to pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from scene.arrays import Floats
from scene.errors import require
from scene.object_model import OPEN3D_SYSTEM, ObjectModel
from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import Symmetries, distinct, turn_about

ORDERS = (2, 3, 4, 5, 6, 8)
"""turns by 2 pi / n that are tried"""
ANY_TURN = (0.37, 1.0, 2.39, 4.11)
"""radians, fractions of no common turn: where all of these pass, any turn does"""
SHAPE_TOLERANCE, SHAPE_SHARE = 0.02, 0.995
"""of the diameter: how far the surface may be off after the turn, and at which share of its points; a handle counts"""
COLOR_TOLERANCE, COLOR_SHARE = 45.0, 0.96
"""Euclidean distance in RGB, 0 to 441, and the share of points that must keep to it; print counts, scanner noise not"""
POINTS, DENSE_POINTS, SMOOTHED_OVER = 1500, 30_000, 8
UNIQUE = 1.08
"""ratio of two principal moments above which their axes are told apart"""
DIRECTIONS, PROMISING = 500, 8
ALONG = 0.99
"""cosine above which two axes are one"""
MOST = 60
"""rotations of the largest finite group, the icosahedron's"""


@dataclass(frozen=True)
class Surface:
    """Points of a mesh with colours, and what tells how far others are from it."""

    points: Floats
    """(POINTS, 3) metres, about the centroid"""
    colors: Floats
    """(POINTS, 3) RGB, smoothed"""
    center: Floats
    """(3,) centroid, object frame"""
    diameter: float
    colored: bool
    dense: cKDTree
    dense_colors: Floats
    raycasting: Any
    """open3d's, which knows exact distances"""

    @staticmethod
    def of(model: ObjectModel) -> Surface:
        """Samples the mesh, the same at every call."""
        open3d: Any = require("open3d", system=OPEN3D_SYSTEM)
        dense, _, dense_colors = model.random_samples(DENSE_POINTS, np.random.default_rng(0))
        center, tree, colors = dense.mean(axis=0), cKDTree(dense), dense_colors.astype(float)
        raycasting = open3d.t.geometry.RaycastingScene()
        raycasting.add_triangles(model.vertices.astype(np.float32), model.faces.astype(np.uint32))
        points = dense[:POINTS]
        smoothed = colors[tree.query(points, SMOOTHED_OVER)[1]].mean(axis=1)
        return Surface(points - center, smoothed, center, model.diameter, model.colored, tree, colors, raycasting)

    def distances(self, rotation: Floats, every: int = 1) -> Floats:
        """(N,) metres from each `every`-th turned point to the surface, by a rotation (3, 3) about the centroid."""
        moved = self.points[::every] @ rotation.T + self.center
        result: Floats = self.raycasting.compute_distance(moved.astype(np.float32)).numpy()
        return result

    def passes(self, rotation: Floats) -> bool:
        """Whether shape and colours are as before after it."""
        if np.quantile(self.distances(rotation), SHAPE_SHARE) > SHAPE_TOLERANCE * self.diameter:
            return False
        if not self.colored:
            return True
        there = self.dense.query(self.points @ rotation.T + self.center, SMOOTHED_OVER)[1]
        off = np.linalg.norm(self.dense_colors[there].mean(axis=1) - self.colors, axis=1)
        return bool((off < COLOR_TOLERANCE).mean() >= COLOR_SHARE)


def detect_symmetries(model: ObjectModel) -> Symmetries:
    """Rotations that the mesh and its colours do not tell apart; mirror images are none, and of a ball three axes."""
    surface = Surface.of(model)
    moments, directions = np.linalg.eigh(surface.points.T @ surface.points)
    turning, rotations = _tried(surface, [(axis, order) for axis in directions.T for order in ORDERS])
    if len(turning) == 1:  # beside any turn about an axis only its flip is another symmetry
        across = np.cross(turning[0], np.roll(turning[0], 1))
        _, rotations = _tried(surface, [(across / np.linalg.norm(across), 2)])
    elif not turning:
        rotations += _tried(surface, _further_candidates(surface, moments, directions))[1]
    group = _closed(np.stack([np.eye(3), *rotations]))
    axes = np.array(turning).reshape(-1, 3)
    return Symmetries(turn_about(group, surface.center), axes, np.tile(surface.center, (len(axes), 1)))


def _tried(surface: Surface, candidates: list[tuple[Floats, int]]) -> tuple[list[Floats], list[Floats]]:
    """Of axes (3,), each with the n of its turn by 2 pi / n: those of any turn, and the rotations that pass."""
    turning: list[Floats] = []
    rotations: list[Floats] = []
    limit = 3 * SHAPE_TOLERANCE * surface.diameter
    for rough, order in candidates:
        if any(abs(rough @ other) > ALONG for other in turning):
            continue
        if surface.distances(_turn(rough, 2 * np.pi / order), 5).mean() > limit:
            continue
        axis = _fitted(surface, rough, order)
        if all(surface.passes(_turn(axis, angle)) for angle in ANY_TURN):
            turning.append(axis)
        elif surface.passes(_turn(axis, 2 * np.pi / order)):
            rotations.append(_turn(axis, 2 * np.pi / order))
    return turning, rotations


def _further_candidates(surface: Surface, moments: Floats, directions: Floats) -> list[tuple[Floats, int]]:
    """Where principal axes are not unique: the best of all directions across the one that is, or of all there are."""
    alike = moments[1:] / np.maximum(moments[:-1], 1e-12) < UNIQUE
    if not alike.any():
        return []
    orders: tuple[int, ...] = ORDERS[:3]
    grid = _half_sphere(DIRECTIONS)
    if not alike.all():
        first, second = directions.T[:2] if alike[0] else directions.T[1:]
        angles = np.linspace(0, np.pi, DIRECTIONS // 8, endpoint=False)[:, None]
        grid, orders = np.cos(angles) * first + np.sin(angles) * second, (2,)
    found = []
    for order in orders:
        misses = [surface.distances(_turn(axis, 2 * np.pi / order), 15).mean() for axis in grid]
        found += [(grid[at], order) for at in np.argsort(misses)[:PROMISING]]
    return found


def _fitted(surface: Surface, axis: Floats, order: int) -> Floats:
    """The axis (3,) near the given one about which the turn fits best."""
    across = np.linalg.svd(axis[None])[2][1:]

    def tilted(tilt: Floats) -> Floats:
        result: Floats = axis + tilt @ across
        return result / np.linalg.norm(result)

    def miss(tilt: Floats) -> float:
        return float(surface.distances(_turn(tilted(tilt), 2 * np.pi / order), 5).mean())

    start = np.array([[0, 0], [0.1, 0], [0, 0.1]])
    return tilted(minimize(miss, np.zeros(2), method="Nelder-Mead", options={"initial_simplex": start, "maxfev": 50}).x)


def _closed(rotations: Floats) -> Floats:
    """With all products, until there are no new ones."""
    while True:
        products = (rotations[:, None] @ rotations[None]).reshape(-1, 3, 3)
        more = distinct(np.concatenate([rotations, products]), apart=0.2)
        if len(more) == len(rotations) or len(more) > MOST:
            return rotations
        rotations = more


def _turn(axis: Floats, angle: float) -> Floats:
    return matrix_from_rotation_vector(axis * angle)


def _half_sphere(count: int) -> Floats:
    """(count, 3) unit vectors spread evenly over the half with z >= 0 (Fibonacci's lattice)."""
    z = (np.arange(count) + 0.5) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    radius = np.sqrt(1 - z * z)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)
