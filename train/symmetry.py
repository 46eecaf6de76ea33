"""Objects that look the same at several poses: their rotations, and the estimate nearest to the truth among them."""

from __future__ import annotations

import re
from functools import reduce

import numpy as np

from scene.arrays import Floats
from scene.errors import InputError
from scene.rotations import geodesic_angle, matrix_from_rotation_vector

TURNS_OF_ANY = 315
"""steps for `inf`: a turn of 0.02 rad each, BOP's rule"""
WORD = re.compile(r"([xyz])(\d+|inf)")


def symmetry_rotations(words: tuple[str, ...]) -> Floats:
    """Words as z2 or xinf -> (S, 3, 3) rotations object_from_object, all products of them; the identity first.

    Raises:
        InputError: a word that names no symmetry.
    """
    return reduce(_products, [_turns(word) for word in words], np.eye(3)[None])


def nearest_equivalent(estimated: Floats, true: Floats, symmetries: Floats) -> Floats:
    """(N, 3, 3) estimates and truths -> (N, 3, 3) of each estimate's equivalents the one nearest to the truth."""
    if len(symmetries) == 1:
        return estimated
    best, angle = estimated, geodesic_angle(estimated, true)
    for symmetry in symmetries[1:]:
        candidate = estimated @ symmetry
        nearer = (found := geodesic_angle(candidate, true)) < angle
        best, angle = np.where(nearer[:, None, None], candidate, best), np.minimum(found, angle)
    return best


def _turns(word: str) -> Floats:
    found = WORD.fullmatch(word)
    if found is None or found[2] in ("0", "1"):
        raise InputError(f"--symmetry must be an axis and a number of positions, as z2 or zinf, got {word!r}")
    count = TURNS_OF_ANY if found[2] == "inf" else int(found[2])
    return matrix_from_rotation_vector(
        np.eye(3)["xyz".index(found[1])] * np.linspace(0, 2 * np.pi, count, False)[:, None]
    )


def _products(first: Floats, second: Floats) -> Floats:
    products: Floats = (first[:, None] @ second[None]).reshape(-1, 3, 3)
    return products
