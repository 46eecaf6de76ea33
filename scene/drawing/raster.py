"""Drawing by a compiled z-buffer: needs pip alone, and draws a small window many times faster than the others.

A tracked mesh has tens of thousands of triangles and a crop some thousand pixels, so most triangles cover the centre of
no pixel and cost a comparison: no search tree is built, nothing is sent to a graphics library.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.drawing.body import Body, Drawing, Light, LitBody, lit

NEAREST = 0.01
"""metres; a triangle with a corner nearer than this is not drawn"""


class RasterDrawer:
    """Puts each triangle at the pixels whose centres it covers, nearest wins."""

    name = "raster"

    def draw(self, bodies: Sequence[Body], camera: Camera, light: Light | None = None) -> Drawing:
        """As Drawer.draw."""
        depth = np.zeros((camera.height, camera.width), np.float32)
        values = np.zeros((camera.height, camera.width, 4), np.uint8)
        for body in bodies:
            _put(lit(body, light), camera, depth, values)
        return Drawing(np.ascontiguousarray(values[..., :3]), depth, np.ascontiguousarray(values[..., 3]))

    def close(self) -> None:
        """Holds nothing."""


def _put(surface: LitBody, camera: Camera, depth: Floats, values: Bytes) -> None:
    fill_triangles(
        surface.vertices_camera.astype(np.float64),
        surface.colors,
        surface.body.faces,
        (camera.fx, camera.fy, camera.cx, camera.cy),
        depth,
        values,
    )


@numba.njit(cache=True)
def fill_triangles(vertices, colors, faces, lens, depth, values):  # type: ignore[no-untyped-def]
    """Draws triangles into `depth` and `values` where they are nearest.

    1 / z is linear in the image, so weights of the corners are those of the image times z over the corner's z.

    Args:
        vertices: (V, 3) metres, camera frame.
        colors: (V, C) 0..1 of each vertex.
        faces: (F, 3) indices into vertices.
        lens: fx, fy, cx, cy in pixels.
        depth: (height, width) float32 metres, 0 = nothing; written.
        values: (height, width, C) uint8; written.
    """
    height, width = depth.shape
    fx, fy, cx, cy = lens
    pixels = np.empty((len(vertices), 2))
    for vertex in range(len(vertices)):
        z = max(vertices[vertex, 2], NEAREST)
        pixels[vertex, 0] = fx * vertices[vertex, 0] / z + cx
        pixels[vertex, 1] = fy * vertices[vertex, 1] / z + cy
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        za, zb, zc = vertices[a, 2], vertices[b, 2], vertices[c, 2]
        if min(za, zb, zc) < NEAREST:
            continue
        ua, va, ub, vb, uc, vc = pixels[a, 0], pixels[a, 1], pixels[b, 0], pixels[b, 1], pixels[c, 0], pixels[c, 1]
        # clipped before they become whole numbers: a far corner may lie beyond any
        left, right = np.ceil(max(min(ua, ub, uc), 0.0)), np.floor(min(max(ua, ub, uc), width - 1.0))
        top, bottom = np.ceil(max(min(va, vb, vc), 0.0)), np.floor(min(max(va, vb, vc), height - 1.0))
        area = (ub - ua) * (vc - va) - (uc - ua) * (vb - va)
        if left > right or top > bottom or area == 0.0:
            continue
        for v in range(int(top), int(bottom) + 1):
            for u in range(int(left), int(right) + 1):
                of_a = ((ub - u) * (vc - v) - (uc - u) * (vb - v)) / area
                of_b = ((uc - u) * (va - v) - (ua - u) * (vc - v)) / area
                of_c = 1.0 - of_a - of_b
                if of_a < 0.0 or of_b < 0.0 or of_c < 0.0:
                    continue
                z = 1.0 / (of_a / za + of_b / zb + of_c / zc)
                if depth[v, u] > 0.0 and z >= depth[v, u]:
                    continue
                depth[v, u] = z
                for channel in range(colors.shape[1]):
                    blended = of_a / za * colors[a, channel] + of_b / zb * colors[b, channel]
                    blended = (blended + of_c / zc * colors[c, channel]) * z
                    values[v, u, channel] = np.uint8(blended * 255.0 + 0.5)
