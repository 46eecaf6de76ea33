"""Light variation of the network's input, where `--augment` asks for it: colour gain and small shifts of the crop."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

GAIN = (0.8, 1.25)
"""factor on red, green and blue, each drawn for itself"""
LARGEST_SHIFT = 3
"""pixels, along both axes: about what a tracked object's centre is wrong by"""


def augmented(images: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, 4, S, S) network input -> the same, each image varied by its own draw."""
    gain = torch.from_numpy(rng.uniform(*GAIN, size=(len(images), 3, 1, 1))).to(images.dtype)
    shifts = rng.integers(0, 2 * LARGEST_SHIFT + 1, size=(len(images), 2))
    rgb = ((images[:, :3] + 0.5) * gain).clamp(max=1) - 0.5
    varied = torch.cat([rgb, images[:, 3:]], dim=1)
    padded = functional.pad(varied, [LARGEST_SHIFT] * 4, mode="replicate")
    size = images.shape[-1]
    moved = [image[:, top : top + size, left : left + size] for image, (top, left) in zip(padded, shifts, strict=True)]
    return torch.stack(moved).contiguous(memory_format=torch.channels_last)
