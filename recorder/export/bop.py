"""A session as a BOP data set of one object and one scene: millimetres, row-major, depth as it was counted.

`scene_gt_info.json`, which needs renderings, is what bop_toolkit's calc_gt_info.py adds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recorder.export.pictures import frames, known_poses, masks, write_mesh, write_png
from recorder.session import OBJECT_LABEL, Session
from scene.object_model import ObjectModel
from scene.transforms import inverse

OBJECT_ID = 1
MM = 1000.0
SCENE = f"test/{1:06d}"


def write_bop(session: Session, folder: Path) -> None:
    """`models/` and one scene below `test/`."""
    scene, poses = folder / SCENE, known_poses(session)
    cameras: dict[str, Any] = {}
    truth: dict[str, Any] = {}
    for frame in frames(session):
        name, key = f"{frame.index:06d}", str(frame.index)
        write_png(scene / f"rgb/{name}.png", frame.color)
        write_png(scene / f"depth/{name}.png", session.depth_counts(frame.index))
        cameras[key] = _camera(session, frame.index)
        truth[key] = [_instance(poses[frame.index])] if frame.index in poses else []
        mask = masks(session, frame.index, OBJECT_LABEL)
        if mask is not None and frame.index in poses:
            write_png(scene / f"mask_visib/{name}_{0:06d}.png", mask)
    _write_json(scene / "scene_camera.json", cameras)
    if poses:
        _write_json(scene / "scene_gt.json", truth)
    if session.object_model is not None:
        write_mesh(folder / f"models/obj_{OBJECT_ID:06d}.ply", session.object_model, MM)
        _write_json(folder / "models/models_info.json", {str(OBJECT_ID): _model_info(session.object_model)})


def _camera(session: Session, index: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"cam_K": session.camera.matrix.ravel().tolist(), "depth_scale": session.depth_scale * MM}
    if session.world_from_camera is not None and np.isfinite(session.world_from_camera[index]).all():
        camera_from_world = inverse(session.world_from_camera[index])
        entry["cam_R_w2c"] = camera_from_world[:3, :3].ravel().tolist()
        entry["cam_t_w2c"] = (camera_from_world[:3, 3] * MM).tolist()
    return entry


def _instance(camera_from_object: Any) -> dict[str, Any]:
    rotation, translation = camera_from_object[:3, :3], camera_from_object[:3, 3] * MM
    return {"obj_id": OBJECT_ID, "cam_R_m2c": rotation.ravel().tolist(), "cam_t_m2c": translation.tolist()}


def _model_info(model: ObjectModel) -> dict[str, float]:
    low, high = model.vertices.min(axis=0) * MM, model.vertices.max(axis=0) * MM
    box = {f"min_{axis}": float(value) for axis, value in zip("xyz", low, strict=True)}
    box |= {f"size_{axis}": float(value) for axis, value in zip("xyz", high - low, strict=True)}
    return {"diameter": model.diameter * MM, **box}


def _write_json(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(entry)}" for key, entry in table.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")  # an entry a line, as BOP's own tools write
