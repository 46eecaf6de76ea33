"""The built-in object: a car belt's tongue locked into its buckle, 66 mm long, without any symmetry.

Modelled as a signed distance (unions and cuts of rounded boxes), contoured once, painted by place. Object frame: origin
in the middle, +x along the tongue, +z out of the side with the red button; metres.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from recorder.simulation.solids import contoured, rounded_box
from scene.arrays import Bytes, Floats
from scene.object_model import ObjectModel

LOW, HIGH = (-0.036, -0.020, -0.014), (0.036, 0.020, 0.014)
"""metres, a box about the object"""

PLASTIC, BUTTON, METAL, WEBBING, LABEL, MARK = (
    (43, 44, 50),
    (196, 32, 28),
    (172, 176, 182),
    (104, 92, 74),
    (226, 222, 205),
    (240, 236, 230),
)
"""RGB"""


@cache
def belt() -> ObjectModel:
    """The object, the same at every call."""
    return contoured("belt", belt_distance, belt_colors, LOW, HIGH)


def belt_distance(points: Floats) -> Floats:
    """(..., 3) metres, object frame -> (...) metres to the surface, negative inside (a bound away from it)."""
    distance: Floats = np.minimum.reduce([_buckle(points), _tongue(points), _webbing(points)])
    return distance


def _buckle(points: Floats) -> Floats:
    body = rounded_box(points, (-11, 0, 0), (18, 13, 7), 3.5)
    shoulder = rounded_box(points, (-3, 3.5, -2), (11, 12, 5), 3.0)  # bulges to one side only
    frame: Floats = np.minimum(body, shoulder)
    frame = np.maximum(frame, -rounded_box(points, (1, -1, 9), (7, 10.5, 5), 1.0))  # the button's recess
    frame = np.maximum(frame, -rounded_box(points, (-29, 15, 0), (7, 6, 20), 2.0))  # one corner is cut off
    button = rounded_box(points, (1, -1, 4.5), (6, 9.5, 3), 1.0)
    rib = rounded_box(points, (-16, -4, 7.3), (1.5, 6, 1.2), 0.8)
    buckle: Floats = np.minimum.reduce([frame, button, rib])
    return buckle


def _tongue(points: Floats) -> Floats:
    tilt = points - np.multiply.outer(points[..., 0] - 0.006, (0.0, 0.0, 0.16))  # bent towards the button's side
    plate = rounded_box(tilt, (18, -1, -1), (13, 10, 1.6), 1.4)
    grip = rounded_box(tilt, (27.5, -1, -1), (4, 14, 3.4), 2.6)
    slot = rounded_box(tilt, (20, 0.5, -1), (2.2, 6.5, 20), 1.0)
    tongue: Floats = np.maximum(np.minimum(plate, grip), -slot)
    return tongue


def _webbing(points: Floats) -> Floats:
    bend = points + np.multiply.outer(points[..., 0] + 0.026, (0.0, 0.0, -0.35))
    return rounded_box(bend, (-29, -4, -2), (5, 8, 1.7), 1.0)


def belt_colors(vertices: Floats) -> Bytes:
    """(V, 3) metres -> (V, 3) RGB: each vertex takes the colour of the part that it lies on."""
    x, y, z = (vertices * 1000).T
    parts = np.stack([_buckle(vertices), _tongue(vertices), _webbing(vertices)])
    colors: Bytes = np.array([PLASTIC, METAL, WEBBING], np.uint8)[np.abs(parts).argmin(axis=0)]
    on_buckle = np.abs(parts).argmin(axis=0) == 0
    pressed = on_buckle & (np.abs(x - 1) < 6.3) & (np.abs(y + 1) < 9.8) & (z > 4.5)
    colors[pressed] = BUTTON
    colors[pressed & (np.abs(x - 3) < 1.2) & (np.abs(y + 1) < 5)] = MARK
    colors[on_buckle & (z < -5.8) & (np.abs(x + 14) < 7) & (np.abs(y + 2) < 6)] = LABEL
    grip = (np.abs(parts).argmin(axis=0) == 1) & (x > 23.5)
    colors[grip] = PLASTIC
    return colors
