"""The known object: whatever mesh a user brings, as triangles in metres with a colour at each vertex."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import h5py
import numpy as np
import trimesh
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from scene.arrays import Bytes, Floats, Integers
from scene.errors import InputError, require
from scene.muted import standard_error_muted

LengthUnit = Literal["m", "cm", "mm", "in"]
METRES_PER_UNIT: dict[LengthUnit, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
SMALLEST_DIAMETER, LARGEST_DIAMETER = 0.005, 2.0
"""metres: an object outside of this is not one that a hand turns before a camera, or its unit is wrong"""
PLAIN_COLOR = (170, 170, 170)
OPEN3D_SYSTEM = "libusb-1.0-0 libegl1 libgl1"
"""Debian packages that `import open3d` needs."""


@dataclass(frozen=True)
class ObjectModel:
    """A rigid mesh in its own frame."""

    name: str
    vertices: Floats
    """(V, 3) metres, object frame"""
    faces: Integers
    """(F, 3) int32 indices into vertices"""
    vertex_colors: Bytes
    """(V, 3) RGB"""
    colored: bool
    """False where the source had no colours and vertex_colors are a plain grey"""
    source: str
    """file name, unit and hash, or the name of a built-in model"""

    def __post_init__(self) -> None:
        """Refuses a mesh that no later stage could use."""
        if len(self.faces) == 0 or len(self.vertices) < 4:
            raise InputError(f"a mesh must have triangles, {self.source} has none; export it with faces")
        if not np.isfinite(self.vertices).all():
            raise InputError(f"every vertex must be a finite number, {self.source} has NaN or infinite ones")
        if self.faces.min() < 0 or self.faces.max() >= len(self.vertices):
            raise InputError(f"every triangle must point to vertices that exist, {self.source} points outside them")
        if self.vertices.shape[1:] != (3,) or self.vertex_colors.shape != self.vertices.shape:
            raise InputError(f"vertices and colours must be (V, 3) alike, {self.source} has {self.vertices.shape}")

    @cached_property
    def diameter(self) -> float:
        """Largest distance between two vertices, metres."""
        points = self.vertices
        with contextlib.suppress(QhullError):  # a flat mesh has no hull in three dimensions
            points = points[ConvexHull(points).vertices]
        rng = np.random.default_rng(0)
        return float(pdist(points if len(points) <= 4000 else rng.choice(points, 4000, replace=False)).max())

    @property
    def mesh(self) -> trimesh.Trimesh:
        """As trimesh, vertices untouched."""
        return trimesh.Trimesh(self.vertices, self.faces, vertex_colors=self.vertex_colors, process=False)

    def surface_samples(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats, Bytes]:
        """Points spread evenly over the surface.

        Returns:
            (count, 3) points_object in metres, (count, 3) outward unit normals, (count, 3) RGB.
        """
        candidates = self.random_samples(4 * count, rng)
        chosen = farthest_points(candidates[0], count)
        return candidates[0][chosen], candidates[1][chosen], candidates[2][chosen]

    def random_samples(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats, Bytes]:
        """As surface_samples, but drawn without regard to each other: fast for many."""
        corners = self.vertices[self.faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area = np.linalg.norm(cross, axis=1)
        face = rng.choice(len(self.faces), size=count, p=area / area.sum())
        root, second = np.sqrt(rng.random(count)), rng.random(count)
        weights = np.stack([1 - root, root * (1 - second), root * second], axis=1)
        points = np.einsum("nk,nkd->nd", weights, corners[face])
        colors = np.einsum("nk,nkd->nd", weights, self.vertex_colors[self.faces[face]].astype(float))
        return points, cross[face] / area[face, None], np.round(colors).astype(np.uint8)


def farthest_points(points: Floats, count: int) -> Integers:
    """(N, D) -> (min(count, N),) indices, each next point the one farthest from those before (greedy, from point 0)."""
    chosen = np.zeros(min(count, len(points)), int)
    distance = np.full(len(points), np.inf)
    for at in range(1, len(chosen)):
        distance = np.minimum(distance, ((points - points[chosen[at - 1]]) ** 2).sum(axis=1))
        chosen[at] = int(distance.argmax())
    return chosen


def load_object(path: Path, units: LengthUnit) -> ObjectModel:
    """Reads PLY, OBJ, STL, GLB and what else trimesh or open3d reads.

    Args:
        path: of the mesh.
        units: what one unit of the file is; never guessed, and a diameter that cannot be is refused.

    Raises:
        InputError: missing, unreadable or empty file, NaN vertices, implausible size.
    """
    if units not in get_args(LengthUnit):
        raise InputError(f"--object-units must be one of {', '.join(get_args(LengthUnit))}, got {units!r}")
    if not path.is_file():
        raise InputError(f"the object's mesh {path} does not exist; give a PLY, OBJ, STL or GLB file")
    mesh = _read_mesh(path)
    colors, colored = _vertex_colors(mesh)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    model = ObjectModel(
        name=path.stem,
        vertices=np.asarray(mesh.vertices, float) * METRES_PER_UNIT[units],
        faces=np.asarray(mesh.faces, np.int32),
        vertex_colors=colors,
        colored=colored,
        source=f"{path.name}, unit {units}, sha256 {digest}",
    )
    if not SMALLEST_DIAMETER <= model.diameter <= LARGEST_DIAMETER:
        raise InputError(
            f"the object must be between {SMALLEST_DIAMETER * 1000:.0f} mm and {LARGEST_DIAMETER:.0f} m across, "
            f"{path.name} read in {units} is {model.diameter:.4g} m; give its unit with --object-units"
        )
    return model


def _read_mesh(path: Path) -> trimesh.Trimesh:
    try:
        return trimesh.load_mesh(path, process=False)
    except Exception as error:  # each of trimesh's loaders raises its own kinds
        mesh = _read_mesh_with_open3d(path)
        if mesh is None:
            raise InputError(
                f"{path} must be a triangle mesh that can be read, and is not ({error}); save it again as PLY or OBJ"
            ) from error
        return mesh


def _read_mesh_with_open3d(path: Path) -> trimesh.Trimesh | None:
    """Open3d also reads PLY files that mix triangles and quads, as Blender writes them."""
    open3d: Any = require("open3d", system=OPEN3D_SYSTEM)
    with open3d.utility.VerbosityContextManager(open3d.utility.VerbosityLevel.Error), standard_error_muted():
        mesh = open3d.io.read_triangle_mesh(str(path))
    if not mesh.has_triangles():
        return None
    colors = np.asarray(mesh.vertex_colors) * 255 if mesh.has_vertex_colors() else None
    return trimesh.Trimesh(np.asarray(mesh.vertices), np.asarray(mesh.triangles), vertex_colors=colors, process=False)


def _vertex_colors(mesh: trimesh.Trimesh) -> tuple[Bytes, bool]:
    """(V, 3) RGB and whether the source had any; a texture is sampled at the vertices."""
    if mesh.visual.defined and mesh.visual.kind in ("vertex", "face", "texture"):
        visual = mesh.visual.to_color() if mesh.visual.kind == "texture" else mesh.visual
        colors = np.asarray(visual.vertex_colors, np.uint8)[:, :3]
        if len(colors) == len(mesh.vertices):
            return colors, True
    return np.tile(np.array(PLAIN_COLOR, np.uint8), (len(mesh.vertices), 1)), False


def write_object(group: h5py.Group, model: ObjectModel) -> None:
    """Puts the object into a file's group, as OBJECT_FIELDS in the formats that embed one."""
    group["vertices"] = model.vertices.astype(np.float64)
    group["faces"] = model.faces.astype(np.int32)
    group["vertex_colors"] = model.vertex_colors
    group.attrs["name"], group.attrs["source"], group.attrs["colored"] = model.name, model.source, model.colored


def read_object(group: h5py.Group) -> ObjectModel:
    """Takes the object out of a file's group."""
    return ObjectModel(
        name=str(group.attrs["name"]),
        vertices=group["vertices"][:],
        faces=group["faces"][:],
        vertex_colors=group["vertex_colors"][:],
        colored=bool(group.attrs["colored"]),
        source=str(group.attrs["source"]),
    )
