"""Signed distance to the object's surface on a grid: metres, negative inside; exact at the nodes, linear between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scene.arrays import Floats
from scene.errors import require
from scene.object_model import OPEN3D_SYSTEM, ObjectModel

PARITY_RAYS = 11
"""rays that vote on inside or outside, so that the small holes of a scan that is not watertight do not decide"""


@dataclass(frozen=True)
class DistanceField:
    """A box of signed distances about the object, in its frame."""

    values: Floats
    """(nx, ny, nz) float32 metres"""
    origin: Floats
    """(3,) metres, object frame, of values[0, 0, 0]"""
    spacing: float
    """metres between nodes, the same along each axis"""


def build_distance_field(model: ObjectModel, *, nodes: int = 80, margin: float = 0.02) -> DistanceField:
    """Samples the exact distance to the mesh.

    Args:
        model: the object.
        nodes: along the longest side of the box.
        margin: metres that the box exceeds the mesh on every side.
    """
    open3d: Any = require("open3d", system=OPEN3D_SYSTEM)
    low, high = model.vertices.min(axis=0) - margin, model.vertices.max(axis=0) + margin
    spacing = float((high - low).max() / (nodes - 1))
    counts = np.ceil((high - low) / spacing).astype(int) + 1
    axes = [low[axis] + spacing * np.arange(counts[axis]) for axis in range(3)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    scene = open3d.t.geometry.RaycastingScene()
    scene.add_triangles(model.vertices.astype(np.float32), model.faces.astype(np.uint32))
    distance = scene.compute_signed_distance(grid.astype(np.float32), nsamples=PARITY_RAYS).numpy()
    return DistanceField(np.ascontiguousarray(distance), low, spacing)
