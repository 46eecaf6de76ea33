"""What never moves: with a camera that stands still, the depth behind everything that a hand moved.

A pixel counts as background where most frames of the recording see the same depth there, and nothing farther. What is
nearer than that in some frame was brought there by somebody. Where the camera itself moves no background is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scene.arrays import Floats
from scene.frame import RgbdFrame

FRAMES = 12
"""looked at, spread over the recording"""
STILL_SHARE = 0.5
"""of the frames, that must see the same depth at a pixel; and of the pixels, that must be still for a still camera"""
LEAST_FRAMES = 5
"""with fewer there is nothing to tell what moved by"""


def tolerance(depth: Floats) -> Floats:
    """Metres by which one still surface may differ from frame to frame: three deviations of a structured-light camera.

    Nguyen, Izadi and Lovell 2012 have 1.2 mm at 0.4 m, growing with the square; edges of surfaces are worse.
    """
    return 0.004 + 0.008 * depth**2


def static_background(frames: Sequence[RgbdFrame]) -> Floats | None:
    """Frames of one camera -> (H, W) float32 metres, infinite where nothing is known; None if the camera moves."""
    if len(frames) < LEAST_FRAMES:
        return None
    depths = np.sort(np.stack([frame.depth for frame in frames]), axis=0)
    measured = (depths > 0).sum(axis=0)
    farthest = depths[-2]  # the very farthest may be an outlier
    same = (np.abs(depths - farthest) < tolerance(farthest)) & (depths > 0)
    still = (same.sum(axis=0) >= STILL_SHARE * measured) & (measured >= STILL_SHARE * len(frames)) & (farthest > 0)
    if still.sum() < STILL_SHARE * (measured > 0).sum():
        return None
    return np.where(still, farthest, np.inf).astype(np.float32)
