"""Whether a hand that nothing covers has the outline that is seen: what its points' distances alone do not say.

A few fingers of a wrong hand can lie on all that is seen, and most of a right one on too little of it. In: an
Observation with a lone hand, the hand's surface and pose. Out: a share.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation

from scene.arrays import Floats
from scene.camera import Camera
from scene.drawing import HAND, SKIN_COLOR, painted
from scene.drawing.raster import RasterDrawer
from scene.hand_pose import HandPose
from scene.hand_surface import HandSurface
from tracker.observation import Observation
from tracker.quality import chance

IN_FRONT = 0.015
"""metres by which something seen is nearer than the hand where it hides it"""
BORDER = 0.003
"""metres by which outlines may differ: flesh is no capsules, and cameras' edges are frayed"""
MARGIN_PX = 8
STEEP, FAIR = 30.0, 0.77
"""of the confidence"""


def outline_overlap(observation: Observation, surface: HandSurface, hand: HandPose) -> float:
    """Of the drawn hand and the hand's points as pixels: intersection by union, 0 to 1.

    What of the drawing is outside of the image counts as not seen. What is hidden, on the forearm, not measured or at
    most BORDER outside of the other counts neither way.
    """
    vertices = surface.posed(hand)
    if not (vertices[:, 2] > 0).all():
        return 0.0
    left, top, camera = _window(observation, vertices)
    drawn = RasterDrawer().draw([painted(vertices, surface.faces, SKIN_COLOR, HAND)], camera)
    silhouette = drawn.labels == HAND
    height, width = observation.foreground.shape
    rows, columns = np.arange(camera.height) + top, np.arange(camera.width) + left
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    seen = np.zeros(silhouette.shape, bool)
    unknown = np.zeros(silhouette.shape, bool)
    at = np.ix_(np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1))
    points = observation.mask(observation.hand_points)
    depth = observation.depth[at]
    seen[inside] = points[at][inside]
    forearm = observation.foreground[at] & ~points[at]
    unknown[inside] = (forearm | (depth <= 0) | (depth < drawn.depth - IN_FRONT))[inside]
    border_px = max(1, round(BORDER * camera.fx / float(vertices[:, 2].mean())))
    drawn_alone = silhouette & ~unknown & ~binary_dilation(seen, iterations=border_px)
    seen_alone = seen & ~binary_dilation(silhouette, iterations=border_px)
    common = int((silhouette & seen).sum())
    return common / max(common + int(drawn_alone.sum()) + int(seen_alone.sum()), 1)


def outline_confidence(overlap: float) -> float:
    """Chance, 0 to 1, that a hand with this overlap is the right one; its coefficients were set by hand."""
    return chance(STEEP * (overlap - FAIR))


def _window(observation: Observation, vertices: Floats) -> tuple[int, int, Camera]:
    """Left, top and camera of the window about the drawn hand and the hand's points, which may leave the image."""
    pixels = np.concatenate(
        [observation.camera.project(vertices), observation.camera.project(observation.points[observation.hand_points])]
    )
    left, top = (int(value) for value in np.floor(pixels.min(axis=0)) - MARGIN_PX)
    width, height = (int(value) for value in np.ceil(pixels.max(axis=0)) - (left, top) + MARGIN_PX)
    return left, top, observation.camera.cropped(left, top, width, height)
