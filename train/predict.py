"""What a trained network says about the images of a pairs file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from train.dataset import PairImages
from train.model import IMAGES_AT_ONCE, Model
from train.network import Prediction


def predict(model: Model, images: PairImages, *, clean: bool) -> Prediction:
    """The network on every clean, or every occluded, image of a split."""
    return model.predict(_inputs(model, images, clean=clean))


def _inputs(model: Model, images: PairImages, *, clean: bool) -> Iterator[Tensor]:
    for start in range(0, len(images), IMAGES_AT_ONCE):
        rows = np.arange(start, min(start + IMAGES_AT_ONCE, len(images)))
        yield model.inputs(*images.images(rows, np.full(len(rows), clean)))
