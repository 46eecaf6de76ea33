"""Estimated and true rotations -> rows of a table: mean Euler and geodesic errors by visibility, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from scene.arrays import Booleans, Floats
from scene.metrics import VISIBILITY_EDGES, mean_euler_error_deg, rotation_error_deg

ReadOut = Literal["regression", "nearest_neighbour"]
THRESHOLDS_DEG = (5, 10, 20)
ALL = "all"
RESAMPLES = 1000
"""of the bootstrap"""


@dataclass(frozen=True)
class ErrorRow:
    """The errors of one kind of image by one read-out, within a range of visibility."""

    recipe: str
    object: str
    image: str
    """occluded or clean of a pairs file, recorded (the occluded that no one drew) where it has both; real of patches"""
    read_out: ReadOut
    visibility: str
    """range of the object's visible fraction in the occluded image, or "all\""""
    count: int
    mean_euler_deg: float
    """mean over images and axes"""
    mean_geodesic_deg: float
    median_geodesic_deg: float
    under_deg: dict[str, float]
    """share of images whose geodesic error is below 5, 10, 20 degrees"""
    mean_euler_interval_deg: tuple[float, float]
    """95%, by bootstrap over the images"""
    mean_geodesic_interval_deg: tuple[float, float]
    seed: int | None = None
    """of the training, in a comparison"""

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return asdict(self)


@dataclass(frozen=True)
class Estimates:
    """What one read-out said about one kind of image."""

    image: str
    read_out: ReadOut
    estimated: Floats
    """(N, 3, 3) camera_from_object"""
    true: Floats
    """(N, 3, 3)"""
    visibility: Floats | None
    """(N,) or None where unknown"""

    @property
    def geodesic_deg(self) -> Floats:
        """(N,) degrees."""
        return rotation_error_deg(self.estimated, self.true)

    def rows(self, recipe: str, name: str) -> list[ErrorRow]:
        """One row for all images and one for each range of visibility that has any."""
        euler, geodesic = mean_euler_error_deg(self.estimated, self.true), self.geodesic_deg
        ranges = {ALL: np.ones(len(euler), bool)}
        if self.visibility is not None:
            ranges = visibility_ranges(self.visibility)
        rows = []
        for visible, chosen in ranges.items():
            if chosen.any():
                rows.append(
                    _summary((recipe, name, self.image), self.read_out, visible, euler[chosen], geodesic[chosen])
                )
        return rows


def visibility_ranges(visibility: Floats) -> dict[str, Booleans]:
    """(N,) visible fractions -> name of each range -> (N,) which lie in it; "all" first. The last includes 1."""
    ranges = {ALL: np.ones(len(visibility), bool)}
    for low, high in pairwise(VISIBILITY_EDGES):
        below = visibility <= high if high == VISIBILITY_EDGES[-1] else visibility < high
        ranges[f"{low:.1f}-{high:.1f}"] = (visibility >= low) & below
    return ranges


def bootstrap_interval(values: Floats) -> tuple[float, float]:
    """95% of the means of samples drawn anew, with replacement; the same at every call."""
    rng = np.random.default_rng(0)
    parts = [values[rng.integers(len(values), size=(100, len(values)))].mean(axis=1) for _ in range(RESAMPLES // 100)]
    low, high = np.percentile(np.concatenate(parts), [2.5, 97.5])
    return float(low), float(high)


def _summary(
    named: tuple[str, str, str], read_out: ReadOut, visibility: str, euler: Floats, geodesic: Floats
) -> ErrorRow:
    recipe, name, image = named
    return ErrorRow(
        recipe=recipe,
        object=name,
        image=image,
        read_out=read_out,
        visibility=visibility,
        count=len(geodesic),
        mean_euler_deg=float(euler.mean()),
        mean_geodesic_deg=float(geodesic.mean()),
        median_geodesic_deg=float(np.median(geodesic)),
        under_deg={str(limit): float((geodesic < limit).mean()) for limit in THRESHOLDS_DEG},
        mean_euler_interval_deg=bootstrap_interval(euler),
        mean_geodesic_interval_deg=bootstrap_interval(geodesic),
    )
