"""A split of a data set in BOP's scene-wise layout in, pairs of one of its objects out.

Lengths there are millimetres, depth is counts times `depth_scale`, poses are camera_from_object with our axes
(bop_toolkit, docs/bop_datasets_format.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np

from pairs.config import ImportBopConfig
from pairs.counterparts import Place, Posed, paired
from pairs.format import REAL, PairsWriter, Recording, center_of, new_pairs
from scene.arrays import Booleans, Bytes, Floats
from scene.camera import Camera
from scene.crop import crop_about, cut_color, cut_nearest
from scene.drawing import Drawer, open_drawer
from scene.errors import InputError
from scene.files import stamp_provenance
from scene.object_model import ObjectModel, load_object
from scene.progress import track
from scene.splits import GAP, split_of_frames
from scene.symmetry import Symmetries, read_bop_symmetries
from scene.transforms import apply, rigid

IMAGES_A_SECOND = 30
SURFACE_TOLERANCE = 0.015
"""metres by which measured depth may lie before the object's where no mask says what is visible: BOP's delta"""


@dataclass(frozen=True)
class Sample:
    """One pose of the object in one image."""

    scene: Path
    image: int
    instance: int
    """its place in the image's list of poses"""
    camera_from_object: Floats
    """(4, 4) metres"""


def import_bop(config: ImportBopConfig) -> int:
    """Runs the command; the number of rows.

    Raises:
        InputError: a folder, file or entry that is missing or cannot be used, or no image of the object.
    """
    model, drawer = load_object(config.dataset / "models" / f"obj_{config.object:06d}.ply", "mm"), open_drawer("raster")
    scenes = sorted(path.parent for path in (config.dataset / config.folder).glob("*/scene_gt.json"))
    if not scenes:
        raise InputError(f"{config.dataset / config.folder} must hold scenes with scene_gt.json and holds none")
    told = config.dataset / "models/models_info.json"
    symmetries = read_bop_symmetries(told, config.object) if told.is_file() else Symmetries.none()
    with new_pairs(config.output, model, config.size, overwrite=config.overwrite) as writer:
        writer.symmetries = symmetries
        for scene in track(scenes, "scenes"):
            writer.recordings.append(Recording(f"{config.folder}/{scene.name}"))
            _append_scene(writer, scene, model, drawer, config)
        if writer.count == 0:
            raise InputError(
                f"{config.dataset / config.folder} must show object {config.object} at least {config.visibility:g} "
                "visible somewhere and does not; give another --object or less --visibility"
            )
        stamp_provenance(writer.file, configuration=config, seed=None)
        writer.file.attrs["noise"], writer.file.attrs["drawer"] = "none", drawer.name
        return writer.count


def _append_scene(
    writer: PairsWriter, scene: Path, model: ObjectModel, drawer: Drawer, config: ImportBopConfig
) -> None:
    samples = list(read_scene(scene, config.object))
    images = np.unique([sample.image for sample in samples]).astype(int)
    split_of = dict(
        zip(images.tolist(), split_of_frames(images / IMAGES_A_SECOND, config.splits).tolist(), strict=True)
    )
    cameras = _json(scene / "scene_camera.json")
    for sample in samples:
        place = Place(
            sample.image, split_of[sample.image], REAL, len(writer.recordings) - 1, sample.image / IMAGES_A_SECOND
        )
        if place.split == GAP:
            writer.leave_out(sample.image, f"within {config.splits.gap_s / 2:g} s of another split")
            continue
        posed = _posed(sample, cameras.get(str(sample.image), {}), model, config.size)
        pair = None if posed is None else paired(posed, model, drawer, place)
        if pair is None or pair.visibility < config.visibility:
            writer.leave_out(sample.image, f"visibility below {config.visibility:g}")
        else:
            writer.append(pair)


def read_scene(scene: Path, number: int) -> Iterator[Sample]:
    """The poses of an object in a scene, by image."""
    for image, poses in sorted(_json(scene / "scene_gt.json").items(), key=lambda item: int(item[0])):
        for instance, pose in enumerate(poses):
            if pose["obj_id"] == number:
                rotation = np.array(pose["cam_R_m2c"], float).reshape(3, 3)
                yield Sample(scene, int(image), instance, rigid(rotation, np.array(pose["cam_t_m2c"], float) / 1000))


def _posed(sample: Sample, entry: dict[str, Any], model: ObjectModel, size: int) -> Posed | None:
    """The crop; None where the object's centre is not before the camera."""
    if "cam_K" not in entry:
        raise InputError(f"scene_camera.json of {sample.scene} must give cam_K for image {sample.image}; complete it")
    color, counts = _color(sample), _image(sample, "depth")
    height, width = color.shape[:2]
    camera = Camera.from_matrix(np.array(entry["cam_K"], float).reshape(3, 3), width, height)
    depth = np.zeros((height, width), np.float32)
    if counts is not None:
        depth = (counts.astype(np.float64) * entry.get("depth_scale", 1.0) / 1000).astype(np.float32)
    center = apply(sample.camera_from_object, center_of(model)[None])[0]
    if center[2] <= 0:
        return None
    crop = crop_about(camera, center, model.diameter, size)
    mask = _image(sample, "mask_visib")
    measured = cut_nearest(depth, camera, crop)
    return Posed(
        color=cut_color(color, camera, crop),
        depth=measured,
        camera=crop.crop_camera,
        camera_from_object=sample.camera_from_object,
        crop_box=crop.box,
        inside=crop.inside,
        visible=_not_before(measured, center[2] - model.diameter / 2)
        if mask is None
        else cut_nearest(mask, camera, crop) > 0,
    )


def _not_before(measured: Floats, nearest: float) -> Booleans:
    """Where nothing measured lies before the sphere about the object: all that can be said without a mask."""
    free: Booleans = (measured == 0) | (measured > nearest - SURFACE_TOLERANCE)
    return free


def _color(sample: Sample) -> Bytes:
    for folder in ("rgb", "gray"):
        image = _image(sample, folder)
        if image is not None:
            return image[..., :3] if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)
    raise InputError(
        f"image {sample.image} of {sample.scene} must exist in rgb/ or gray/ and does not; complete the scene"
    )


def _image(sample: Sample, folder: str) -> Any:
    """As stored; None where there is none."""
    name = f"{sample.image:06d}" + (f"_{sample.instance:06d}" if folder.startswith("mask") else "")
    for suffix in (".png", ".jpg", ".tif"):
        path = sample.scene / folder / (name + suffix)
        if path.is_file():
            return np.asarray(imageio.imread(path))
    return None


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path} must exist in a scene of BOP's layout and does not; complete the scene")
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} must be JSON and is not ({error}); copy it again") from error
    return content
