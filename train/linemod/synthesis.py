"""Rows of a view bank and of the real training patches -> training images: lit, turned, before other backgrounds.

What varies is what a camera and a room vary: light, place in the patch, size, turn about the line of sight (in which
the rotation to be learnt takes part), background, things in front, exposure, colour, focus, noise. Backgrounds are cut
from the corners of the real training patches of the same object, where the object itself does not reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scene.arrays import Booleans, Floats, Integers
from train.augmentation import turning_grid, uniform
from train.linemod.patches import Patches
from train.linemod.view_bank import ViewBank

OWN_BACKGROUND = 0.5
"""share of the real images that keep their background"""
NOISE_BACKGROUND = 0.2
"""share of the other backgrounds that are smooth noise in place of a real one"""
SCALE = (0.92, 1.08)
SHIFT_PX = 1.5
"""standard deviation, for patches of 64 pixels"""
BACKGROUND_ZOOM = (0.3, 0.5)
"""side of the corner that becomes the background / side of the patch"""
COVERED = 0.25
"""share of the images with something before the object"""
SHARPNESS = 16
"""exponent of the highlights, after Phong"""
AMBIENT, DIFFUSE, SHINE = (0.35, 0.95), (0.1, 0.9), (0.0, 0.4)
GAIN, COLOR_GAIN, CONTRAST, CURVE, BLUR, NOISE = (0.75, 1.3), (0.9, 1.1), (0.75, 1.3), (-0.25, 0.35), (0.0, 1.0), 0.03


@dataclass(frozen=True)
class Synthesis:
    """The images of one object to train on: rows 0..R are its real training patches, the others a bank's views."""

    real: Tensor
    """(R, 4, S, S) uint8: RGB, and 255 where the object is"""
    bank: Tensor
    """(V, 6, S, S) uint8: albedo, and normals as the bank packs them"""

    @staticmethod
    def of(real: Patches, masks: Booleans, bank: ViewBank) -> Synthesis:
        """From (R, S, S) silhouettes of the real patches, and a bank."""
        covers = (255 * masks[..., None]).astype(np.uint8)
        return Synthesis(
            _channels_first(np.concatenate([real.color, covers], axis=-1)),
            _channels_first(np.concatenate([bank.albedo, bank.normals], axis=-1)),
        )

    def images(self, rows: Integers, turns: Floats, rng: np.random.Generator, share: float = 1.0) -> Tensor:
        """Makes new images.

        Args:
            rows: (B,) into real patches and views.
            turns: (B,) radians by which the object turns about the camera's z, that is clockwise on the screen.
            rng: of everything else.
            share: of the variation that place, size, cover and camera have at most; light and background vary fully.

        Returns:
            (B, 3, S, S) RGB, 0..1.
        """
        shown, own = self._objects(rows, rng)
        moved = functional.grid_sample(
            shown, _moves(turns, shown.shape[-1], rng, share), padding_mode="reflection", align_corners=False
        )
        background = self._backgrounds(len(rows), rng)
        cover = moved[:, 3:].maximum(own[:, None, None, None])
        scene = background + cover * (moved[:, :3] - background)
        return _as_seen(_covered(scene, background, rng, share), rng, share)

    def _objects(self, rows: Integers, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(B, 4, S, S) RGB and cover, 0..1; (B,) 1 where the whole image is kept."""
        is_real = rows < len(self.real)
        at = torch.from_numpy(rows)
        out = torch.empty((len(rows), 4, *self.real.shape[2:]))
        real, views = (torch.from_numpy(np.flatnonzero(chosen)) for chosen in (is_real, ~is_real))
        out[real] = self.real[at[real]].float() / 255
        out[views] = _lit(self.bank[at[views] - len(self.real)], rng)
        own = is_real & (rng.random(len(rows)) < OWN_BACKGROUND)
        return out, torch.from_numpy(own.astype(np.float32))

    def _backgrounds(self, count: int, rng: np.random.Generator) -> Tensor:
        size = self.real.shape[-1]
        patches = self.real[torch.from_numpy(rng.integers(len(self.real), size=count)), :3].float() / 255
        side = rng.uniform(*BACKGROUND_ZOOM, count)
        angle = rng.integers(0, 4, count) * np.pi / 2
        linear = _rotations(angle) * side[:, None, None]
        linear[:, :, 0] *= rng.choice([-1.0, 1.0], count)[:, None]
        corner = rng.choice([-1.0, 1.0], (count, 2)) * (1 - side)[:, None]
        grid = _grid(linear, corner, size)
        cut = functional.grid_sample(patches, grid, padding_mode="reflection", align_corners=False)
        noisy = torch.from_numpy(rng.random(count) < NOISE_BACKGROUND)
        cut[noisy] = _smooth_noise(int(noisy.sum()), size, rng)
        return cut


def _channels_first(images: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))


def _lit(views: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, 6, S, S) albedo and normals -> (B, 4, S, S) RGB under a lamp anywhere on the camera's side, and cover."""
    count = len(views)
    lamp = rng.normal(size=(count, 3))
    lamp[:, 2] = -np.abs(lamp[:, 2])
    lamp /= np.linalg.norm(lamp, axis=1, keepdims=True)
    half = lamp + np.array([0, 0, -1])
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    albedo, normals = views[:, :3].float() / 255, (views[:, 3:].float() - 128) / 127
    along_lamp, along_half = (
        (normals * torch.from_numpy(direction.astype(np.float32))[:, :, None, None]).sum(dim=1, keepdim=True)
        for direction in (lamp, half)
    )
    shade = uniform(AMBIENT, (count, 1, 1, 1), rng) + uniform(DIFFUSE, (count, 1, 1, 1), rng) * along_lamp.clamp(min=0)
    shine = uniform(SHINE, (count, 1, 1, 1), rng) * (along_half.clamp(min=0) ** SHARPNESS)
    cover = (views[:, 3:].amax(dim=1, keepdim=True) > 0).float()
    return torch.cat([(albedo * shade + shine).clamp(max=1) * cover, cover], dim=1)


def _rotations(angle: Floats) -> Floats:
    """(B,) radians -> (B, 2, 2), clockwise on the screen, where y points down."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=-2)


def _moves(turns: Floats, size: int, rng: np.random.Generator, share: float) -> Tensor:
    """Where each pixel of the new images lies in the old: turned, scaled and shifted."""
    count = len(turns)
    scale = rng.uniform(*_milder(SCALE, share), count)
    return turning_grid(turns, scale, rng.normal(0, share * SHIFT_PX * 2 / 64, (count, 2)), size)


def _grid(linear: Floats, shift: Floats, size: int) -> Tensor:
    theta = torch.from_numpy(np.concatenate([linear, shift[:, :, None]], axis=2).astype(np.float32))
    return functional.affine_grid(theta, [len(theta), 1, size, size], align_corners=False)


def _smooth_noise(count: int, size: int, rng: np.random.Generator) -> Tensor:
    coarse = torch.from_numpy(rng.random((count, 3, 5, 5)).astype(np.float32))
    return functional.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)


def _covered(images: Tensor, backgrounds: Tensor, rng: np.random.Generator, share: float) -> Tensor:
    """Some images get a box of another image's background, which reaches in from a side."""
    count, size = len(images), images.shape[-1]
    along, depth = rng.uniform(0.2, 0.6, count) * size, rng.uniform(0.2, 0.4, count) * size
    start, side = rng.uniform(0, 0.8, count) * size, rng.integers(0, 4, count)
    depth[rng.random(count) >= share * COVERED] = 0
    at = np.arange(size)
    across = (at >= start[:, None]) & (at < (start + along)[:, None])
    inwards = np.where((side < 2)[:, None], at < depth[:, None], at >= (size - depth)[:, None])
    boxes = across[:, :, None] & inwards[:, None, :]
    boxes = np.where((side % 2 == 0)[:, None, None], boxes, np.swapaxes(boxes, 1, 2))
    return torch.where(torch.from_numpy(boxes)[:, None], backgrounds.roll(1, dims=0), images)


def _as_seen(images: Tensor, rng: np.random.Generator, share: float) -> Tensor:
    """Exposure, colour, contrast, focus and noise of some camera."""
    count = len(images)
    curve = uniform(_milder(CURVE, share, neutral=0.0), (count, 1, 1, 1), rng)
    curve = 1 + curve * (1 - images)  # near to a power, at a tenth of its cost
    gain = uniform(_milder(GAIN, share), (count, 1, 1, 1), rng)
    gain = gain * uniform(_milder(COLOR_GAIN, share), (count, 3, 1, 1), rng)
    contrast = uniform(_milder(CONTRAST, share), (count, 1, 1, 1), rng)
    seen = images * curve * (gain * contrast)
    seen += seen.mean(dim=(1, 2, 3), keepdim=True) * (1 / contrast - 1)
    seen = seen.lerp(_blurred(seen), uniform(BLUR, (count, 1, 1, 1), rng))
    noise = torch.randn(seen.shape, generator=torch.Generator().manual_seed(int(rng.integers(1 << 62))))
    return seen.addcmul_(uniform((0, share * NOISE), (count, 1, 1, 1), rng), noise).clamp_(0, 1)


def _milder(limits: tuple[float, float], share: float, neutral: float = 1.0) -> tuple[float, float]:
    """Limits that are nearer to what changes nothing."""
    return neutral + share * (limits[0] - neutral), neutral + share * (limits[1] - neutral)


def _blurred(images: Tensor) -> Tensor:
    """The mean of 3 x 3 neighbours, across the border those of the other side: sums of rolls, where pooling is slow."""
    across = images + images.roll(1, dims=-1) + images.roll(-1, dims=-1)
    return (across + across.roll(1, dims=-2) + across.roll(-1, dims=-2)) / 9
