"""What is drawn and what a drawing is: bodies and a light in, colour, depth and labels out.

Light is worked out here, at the vertices, so that a back-end only has to find the nearest triangle at each pixel and to
blend its three corners: the back-ends agree by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from scene.arrays import Bytes, Floats, Integers
from scene.camera import Camera
from scene.errors import InputError
from scene.transforms import apply

NOTHING, HAND, OBJECT, FOREARM, CLUTTER = 0, 1, 2, 3, 4
"""Labels of pixels; CLUTTER is the table and the things on it. Bodies may carry any other label up to 255."""

SKIN_COLOR = (205, 160, 135)
"""RGB of a hand where no recording says otherwise"""


@dataclass(frozen=True)
class Body:
    """A coloured triangle mesh that stands before the camera."""

    vertices: Floats
    """(V, 3) metres, body frame"""
    faces: Integers
    """(F, 3) indices into vertices; both sides are drawn"""
    vertex_colors: Bytes
    """(V, 3) RGB"""
    label: int
    """1..255, put at every pixel that shows the body"""
    camera_from_body: Floats
    """(4, 4)"""
    normals: Floats | None = None
    """(V, 3) outward unit normals, body frame; None = worked out from the faces at each drawing. Given, the body is
    rigid: a back-end may keep its mesh from one drawing to the next, and the arrays must not be written to."""

    def __post_init__(self) -> None:
        """Refuses what cannot be drawn."""
        if not 1 <= self.label <= 255:
            raise InputError(f"a body's label must be 1..255, got {self.label}; 0 means that a pixel shows nothing")
        if self.vertex_colors.shape != self.vertices.shape or self.vertices.shape[1:] != (3,):
            given = f"{self.vertices.shape} and {self.vertex_colors.shape}"
            raise InputError(f"a body's vertices and colours must be (V, 3) alike, got {given}")
        if not np.isfinite(self.camera_from_body).all():
            raise InputError("a body's pose must be finite; leave out what is LOST or ABSENT")

    def placed(self, camera_from_body: Floats) -> Body:
        """The same body elsewhere."""
        return replace(self, camera_from_body=camera_from_body)


def rigid_body(vertices: Floats, faces: Integers, vertex_colors: Bytes, label: int) -> Body:
    """A body that moves without bending: make it once, then draw `body.placed(camera_from_body)`, frame after frame."""
    return Body(vertices, faces, vertex_colors, label, np.eye(4), vertex_normals(vertices, faces))


def painted(vertices: Floats, faces: Integers, color: tuple[int, int, int], label: int) -> Body:
    """A body of one colour whose vertices are points_camera already (a posed hand)."""
    colors = np.tile(np.array(color, np.uint8), (len(vertices), 1))
    return Body(vertices, faces, colors, label, np.eye(4))


@dataclass(frozen=True)
class Light:
    """A far lamp, and light from everywhere. A vertex shows albedo * color * (ambient + diffuse * max(0, n . l))."""

    direction_camera: Floats
    """(3,) unit vector from the scene towards the lamp"""
    ambient: float
    """0..1"""
    diffuse: float
    """0..1"""
    color: Floats
    """(3,) gain of red, green and blue; 1 is white"""

    @staticmethod
    def default() -> Light:
        """White, from above, left and behind of the camera."""
        direction = np.array([-0.4, -0.6, -0.7])
        return Light(direction / np.linalg.norm(direction), 0.45, 0.6, np.ones(3))


@dataclass(frozen=True)
class Drawing:
    """What a camera without noise sees."""

    color: Bytes
    """(height, width, 3) RGB, black where nothing is"""
    depth: Floats
    """(height, width) float32 metres along z, 0 = nothing"""
    labels: Bytes
    """(height, width) the label of the nearest body, 0 = nothing"""


def over(first: Drawing, second: Drawing) -> Drawing:
    """Two drawings of one camera in one, at each pixel the nearer."""
    wins = (first.depth > 0) & ((second.depth == 0) | (first.depth < second.depth))
    return Drawing(
        np.where(wins[..., None], first.color, second.color),
        np.where(wins, first.depth, second.depth),
        np.where(wins, first.labels, second.labels),
    )


class Drawer(Protocol):
    """A back-end."""

    @property
    def name(self) -> str:
        """`egl`, `osmesa`, `rays` or `raster`."""

    def draw(self, bodies: Sequence[Body], camera: Camera, light: Light | None = None) -> Drawing:
        """Draws the bodies as `camera` sees them, under Light.default() where `light` is None."""

    def close(self) -> None:
        """Gives back what the back-end holds; it draws no more."""


@dataclass(frozen=True)
class LitBody:
    """A body with its light worked out."""

    body: Body
    vertices_camera: Floats
    """(V, 3) float32 metres"""
    colors: Floats
    """(V, 4) float32 0..1: lit red, green and blue, and label / 255, which is the same at all vertices"""


def lit(body: Body, light: Light | None) -> LitBody:
    """Poses a body and puts it into the light."""
    light = light or Light.default()
    normals = vertex_normals(body.vertices, body.faces) if body.normals is None else body.normals
    towards_lamp = normals @ (body.camera_from_body[:3, :3].T @ light.direction_camera)
    strength = light.ambient + light.diffuse * np.clip(towards_lamp, 0, None)
    colors = np.empty((len(body.vertices), 4), np.float32)
    colors[:, :3] = np.clip(body.vertex_colors / 255 * strength[:, None] * light.color, 0, 1)
    colors[:, 3] = body.label / 255
    return LitBody(body, apply(body.camera_from_body, body.vertices).astype(np.float32), colors)


def vertex_normals(vertices: Floats, faces: Integers) -> Floats:
    """(V, 3), (F, 3) -> (V, 3) unit normals: mean of the adjoining faces' normals by area; 0 where there is no face."""
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    at, count = faces.ravel(), len(vertices)
    total = np.stack([np.bincount(at, np.repeat(cross[:, axis], 3), count) for axis in range(3)], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    normals: Floats = total / np.where(length > 0, length, 1)
    return normals
