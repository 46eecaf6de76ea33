"""What `train predict` is asked about: images, a folder of them, an RGB-D frame, a session or a pairs file -> crops.

A network of colour alone takes a square of an image; one of RGB-D takes colour and depth about a point of the object,
cut exactly as make-pairs cuts. What the network was not trained for is refused before it says anything.
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from PIL import Image

from pairs.format import open_pairs
from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.errors import InputError, SchemaError
from train.config import Predict
from train.model import Settings
from train.query import Query, center_behind, cut_query
from train.session_queries import is_session, session_queries

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}


def read_queries(config: Predict, settings: Settings) -> list[Query]:
    """Reads what the command names.

    Raises:
        InputError: files that cannot be read, or are not what the network was trained for.
    """
    source = config.source
    assert source is not None, "else a sensor is asked about"
    if not source.exists():
        raise InputError(f"{source} does not exist; give an image, a folder of images, a session or a pairs file")
    if source.suffix in (".h5", ".hdf5"):
        return session_queries(config, settings) if is_session(source) else _of_pairs(source, settings)
    if config.track is not None:
        raise InputError(f"--track is of a session, and {source} is none; leave it out")
    paths = _images_in(source) if source.is_dir() else [source]
    if settings.channels == 3:
        if config.depth is not None:
            raise InputError(f"this network takes colour alone, got --depth {config.depth}; leave it out")
        return [color_query(path.name, _read_color(path), config.crop, settings) for path in paths]
    if len(paths) > 1:
        raise InputError(f"with depth, images are asked about one by one, {source} has {len(paths)}; give one of them")
    return [_of_frame(paths[0], config, settings)]


def _images_in(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise InputError(f"{folder} must hold images and has none; give another folder")
    return paths


def _of_pairs(path: Path, settings: Settings) -> list[Query]:
    if settings.channels == 3:
        raise InputError(f"this network takes colour alone, {path} holds RGB-D crops; give it an image")
    try:
        with open_pairs(path) as file:
            if file.size != settings.stored_size:
                raise InputError(
                    f"this network was trained on crops of {settings.stored_size} pixels, those of {path} have "
                    f"{file.size}; give a file made with the same --size"
                )
            color, depth = (file.read(f"occluded/{kind}", 0, len(file)) for kind in ("color", "depth"))
            turns, frames = file.column("camera_from_view"), file.column("frame_index")
    except SchemaError as error:
        raise InputError(
            f"{path} must be a session or a pairs file ({error}); give a recording, or what make-pairs wrote"
        ) from error
    named = [f"row {row}, frame {frame}" for row, frame in enumerate(frames)]
    return [Query(name, c, d, t) for name, c, d, t in zip(named, color, depth, turns, strict=True)]


def color_query(name: str, image: Bytes, box: tuple[int, int, int, int] | None, settings: Settings) -> Query:
    """The square of --crop, else the whole image where it is one already, at the size trained on.

    Args:
        name: of the image.
        image: (height, width, 3) RGB.
        box: left, top, right, bottom, pixels.
        settings: of the network that will be asked.

    Raises:
        InputError: the box lies outside or is no square; or there is none, and the image has another size.
    """
    size = settings.stored_size
    if box is not None:
        left, top, right, bottom = box
        inside = 0 <= left < right <= image.shape[1] and 0 <= top < bottom <= image.shape[0]
        if not inside or right - left != bottom - top:
            raise InputError(
                f"--crop must be a square inside the image of {image.shape[1]} x {image.shape[0]} pixels, got {box}; "
                "give left top right bottom"
            )
        image = image[top:bottom, left:right]
    elif image.shape[:2] != (size, size):
        raise InputError(
            f"this network was trained on patches of {size} x {size} pixels, {name} has "
            f"{image.shape[1]} x {image.shape[0]}; give the object's square with --crop left top right bottom"
        )
    if image.shape[0] != size:
        image = np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize((size, size), Image.Resampling.LANCZOS))
    return Query(name, np.ascontiguousarray(image), None, np.eye(3))


def _of_frame(path: Path, config: Predict, settings: Settings) -> Query:
    """The crop about --at, as make-pairs would cut it if the object's centre were there."""
    if config.depth is None or config.camera is None or config.at is None:
        raise InputError(
            "this network takes RGB-D: beside the image it needs --depth, --camera (a 3x3 matrix) and --at U V, a "
            "pixel on the object; give all three"
        )
    color, depth = _read_color(path), _read_depth(config.depth, config.depth_unit)
    if depth.shape != color.shape[:2]:
        raise InputError(
            f"depth must have the image's pixels, got {depth.shape} and {color.shape[:2]}; register it first"
        )
    camera = Camera.from_matrix(_read_matrix(config.camera), color.shape[1], color.shape[0])
    center, (u, v) = center_behind(*config.at, depth, camera, settings.diameter), config.at
    if center is None:
        raise InputError(f"there must be depth about --at {u} {v} and nothing was measured there; give another pixel")
    return cut_query(path.name, color, depth, camera, center, settings)


def _read_color(path: Path) -> Bytes:
    try:
        image = np.asarray(imageio.imread(path, plugin="pillow"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be an image and cannot be read ({error}); give another") from error
    if image.ndim != 3 or image.shape[2] not in (3, 4) or image.dtype != np.uint8:
        raise InputError(f"{path} must be a colour image of 8 bits, got {image.shape} of {image.dtype}; give RGB")
    return image[..., :3]


def _read_depth(path: Path, unit: float) -> Floats:
    try:
        image = np.asarray(imageio.imread(path, plugin="pillow"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be a depth image and cannot be read ({error}); give another") from error
    if image.ndim != 2 or image.dtype != np.uint16:
        raise InputError(f"{path} must be a depth image of 16 bits, got {image.shape} of {image.dtype}; give another")
    return (image * unit).astype(np.float32)


def _read_matrix(path: Path) -> Floats:
    try:
        matrix = np.loadtxt(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must hold a 3x3 camera matrix and cannot be read ({error})") from error
    if matrix.shape != (3, 3):
        raise InputError(f"{path} must hold a 3x3 camera matrix, got {matrix.shape}")
    return matrix
