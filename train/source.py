"""Where a run's batches come from: `Source` is what the loop needs of any training set, `PairSource` a pairs file's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from scene.arrays import Booleans, Floats, Integers
from train.augmentation import boxed, turned, varied
from train.batches import Batch
from train.config import Images
from train.dataset import PairImages
from train.kept_inputs import KeptInputs
from train.other_hands import quarter_turns, with_hands_of
from train.preprocessing import layer_input

LARGEST_TURN = np.radians(15.0)
"""about the line of sight, of images that are varied; pairs show objects from all sides as it is"""


class Source(Protocol):
    """A training set."""

    @property
    def quaternion_wxyz(self) -> Floats:
        """(N, 4) of its rows, to form batches by."""

    @property
    def channels(self) -> int:
        """Of the network's input."""

    @property
    def size(self) -> int:
        """Pixels along a side of the network's input."""

    def inputs(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(3 P, channels, size, size) float32 and (3 P, 4) float32, what the network sees and should say.

        Of a source whose counterparts are their anchors only the first 2 P images: they are seen once.
        """


@dataclass(frozen=True)
class PairSource:
    """The images of a pairs file."""

    kept: KeptInputs
    images: Images = "both"
    augment: bool = False
    random_boxes: bool = False
    other_hands: float = 0.0
    """share of the occluded images that are made anew of a clean one and the hand of another pair"""

    channels = 4

    @property
    def pairs(self) -> PairImages:
        """The images themselves."""
        return self.kept.pairs

    @property
    def quaternion_wxyz(self) -> Floats:
        """As of Source."""
        return self.pairs.quaternion_wxyz

    @property
    def size(self) -> int:
        """As of Source."""
        return self.kept.config.of(self.pairs.size)

    def inputs(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """As of Source; the three images of an anchor turn together, so that near stays near."""
        clean = batch.clean if self.images == "both" else np.full(len(batch.rows), self.images == "clean")
        inputs = self.kept.inputs(batch.rows, clean)
        if self.other_hands:
            self._change_hands(inputs, batch.rows, clean, rng)
        quaternions = self.pairs.quaternion_wxyz[batch.rows]
        if self.augment:
            turns = np.tile(rng.uniform(-LARGEST_TURN, LARGEST_TURN, batch.pairs), 3)
            inputs, quaternions = varied(inputs, turns, rng), turned(quaternions, turns)
        if self.random_boxes:
            inputs = boxed(inputs, rng)
        return inputs, torch.from_numpy(quaternions).float()

    def _change_hands(self, inputs: Tensor, rows: Integers, clean: Booleans, rng: np.random.Generator) -> None:
        """Makes some of the occluded among (B, 4, S, S) `inputs` anew."""
        changed = np.flatnonzero(~clean & (rng.random(len(rows)) < self.other_hands))
        if len(changed) == 0 or len(self.pairs.in_hand) == 0:
            return
        donors = rng.choice(self.pairs.in_hand, len(changed))
        layers = layer_input(self.pairs.layers(donors), self.kept.config)
        shown, layers = quarter_turns(self.kept.inputs(donors, np.zeros(len(donors), bool)), layers, rng)
        alone = self.kept.inputs(rows[changed], np.ones(len(changed), bool))
        inputs[torch.from_numpy(changed)] = with_hands_of(alone, shown, layers)
