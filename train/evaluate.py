"""How wrong a trained network is, in degrees: clean and occluded images of the same test poses, by visibility.

Both read-outs of figure 2a: the regression end to end, and the nearest neighbour in feature space among the clean
images of the training split. Both of two errors that are not comparable with each other: the mean Euler angle error the
paper's table 2 reports (intrinsic ZYX, differences wrapped to 180 degrees) and the geodesic angle.

The paper's own figures on its occlusion set: 13.2 degrees mean Euler error end to end, 11.8 with the occlusion term.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from scene.arrays import Booleans, Floats
from scene.metrics import VISIBILITY_EDGES, mean_euler_error_deg, rotation_error_deg
from train.dataset import PairImages, open_split
from train.predict import nearest_neighbour, predict
from train.run_folder import Model

Image = Literal["occluded", "clean"]
ReadOut = Literal["regression", "neighbour"]
THRESHOLDS_DEG = (5, 10, 20)
ALL = "all"


@dataclass(frozen=True)
class ErrorRow:
    """The errors of one kind of image by one read-out, within a range of visibility."""

    image: Image
    read_out: ReadOut
    visibility: str
    """range of the object's visible fraction in the occluded image, or "all\""""
    count: int
    mean_euler_deg: float
    """mean over images and axes"""
    mean_deg: float
    """geodesic"""
    median_deg: float
    """geodesic"""
    under_deg: dict[str, float]
    """share of images whose geodesic error is below 5, 10, 20 degrees"""


@dataclass(frozen=True)
class Evaluation:
    """All rows of one test."""

    pairs: str
    """name of the pairs file"""
    test_pairs: int
    rows: tuple[ErrorRow, ...]

    def row(self, image: Image, read_out: ReadOut, visibility: str = ALL) -> ErrorRow | None:
        """The row of that kind; None where no test image has that visibility."""
        for row in self.rows:
            if (row.image, row.read_out, row.visibility) == (image, read_out, visibility):
                return row
        return None

    def as_json(self) -> dict[str, object]:
        """Plain numbers and text."""
        return asdict(self)


def evaluate(model: Model, pairs: Path) -> Evaluation:
    """Measures a network on the test split of a pairs file.

    Args:
        model: trained.
        pairs: its training split gives the nearest neighbour's templates, its test split the images asked about.
    """
    with open_split(pairs, "train") as training:
        templates = predict(model, training, clean=True).features
        template_quaternions = training.quaternion_wxyz
    rows: list[ErrorRow] = []
    with open_split(pairs, "test") as test:
        for image in ("occluded", "clean"):
            predicted = predict(model, test, clean=image == "clean")
            neighbours = nearest_neighbour(predicted.features, templates, template_quaternions)
            rows += _rows(test, image, "regression", predicted.quaternion_wxyz.numpy().astype(np.float64))
            rows += _rows(test, image, "neighbour", neighbours)
        return Evaluation(pairs.name, len(test), tuple(rows))


def _rows(test: PairImages, image: Image, read_out: ReadOut, quaternions: Floats) -> list[ErrorRow]:
    """One row for all images and one for each range of visibility that has any."""
    estimated, true = test.camera_rotation(quaternions), test.camera_rotation(test.quaternion_wxyz)
    euler, geodesic = mean_euler_error_deg(estimated, true), rotation_error_deg(estimated, true)
    return [
        _summary(image, read_out, name, euler[chosen], geodesic[chosen])
        for name, chosen in visibility_ranges(test.visibility).items()
        if chosen.any()
    ]


def visibility_ranges(visibility: Floats) -> dict[str, Booleans]:
    """(N,) visible fractions -> name of each range -> (N,) which lie in it; "all" first. The last includes 1."""
    ranges = {ALL: np.ones(len(visibility), bool)}
    for low, high in pairwise(VISIBILITY_EDGES):
        below = visibility <= high if high == VISIBILITY_EDGES[-1] else visibility < high
        ranges[f"{low:.1f}-{high:.1f}"] = (visibility >= low) & below
    return ranges


def _summary(image: Image, read_out: ReadOut, visibility: str, euler: Floats, geodesic: Floats) -> ErrorRow:
    return ErrorRow(
        image=image,
        read_out=read_out,
        visibility=visibility,
        count=len(geodesic),
        mean_euler_deg=float(euler.mean()),
        mean_deg=float(geodesic.mean()),
        median_deg=float(np.median(geodesic)),
        under_deg={str(limit): float((geodesic < limit).mean()) for limit in THRESHOLDS_DEG},
    )
