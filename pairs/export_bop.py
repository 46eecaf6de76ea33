"""Occluded crops in BOP's scene-wise layout: each an image of a camera of its own, lengths in millimetres.

bop_toolkit, docs/bop_datasets_format.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pairs.config import ExportConfig
from pairs.export_images import DEPTH_COUNT, bop_box, depth_counts, each_row, one_image, png
from pairs.format import PairsFile
from scene.symmetry import as_bop

BOP_FOLDERS = ("train", "val", "test")
"""of our splits, under BOP's names"""


def write_bop(pairs: PairsFile, folder: Path, config: ExportConfig) -> None:
    """The occluded crops as images of their own cameras; one scene a recording in each split."""
    del config
    _write_bop_model(pairs, folder / "models")
    (folder / "camera.json").write_text(json.dumps(_bop_camera(pairs, 0) | {"width": pairs.size, "height": pairs.size}))
    scenes: dict[Path, dict[str, dict[str, Any]]] = {}
    for row in each_row(pairs):
        recording = int(pairs.column("recording")[row])
        scene = folder / BOP_FOLDERS[pairs.split[row]] / f"{recording:06d}"
        for name, content in _bop_images(pairs, row).items():
            (scene / name).parent.mkdir(parents=True, exist_ok=True)
            (scene / name).write_bytes(content)
        pose = pairs.camera_from_object[row]
        tables = scenes.setdefault(scene, {"scene_camera": {}, "scene_gt": {}, "scene_gt_info": {}})
        tables["scene_camera"][str(row)] = {
            "cam_K": pairs.column("crop_matrix")[row].ravel().tolist(),
            "depth_scale": DEPTH_COUNT * 1000,
        }
        tables["scene_gt"][str(row)] = [
            {"obj_id": 1, "cam_R_m2c": pose[:3, :3].ravel().tolist(), "cam_t_m2c": (1000 * pose[:3, 3]).tolist()}
        ]
        tables["scene_gt_info"][str(row)] = [_bop_info(pairs, row)]
    for scene, tables in scenes.items():
        for name, table in tables.items():
            (scene / f"{name}.json").write_text(json.dumps(table))


def _write_bop_model(pairs: PairsFile, folder: Path) -> None:
    """The mesh in millimetres; its origin stays the tracker's, which BOP allows."""
    folder.mkdir()
    model = pairs.object_model
    mesh = model.mesh.copy()
    mesh.apply_scale(1000)
    (folder / "obj_000001.ply").write_bytes(mesh.export(file_type="ply", encoding="ascii", vertex_normal=True))
    low, size = 1000 * model.vertices.min(axis=0), 1000 * np.ptp(model.vertices, axis=0)
    info = {"diameter": 1000 * model.diameter}
    info |= {f"min_{axis}": float(value) for axis, value in zip("xyz", low, strict=True)}
    info |= {f"size_{axis}": float(value) for axis, value in zip("xyz", size, strict=True)}
    (folder / "models_info.json").write_text(json.dumps({"1": info | as_bop(pairs.symmetries)}))


def _bop_camera(pairs: PairsFile, row: int) -> dict[str, float]:
    """Of the first crop; each image's own stands in scene_camera.json."""
    matrix = pairs.column("crop_matrix")[row] if len(pairs) else np.eye(3)
    places = {"fx": (0, 0), "fy": (1, 1), "cx": (0, 2), "cy": (1, 2)}
    return {name: float(matrix[at]) for name, at in places.items()} | {"depth_scale": DEPTH_COUNT * 1000}


def _bop_images(pairs: PairsFile, row: int) -> dict[str, bytes]:
    amodal, visible = (one_image(pairs, f"mask_{kind}", row).astype(np.uint8) * 255 for kind in ("amodal", "visible"))
    return {
        f"rgb/{row:06d}.png": png(one_image(pairs, "occluded/color", row)),
        f"depth/{row:06d}.png": png(depth_counts(pairs, "occluded", row)),
        f"mask/{row:06d}_000000.png": png(amodal),
        f"mask_visib/{row:06d}_000000.png": png(visible),
    }


def _bop_info(pairs: PairsFile, row: int) -> dict[str, Any]:
    amodal, visible = (one_image(pairs, f"mask_{kind}", row) for kind in ("amodal", "visible"))
    measured = depth_counts(pairs, "occluded", row) > 0
    return {
        "bbox_obj": bop_box(amodal),
        "bbox_visib": bop_box(visible),
        "px_count_all": int(amodal.sum()),
        "px_count_valid": int((amodal & measured).sum()),
        "px_count_visib": int(visible.sum()),
        "visib_fract": float(pairs.visibility[row]),
    }
