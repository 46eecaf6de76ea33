"""The hand that the simulated sensor draws: another person's than the tracker's, and not made of capsules.

Bone lengths, joint places and radii vary from the average hand, the surface swells and dents smoothly, and the skin has
a person's tone, a lighter palm, redder knuckles and nails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recorder.session import HandSide
from scene.arrays import Bytes, Floats
from scene.drawing import vertex_normals
from scene.hand_pose import bones, joints_of_bones
from scene.hand_shape import HandShape, average_hand, scaled
from scene.hand_surface import HandSurface

SIZE_SD, LENGTH_SD, RADIUS_SD = 0.05, 0.05, 0.06
"""standard deviation of each factor between people: of the whole hand, of one bone beside it, of one radius"""
SWELL = 0.0005
"""metres, standard deviation of the surface's displacement"""
SWELL_WAVELENGTHS = (0.025, 0.08)
"""metres, shortest and longest wave in the displacement and in the skin's colour"""
TONES = ((236, 198, 172), (222, 178, 150), (201, 152, 122), (167, 117, 88), (120, 80, 58))
"""RGB of the back of the hand"""
NAIL_TINT = (20.0, 12.0, 14.0)


@dataclass(frozen=True)
class Skin:
    """A closed surface that follows the bones, and its colours."""

    surface: HandSurface
    vertex_colors: Bytes
    """(V, 3) RGB"""

    @property
    def shape(self) -> HandShape:
        """Of the bones below."""
        return self.surface.shape


def grow_skin(side: HandSide, rng: np.random.Generator, *, spacing: float = 0.0034) -> Skin:
    """A person's hand.

    Args:
        side: right or left.
        rng: decides who.
        spacing: metres between the surface's vertices.
    """
    surface = HandSurface.build(varied_shape(average_hand(side), rng), spacing=spacing)
    normals = vertex_normals(surface.vertices, surface.faces)
    swell = SWELL * waves(surface.vertices, rng)
    swollen = replace(surface, vertices=surface.vertices + swell[:, None] * normals)
    return Skin(swollen, skin_colors(swollen, normals, rng))


def varied_shape(shape: HandShape, rng: np.random.Generator) -> HandShape:
    """Another person's hand: each finger and each radius by its own factor."""
    fingers = 1 + LENGTH_SD * rng.standard_normal((5, 1))
    phalanges = fingers + 0.4 * LENGTH_SD * rng.standard_normal((5, 3))
    girth = 1 + RADIUS_SD * rng.standard_normal()
    radii = girth + 0.4 * RADIUS_SD * rng.standard_normal((5, 1))
    stretch = 1 + 0.6 * LENGTH_SD * rng.standard_normal(3)  # along, through and across the palm
    varied = replace(
        shape,
        base_offsets=shape.base_offsets * stretch,
        phalanx_lengths=shape.phalanx_lengths * phalanges,
        radii=shape.radii * radii,
        palm_segments=shape.palm_segments * stretch,
        palm_radii=shape.palm_radii * girth,
    )
    return scaled(varied, 1 + SIZE_SD * float(rng.standard_normal()))


def waves(points: Floats, rng: np.random.Generator, *, count: int = 24) -> Floats:
    """(N, 3) metres -> (N,) smooth random field of about unit standard deviation."""
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shortest, longest = SWELL_WAVELENGTHS
    lengths = np.exp(rng.uniform(np.log(shortest), np.log(longest), count))
    phases = points @ (2 * np.pi * directions / lengths[:, None]).T + rng.uniform(0, 2 * np.pi, count)
    field: Floats = np.sin(phases).sum(axis=1) * np.sqrt(2 / count)
    return field


def skin_colors(surface: HandSurface, normals: Floats, rng: np.random.Generator) -> Bytes:
    """(V, 3) RGB of the surface in its binding pose; `normals` are its (V, 3) outward ones."""
    tone = np.array(TONES[rng.integers(len(TONES))], float) * (1 + 0.05 * rng.standard_normal()) + rng.normal(0, 2, 3)
    dorsal = normals[:, 1]  # the hand frame's y leaves the back of the hand
    lighter = np.clip(-dorsal, 0, 1)[:, None] * (255 - tone) * 0.25
    blotches = 5 * waves(surface.vertices, rng)[:, None] * np.array([1.0, 0.7, 0.7])
    colors = tone + lighter + blotches + _knuckles(surface, dorsal)
    stored: Bytes = np.clip(np.rint(colors), 0, 255).astype(np.uint8)
    return stored


def _knuckles(surface: HandSurface, dorsal: Floats) -> Floats:
    """(V, 3) what knuckles (redder, darker) and nails (lighter) add to the colour."""
    hand_from_bone = bones(surface.shape, np.zeros(20))
    places = joints_of_bones(surface.shape, hand_from_bone)[1:].reshape(5, 4, 3)
    knuckles, tips = places[:, :3].reshape(-1, 3), places[:, 3]
    near = np.exp(-(_distance(surface.vertices, knuckles) ** 2) / (2 * 0.009**2)) * np.clip(dorsal, 0, 1)
    nails = (_distance(surface.vertices, tips) < 0.0085) & (dorsal > 0.55)
    tint: Floats = near[:, None] * np.array([2.0, -14.0, -12.0]) + nails[:, None] * np.array(NAIL_TINT)
    return tint


def _distance(points: Floats, targets: Floats) -> Floats:
    """(N, 3), (M, 3) -> (N,) to the nearest target."""
    nearest: Floats = np.linalg.norm(points[:, None] - targets, axis=-1).min(axis=1)
    return nearest
