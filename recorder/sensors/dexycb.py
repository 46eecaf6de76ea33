"""One camera of a DexYCB sequence, `SUBJECT/SEQUENCE/SERIAL/{color_,aligned_depth_to_color_,labels_}%06d.*`.

Poses and joints are in OpenCV's camera, metres; depth is in millimetres. The object that the hand grasps becomes the
session's. Intrinsics lie in the data set's `calibration/`, meshes in its `models/`. (Chao et al., "DexYCB", CVPR 2021.)
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recorder.sensors.images import numbers, read_color, read_depth, read_table, sized_alike
from recorder.sensors.sequence import ImageSequence
from recorder.session import HAND_LABEL, OBJECT_LABEL, SensorFrame, Truth
from scene.camera import Camera
from scene.errors import InputError
from scene.object_model import ObjectModel, load_object

DEPTH_SCALE = 0.001
WIDTH, HEIGHT = 640, 480
HAND_IN_SEG = 255
LARGEST_LABELS_BYTES = 100 << 20
"""unpacked"""


def open_dexycb(folder: Path, *, object_id: int | None, frames_per_s: float) -> ImageSequence:
    """Takes the camera's folder, which YCB object (the grasped one if None), and the rate, which no file tells."""
    names = [path.stem.removeprefix("color_") for path in sorted(folder.glob("color_*.jpg"))]
    if not names:
        raise InputError(f"{folder} must hold color_*.jpg of DexYCB and has none; give the folder of one camera")
    meta = read_table(folder.parent / "meta.yml")
    chosen, row = chosen_object(meta, object_id, folder.parent)

    def read(index: int) -> SensorFrame:
        color_path = folder / f"color_{names[index]}.jpg"
        depth_path = folder / f"aligned_depth_to_color_{names[index]}.png"
        color, depth = read_color(color_path), read_depth(depth_path)
        sized_alike(color, depth, color_path, depth_path)
        told = read_labels(folder / f"labels_{names[index]}.npz")
        seg = told["seg"]
        if seg.shape != depth.shape:
            raise InputError(f"seg must be as large as the image, is {seg.shape} in {folder}; copy it again")
        labels = np.where(seg == HAND_IN_SEG, HAND_LABEL, np.where(seg == chosen, OBJECT_LABEL, 0)).astype(np.uint8)
        return SensorFrame(color, depth, index / frames_per_s, truth=truth_of(told, row), labels=labels)

    model, side = _model(folder.parents[2], chosen), meta.get("mano_sides", [None])[0]
    return ImageSequence(
        "dexycb", folder.name, _camera(folder), DEPTH_SCALE, len(names), read, model,
        side if side in ("right", "left") else None,
    )  # fmt: skip


def chosen_object(meta: Any, object_id: int | None, folder: Path) -> tuple[int, int]:
    """YCB id of the session's object, and its row in pose_y."""
    try:
        ids = [int(one) for one in meta["ycb_ids"]]
        chosen = ids[int(meta["ycb_grasp_ind"])] if object_id is None else object_id
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{folder}/meta.yml must list ycb_ids and ycb_grasp_ind ({error}); copy it again") from error
    if chosen not in ids:
        raise InputError(f"{folder} shows the objects {ids}; choose one with --object-id, given is {object_id}")
    return chosen, ids.index(chosen)


def truth_of(told: dict[str, Any], row: int) -> Truth:
    """Of one frame; zeros for a pose and -1 for joints stand for unknown."""
    truth = Truth.unknown()
    poses, joints = told["pose_y"], told["joint_3d"]
    if poses.shape[1:] == (3, 4) and row < len(poses) and np.any(poses[row]):
        truth = replace(truth, camera_from_object=np.vstack([poses[row], [0, 0, 0, 1]]).astype(float))
    if joints.shape == (1, 21, 3) and not (joints == -1).all():
        truth = replace(truth, joints_camera=joints[0].astype(float))
    return truth


def read_labels(path: Path) -> dict[str, Any]:
    """The arrays seg, pose_y and joint_3d of a frame; nothing pickled is loaded."""
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > LARGEST_LABELS_BYTES:
            raise InputError(f"{path} must hold the labels of one frame, unpacks to {unpacked >> 20} MB; copy it again")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ("seg", "pose_y", "joint_3d")}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} must hold seg, pose_y and joint_3d ({error}); copy it again") from error


def _camera(folder: Path) -> Camera:
    path = folder.parents[2] / f"calibration/intrinsics/{folder.name}_{WIDTH}x{HEIGHT}.yml"
    color = read_table(path).get("color", {})
    fx, fy, cx, cy = (float(numbers(color.get(name), (), f"{name} in {path}")) for name in ("fx", "fy", "ppx", "ppy"))
    return Camera(WIDTH, HEIGHT, fx, fy, cx, cy)


def _model(root: Path, ycb_id: int) -> ObjectModel | None:
    """DexYCB numbers the meshes in the order of their names, from 1."""
    meshes = sorted((root / "models").glob("*/textured_simple.obj"))
    return load_object(meshes[ycb_id - 1], "m") if len(meshes) == YCB_MESHES and 1 <= ycb_id <= YCB_MESHES else None


YCB_MESHES = 21
