"""The built-in objects, each without any symmetry: the belt's buckle, a small mug, a carton.

Object frames: origin near the middle, metres. The mug stands on -z with its handle at +x; the carton's longest side is
along z.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from recorder.simulation.belt import belt
from recorder.simulation.solids import contoured, ring, rounded_box, upright_cylinder
from scene.arrays import Bytes, Floats
from scene.object_model import ObjectModel


def built_in(name: str) -> ObjectModel:
    """One of BuiltInName; the same at every call."""
    makers: dict[str, Callable[[], ObjectModel]] = {"belt": belt, "mug": mug, "carton": carton}
    return makers[name]()


@cache
def mug() -> ObjectModel:
    """An espresso mug, 62 mm high, with a picture on one side."""
    return contoured("mug", _mug_distance, _mug_colors, (-0.030, -0.030, -0.034), (0.052, 0.030, 0.034))


def _mug_distance(points: Floats) -> Floats:
    body = upright_cylinder(points, 26, -31, 31)
    hollow = upright_cylinder(points, 22.5, -27, 60)
    handle = ring(points, (29, 0, 2), 14, 4.2)
    cup: Floats = np.maximum(np.minimum(body, handle), -hollow)
    return cup


def _mug_colors(vertices: Floats) -> Bytes:
    x, y, z = (vertices * 1000).T
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    colors: Bytes = np.tile(np.array((222, 216, 204), np.uint8), (len(vertices), 1))
    colors[radius < 24] = (168, 82, 46)
    outside = (radius > 24) & (radius < 27)
    colors[outside & (z < -20)] = (52, 86, 132)
    picture = outside & (np.abs(angle - 1.9) < 0.55) & (np.abs(z - 4) < 14)
    colors[picture] = (206, 60, 58)
    colors[picture & (np.abs(angle - 1.8) + np.abs(z - 6) / 28 < 0.28)] = (250, 214, 80)
    colors[outside & (np.abs(angle + 1.6) < 0.3) & (np.abs(z) < 16)] = (60, 124, 78)
    colors[radius > 27] = (52, 86, 132)
    return colors


@cache
def carton() -> ObjectModel:
    """A carton of 30 x 46 x 76 mm, printed otherwise on each side."""
    return contoured("carton", _carton_distance, _carton_colors, (-0.018, -0.026, -0.041), (0.018, 0.026, 0.041))


def _carton_distance(points: Floats) -> Floats:
    return rounded_box(points, (0, 0, 0), (15, 23, 38), 2.0)


def _carton_colors(vertices: Floats) -> Bytes:
    x, y, z = (vertices * 1000).T
    colors: Bytes = np.tile(np.array((236, 226, 196), np.uint8), (len(vertices), 1))
    front, back, left, right, top = x > 14.4, x < -14.4, y < -22.4, y > 22.4, z > 37.4
    colors[front] = (196, 52, 44)
    colors[front & (np.hypot(y - 4, z - 10) < 13)] = (246, 206, 64)
    colors[front & (z < -16) & (np.abs(y) < 18)] = (248, 244, 236)
    colors[back & (np.floor(z / 9) % 2 == 0)] = (46, 92, 150)
    colors[left] = (58, 132, 84)
    colors[left & (z > 12)] = (30, 34, 40)
    colors[right & (np.floor((x + z) / 8) % 2 == 0)] = (120, 74, 140)
    colors[top] = (40, 44, 52)
    return colors
