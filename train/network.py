"""The Siamese Regression Network of section 4: Input(4, W, H) - Conv(16, 8x8) - Conv(7, 5x5) - FC(256) - FC(D) - FC(4).

Stride 1, no pooling, ReLU everywhere but at the output, which is tanh. One branch of the siamese pair: both images of a
pair pass through the same weights as two rows of a batch, and at test time one image suffices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scene.errors import TrainingError
from train.fast_gradients import trunk, with_map_of_zeros

SMALLEST_INPUT = 12
"""pixels: two unpadded convolutions of 8 and 5 leave one"""


@dataclass(frozen=True)
class Prediction:
    """What a network says about a batch."""

    features: Tensor
    """(B, D) f(x) of equation 1, of unit norm where normalised"""
    quaternion_wxyz: Tensor
    """(B, 4) g(f(x)): the rotation, of unit norm where normalised"""
    rotation: Tensor | None = None
    """(B, 3, 3) the same as a matrix, from networks that learn it as one"""


class SiameseRegressionNetwork(nn.Module):
    """Images to features to quaternions.

    Features are what ReLU leaves, hence not negative: of unit norm, their squared distances span [0, 2], exactly the
    range of the squared distances between unit quaternions of which the nearer sign is taken. So equation 3 can hold.
    """

    def __init__(
        self, input_size: int, feature_length: int = 64, *, normalised: bool = True, channels: int = 4
    ) -> None:
        """Builds the layers with fresh weights from torch's global generator.

        The paper does not give initial weights. He's, larger than torch's own, leave the plateau at the start several
        times sooner, on patches as on pairs files.

        Args:
            input_size: width and height of the input, pixels.
            feature_length: D; the paper saw little gain above 32.
            normalised: the "N" of figure 2a: features and quaternion of unit norm.
            channels: 4 of RGB-D, 3 of colour alone.
        """
        super().__init__()
        if input_size < SMALLEST_INPUT:
            raise TrainingError(f"the input must be at least {SMALLEST_INPUT} pixels wide, got {input_size}")
        self.normalised = normalised
        side = input_size - SMALLEST_INPUT + 1
        self.convolution_1 = nn.Conv2d(channels, 16, 8)
        self.convolution_2 = nn.Conv2d(16, 7, 5)
        self.hidden = nn.Linear(7 * side * side, 256)
        self.feature = nn.Linear(256, feature_length)
        self.pose = nn.Linear(feature_length, 4)
        self._start_as_he()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _start_as_he(self) -> None:
        """Uniform, of the spread that ReLU keeps: He et al., "Delving Deep into Rectifiers", ICCV 2015."""
        for layer in (self.convolution_1, self.convolution_2, self.hidden, self.feature):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Prediction:
        """(B, channels, size, size) float32 -> features and quaternions."""
        features = functional.relu(self.feature(functional.relu(self.trunk(images))))
        if self.normalised:
            features = functional.normalize(features, dim=1)
        quaternion = torch.tanh(self.pose(features))
        if self.normalised:
            quaternion = functional.normalize(quaternion, dim=1)
        return Prediction(features, quaternion)

    def trunk(self, images: Tensor) -> Tensor:
        """(B, channels, size, size) -> (B, 256): the first three layers, before ReLU."""
        if self.training:
            return trunk(images, self.convolution_1, self.convolution_2, self.hidden)
        return self.trunk_by_layers(images)

    def trunk_by_layers(self, images: Tensor) -> Tensor:
        """The same by torch's own layers: what exporters know, and what takes another `hidden` (one_image.py)."""
        # in place: maps are the largest tensors by far, and before ReLU nothing needs them
        first = functional.relu(self.convolution_1(images), inplace=True)
        maps = functional.relu(self._second_maps(first), inplace=True)
        found: Tensor = self.hidden(maps.flatten(1))
        return found

    def _second_maps(self, maps: Tensor) -> Tensor:
        """The 7 maps of the second convolution, with an eighth of zeros that is dropped: seven alone take longer."""
        assert self.convolution_2.bias is not None
        weight, bias = with_map_of_zeros(self.convolution_2.weight, self.convolution_2.bias)
        return functional.conv2d(maps, weight, bias)[:, :-1]
