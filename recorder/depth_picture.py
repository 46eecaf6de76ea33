"""Depth as a picture that people can read: near is light and warm, far is dark, no measurement is grey."""

from __future__ import annotations

from functools import cache

import numpy as np

from recorder.session import Session
from scene.arrays import Bytes, Floats

HOLE = (96, 96, 96)
SAMPLED = 12
"""frames that a recording's range is taken from"""


def depth_range(session: Session) -> tuple[float, float]:
    """Metres, between which nearly all depth of a recording lies."""
    chosen = np.unique(np.linspace(0, len(session) - 1, SAMPLED).astype(int))
    seen = np.concatenate([counts[counts > 0] for counts in map(session.depth_counts, chosen)])
    if not len(seen):
        return 0.0, 1.0
    low, high = np.percentile(seen, (1, 99)) * session.depth_scale
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
