"""Colour as evidence: features in which a change of light is a shift, and likelihoods of object, hand and background.

No pixel is labelled here: the objective weighs how likely a colour is on each body. At first the object's colours come
from its mesh and the hand's from the range of human skin; once a frame is tracked, both are learned from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from scene.arrays import Bytes, Floats, Integers
from scene.object_model import ObjectModel

DARK = 10.0
"""counts added before the logarithm, so that the noise of dark pixels does not look like colour"""
BRIGHTNESS_SHARE = 0.3
"""brightness changes with the angle to the light, colour hardly: this is its weight among the features"""
LOW, HIGH, BINS = (-1.2, -1.2, 0.6), (1.2, 1.2, 1.8), (24, 24, 8)
UNIFORM: Floats = np.full(BINS, 1.0 / np.prod(BINS))
"""density of what may have any colour"""
SKIN = ((1.0, (0.24, -0.15), (0.14, 0.10)), (0.5, (0.42, -0.33), (0.10, 0.10)))
"""log(R/G) and log(B/G) of human skin under daylight and lamps, before anything is learned: weight, mean and deviation
of light to brown skin, and of dark, in which melanin takes more of blue than of green and more of that than of red"""
LIGHTS: tuple[Floats, ...] = (np.zeros(3), np.array([0.08, -0.20, 0.0]), np.array([-0.08, 0.20, 0.0]))
"""shifts of the features of all that is seen, against scan and skin: none; that of lamps which a camera takes for day,
and that of a sky: about those of black bodies of 3900 and 7000 kelvin against one of 5000"""
SATURATIONS = (0.5, 0.75, 1.0)
"""cameras, haze and glare make colours paler than a scan shows them"""
LOGARITHMS: Floats = np.log(np.arange(1 << 16) / 256 + DARK).astype(np.float32)
"""(65536,) by 256 times a channel"""
FLOOR = 0.15
"""density of a colour never seen, as a share of the uniform density"""


def color_features(color: Bytes) -> Floats:
    """(..., 3) RGB -> (..., 3) float32: log(R/G), log(B/G), 0.3 log(G).

    A coloured light multiplies the channels, which here adds a constant. An (H, W, 3) image is blurred first, by a
    pixel; any other array of colours is not.
    """
    logs = LOGARITHMS[blurred(color)] if color.ndim == 3 else np.log(color + np.float32(DARK))
    features = np.empty(color.shape, np.float32)
    np.subtract(logs[..., 0], logs[..., 1], out=features[..., 0])
    np.subtract(logs[..., 2], logs[..., 1], out=features[..., 1])
    np.multiply(logs[..., 1], np.float32(BRIGHTNESS_SHARE), out=features[..., 2])
    return features


def blurred(color: Bytes) -> Integers:
    """(H, W, C) bytes -> (H, W, C) uint16, 256 times what a binomial of five pixels, of deviation 1, makes of them.

    In whole numbers, whose logarithms are then looked up: far sooner done than a Gaussian and its logarithms.
    """
    blur: Integers = _binomial(_binomial(color.astype(np.uint16)).swapaxes(0, 1)).swapaxes(0, 1)
    return blur


def _binomial(values: Integers) -> Integers:
    """(H, ...) -> 16 times the mean of five rows weighted 1, 4, 6, 4, 1, the image mirrored beyond its edges."""
    for _ in range(2):
        wide = np.concatenate([values[:1], values, values[-1:]])
        values = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    return values


@dataclass(frozen=True)
class ColorLikelihoods:
    """Densities of colour features on each body, and on everything else, as histograms."""

    object_density: Floats
    """(24, 24, 8), sums to 1"""
    hand_density: Floats
    """(24, 24, 8), sums to 1"""
    background_density: Floats
    """(24, 24, 8), sums to 1"""

    def chances(self, features: Floats) -> tuple[Floats, Floats]:
        """(..., 3) -> (...) chance of object and (...) chance of hand, each of the three equally likely beforehand."""
        bins, total = _bins(features), self.object_density + self.hand_density + self.background_density
        on_object, on_hand = ((each / total).astype(np.float32) for each in (self.object_density, self.hand_density))
        return on_object.ravel()[bins], on_hand.ravel()[bins]

    def learned(self, on_object: Floats, on_hand: Floats, background: Floats, rate: float) -> ColorLikelihoods:
        """Moves each density by `rate` towards the features (N, 3) seen on it."""
        return ColorLikelihoods(
            _towards(self.object_density, on_object, rate),
            _towards(self.hand_density, on_hand, rate),
            _towards(self.background_density, background, rate),
        )

    def with_object(self, on_object: Floats, rate: float) -> ColorLikelihoods:
        """Moves the object's alone."""
        return replace(self, object_density=_towards(self.object_density, on_object, rate))

    def moved_towards(self, others: ColorLikelihoods, rate: float) -> ColorLikelihoods:
        """Moves each density by `rate` towards that of the others."""
        return ColorLikelihoods(
            (1 - rate) * self.object_density + rate * others.object_density,
            (1 - rate) * self.hand_density + rate * others.hand_density,
            (1 - rate) * self.background_density + rate * others.background_density,
        )


