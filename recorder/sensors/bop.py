"""One scene of a BOP data set: `rgb|gray/`, `depth/`, `scene_camera.json`, `scene_gt.json`, `mask_visib/`.

BOP is in millimetres, row-major, with OpenCV's camera; depth_scale times a count gives millimetres. One object of the
scene becomes the session's; its mesh is taken from the data set's `models/`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recorder.sensors.images import numbers, read_color, read_depth, read_mask, read_table, sized_alike
from recorder.sensors.sequence import ImageSequence
from recorder.session import OBJECT_LABEL, SensorFrame, Truth
from scene.arrays import Floats
from scene.camera import Camera
from scene.errors import InputError
from scene.object_model import ObjectModel, load_object
from scene.transforms import inverse, rigid

METRES_PER_MM = 0.001


def open_bop(folder: Path, *, object_id: int | None, frames_per_s: float) -> ImageSequence:
    """Takes the scene's folder, which object, and the rate, which no file tells: image ids count frames."""
    cameras = _by_image(read_table(folder / "scene_camera.json"), folder)
    has_truth = (folder / "scene_gt.json").is_file()
    poses = _by_image(read_table(folder / "scene_gt.json"), folder) if has_truth else {}
    visible = _by_image(read_table(folder / "scene_gt_info.json"), folder) if _has(folder, "scene_gt_info.json") else {}
    chosen = chosen_object(poses, object_id, folder) if has_truth else object_id
    ids = sorted(cameras)
    first = cameras[ids[0]]
    scale_mm = float(numbers(first.get("depth_scale", 1.0), (), "depth_scale"))
    height, width = read_depth(folder / f"depth/{ids[0]:06d}.png").shape
    matrix, in_world = _matrix(first), any("cam_R_w2c" in entry for entry in cameras.values())

    def read(index: int) -> SensorFrame:
        image_id = ids[index]
        seen = cameras[image_id]
        if not np.allclose(_matrix(seen), matrix, atol=1e-4):
            raise InputError(
                f"one session has one camera, cam_K of image {image_id} in {folder} differs from the first; "
                "import a scene of one camera"
            )
        color_path, depth_path = _color_path(folder, image_id), folder / f"depth/{image_id:06d}.png"
        color, depth = read_color(color_path, grey=True), read_depth(depth_path)
        sized_alike(color, depth, color_path, depth_path)
        ratio = float(numbers(seen.get("depth_scale", 1.0), (), "depth_scale")) / scale_mm
        if ratio != 1:
            depth = np.clip(np.rint(depth * ratio), 0, 65535).astype(np.uint16)
        at = _place(poses.get(image_id, []), chosen)
        frame = SensorFrame(color, depth, image_id / frames_per_s, world_from_camera=_world(seen) if in_world else None)
        if has_truth:
            frame = replace(frame, truth=_truth(poses.get(image_id, []), visible.get(image_id, []), at))
        return replace(frame, labels=_labels(folder, image_id, at, depth.shape)) if has_masks else frame

    has_masks = has_truth and _has(folder, "mask_visib")
    camera = Camera.from_matrix(matrix, width, height)
    serial = f"{folder.parent.parent.name}/{folder.parent.name}/{folder.name}"
    scale = scale_mm * METRES_PER_MM
    return ImageSequence("bop", serial, camera, scale, len(ids), read, _model(folder, chosen))


def chosen_object(poses: dict[int, Any], object_id: int | None, folder: Path) -> int:
    """The object asked for, or the only one that the scene has."""
    present = sorted({int(entry["obj_id"]) for entries in poses.values() for entry in entries})
    if object_id is None and len(present) == 1:
        return present[0]
    if object_id is None or object_id not in present:
        raise InputError(f"{folder} shows the objects {present}; choose one with --object-id, given is {object_id}")
    return object_id


def _by_image(table: Any, folder: Path) -> dict[int, Any]:
    try:
        found = {int(image_id): entry for image_id, entry in table.items()}
    except (AttributeError, ValueError) as error:
        raise InputError(f"the tables of {folder} must be by image id ({error}); copy them again") from error
    if not found:
        raise InputError(f"the tables of {folder} name no image; give --source the folder of one scene")
    return found


def _has(folder: Path, name: str) -> bool:
    return (folder / name).exists()


def _matrix(entry: Any) -> Floats:
    if not isinstance(entry, dict) or "cam_K" not in entry:
        raise InputError("scene_camera.json must give cam_K for every image; other camera models are not read")
    return numbers(entry["cam_K"], (3, 3), "cam_K")


def _world(entry: dict[str, Any]) -> Floats:
    """(4, 4) world_from_camera; NaN where the image does not tell."""
    if "cam_R_w2c" not in entry or "cam_t_w2c" not in entry:
        return np.full((4, 4), np.nan)
    rotation = numbers(entry["cam_R_w2c"], (3, 3), "cam_R_w2c")
    return inverse(rigid(rotation, numbers(entry["cam_t_w2c"], (3,), "cam_t_w2c") * METRES_PER_MM))


def _place(entries: list[Any], object_id: int | None) -> int | None:
    """Index of the object's first instance in an image."""
    return next((at for at, entry in enumerate(entries) if int(entry["obj_id"]) == object_id), None)


def _truth(entries: list[Any], visible: list[Any], at: int | None) -> Truth:
    if at is None:
        return Truth.unknown()
    rotation = numbers(entries[at]["cam_R_m2c"], (3, 3), "cam_R_m2c")
    pose = rigid(rotation, numbers(entries[at]["cam_t_m2c"], (3,), "cam_t_m2c") * METRES_PER_MM)
    part = float(visible[at].get("visib_fract", np.nan)) if at < len(visible) else np.nan
    return replace(Truth.unknown(), camera_from_object=pose, object_visibility=np.asarray(part))


def _labels(folder: Path, image_id: int, at: int | None, size: tuple[int, ...]) -> Any:
    labels = np.zeros(size, np.uint8)
    path = folder / f"mask_visib/{image_id:06d}_{at or 0:06d}.png"
    if at is not None and path.is_file():
        labels[read_mask(path)] = OBJECT_LABEL
    return labels


def _color_path(folder: Path, image_id: int) -> Path:
    candidates = [
        folder / kind / f"{image_id:06d}{end}" for kind in ("rgb", "gray") for end in (".png", ".jpg", ".tif")
    ]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _model(folder: Path, object_id: int | None) -> ObjectModel | None:
    path = folder.parent.parent / f"models/obj_{object_id or 0:06d}.ply"
    return load_object(path, "mm") if path.is_file() else None
