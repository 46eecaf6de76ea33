"""The layout of FoundationPose, BundleSDF and YCBInEOAT: `rgb/*.png|jpg`, `depth/*.png` (uint16), `cam_K.txt` (3x3).

Without `rgb/` it is depth alone; without `depth/` too, the images in the folder itself are depth. Frames come in the
order of their names, numbers in them by value. Optional, and taken where they are: `masks/*.png` of the object (that
of the first frame is enough), `masks_hand/*.png`, `annotated_poses/*.txt` (4x4 camera_from_object, metres, OpenCV axes)
and one mesh in `mesh/` (metres). Other files are left alone.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from recorder.sensors.images import numbers, read_color, read_depth, read_intrinsics, read_mask, sized_alike
from recorder.sensors.sequence import ImageSequence
from recorder.session import HAND_LABEL, NOT_LABELLED, OBJECT_LABEL, SensorFrame, Truth
from scene.arrays import Bytes
from scene.camera import Camera
from scene.errors import InputError
from scene.object_model import ObjectModel, load_object

COLOR_SUFFIXES = (".png", ".jpg", ".jpeg")


def open_folder(
    folder: Path, *, intrinsics: tuple[float, float, float, float] | None, depth_scale: float, frames_per_s: float
) -> ImageSequence:
    """Takes the folder, and what its files do not tell.

    Args:
        folder: with the images.
        intrinsics: fx, fy, cx, cy in pixels in place of cam_K.txt.
        depth_scale: metres that one depth count stands for.
        frames_per_s: the rate.
    """
    if not folder.is_dir():
        raise InputError(f"--source must be a folder with depth/, cam_K.txt and rgb/ if any, {folder} is none")
    paths = paired_images(folder)
    height, width = read_depth(paths[0][1]).shape
    camera = _camera(folder, intrinsics, width, height)
    poses = _poses(folder, [path.stem for _, path in paths])
    masked = any((folder / name).is_dir() for name in ("masks", "masks_hand"))

    def read(index: int) -> SensorFrame:
        color_path, depth_path = paths[index]
        color, depth = None, read_depth(depth_path)
        if color_path is not None:
            color = read_color(color_path)
            sized_alike(color, depth, color_path, depth_path)
        labels = _labels(folder, depth_path.stem, depth.shape) if masked else None
        truth = _truth(poses.get(depth_path.stem)) if poses else None
        return SensorFrame(color, depth, index / frames_per_s, truth=truth, labels=labels)

    return ImageSequence("folder", folder.name, camera, depth_scale, len(paths), read, _mesh(folder))


def _camera(folder: Path, intrinsics: tuple[float, float, float, float] | None, width: int, height: int) -> Camera:
    if intrinsics is not None:
        return Camera(width, height, *intrinsics)
    return Camera.from_matrix(read_intrinsics(folder / "cam_K.txt"), width, height)


def paired_images(folder: Path) -> list[tuple[Path | None, Path]]:
    """(colour, depth) paths of the same name, in the order of the names; colour has a partner to each or is None."""
    is_flat = not any((folder / name).is_dir() for name in ("rgb", "depth"))
    depth = _images(folder if is_flat else folder / "depth", (".png",))
    in_order = sorted(depth, key=_numbers_by_value)
    if not (folder / "rgb").is_dir():
        return [(None, depth[name]) for name in in_order]
    color = _images(folder / "rgb", COLOR_SUFFIXES)
    alone = sorted(color.keys() ^ depth.keys())
    if alone:
        raise InputError(
            f"every image in {folder}/rgb must have one of the same name in depth/, {len(alone)} have none "
            f"(the first is {alone[0]}); remove or rename them"
        )
    return [(color[name], depth[name]) for name in in_order]


def _numbers_by_value(name: str) -> list[tuple[int, str]]:
    """Sorts 30 before 110, and as text what is not a number."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _images(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    found = {path.stem: path for path in folder.glob("*") if path.suffix.lower() in suffixes}
    if not found:
        raise InputError(
            f"{folder} must hold {' or '.join(suffixes)} images and has none; see --sensor folder in --help"
        )
    return found


def _poses(folder: Path, names: list[str]) -> dict[str, Path]:
    """Path by frame; YCBInEOAT counts its poses from 0 beside images that are named by their time."""
    files = sorted((folder / "annotated_poses").glob("*.txt"))
    by_name = {path.stem: path for path in files}
    if not files or by_name.keys() <= set(names):
        return by_name
    if len(files) != len(names):
        raise InputError(
            f"{folder}/annotated_poses must hold a pose of each image, or be named as they are, has {len(files)} of "
            f"{len(names)}; remove the folder to import without poses"
        )
    return dict(zip(names, files, strict=True))


def _truth(path: Path | None) -> Truth:
    if path is None:
        return Truth.unknown()
    pose = numbers(path.read_text(encoding="utf-8", errors="replace").split(), (4, 4), str(path))
    return replace(Truth.unknown(), camera_from_object=pose)


def _labels(folder: Path, name: str, size: tuple[int, ...]) -> Bytes:
    """Of a frame: unlabelled where none of its masks is there."""
    found = {kind: folder / kind / f"{name}.png" for kind in ("masks", "masks_hand")}
    if not any(path.is_file() for path in found.values()):
        return np.full(size, NOT_LABELLED, np.uint8)
    labels = np.zeros(size, np.uint8)
    for kind, label in (("masks", OBJECT_LABEL), ("masks_hand", HAND_LABEL)):  # the hand is before the object
        if found[kind].is_file():
            mask = read_mask(found[kind])
            if mask.shape != size:
                raise InputError(f"{found[kind]} must be as large as depth, is {mask.shape} for {size}; remove it")
            labels[mask] = label
    return labels


def _mesh(folder: Path) -> ObjectModel | None:
    meshes = [path for path in (folder / "mesh").glob("*") if path.suffix.lower() in (".obj", ".ply")]
    return load_object(meshes[0], "m") if len(meshes) == 1 else None
