"""The hand of one pair before the object of another: more hands and grasps than the recordings have.

Some tens of recordings show some tens of grasps, from thousands of sides each, and a network that sees them many times
over comes to know them. In: inputs of the network, and which pixels of the donors are hand. Out: inputs.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from train.dataset import BEHIND, HAND
from train.preprocessing import FAR


def with_hands_of(clean: Tensor, donors: Tensor, layers: Tensor) -> Tensor:
    """Puts the donors' hands, where they are nearer, before clean images, and their background behind.

    Depth counts from the object's centre in diameters, so a hand keeps its distance to the object. Where the donor's
    own object was, there is nothing.

    Args:
        clean: (B, 4, S, S) network input: an object alone.
        donors: (B, 4, S, S) network input: other objects in hands.
        layers: (B, S, S) uint8, BEHIND, OBJECT or HAND: what the donors show.
    """
    nearer = (layers == HAND) & (donors[:, 3] < clean[:, 3])
    behind = (layers == BEHIND) & (clean[:, 3] >= FAR)
    return torch.where((nearer | behind)[:, None], donors, clean)


def quarter_turns(images: Tensor, layers: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(B, 4, S, S) and (B, S, S), all turned by the same whole number of quarters, so that hands come from any side."""
    quarters = int(rng.integers(4))
    return torch.rot90(images, quarters, (2, 3)), torch.rot90(layers, quarters, (1, 2))
