"""How wrong a trained network is, in degrees: on clean and occluded images of a pairs file's test poses, or on patches.

Both read-outs of figure 2a: the regression end to end, and the nearest neighbour in feature space among the training
images. Both of two errors that are not comparable with each other: the mean Euler angle error the paper's table 2
reports (intrinsic ZYX, differences wrapped to 180 degrees) and the geodesic angle.

The paper's own figures on its occlusion set: 13.2 degrees mean Euler error end to end, 11.8 with the occlusion term.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pairs.format import REAL
from scene.arrays import Booleans, Bytes, Floats
from scene.errors import InputError
from scene.metrics import VISIBILITY_EDGES
from scene.rotations import matrix_from_quaternion
from scene.symmetry import declared_symmetries
from train.dataset import PairImages, open_split
from train.errors import ALL, ErrorRow, Estimates, ReadOut, bootstrap_interval
from train.linemod.patches import Patches
from train.model import IMAGES_AT_ONCE, Model
from train.network import Prediction
from train.predict import predict
from train.preprocessing import color_input
from train.symmetry import nearest_equivalent

WORST_SHOWN = 24
GAP_FROM = VISIBILITY_EDGES[2]
"""visible fraction from which the gap between occluded and clean images is given: with less seen, there is one"""


@dataclass(frozen=True)
class Gap:
    """Occluded minus clean error at the same poses."""

    read_out: ReadOut
    count: int
    """pairs of which at least GAP_FROM of the object is visible"""
    mean_geodesic_deg: float
    interval_deg: tuple[float, float]
    """95%, by bootstrap over the pairs"""
    median_geodesic_deg: float
    """the median of the occluded minus that of the clean: what occlusion costs where it hides nothing that decides"""
    occluded_median_deg: float
    """the first of these two medians"""


@dataclass(frozen=True)
class Sample:
    """A test image and what was said about it."""

    color: Bytes
    """(S, S, 3) RGB"""
    text: str


@dataclass(frozen=True)
class Evaluation:
    """All rows of one test."""

    source: str
    """name of the pairs file, or of the object"""
    count: int
    """test poses"""
    rows: tuple[ErrorRow, ...]
    gaps: tuple[Gap, ...] = ()
    worst: tuple[Sample, ...] = ()
    """not in the JSON"""
    estimates: tuple[Estimates, ...] = ()
    """not in the JSON"""

    def row(self, image: str, read_out: ReadOut, visibility: str = ALL) -> ErrorRow | None:
        """The row of that kind; None where no test image has that visibility."""
        for row in self.rows:
            if (row.image, row.read_out, row.visibility) == (image, read_out, visibility):
                return row
        return None

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        rows = [row.as_json() for row in self.rows]
        gaps = [vars(gap) for gap in self.gaps]
        return {"source": self.source, "count": self.count, "rows": rows, "occluded_minus_clean": gaps}


def evaluate(model: Model, pairs: Path, symmetry: tuple[str, ...] = ()) -> Evaluation:
    """Tests a network on the test split of a pairs file.

    Args:
        model: the network, its preprocessing and templates.
        pairs: with the images asked about.
        symmetry: as `tracker run --symmetry` takes it, in place of the object's that the file keeps.

    Raises:
        InputError: the file has no test pairs, or the network takes other images.
    """
    declared = declared_symmetries(symmetry) if symmetry else None
    if model.settings.channels != 4:
        raise InputError(
            f"a pairs file holds RGB-D crops and this network takes colour alone; give --patches, not {pairs}"
        )
    with open_split(pairs, "test") as test:
        if test.size != model.settings.stored_size:
            raise InputError(
                f"this network was trained on crops of {model.settings.stored_size} pixels, those of {pairs} have "
                f"{test.size}; give a file made with the same --size"
            )
        estimates: list[Estimates] = []
        symmetries = (declared or test.file.symmetries).transforms[:, :3, :3]
        true = test.camera_rotation(test.quaternion_wxyz)
        for image in ("occluded", "clean"):
            predicted = predict(model, test, clean=image == "clean")
            for read_out, quaternions in read_outs(model, predicted).items():
                found = nearest_equivalent(test.camera_rotation(quaternions), true, symmetries)
                estimates.append(Estimates(image, read_out, found, true, test.visibility))
        estimates += _recorded(estimates, test.file.origin[test.rows] == REAL)
        worst = _worst(estimates[0], lambda row: _occluded_color(test, row))
    rows = [row for one in estimates for row in one.rows(model.settings.recipe, model.settings.object)]
    return Evaluation(pairs.name, len(true), tuple(rows), _gaps(estimates), worst, tuple(estimates))


def evaluate_patches(model: Model, test: Patches, name: str, symmetry: tuple[str, ...] = ()) -> Evaluation:
    """Tests a network on patches.

    Args:
        model: the network and its templates.
        test: images that nothing was learnt from.
        name: of the object.
        symmetry: as `tracker run --symmetry` takes it.
    """
    size = test.color.shape[1]
    if model.settings.channels != 3 or model.settings.stored_size != size:
        wanted = "RGB-D crops" if model.settings.channels == 4 else f"patches of {model.settings.stored_size} pixels"
        raise InputError(
            f"this network takes {wanted}, these are colour patches of {size}; give what it was trained on"
        )
    predicted = model.predict(torch.split(color_input(torch.from_numpy(test.color)), IMAGES_AT_ONCE))
    true, symmetries = matrix_from_quaternion(test.quaternion_wxyz), declared_symmetries(symmetry).transforms[:, :3, :3]
    estimates = [
        Estimates("real", kind, nearest_equivalent(matrix_from_quaternion(found), true, symmetries), true, None)
        for kind, found in read_outs(model, predicted).items()
    ]
    rows = [row for one in estimates for row in one.rows(model.settings.recipe, name)]
    worst = _worst(estimates[0], lambda row: test.color[row])
    return Evaluation(name, len(test), tuple(rows), (), worst, tuple(estimates))


def read_outs(model: Model, predicted: Prediction) -> dict[ReadOut, Floats]:
    """(N, 4) wxyz of each read-out that the network was trained for."""
    assert model.templates is not None, "a finished run has templates"
    found: dict[ReadOut, Floats] = {}
    if model.settings.regression:
        found["regression"] = unit(predicted.quaternion_wxyz)
    found["nearest_neighbour"] = model.templates.nearest(predicted.features)[0]
    return found


def unit(quaternions: Tensor) -> Floats:
    """(N, 4) of any norm -> float64, unit; where nothing was said (all zero), the identity."""
    numbers = quaternions.numpy().astype(np.float64)
    norms = np.linalg.norm(numbers, axis=1, keepdims=True)
    return np.where(norms > 0, numbers / np.where(norms > 0, norms, 1), [1.0, 0, 0, 0])


def _recorded(estimates: list[Estimates], real: Booleans) -> list[Estimates]:
    """Those of the occluded images that a camera took, where others were drawn: (N,) `real` tells which."""
    if real.all() or not real.any():
        return []
    return [
        Estimates("recorded", one.read_out, one.estimated[real], one.true[real], one.visibility[real])
        for one in estimates
        if one.image == "occluded" and one.visibility is not None
    ]


def _gaps(estimates: list[Estimates]) -> tuple[Gap, ...]:
    gaps = []
    for one in estimates:
        for other in estimates:
            if (one.image, other.image) != ("occluded", "clean") or one.read_out != other.read_out:
                continue
            assert one.visibility is not None
            seen = one.visibility >= GAP_FROM
            if seen.any():
                gaps.append(_gap(one.read_out, one.geodesic_deg[seen], other.geodesic_deg[seen]))
    return tuple(gaps)


def _gap(read_out: ReadOut, occluded_deg: Floats, clean_deg: Floats) -> Gap:
    difference = occluded_deg - clean_deg
    median = float(np.median(occluded_deg))
    more = median - float(np.median(clean_deg))
    return Gap(read_out, len(difference), float(difference.mean()), bootstrap_interval(difference), more, median)


def _worst(one: Estimates, color_of: Any) -> tuple[Sample, ...]:
    """The images of the largest errors, largest first."""
    errors = one.geodesic_deg
    worst = np.argsort(-errors)[:WORST_SHOWN]
    return tuple(Sample(color_of(int(row)), f"{errors[row]:.0f} deg") for row in worst)


def _occluded_color(test: PairImages, row: int) -> Bytes:
    color: Bytes = test.images(np.array([row]), np.array([False]))[0][0].numpy()
    return color
