"""What stands behind a drawn view: nothing, a piece of the recording, or a random pattern on a random plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pairs.format import BLACK, RANDOM, RECORDING
from renderer.scenery import DrawnView, Sensor
from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.crop import CropView
from scene.drawing import Drawing
from scene.frame import RgbdFrame

BackgroundName = Literal["recording", "black", "random"]
PIECE_TRIES = 20
PATTERN_CELLS = (3, 7, 17)
"""cells along a side of the grids whose sum is a random pattern: from large patches to speckle"""
STEEPEST_SLOPE = 1.0
"""of a random plane: metres of depth in a metre across"""
FARTHEST = 0.6
"""metres of a random plane behind the object, at most"""


@dataclass(frozen=True)
class Behind:
    """A background and where it comes from."""

    scene: Drawing
    """the view's window with it"""
    kind: int
    """BLACK, RECORDING or RANDOM"""
    frame: int = -1
    """of the recording; -1 where it is none"""


def before_nothing(view: DrawnView) -> Behind:
    """On black."""
    return Behind(view.noisy_together, BLACK)


def before_recording(view: DrawnView, frame: RgbdFrame, avoid: CropView, rng: np.random.Generator) -> Behind:
    """Before a piece of a recorded frame.

    Args:
        view: what is drawn.
        frame: of the recording.
        avoid: where the object itself is in that frame; no piece is taken there.
        rng: chooses the piece.

    Returns:
        Colour and depth of view.crop.window; on black where the frame has no room for a piece.
    """
    corner = _free_corner(view.crop.window, avoid, rng)
    if corner is None:
        return before_nothing(view)
    left, top = corner
    rows, columns = slice(top, top + view.crop.window.height), slice(left, left + view.crop.window.width)
    scene = _over(view.noisy_together, frame.color[rows, columns], _pushed_back(frame.depth[rows, columns], view))
    return Behind(scene, RECORDING, frame.index)


def before_pattern(view: DrawnView, sensor: Sensor, rng: np.random.Generator) -> Behind:
    """Before a random pattern on a plane that stands somewhere behind the object, seen by the same sensor."""
    window = view.crop.window
    x = (np.arange(window.width) - window.width / 2) / window.fx
    y = (np.arange(window.height) - window.height / 2) / window.fy
    slope = rng.uniform(-STEEPEST_SLOPE, STEEPEST_SLOPE, 2) * view.center_z
    plane = (slope[0] * x + slope[1] * y[:, None]).astype(np.float32)
    plane += view.center_z + view.diameter / 2 + rng.uniform(0, FARTHEST) - plane.min()
    drawn = Drawing(_pattern(window, rng), plane, np.ones(plane.shape, np.uint8))
    seen = sensor.measured(drawn, window, int(rng.integers(1 << 62)))
    return Behind(_over(view.noisy_together, seen.color, seen.depth), RANDOM)


def _pattern(window: Camera, rng: np.random.Generator) -> Bytes:
    """(height, width, 3) patches of random colours at several scales, about a random mean."""
    total = np.tile(rng.uniform(30, 220, 3), (window.height, window.width, 1))
    for cells in PATTERN_CELLS:
        grid = rng.normal(0, rng.uniform(5, 45), (cells, cells, 3))
        rows = np.arange(window.height) * cells // window.height
        columns = np.arange(window.width) * cells // window.width
        total += grid[rows[:, None], columns]
    pattern: Bytes = np.clip(total, 0, 255).astype(np.uint8)
    return pattern


def _free_corner(window: Camera, avoid: CropView, rng: np.random.Generator) -> tuple[int, int] | None:
    """Left and top pixel of a piece as large as `window` that does not touch the square `avoid`."""
    across, down = avoid.camera.width - window.width, avoid.camera.height - window.height
    if across < 0 or down < 0:
        return None
    for _ in range(PIECE_TRIES):
        left, top = int(rng.integers(across + 1)), int(rng.integers(down + 1))
        beside = left >= avoid.left + avoid.side or left + window.width <= avoid.left
        if beside or top >= avoid.top + avoid.side or top + window.height <= avoid.top:
            return left, top
    return None


def _pushed_back(depth: Floats, view: DrawnView) -> Floats:
    """Recorded depth moved away as a whole until it lies behind the object."""
    measured = depth[depth > 0]
    if len(measured) == 0:
        return depth
    behind = view.center_z + view.diameter / 2
    pushed: Floats = np.where(depth > 0, depth + max(0.0, behind - float(np.percentile(measured, 5))), 0)
    return pushed.astype(np.float32)


def _over(near: Drawing, color: Bytes, depth: Floats) -> Drawing:
    shown = near.labels > 0
    return Drawing(np.where(shown[..., None], near.color, color), np.where(shown, near.depth, depth), near.labels)