def initial_likelihoods(
    model: ObjectModel | None, scene_features: Floats, light: Floats = LIGHTS[0]
) -> ColorLikelihoods:
    """Before anything is tracked.

    Args:
        model: where it has no colours, any colour is equally likely on it; None where there is no object.
        scene_features: (H, W, 3) of a first frame, most of which is background.
        light: (3,) one of LIGHTS.
    """
    on_object = np.zeros(BINS) if model is None else UNIFORM
    if model is not None and model.colored:
        features = color_features(model.vertex_colors)
        paled = np.concatenate([features * [share, share, 1] + light for share in SATURATIONS])
        on_object = density(paled, smoothing=(1.5, 1.5, 8.0))  # its brightness is the scanner's, not this camera's
    return ColorLikelihoods(
        on_object, _skin_density(light), 0.5 * density(scene_features.reshape(-1, 3)) + 0.5 * UNIFORM
    )


def indifferent() -> ColorLikelihoods:
    """For a search by shape alone: any colour is as likely on the one as on the other."""
    return ColorLikelihoods(UNIFORM, UNIFORM, UNIFORM)


def without_background(likelihoods: ColorLikelihoods) -> ColorLikelihoods:
    """For scenes whose background is known by its depth: what else stands there may have any colour."""
    return replace(likelihoods, background_density=UNIFORM)


def density(features: Floats, smoothing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Floats:
    """(N, 3) -> (24, 24, 8) histogram, smoothed, with a floor, summing to 1."""
    counts = np.bincount(_bins(features), minlength=np.prod(BINS)).reshape(BINS).astype(float)
    smooth = gaussian_filter(counts, smoothing, mode="nearest")
    smooth = smooth / max(smooth.sum(), 1e-9) + FLOOR / np.prod(BINS)
    result: Floats = smooth / smooth.sum()
    return result


def _towards(old: Floats, features: Floats, rate: float) -> Floats:
    if len(features) < 50:  # too few pixels to learn from
        return old
    return (1 - rate) * old + rate * density(features)


def _skin_density(light: Floats) -> Floats:
    first, second = (np.linspace(LOW[axis], HIGH[axis], BINS[axis]) for axis in range(2))
    share = np.zeros(BINS[:2])
    for weight, mean, deviation in SKIN:
        here = np.array(mean) + light[:2]
        share += weight * norm.pdf(first, here[0], deviation[0])[:, None] * norm.pdf(second, here[1], deviation[1])
    share = np.repeat(share[:, :, None], BINS[2], axis=2)
    share = share / share.sum() + FLOOR / np.prod(BINS)
    skin: Floats = share / share.sum()
    return skin


def _bins(features: Floats) -> Integers:
    """(..., 3) -> (...) place in a flattened histogram."""
    flat = np.zeros(features.shape[:-1], np.int32)
    for axis, (low, high, count) in enumerate(zip(LOW, HIGH, BINS, strict=True)):
        index = ((features[..., axis] - np.float32(low)) * np.float32(count / (high - low))).astype(np.int32)
        flat = flat * count + np.clip(index, 0, count - 1)
    return flat
