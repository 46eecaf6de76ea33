"""Variation of the network's RGB-D input: colour, place, turn about the line of sight, boxes in front.

The inputs are those of preprocessing: colour in [-0.5, 0.5], depth in [-1, 1] where 1 is far.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scene.arrays import Floats

GAIN, COLOR_GAIN = (0.7, 1.35), (0.9, 1.1)
"""factors on all of an image, and on its red, green and blue each by itself"""
SHIFT = 0.03
"""of the crop, as a fraction of its side, along both axes: about what a tracked object's centre is wrong by"""
SCALE = (0.94, 1.06)
DEPTH_OFFSET = 0.03
"""standard deviation, diameters: a tracked object's centre is known as well; more makes rotations less exact"""
FARTHEST = 0.999
"""depths beyond are the background's, which has no place: weights that sum to one do so but for rounding"""
NOISE = 0.07
"""width of the colours' uniform noise, at most"""
BOX_SIDE = (0.2, 0.55)
"""of a random box, as a fraction of the image's side"""


def varied(images: Tensor, turns: Floats, rng: np.random.Generator) -> Tensor:
    """Turns, shifts, scales and recolours images, each by its own draw.

    Args:
        images: (B, 4, S, S) network input.
        turns: (B,) radians about the camera's z, that is clockwise on the screen.
        rng: of everything else.
    """
    count = len(images)
    grid = turning_grid(turns, rng.uniform(*SCALE, count), 2 * rng.uniform(-SHIFT, SHIFT, (count, 2)), images.shape[-1])
    # between an edge and its background this makes depths that nothing has, as shrinking the crop did before
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    gain = uniform(GAIN, (count, 1, 1, 1), rng) * uniform(COLOR_GAIN, (count, 3, 1, 1), rng)
    noise = torch.from_numpy(rng.random(moved[:, :3].shape, dtype=np.float32)) - 0.5  # five times as soon as a normal's
    rgb = ((moved[:, :3] + 0.5) * gain + uniform((0, NOISE), (count, 1, 1, 1), rng) * noise).clamp(0, 1) - 0.5
    offset = torch.from_numpy(rng.normal(0, DEPTH_OFFSET, (count, 1, 1, 1)).astype(np.float32))
    depth = torch.where(moved[:, 3:] < FARTHEST, (moved[:, 3:] + offset).clamp(-1, 1), 1.0)
    return torch.cat([rgb, depth], dim=1).contiguous(memory_format=torch.channels_last)


def turning_grid(turns: Floats, scale: Floats, shift: Floats, size: int) -> Tensor:
    """Where each pixel of the new images lies in the old, for grid_sample.

    Args:
        turns: (B,) radians, clockwise on the screen.
        scale: (B,) by which the content grows.
        shift: (B, 2) of the content to the left and up, in half sides.
        size: pixels along a side.
    """
    c, s = np.cos(turns) / scale, np.sin(turns) / scale
    theta = np.stack([np.stack([c, s, shift[:, 0]], axis=1), np.stack([-s, c, shift[:, 1]], axis=1)], axis=1)
    return functional.affine_grid(torch.from_numpy(theta.astype(np.float32)), [len(turns), 1, size, size], False)


def turned(quaternion_wxyz: Floats, turns: Floats) -> Floats:
    """(B, 4) -> (B, 4), w >= 0: first the rotation, then a turn by (B,) radians about the camera's z."""
    c, s = np.cos(turns / 2), np.sin(turns / 2)
    w, x, y, z = quaternion_wxyz.T
    product = np.stack([c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w], axis=1)
    after: Floats = np.where(product[:, :1] < 0, -product, product)
    return after


def boxed(images: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, 4, S, S) -> the same, each with one near box of plain colour and some noise at a random place."""
    count, size = len(images), images.shape[-1]
    sides = rng.uniform(*BOX_SIDE, (count, 2)) * size
    starts = rng.uniform(0, 1, (count, 2)) * (size - sides)
    at = np.arange(size)
    down, across = (
        (at >= starts[:, axis, None]) & (at < (starts + sides)[:, axis, None]) for axis in range(2)
    )  # fmt: skip
    box = torch.from_numpy(down[:, None, :, None] & across[:, None, None, :])
    color = uniform((-0.5, 0.5), (count, 3, 1, 1), rng).expand(-1, -1, size, size)
    noise = torch.from_numpy(rng.normal(0, 0.1, (count, 3, size, size)).astype(np.float32))
    depth = uniform((-0.9, -0.3), (count, 1, 1, 1), rng).expand(-1, -1, size, size)
    cover = torch.cat([(color + noise).clamp(-0.5, 0.5), depth], dim=1)
    return torch.where(box, cover, images).contiguous(memory_format=torch.channels_last)


def uniform(limits: tuple[float, float], shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Float32 of that shape between the limits."""
    return torch.from_numpy(rng.uniform(*limits, size=shape).astype(np.float32))
