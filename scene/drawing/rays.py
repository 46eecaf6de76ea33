"""Drawing by ray casting with embreex: needs pip alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.drawing.body import Body, Drawing, Light, LitBody, lit
from scene.errors import require
from scene.transforms import inverse

Window = tuple[slice, slice]
KEPT_TREES = 16
"""search trees of rigid bodies that are kept: building one costs ten times what casting 96 x 96 rays does"""


class RayDrawer:
    """One ray through the centre of each pixel where a body can be, in that body's frame."""

    name = "rays"

    def __init__(self) -> None:
        self._scene: Any = require("embreex.rtcore_scene")
        self._mesh: Any = require("embreex.mesh_construction")
        self._trees: OrderedDict[tuple[int, int], tuple[Body, Any]] = OrderedDict()

    def draw(self, bodies: Sequence[Body], camera: Camera, light: Light | None = None) -> Drawing:
        """As Drawer.draw."""
        depth = np.zeros((camera.height, camera.width), np.float32)
        values = np.zeros((camera.height, camera.width, 4), np.uint8)
        for body in bodies:
            window = _window(body, camera)
            if window is not None:
                self._cast(lit(body, light), _directions(camera, window), depth[window], values[window])
        return Drawing(np.ascontiguousarray(values[..., :3]), depth, np.ascontiguousarray(values[..., 3]))

    def close(self) -> None:
        """Forgets the search trees."""
        self._trees.clear()

    def _cast(self, surface: LitBody, directions: Floats, depth: Floats, values: Bytes) -> None:
        """Puts the body, where it is nearest, into windows of the depth and of red, green, blue and label."""
        body_from_camera = inverse(surface.body.camera_from_body)
        rays = (directions.reshape(-1, 3) @ body_from_camera[:3, :3].T).astype(np.float32)
        origins = np.tile(body_from_camera[:3, 3].astype(np.float32), (len(rays), 1))
        hits = self._tree(surface.body).run(origins, rays, query="INTERSECT", output=True)
        z = hits["tfar"].reshape(depth.shape)  # directions have z = 1 in the camera, so the length along a ray is z
        nearest = (hits["primID"] >= 0).reshape(depth.shape) & ((depth == 0) | (z < depth))
        at = nearest.ravel()
        u, v = hits["u"][at], hits["v"][at]
        corners = surface.colors[surface.body.faces[hits["primID"][at]]]
        depth[nearest] = z[nearest]
        values[nearest] = np.round(np.einsum("nk,nkc->nc", np.stack([1 - u - v, u, v], axis=1), corners) * 255)

    def _tree(self, body: Body) -> Any:
        if body.normals is None:
            return self._build(body)
        key = (id(body.vertices), id(body.faces))
        if key not in self._trees:
            self._trees[key] = (body, self._build(body))  # the body with it, so that its arrays' ids stay theirs
        self._trees.move_to_end(key)
        while len(self._trees) > KEPT_TREES:
            self._trees.popitem(last=False)
        return self._trees[key][1]

    def _build(self, body: Body) -> Any:
        scene = self._scene.EmbreeScene()
        vertices = np.ascontiguousarray(body.vertices, np.float32)
        self._mesh.TriangleMesh(scene, vertices, np.ascontiguousarray(body.faces, np.int32))
        return scene


def _window(body: Body, camera: Camera) -> Window | None:
    """The rows and columns that the body can reach; None where it reaches none."""
    low, high = body.vertices.min(axis=0), body.vertices.max(axis=0)
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True)), axis=-1).reshape(-1, 3)
    corners = corners @ body.camera_from_body[:3, :3].T + body.camera_from_body[:3, 3]
    if (corners[:, 2] <= 0).all():
        return None
    if (corners[:, 2] <= 0).any():  # what passes the camera's plane can reach any pixel
        return slice(0, camera.height), slice(0, camera.width)
    pixels, size = camera.project(corners), (camera.width, camera.height)
    left, top = np.clip(np.floor(pixels.min(axis=0)), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(pixels.max(axis=0)) + 1, 0, size).astype(int)
    return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None


def _directions(camera: Camera, window: Window) -> Floats:
    """(rows, columns, 3) through the pixels' centres, z = 1."""
    v, u = np.mgrid[window]
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], axis=-1)
