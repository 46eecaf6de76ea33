"""A trained network with all that it takes to use it: preprocessing, and the templates of the nearest neighbour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn

from scene.arrays import Floats
from train.config import Fit, InputConfig
from train.looks import SeveralLooks
from train.network import Prediction, SiameseRegressionNetwork
from train.preprocessing import color_input, network_input
from train.residual import ResidualNetwork

IMAGES_AT_ONCE = 128


@dataclass(frozen=True)
class Settings:
    """What has to be known of a network beside its weights."""

    network: Literal["paper", "residual"]
    input_size: int
    """pixels along a side of what the network takes"""
    stored_size: int
    """pixels along a side of the crops it was trained on"""
    channels: int
    """4 of RGB-D, 3 of colour alone"""
    feature_length: int
    normalised: bool
    regression: bool
    """False where only the nearest neighbour tells the rotation"""
    background: Literal["cut", "kept"]
    recipe: str
    object: str
    """name of what it was trained on"""
    diameter: float = 0.0
    """metres, of the object; 0 where colour alone is seen"""
    part: float = 1.0
    """of a crop's side that is looked at"""
    look_turn_deg: float = 0.0
    """by which further looks at an image are turned to either side (looks.py); 0: one look"""

    @property
    def input(self) -> InputConfig:
        """What is done to a crop."""
        return InputConfig(self.background, self.input_size, self.part)

    @staticmethod
    def of(config: Fit, stored_size: int, channels: int, name: str, diameter: float) -> Settings:
        """From a configuration and what it is trained on."""
        recipe = config.chosen
        return Settings(
            network=recipe.network,
            input_size=stored_size if channels == 3 else config.input.of(stored_size),
            stored_size=stored_size,
            channels=channels,
            feature_length=config.feature_length,
            normalised=recipe.normalised,
            regression=recipe.regression,
            background=config.input.background,
            recipe=config.recipe,
            object=name,
            diameter=diameter,
            part=config.input.part,
            look_turn_deg=recipe.look_turn_deg if channels == 4 else 0.0,
        )


@dataclass(frozen=True)
class Templates:
    """Features of images whose rotation is known."""

    features: Tensor
    """(T, D)"""
    quaternion_wxyz: Floats
    """(T, 4)"""

    def nearest(self, features: Tensor) -> tuple[Floats, Tensor]:
        """The other read-out of figure 2a, by exact search: the pose of the template whose features are nearest.

        Args:
            features: (B, D) of the images asked about.

        Returns:
            (B, 4) wxyz, and (B,) the distance of the features.
        """
        # |t|^2 - 2 f t orders templates as their distances do; the product is all that is computed for each of them
        at = torch.addmm(self._squares, features, self.features.T, alpha=-2).argmin(dim=1)
        nearest: Floats = self.quaternion_wxyz[at.numpy()]
        return nearest, (features - self.features[at]).norm(dim=1)

    @cached_property
    def _squares(self) -> Tensor:
        """(T,) squared lengths of the features."""
        return self.features.square().sum(dim=1)


@dataclass(frozen=True)
class Model:
    """A trained network, ready to predict."""

    network: nn.Module
    settings: Settings
    templates: Templates | None = None

    def inputs(self, color: Tensor, depth: Tensor | None) -> Tensor:
        """(B, S, S, 3) uint8 and (B, S, S) depth as pairs files store it -> what the network takes."""
        if self.settings.channels == 3:
            return color_input(color)
        assert depth is not None, "a network of RGB-D is given depth by its callers"
        return network_input(color, depth, self.settings.input)

    @cached_property
    def looking(self) -> nn.Module:
        """The network, which looks at each image as often as the settings say."""
        settings = self.settings
        if not settings.look_turn_deg:
            return self.network
        turn, size = settings.look_turn_deg, settings.input_size
        return SeveralLooks(self.network, turn, size, normalised=settings.normalised)

    def predict(self, inputs: Iterable[Tensor]) -> Prediction:
        """The network on batches of inputs, joined."""
        network = self.looking.eval()
        with torch.inference_mode():
            parts = [network(batch) for batch in inputs]
        features = torch.cat([part.features for part in parts])
        return Prediction(features, torch.cat([part.quaternion_wxyz for part in parts]))


def new_network(settings: Settings) -> nn.Module:
    """With fresh weights from torch's global generator."""
    size, length, channels = settings.input_size, settings.feature_length, settings.channels
    if settings.network == "residual":
        return ResidualNetwork(size, length, channels=channels)
    return SiameseRegressionNetwork(size, length, normalised=settings.normalised, channels=channels)
