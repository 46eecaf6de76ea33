"""Symmetries of an object: the motions after which it looks as before. Declared in words or in BOP's JSON, or detected.

A symmetry is object_from_object (4, 4), applied on the model's side: `camera_from_object @ symmetry` shows the same
picture as camera_from_object.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from scene.arrays import Floats
from scene.errors import InputError
from scene.rotations import geodesic_angle, matrix_from_rotation_vector
from scene.schema import Field
from scene.transforms import rigid

SYMMETRY_FIELDS = (
    Field("symmetries/discrete", ("symmetries", 4, 4), "float64", "m", "object", "poses that look alike", True),
    Field("symmetries/axes", ("axes", 3), "float64", "", "object", "any turn about these looks alike", True),
    Field("symmetries/offsets", ("axes", 3), "float64", "m", "object", "a point on each of these axes", True),
)
"""of a file that knows the object's"""
TURNS_OF_ANY = 315
"""steps for a turn by any angle: 0.02 rad each, BOP's rule (bop_toolkit, get_symmetry_transformations)"""
WORD = re.compile(r"([xyz])(\d+|inf)")
MM = 0.001


@dataclass(frozen=True)
class Symmetries:
    """All symmetries of one object."""

    discrete: Floats
    """(S, 4, 4) object_from_object in metres, the identity first"""
    axes: Floats
    """(C, 3) unit, object frame: about each of these any angle will do"""
    offsets: Floats
    """(C, 3) metres, a point on each axis"""

    @staticmethod
    def none() -> Symmetries:
        """Of an object that looks the same in one pose only."""
        return Symmetries(np.eye(4)[None], np.zeros((0, 3)), np.zeros((0, 3)))

    @property
    def any(self) -> bool:
        """Whether there are others than the identity."""
        return len(self.discrete) > 1 or len(self.axes) > 0

    @cached_property
    def transforms(self) -> Floats:
        """(T, 4, 4) each of the discrete ones alone and before each turn about each axis; the identity first."""
        angles = np.linspace(0, 2 * np.pi, TURNS_OF_ANY, endpoint=False)
        turns = [
            turn_about(matrix_from_rotation_vector(axis * angles[:, None]), offset)
            for axis, offset in zip(self.axes, self.offsets, strict=True)
        ]
        if not turns:
            return self.discrete
        products: Floats = (np.concatenate(turns)[None] @ self.discrete[:, None]).reshape(-1, 4, 4)
        return products

    def alike(self, one: Floats, other: Floats, metres: float, radians: float) -> bool:
        """Whether two poses (4, 4) are that near to each other, or to one that looks alike."""
        others = other @ self.transforms
        near = np.linalg.norm(others[:, :3, 3] - one[:3, 3], axis=1) <= metres
        return bool((near & (geodesic_angle(others[:, :3, :3], one[:3, :3]) < radians)).any())

    def __str__(self) -> str:
        """In words, for people."""
        if not self.any:
            return "no symmetry"
        parts = [f"any turn about ({', '.join(f'{x:.2f}' for x in axis)})" for axis in self.axes]
        if len(self.discrete) > 1:
            parts.append(f"{len(self.discrete)} poses that look alike")
        return " and ".join(parts)


def write_symmetries(file: h5py.File, symmetries: Symmetries) -> None:
    """Puts SYMMETRY_FIELDS into a new file."""
    for field in SYMMETRY_FIELDS:
        file[field.name] = getattr(symmetries, Path(field.name).name)


def read_symmetries(file: h5py.File) -> Symmetries:
    """Those in a file; none in files of earlier releases."""
    if not all(field.name in file for field in SYMMETRY_FIELDS):
        return Symmetries.none()
    return Symmetries(*(file[field.name][:] for field in SYMMETRY_FIELDS))


