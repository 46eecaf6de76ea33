"""Small pairs files from which something can be learnt: coloured discs at an object's corners, a bar as the hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pairs.format import Crop, Pair, new_pairs, stored_depth
from scene.arrays import Floats
from scene.rotations import matrix_from_rotation_vector, quaternion_from_matrix
from scene.transforms import rigid
from tests.pairs.samples import a_pair, wedge
from train.config import Fit

SIZE = 20
CORNERS = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -0.5, 0.2]])
COLORS = np.array([[255, 40, 40], [40, 255, 40], [40, 40, 255], [255, 255, 40]])


BAR = 4
"""columns"""


def drawn(rotation: Floats, *, bar: int | None, background: bool = True) -> Crop:
    """Discs at the turned corners; `bar` is the left column of a grey bar before them, None for a clean image."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    color, depth = np.zeros((SIZE, SIZE, 3)), np.zeros((SIZE, SIZE))
    corners = CORNERS @ rotation.T
    for corner in np.argsort(-corners[:, 2]):
        x, y, z = corners[corner]
        disc = (columns - SIZE / 2 - 6 * x) ** 2 + (rows - SIZE / 2 - 6 * y) ** 2 < 9
        color[disc], depth[disc] = COLORS[corner], 0.5 + 0.02 * z
    if bar is not None:
        color[:, bar : bar + BAR], depth[:, bar : bar + BAR] = 128, 0.45
    if bar is not None and background:
        color[depth == 0], depth[depth == 0] = 90, 2.0
    return Crop(color.astype(np.uint8), stored_depth(depth, 0.5, 0.08))


def learnable_pair(row: int, rng: np.random.Generator, split: int) -> Pair:
    """A pose within some 60 degrees of the first."""
    rotation = matrix_from_rotation_vector(rng.uniform(-0.6, 0.6, 3))
    camera_from_view = matrix_from_rotation_vector(np.array([0.0, 0.2, 0.0]))
    pose = rigid(camera_from_view @ rotation, np.array([0.1, 0.0, 0.5]))
    noise = a_pair(row, rng, size=SIZE, split=split)
    bar, clean = int(rng.integers(0, SIZE - BAR)), drawn(rotation, bar=None)
    seen = clean.depth > 0
    seen[:, bar : bar + BAR] = False
    return replace(
        noise,
        occluded=drawn(rotation, bar=bar),
        rendered=drawn(rotation, bar=bar, background=False),
        clean=clean,
        mask_amodal=clean.depth > 0,
        mask_visible=seen,
        quaternion_wxyz=quaternion_from_matrix(pose[:3, :3]),
        camera_from_object=pose,
        camera_from_view=camera_from_view,
        visibility=float(rng.uniform(0.3, 1.0)),
    )


def learnable_file(
    path: Path, count: int = 80, *, splits: tuple[int, ...] = (0, 0, 0, 1, 2), recordings: int = 1
) -> Path:
    """`count` pairs whose splits take turns, as their recordings do."""
    rng = np.random.default_rng(3)
    with new_pairs(path, wedge(), SIZE, overwrite=False) as writer:
        for row in range(count):
            pair = learnable_pair(row, rng, splits[row % len(splits)])
            writer.append(replace(pair, recording=row % recordings))
    return path


def quick(pairs: Path, output: Path, **options: object) -> Fit:
    """A configuration that takes a second."""
    defaults: dict[str, object] = {
        "recipe": "srn", "epochs": 2, "batch_pairs": 16, "feature_length": 16, "learning_rate": 0.01, "final_rate": 0.3,
    }  # fmt: skip
    return Fit(pairs=pairs, output=output, **(defaults | options))  # type: ignore[arg-type]
