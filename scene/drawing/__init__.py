"""Off-screen drawing: `open_drawer("auto").draw(bodies, camera)` -> colour, depth and labels, on any machine."""

from __future__ import annotations

from typing import Literal, get_args

from scene.drawing.body import (
    CLUTTER,
    FOREARM,
    HAND,
    NOTHING,
    OBJECT,
    SKIN_COLOR,
    Body,
    Drawer,
    Drawing,
    Light,
    over,
    painted,
    rigid_body,
    vertex_normals,
)
from scene.errors import MissingError, RenderingError

__all__ = [
    "CLUTTER",
    "FOREARM",
    "HAND",
    "NOTHING",
    "OBJECT",
    "SKIN_COLOR",
    "Body",
    "Drawer",
    "DrawerName",
    "Drawing",
    "Light",
    "open_drawer",
    "over",
    "painted",
    "rigid_body",
    "vertex_normals",
]

DrawerName = Literal["auto", "egl", "osmesa", "rays", "raster"]


def open_drawer(name: DrawerName = "auto") -> Drawer:
    """Opens a back-end.

    Args:
        name: `egl` and `osmesa` are pyrender on one or the other system library, one of the two in a process; `rays`
            needs pip alone, as does `raster`, the fastest for small windows; `auto` is the first of egl, osmesa and
            rays that works here.

    Raises:
        RenderingError, MissingError: the back-end asked for does not work here, and why.
    """
    if name not in get_args(DrawerName):
        raise RenderingError(f"--drawer must be one of {', '.join(get_args(DrawerName))}, got {name!r}")
    if name != "auto":
        return _open(name)
    refusals = []
    for candidate in ("egl", "osmesa", "rays"):
        try:
            return _open(candidate)
        except (RenderingError, MissingError) as error:
            refusals.append(f"{candidate}: {error}")
    raise RenderingError("no back-end can draw here; " + "; ".join(refusals))


def _open(name: str) -> Drawer:
    if name == "rays":
        from scene.drawing.rays import RayDrawer

        return RayDrawer()
    if name == "raster":
        from scene.drawing.raster import RasterDrawer

        return RasterDrawer()
    from scene.drawing.opengl import OpenGLDrawer

    return OpenGLDrawer("egl" if name == "egl" else "osmesa")