def as_bop(symmetries: Symmetries) -> dict[str, Any]:
    """The keys of BOP's models_info.json, lengths in millimetres; empty where there are none."""
    found: dict[str, Any] = {}
    if len(symmetries.discrete) > 1:
        transforms = symmetries.discrete[1:].copy()
        transforms[:, :3, 3] /= MM
        found["symmetries_discrete"] = [transform.ravel().tolist() for transform in transforms]
    if len(symmetries.axes):
        turning = zip(symmetries.axes.tolist(), (symmetries.offsets / MM).tolist(), strict=True)
        found["symmetries_continuous"] = [{"axis": axis, "offset": offset} for axis, offset in turning]
    return found


def turn_about(rotation: Floats, point: Floats) -> Floats:
    """(..., 3, 3) rotations -> (..., 4, 4) which leave the point (3,) where it is."""
    return rigid(rotation, point - rotation @ point)


def declared_symmetries(words: tuple[str, ...]) -> Symmetries:
    """From the command line: words as z2 or zinf, one JSON file in BOP's form, or `none`.

    Raises:
        InputError: what is neither.
    """
    if len(words) == 1 and words[0].lower().endswith(".json"):
        return read_bop_symmetries(Path(words[0]))
    words = () if words == ("none",) else words
    turning = tuple(word for word in words if word.endswith("inf"))
    rotations = symmetry_rotations(tuple(word for word in words if word not in turning))
    symmetry_rotations(turning)  # for its refusal
    axes = np.array([np.eye(3)["xyz".index(word[0])] for word in turning]).reshape(-1, 3)
    return Symmetries(rigid(distinct(rotations), np.zeros(3)), axes, np.zeros_like(axes))


def read_bop_symmetries(path: Path, object_id: int | None = None) -> Symmetries:
    """`symmetries_discrete` and `symmetries_continuous` of a file as BOP's models_info.json, lengths in millimetres.

    Args:
        path: of JSON with these keys at its top, or one level below where it describes a single object.
        object_id: whose they are, in a file of several objects; none where it does not name that one.

    Raises:
        InputError: a file that is not of that form.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be a JSON file that can be read, and is not ({error})") from error
    if isinstance(content, dict) and object_id is not None:
        content = content.get(str(object_id), {})
    elif isinstance(content, dict) and len(content) == 1 and isinstance(next(iter(content.values())), dict):
        content = next(iter(content.values()))
    try:
        transforms = [np.array(numbers, float).reshape(4, 4) for numbers in content.get("symmetries_discrete", [])]
        turning = content.get("symmetries_continuous", [])
        axes = np.array([turn["axis"] for turn in turning], float).reshape(-1, 3)
        offsets = MM * np.array([turn["offset"] for turn in turning], float).reshape(-1, 3)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} must have symmetries_discrete (lists of 16 numbers) and symmetries_continuous (axis, offset) of "
            f"one object, as BOP's models_info.json, and has not ({type(error).__name__}: {error})"
        ) from error
    discrete = np.stack([np.eye(4), *transforms])
    discrete[:, :3, 3] *= MM
    lengths = np.linalg.norm(axes, axis=1, keepdims=True)
    squares = discrete[:, :3, :3] @ discrete[:, :3, :3].swapaxes(1, 2)
    if not (lengths > 0).all() or not np.allclose(squares, np.eye(3), atol=1e-3):
        raise InputError(f"{path} must hold rotations and axes that are not zero; check its numbers")
    return Symmetries(discrete, axes / lengths, offsets)


def symmetry_rotations(words: tuple[str, ...]) -> Floats:
    """Words as z2 or xinf -> (S, 3, 3) rotations object_from_object, all products of them; the identity first.

    Raises:
        InputError: a word that names no symmetry.
    """
    return reduce(_products, [_turns(word) for word in words], np.eye(3)[None])


def distinct(rotations: Floats, apart: float = 0.05) -> Floats:
    """(S, 3, 3) -> those more than `apart` radians from all before them."""
    kept: list[Floats] = []
    for rotation in rotations:
        if all(geodesic_angle(rotation, other) > apart for other in kept):
            kept.append(rotation)
    return np.stack(kept)


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
