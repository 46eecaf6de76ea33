"""A folder of images as a sensor: `rgb/*.png|jpg`, `depth/*.png` (uint16), `cam_K.txt` (3x3).

The layout of FoundationPose, BundleSDF and YCBInEOAT. Other files in the folder are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray

from recorder.session import SensorFrame
from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.errors import InputError

COLOR_SUFFIXES = (".png", ".jpg", ".jpeg")


class FolderSensor:
    """Plays a folder of images."""

    name = "folder"

    def __init__(self, folder: Path, *, depth_scale: float, frames_per_s: float) -> None:
        """Takes the folder, what one depth count is in metres, and the rate, which no file in the folder tells."""
        self.folder, self.depth_scale, self.frames_per_s = folder, depth_scale, frames_per_s
        self.serial = folder.name
        self.total: int | None = None

    def __enter__(self) -> FolderSensor:
        if not self.folder.is_dir():
            raise InputError(f"--source must be a folder with rgb/, depth/ and cam_K.txt, {self.folder} is none")
        self._paths = paired_images(self.folder)
        self.total = len(self._paths)
        height, width = read_depth(self._paths[0][1]).shape
        self.camera = Camera.from_matrix(read_intrinsics(self.folder / "cam_K.txt"), width, height)
        return self

    def __exit__(self, *raised: object) -> None:
        del raised  # nothing stays open between frames

    def frames(self) -> Iterator[SensorFrame]:
        """The images in the order of their names."""
        for index, (color_path, depth_path) in enumerate(self._paths):
            color, depth = read_color(color_path), read_depth(depth_path)
            if color.shape[:2] != depth.shape:
                raise InputError(
                    f"colour and depth must be registered and of one size, {color_path} is {_size(color)} and "
                    f"{depth_path} is {_size(depth)}; register depth to colour first"
                )
            yield SensorFrame(color, depth, index / self.frames_per_s)


def paired_images(folder: Path) -> list[tuple[Path, Path]]:
    """(colour, depth) paths of the same name, in the order of the names; every image must have its partner."""
    color = _images(folder / "rgb", COLOR_SUFFIXES)
    depth = _images(folder / "depth", (".png",))
    alone = sorted(color.keys() ^ depth.keys())
    if alone:
        raise InputError(
            f"every image in {folder}/rgb must have one of the same name in depth/, {len(alone)} have none "
            f"(the first is {alone[0]}); remove or rename them"
        )
    return [(color[name], depth[name]) for name in sorted(color)]


def _images(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    found = {path.stem: path for path in folder.glob("*") if path.suffix.lower() in suffixes}
    if not found:
        raise InputError(
            f"{folder} must hold {' or '.join(suffixes)} images and has none; see --sensor folder in --help"
        )
    return found


def read_intrinsics(path: Path) -> Floats:
    """(3, 3) in pixels from text."""
    if not path.is_file():
        raise InputError(f"{path} is missing; write the 3x3 intrinsic matrix in pixels there, a row a line")
    try:
        matrix = np.loadtxt(path).reshape(3, 3)
    except ValueError as error:
        raise InputError(f"{path} must hold the nine numbers of a 3x3 matrix ({error}); write a row a line") from error
    return matrix


def read_color(path: Path) -> Bytes:
    """(height, width, 3) RGB; an alpha channel is dropped."""
    image = _read(path)
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
        return np.asarray(imageio.imread(path))
    except (OSError, SyntaxError, ValueError) as error:  # Pillow says SyntaxError for a broken PNG
        raise InputError(f"{path} cannot be read as an image ({error}); copy it again") from error


def _size(image: NDArray[Any]) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
