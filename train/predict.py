"""What a trained network says about the images of a split: features and quaternions, and the nearest neighbour's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from scene.arrays import Floats
from train.dataset import PairImages
from train.network import Prediction
from train.preprocessing import network_input
from train.run_folder import Model

IMAGES_AT_ONCE = 128


def predict(model: Model, images: PairImages, *, clean: bool) -> Prediction:
    """The network on every clean, or every occluded, image of a split."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), IMAGES_AT_ONCE):
            rows = np.arange(start, min(start + IMAGES_AT_ONCE, len(images)))
            inputs = network_input(*images.images(rows, np.full(len(rows), clean)), model.input)
            parts.append(model.network(inputs))
    return Prediction(torch.cat([part.features for part in parts]), torch.cat([part.quaternion_wxyz for part in parts]))


def nearest_neighbour(features: Tensor, template_features: Tensor, template_quaternions: Floats) -> Floats:
    """The other read-out of figure 2a: the pose of the template whose features are nearest.

    Args:
        features: (B, D) of the images asked about.
        template_features: (T, D) of images of known pose.
        template_quaternions: (T, 4) wxyz of those.

    Returns:
        (B, 4) wxyz.
    """
    nearest: Floats = template_quaternions[torch.cdist(features, template_features).argmin(dim=1).numpy()]
    return nearest
