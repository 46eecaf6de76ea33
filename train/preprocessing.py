"""Stored crops -> the network's input: the one place that decides what the four numbers of a pixel mean.

Colour is centred to [-0.5, 0.5]. Depth is the file's normalised depth, (z - z of the object's centre) / diameter in
[-1, 1]; where nothing was measured it is 1, "far", so that the empty surroundings of a clean render read like the
background of a real crop. What is measured a whole diameter behind the object cannot belong to it or to the hand that
holds it: its colour is painted black, as in the render. Fitting and evaluation call the same function.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pairs.format import normalised_depth
from train.config import InputConfig

FAR = 1.0
"""normalised depth of the background, and of a pixel without measurement"""


def network_input(color: Tensor, depth: Tensor, config: InputConfig) -> Tensor:
    """Makes what the network takes.

    Args:
        color: (B, S, S, 3) uint8 RGB.
        depth: (B, S, S) stored depth of the pairs format, 0 = no measurement.
        config: what to do about the background, and the size to shrink to.

    Returns:
        (B, 4, size, size) float32, channels last in memory.
    """
    stored = color.shape[1]
    seen = config.seen(stored)
    middle = slice((stored - seen) // 2, (stored - seen) // 2 + seen)
    color, depth = color[:, middle, middle], depth[:, middle, middle]
    far = _depth_channel(depth)
    rgb = color.float() / 255
    if config.background == "cut":
        rgb = torch.where(((far >= FAR) & (depth > 0))[..., None], 0.0, rgb)
    stacked = torch.cat([rgb - 0.5, far[..., None]], dim=-1).permute(0, 3, 1, 2)
    size = config.of(stored)
    if size != seen:
        stacked = functional.interpolate(stacked, size=(size, size), mode="area")
    return stacked.contiguous(memory_format=torch.channels_last)


def layer_input(layers: Tensor, config: InputConfig) -> Tensor:
    """(B, S, S) uint8, what a crop's pixels show -> (B, size, size), of the pixels nearest to the input's."""
    stored = layers.shape[1]
    seen, size = config.seen(stored), config.of(stored)
    start = (stored - seen) // 2
    at = start + ((torch.arange(size) + 0.5) * seen / size).long()
    return layers[:, at][:, :, at]


def color_input(color: Tensor) -> Tensor:
    """What a network without depth takes: (B, S, S, 3) uint8 RGB -> (B, 3, S, S) float32, channels last in memory."""
    return (color.float() / 255 - 0.5).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _depth_channel(depth: Tensor) -> Tensor:
    """(B, S, S) stored -> (B, S, S) float32 in [-1, 1], FAR where there is no measurement."""
    return torch.where(depth == 0, FAR, normalised_depth(depth.float()))
