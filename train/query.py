"""One crop that a trained network is asked about, cut out of an RGB-D frame exactly as make-pairs cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pairs.format import stored_depth
from scene.arrays import Bytes, Floats, Integers
from scene.camera import Camera
from scene.crop import camera_from_view, crop_about, cut_color, cut_nearest
from scene.errors import InputError
from train.model import Settings

NEIGHBOURHOOD = 4
"""pixels about a point whose median depth is taken: one pixel may be a hole"""
BEHIND_SURFACE = 0.25
"""diameters by which an object's centre lies behind the surface seen, about"""


@dataclass(frozen=True)
class Query:
    """One crop."""

    name: str
    color: Bytes
    """(S, S, 3) RGB"""
    depth: Integers | None
    """(S, S) as pairs files store it; None where colour is all"""
    camera_from_view: Floats
    """(3, 3) turns a view straight at the object to the camera"""


def cut_query(
    name: str, color: Bytes, depth: Floats, camera: Camera, center_camera: Floats, settings: Settings
) -> Query:
    """The crop about an object's centre.

    Args:
        name: of the crop.
        color: (height, width, 3) RGB.
        depth: (height, width) metres, 0 = no measurement.
        camera: of both.
        center_camera: (3,) metres.
        settings: of the network that will be asked.
    """
    crop = crop_about(camera, center_camera, settings.diameter, settings.stored_size)
    stored = stored_depth(cut_nearest(depth, camera, crop), float(center_camera[2]), settings.diameter)
    return Query(name, cut_color(color, camera, crop), stored, camera_from_view(center_camera))


def center_behind(u: int, v: int, depth: Floats, camera: Camera, diameter: float) -> Floats | None:
    """(3,) metres: about where the centre of an object lies whose surface is seen at a pixel; None without depth there.

    Raises:
        InputError: the pixel lies outside of the image.
    """
    if not (0 <= u < camera.width and 0 <= v < camera.height):
        raise InputError(f"--at must lie in the image of {camera.width} x {camera.height} pixels, got {u} {v}")
    around = depth[max(0, v - NEIGHBOURHOOD) : v + NEIGHBOURHOOD + 1, max(0, u - NEIGHBOURHOOD) : u + NEIGHBOURHOOD + 1]
    if not (around > 0).any():
        return None
    z = float(np.median(around[around > 0])) + BEHIND_SURFACE * diameter
    return z * np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
