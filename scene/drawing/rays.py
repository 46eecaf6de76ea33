"""Drawing by ray casting with embreex: needs pip alone, and is the fastest where there is no graphics card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scene.arrays import Floats
from scene.camera import Camera
from scene.drawing.body import Body, Drawing, Light, LitSurface, lit_surface
from scene.errors import require

Window = tuple[slice, slice]


class RayDrawer:
    """One ray through the centre of each pixel where a body can be."""

    name = "rays"

    def __init__(self) -> None:
        self._scene: Any = require("embreex.rtcore_scene")
        self._mesh: Any = require("embreex.mesh_construction")

    def draw(self, bodies: Sequence[Body], camera: Camera, light: Light | None = None) -> Drawing:
        """As Drawer.draw."""
        surface = lit_surface(bodies, light)
        depth = np.zeros((camera.height, camera.width), np.float32)
        values = np.zeros((camera.height, camera.width, 4), np.uint8)
        window = _window(surface, camera)
        if window is not None:
            self._cast(surface, _directions(camera, window), depth[window], values[window])
        return Drawing(np.ascontiguousarray(values[..., :3]), depth, np.ascontiguousarray(values[..., 3]))

    def close(self) -> None:
        """Nothing is held between drawings."""

    def _cast(self, surface: LitSurface, directions: Floats, depth: Floats, values: Floats) -> None:
        """Fills `depth` and `values` (red, green, blue, label), windows of the images, in place."""
        scene = self._scene.EmbreeScene()
        corners = surface.vertices_camera[surface.faces]
        self._mesh.TriangleMesh(scene, corners)
        rays = np.ascontiguousarray(directions.reshape(-1, 3))
        hits = scene.run(np.zeros_like(rays), rays, query="INTERSECT", output=True)
        met = hits["primID"] >= 0
        face, u, v = hits["primID"][met], hits["u"][met], hits["v"][met]
        weights = np.stack([1 - u - v, u, v], axis=1)
        blended = np.einsum("nk,nkc->nc", weights, surface.colors[surface.faces[face]])
        where = met.reshape(depth.shape)
        depth[where] = hits["tfar"][met]  # directions have z = 1, so the length along a ray is z
        values[where] = np.round(blended * 255)


def _window(surface: LitSurface, camera: Camera) -> Window | None:
    """The rows and columns that the surface can reach; None where it reaches none."""
    points = surface.vertices_camera
    if len(points) == 0:
        return None
    if (points[:, 2] <= 0).any():  # what passes the camera's plane can reach any pixel
        return slice(0, camera.height), slice(0, camera.width)
    pixels = camera.project(points)
    left, top = np.clip(np.floor(pixels.min(axis=0)), 0, (camera.width, camera.height)).astype(int)
    right, bottom = np.clip(np.ceil(pixels.max(axis=0)) + 1, 0, (camera.width, camera.height)).astype(int)
    return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None


def _directions(camera: Camera, window: Window) -> Floats:
    """(rows, columns, 3) float32 through the pixels' centres, z = 1."""
    v, u = np.mgrid[window]
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)
