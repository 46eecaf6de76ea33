"""How much of the object a crop shows, and what hides the rest.

The amodal mask is the whole silhouette of the object drawn alone, also where the image ends before it does. Each of its
pixels is counted once:

visible       the camera measures the object there, or measures nothing (as BOP does: a hole is no occluder)
hand          something nearer is in the way: the tracked hand, a sleeve, another thing
truncation    outside of the image
other         the camera sees past the object: the pose or the mesh is a little off

What the object hides of itself is counted apart, as no pixel of the silhouette is lost by it: of its surface that faces
the camera, the part that lies behind nearer parts of it (a cup's wall behind its handle).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from scene.arrays import Booleans, Bytes, Floats
from scene.camera import Camera
from scene.drawing import HAND, OBJECT, Body, Drawing
from scene.transforms import apply

TOLERANCE = 0.01
"""metres between measured and expected depth of the object: 6 standard deviations of the sensor at 0.8 m, and less than
the thickness of a finger"""


@dataclass(frozen=True)
class Visibility:
    """Masks of one crop and the parts of the amodal mask, which sum to 1 with `fraction`."""

    amodal: Booleans
    """(size, size)"""
    visible: Booleans
    """(size, size)"""
    lost_hand: float
    lost_truncation: float
    lost_other: float

    @property
    def fraction(self) -> float:
        """Visible / amodal pixels; NaN where there is nothing amodal."""
        amodal = int(np.count_nonzero(self.amodal))
        return int(np.count_nonzero(self.visible)) / amodal if amodal else float("nan")


def real_visibility(alone: Floats, together: Floats, labels: Bytes, observed: Floats, inside: Booleans) -> Visibility:
    """Of a recorded crop.

    Args:
        alone: (size, size) metres, the object drawn alone, 0 = nothing.
        together: (size, size) metres, hand and object drawn.
        labels: (size, size) of that drawing.
        observed: (size, size) metres as measured, 0 = no measurement.
        inside: (size, size) where the crop lies in the image.
    """
    measured = observed > 0
    error = observed - alone
    # the drawn hand hides a pixel unless the measurement says that the object is there
    hand = (labels == HAND) & (~measured | (np.abs(observed - together) <= np.abs(error)))
    nearer = hand | (measured & (error < -TOLERANCE))
    farther = ~nearer & measured & (error > TOLERANCE)
    return _parts(alone > 0, nearer, farther, inside)


def rendered_visibility(alone: Floats, labels: Bytes, inside: Booleans) -> Visibility:
    """Of a drawn crop; arguments as real_visibility."""
    return _parts(alone > 0, labels != OBJECT, np.zeros_like(inside), inside)


def _parts(amodal: Booleans, nearer: Booleans, farther: Booleans, inside: Booleans) -> Visibility:
    total = max(int(np.count_nonzero(amodal)), 1)

    def part(mask: Booleans) -> float:
        return int(np.count_nonzero(amodal & mask)) / total

    return Visibility(
        amodal=amodal,
        visible=amodal & inside & ~nearer & ~farther,
        lost_hand=part(inside & nearer),
        lost_truncation=part(~inside),
        lost_other=part(inside & farther & ~nearer),
    )


def hidden_by_itself(body: Body, alone: Drawing, camera: Camera) -> float:
    """Part of the surface facing the camera that lies behind nearer parts of the same body, by area in the image.

    Args:
        body: whose triangles go round their outward normals by the right-hand rule.
        alone: the whole body drawn without any other.
        camera: of that drawing.
    """
    pixels = camera.project(apply(body.camera_from_body, body.vertices))
    facing = float(facing_area(pixels, body.faces))
    seen = int(np.count_nonzero(alone.labels))
    return float(np.clip(1 - seen / facing, 0, 1)) if facing > 0 else 0.0


@numba.njit(cache=True)
def facing_area(pixels, faces):  # type: ignore[no-untyped-def]
    """(V, 2) px and (F, 3) -> px^2 of the triangles whose front is seen: with y down their corners run left-handed."""
    total = 0.0
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        one_u, one_v = pixels[b, 0] - pixels[a, 0], pixels[b, 1] - pixels[a, 1]
        two_u, two_v = pixels[c, 0] - pixels[a, 0], pixels[c, 1] - pixels[a, 1]
        total += max(0.0, two_u * one_v - one_u * two_v) / 2
    return total
