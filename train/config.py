"""Every number of a training run, as frozen dataclasses: the whole configuration of the `train` commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro

from scene.errors import InputError

Difference = Literal["squared", "absolute"]
Background = Literal["cut", "kept"]
RecipeName = Literal["srn", "normalised", "batches", "simple"]


@dataclass(frozen=True)
class Recipe:
    """A row of figure 2a: which of the paper's three additions are in."""

    formed_batches: bool
    """B: half of the pairs near in pose and half far, instead of pairs at random"""
    normalised: bool
    """N: features and quaternion of unit norm"""
    feature_term: bool
    """F: the feature-guided loss, equation 3"""


RECIPES: dict[RecipeName, Recipe] = {
    "srn": Recipe(formed_batches=True, normalised=True, feature_term=True),
    "normalised": Recipe(formed_batches=True, normalised=True, feature_term=False),
    "batches": Recipe(formed_batches=True, normalised=False, feature_term=False),
    "simple": Recipe(formed_batches=False, normalised=False, feature_term=False),
}


@dataclass(frozen=True)
class InputConfig:
    """How a stored crop becomes the network's input."""

    background: Background = "cut"
    """whether what lies a diameter behind the object is painted black"""
    size: int | None = 48
    """larger crops are shrunk to as many pixels; None = as stored. A step at the paper's 96 takes some five times as
    long, and within the minutes of the default --steps the smaller input gets much further"""

    def of(self, stored: int) -> int:
        """Pixels along a side of the network's input, for crops of `stored` pixels: they are never enlarged."""
        return stored if self.size is None else min(self.size, stored)


@dataclass(frozen=True)
class LossConfig:
    """The weights of the terms of equations 4 and 5; the paper has them all at one."""

    regression_weight: float = 1.0
    """of equation 2"""
    feature_weight: float = 1.0
    """of equation 3"""
    occlusion_weight: float = 0.3
    """of equation 5: below one, as it would make all features alike before equation 3 has spread them"""
    difference: Difference = "squared"
    """what stands for the difference in equation 3, see losses.py"""


@dataclass(frozen=True)
class Fit:
    """Train the network on a pairs file and print its errors on the test split.

    Example: train fit --occlusion
    """

    VERB: ClassVar[str] = "fit"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file that `renderer make-pairs` wrote"""
    occlusion: bool = False
    """add the occlusion term (equation 5); without it the same images are seen, and nothing ties them together"""
    output: Path = Path("run")
    """folder for model, configuration, log and test errors; an interrupted run in it is taken up again"""
    overwrite: bool = False
    """replace what a finished run left in the folder"""
    epochs: int | None = None
    """an epoch shows every training pair once as anchor; default: as many as make --steps steps, at least 4"""
    steps: int = 300
    """what the default number of epochs aims at"""
    seed: int = 0
    """of weights, batches and augmentation"""
    recipe: RecipeName = "srn"
    """the paper's figure 2a: simple (S), batches (S+B), normalised (S+B+N), srn (S+B+N+F)"""
    feature_length: int = 64
    """D, numbers in the feature layer"""
    batch_pairs: int = 100
    """pairs in a batch; a batch holds three images for each"""
    learning_rate: float = 0.01
    """of the first epoch, for losses that are means over the batch"""
    final_rate: float = 0.3
    """the last epoch's learning rate as a fraction of the first's; it decays by the same factor every epoch"""
    momentum: float = 0.9
    """of stochastic gradient descent"""
    weight_decay: float = 1e-4
    """lambda of equation 4"""
    augment: bool = False
    """vary colour gain and shift the crop by a few pixels"""
    input: Annotated[InputConfig, tyro.conf.arg(name="input")] = InputConfig()
    loss: Annotated[LossConfig, tyro.conf.arg(name="loss")] = LossConfig()

    def __post_init__(self) -> None:
        """Refuses numbers with which nothing would be learnt."""
        for name in ("feature_length", "batch_pairs", "steps", "learning_rate", "final_rate"):
            if not getattr(self, name) > 0:
                option = name.replace("_", "-")
                raise InputError(
                    f"--{option} must be positive, got {getattr(self, name)}; leave it out for the default"
                )
        if self.epochs is not None and self.epochs < 1:
            raise InputError(f"--epochs must be at least 1, got {self.epochs}; leave it out for the default")


@dataclass(frozen=True)
class Evaluate:
    """Print a trained network's errors on the test split of a pairs file, by visibility.

    Example: train evaluate run pairs.h5 --json errors.json
    """

    VERB: ClassVar[str] = "evaluate"

    run: tyro.conf.Positional[Path] = Path("run")
    """the folder that `train fit` wrote"""
    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """pairs file with the images to test on"""
    json: Path | None = None
    """also write every number to this file"""
    overwrite: bool = False
    """replace the file of --json"""
