"""Solids as signed distances, and the coloured meshes contoured from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from skimage import measure

from scene.arrays import Bytes, Floats
from scene.object_model import ObjectModel

SPACING = 0.0012
"""metres between the nodes that are contoured: about 4,000 vertices, so that colours have edges"""


def contoured(
    name: str,
    distance: Callable[[Floats], Floats],
    colors: Callable[[Floats], Bytes],
    low: tuple[float, ...],
    high: tuple[float, ...],
) -> ObjectModel:
    """The surface where `distance` is 0, within a box of metres; `colors` maps (V, 3) metres to (V, 3) RGB."""
    axes = [np.arange(start, stop, SPACING) for start, stop in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    contour: Any = measure.marching_cubes
    vertices, faces, _, _ = contour(distance(grid), 0.0, spacing=(SPACING,) * 3)
    vertices = vertices.astype(float) + low
    return ObjectModel(name, vertices, faces.astype(np.int32), colors(vertices), True, f"built in: {name}")


def rounded_box(points: Floats, center_mm: tuple[float, ...], half_mm: tuple[float, ...], round_mm: float) -> Floats:
    """Signed distance to a box of that centre and half extent whose edges are rounded, metres."""
    radius = round_mm / 1000
    beyond = np.abs(points - np.array(center_mm) / 1000) - (np.array(half_mm) / 1000 - radius)
    outside = np.linalg.norm(np.maximum(beyond, 0), axis=-1)
    distance: Floats = outside + np.minimum(beyond.max(axis=-1), 0) - radius
    return distance


def upright_cylinder(points: Floats, radius_mm: float, low_mm: float, high_mm: float) -> Floats:
    """Signed distance (a bound away from it) to a cylinder about z, metres."""
    across = np.linalg.norm(points[..., :2], axis=-1) - radius_mm / 1000
    along = np.abs(points[..., 2] - (low_mm + high_mm) / 2000) - (high_mm - low_mm) / 2000
    distance: Floats = np.maximum(across, along)
    return distance


def ring(points: Floats, center_mm: tuple[float, ...], radius_mm: float, thick_mm: float) -> Floats:
    """Signed distance to a torus about y, metres."""
    local = points - np.array(center_mm) / 1000
    around = np.hypot(local[..., 0], local[..., 2]) - radius_mm / 1000
    distance: Floats = np.hypot(around, local[..., 1]) - thick_mm / 1000
    return distance
