"""Depth as a picture that people can read: near is light and warm, far is dark, no measurement is grey."""

from __future__ import annotations

from functools import cache

import numpy as np

from scene.arrays import Bytes, Floats

HOLE = (96, 96, 96)


def depth_range(depths: Floats) -> tuple[float, float]:
    """(...) metres, 0 = no measurement -> between which nearly all of it lies."""
    seen = depths[depths > 0]
    if not len(seen):
        return 0.0, 1.0
    low, high = np.percentile(seen, (1, 99))
    return float(low), max(float(high), float(low) + 1e-3)


def depth_picture(depth: Floats, limits: tuple[float, float]) -> Bytes:
    """(height, width) metres -> (height, width, 3) RGB."""
    low, high = limits
    level = np.clip(255 * (high - depth) / (high - low), 0, 255).astype(np.uint8)
    picture: Bytes = _colors()[level]
    picture[depth <= 0] = HOLE
    return picture


@cache
def _colors() -> Bytes:
    import matplotlib as mpl

    colors: Bytes = np.rint(mpl.colormaps["inferno"](np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
    return colors
