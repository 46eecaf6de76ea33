"""How alike recorded and drawn colours of the object are: a file of pairs in, levels of 255 out."""

from __future__ import annotations

import numpy as np

from pairs.format import REAL, PairsFile

MOST_ROWS = 300
"""real pairs that are compared, spread over the file"""
FEWEST_PIXELS = 20
"""of the object that a crop must show to be compared"""


def likeness(pairs: PairsFile) -> float:
    """Mean absolute difference of colour between `occluded` and `clean`, where the real crops show the object.

    Besides the light it contains the noise of both images and all that pose and mesh are off: 0 is not within reach.

    Returns:
        Levels of 255, the mean over channels, pixels and then crops; NaN where no real crop shows the object.
    """
    real = np.flatnonzero(pairs.origin == REAL)
    rows = real[:: max(1, len(real) // MOST_ROWS)]
    errors = [error for row in rows.tolist() if (error := _error(pairs, row)) is not None]
    return float(np.mean(errors)) if errors else float("nan")


def _error(pairs: PairsFile, row: int) -> float | None:
    seen = pairs.read_rows("mask_visible", [row])[0]
    if np.count_nonzero(seen) < FEWEST_PIXELS:
        return None
    recorded, drawn = (pairs.read_rows(f"{kind}/color", [row])[0][seen].astype(float) for kind in ("occluded", "clean"))
    return float(np.abs(recorded - drawn).mean())
