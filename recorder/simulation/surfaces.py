"""Surfaces for things that stand about: sheets, boxes and turned shapes, whose vertices carry a pattern."""

from __future__ import annotations

import numpy as np

from scene.arrays import Bytes, Floats, Integers

Surface = tuple[Floats, Integers]
"""(V, 3) vertices in metres and (F, 3) triangles"""


def sheet(corner: Floats, along: Floats, across: Floats, spacing: float) -> Surface:
    """The parallelogram corner + u along + v across, with vertices about `spacing` metres apart."""
    counts = [max(2, int(np.ceil(np.linalg.norm(edge) / spacing)) + 1) for edge in (along, across)]
    u, v = np.meshgrid(np.linspace(0, 1, counts[0]), np.linspace(0, 1, counts[1]), indexing="ij")
    vertices = corner + u[..., None] * along + v[..., None] * across
    return vertices.reshape(-1, 3), lattice(*counts)


def box(size: Floats, spacing: float) -> Surface:
    """(3,) metres: standing on z = 0, centred in x and y, without a bottom."""
    x, y, z = np.diag(size)
    low, high = np.array([-size[0] / 2, -size[1] / 2, 0]), np.array([size[0] / 2, size[1] / 2, size[2]])
    return joined(
        sheet(low, x, z, spacing),
        sheet(low, z, y, spacing),
        sheet(high, -x, -y, spacing),
        sheet(high, -y, -z, spacing),
        sheet(high, -z, -x, spacing),
    )


def turned(profile: Floats, spacing: float) -> Surface:
    """(P, 2) radius and height in metres, turned about z."""
    lengths = np.linalg.norm(np.diff(profile, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(lengths)])
    rings = np.linspace(0, along[-1], max(3, int(np.ceil(along[-1] / spacing))))
    radius, height = (np.interp(rings, along, profile[:, axis]) for axis in (0, 1))
    sides = max(12, int(np.ceil(2 * np.pi * profile[:, 0].max() / spacing)))
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    x, y = radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)
    vertices = np.stack([x, y, np.broadcast_to(height[:, None], x.shape)], axis=-1)
    return vertices.reshape(-1, 3), lattice(len(rings), sides + 1)


def lattice(rows: int, columns: int) -> Integers:
    """(2 (rows - 1)(columns - 1), 3) triangles over a grid of vertices, row by row."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    triangles = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], axis=2)
    return triangles.reshape(-1, 3).astype(np.int32)


def joined(*surfaces: Surface) -> Surface:
    """All in one."""
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in surfaces[:-1]])
    faces = [faces + start for (_, faces), start in zip(surfaces, starts, strict=True)]
    return np.concatenate([vertices for vertices, _ in surfaces]), np.concatenate(faces).astype(np.int32)


def pattern(vertices: Floats, rng: np.random.Generator) -> Bytes:
    """(V, 3) -> (V, 3) RGB: two colours in checks, stripes, bands or speckles, or nearly one."""
    colors = rng.uniform(25, 235, (2, 3))
    kind, size = rng.integers(5), rng.uniform(0.012, 0.05)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    cells = np.floor(vertices / size)
    which = (
        cells.sum(axis=1) % 2,
        np.floor(vertices @ direction / size) % 2,
        np.floor(vertices[:, 2] / size) % 2,
        rng.random(len(vertices)),
        0.1 * rng.random(len(vertices)),
    )[kind]
    mixed = colors[0] + which[:, None] * (colors[1] - colors[0])
    stored: Bytes = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return stored
