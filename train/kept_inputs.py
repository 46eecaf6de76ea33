"""The network's inputs of a split's images, made at their first use and kept where they are smaller than the crops.

To make them takes over a third of the time of a step of the network; a training set is seen many times over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scene.arrays import Booleans, Integers
from train.config import InputConfig
from train.dataset import PairImages
from train.preprocessing import network_input


@dataclass(frozen=True)
class KeptInputs:
    """What `network_input` makes of the images of a split."""

    pairs: PairImages
    config: InputConfig
    kept: Tensor | None
    """(2 N, size, size, 4) float16, occluded images first: finer than colour's 8 bits, at half the memory; None where
    images are not shrunk, as they would not fit"""
    made: Booleans
    """(2 N,) which of them there are"""

    @staticmethod
    def of(pairs: PairImages, config: InputConfig) -> KeptInputs:
        """Nothing is made yet."""
        size, count = config.of(pairs.size), 2 * len(pairs)
        kept = None if size == pairs.size else torch.empty((count, size, size, 4), dtype=torch.float16)
        return KeptInputs(pairs, config, kept, np.zeros(count, bool))

    def inputs(self, rows: Integers, clean: Booleans) -> Tensor:
        """(B,) rows of the split, and whether of their clean images -> (B, 4, size, size) float32, channels last."""
        if self.kept is None:
            return network_input(*self.pairs.images(rows, clean), self.config)
        at = rows + len(self.pairs) * clean
        new = np.flatnonzero(~self.made[at])
        if len(new):
            made = network_input(*self.pairs.images(rows[new], clean[new]), self.config)
            self.kept[torch.from_numpy(at[new])] = made.permute(0, 2, 3, 1).half()
            self.made[at[new]] = True
        return self.kept[torch.from_numpy(at)].float().permute(0, 3, 1, 2)
