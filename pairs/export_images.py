"""Images of pairs for other programs: PNG, and depth in tenths of a millimetre.

Depth that the format clipped, a diameter or more before or behind the object, becomes no measurement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray

from pairs.format import DEPTH_STEPS, PairsFile, center_of, metric_depth
from scene.arrays import Booleans, Floats
from scene.progress import track
from scene.transforms import apply

DEPTH_COUNT = 1e-4
"""metres"""


def depth_counts(pairs: PairsFile, kind: str, row: int) -> NDArray[np.uint16]:
    """(size, size) tenths of millimetres, 0 = no measurement or clipped."""
    stored = one_image(pairs, f"{kind}/depth", row)
    model = pairs.object_model
    center_z = float(apply(pairs.camera_from_object[row], center_of(model)[None])[0, 2])
    metres: Floats = metric_depth(stored, center_z, model.diameter)
    clipped = (stored <= 1) | (stored >= 1 + 2 * DEPTH_STEPS)
    return np.where(clipped, 0, np.rint(metres / DEPTH_COUNT)).astype(np.uint16)


def one_image(pairs: PairsFile, field: str, row: int) -> NDArray[Any]:
    """(size, size, ...) of one row."""
    values: NDArray[Any] = pairs.read_rows(field, [row])[0]
    return values


def png(image: NDArray[Any]) -> bytes:
    """As a PNG file."""
    content: bytes = imageio.imwrite("<bytes>", image, extension=".png", compress_level=1)
    return content


def each_row(pairs: PairsFile) -> Iterator[int]:
    """All rows, with a bar."""
    return track(range(len(pairs)), "pairs")


def bop_box(mask: Booleans) -> list[int]:
    """[x, y, largest x - x, largest y - y] as BOP counts it, -1s for nothing."""
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return [-1, -1, -1, -1]
    x, y = int(columns.min()), int(rows.min())
    return [x, y, int(columns.max()) - x, int(rows.max()) - y]
