"""Images, matrices and tables of numbers as files: each read or refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import yaml
from numpy.typing import NDArray

from scene.arrays import Bytes, Floats
from scene.errors import InputError

LARGEST_TEXT_BYTES = 200 << 20
"""a table of a data set that is larger is not one"""


def read_intrinsics(path: Path) -> Floats:
    """(3, 3) in pixels from text."""
    if not path.is_file():
        raise InputError(
            f"{path} is missing; write the 3x3 intrinsic matrix in pixels there, a row a line, or give --intrinsics"
        )
    try:
        matrix = np.loadtxt(path).reshape(3, 3)
    except ValueError as error:
        raise InputError(f"{path} must hold the nine numbers of a 3x3 matrix ({error}); write a row a line") from error
    return matrix


def read_color(path: Path, *, grey: bool = False) -> Bytes:
    """(height, width, 3) RGB; an alpha channel is dropped, and a grey image repeated where that is allowed."""
    image = _read(path)
    if grey and image.dtype == np.uint8 and image.ndim == 2:
        return np.repeat(image[..., None], 3, axis=-1)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
        raise InputError(f"{path} must be an 8-bit RGB image, is {image.shape} {image.dtype}; convert it")
    return np.ascontiguousarray(image[..., :3])


def read_depth(path: Path) -> NDArray[np.uint16]:
    """(height, width) counts."""
    image = _read(path)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise InputError(
            f"{path} must be a 16-bit grey image of depth, is {image.shape} {image.dtype}; an 8-bit or coloured one "
            "has lost the measurement, so export depth again"
        )
    return image.astype(np.uint16, copy=False)


def _read(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(imageio.imread(path, plugin="pillow"))
    except Exception as error:  # each of Pillow's decoders raises its own kinds over a broken image
        raise InputError(f"{path} cannot be read as an image ({error}); copy it again") from error


def _size(image: NDArray[Any]) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


def sized_alike(color: Bytes, depth: NDArray[np.uint16], color_path: Path, depth_path: Path) -> None:
    """Raises where colour and depth cannot be registered to each other."""
    if color.shape[:2] != depth.shape:
        raise InputError(
            f"colour and depth must be registered and of one size, {color_path} is {_size(color)} and "
            f"{depth_path} is {_size(depth)}; register depth to colour first"
        )


def read_mask(path: Path) -> NDArray[np.bool_]:
    """(height, width) True where a mask is not 0 in any of its channels."""
    image = _read(path)
    return np.asarray((image if image.ndim == 2 else image[..., :3].any(axis=-1)) > 0)


def read_table(path: Path) -> Any:
    """What a JSON or YAML file holds; YAML's own kinds of objects are not made."""
    if not path.is_file():
        raise InputError(f"{path} is missing; give --source the folder of a whole data set")
    if path.stat().st_size > LARGEST_TEXT_BYTES:
        raise InputError(f"{path} must be a table, and has {path.stat().st_size >> 20} MB; copy it again")
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as a table ({error}); copy it again") from error


def numbers(values: Any, shape: tuple[int, ...], what: str) -> Floats:
    """An array of that shape from nested lists or text, or an InputError that says `what` must be one."""
    try:
        return np.asarray(values, float).reshape(shape)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be {int(np.prod(shape))} numbers ({error}); copy the file again") from error
