"""Occluded crops with the visible mask of the object, as COCO has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pairs.config import ExportConfig
from pairs.export_images import bop_box, each_row, one_image, png
from pairs.format import PairsFile
from scene.arrays import Booleans
from scene.splits import SPLIT_NAMES


def write_coco(pairs: PairsFile, folder: Path, config: ExportConfig) -> None:
    """SPLIT/ROW.png of the occluded crops, and SPLIT.json with the masks as run lengths."""
    del config
    tables: dict[str, dict[str, Any]] = {}
    for row in each_row(pairs):
        split = SPLIT_NAMES[pairs.split[row]]
        category = {"id": 1, "name": pairs.object_model.name, "supercategory": "object"}
        empty = {"info": {"description": "unocclude"}, "licenses": [], "categories": [category]}
        table = tables.setdefault(split, empty | {"images": [], "annotations": []})
        (folder / split).mkdir(exist_ok=True)
        name = f"{split}/{row:06d}.png"
        (folder / name).write_bytes(png(one_image(pairs, "occluded/color", row)))
        table["images"].append({"id": row, "file_name": name, "width": pairs.size, "height": pairs.size})
        table["annotations"].append(_coco_annotation(one_image(pairs, "mask_visible", row), row))
    for split, table in tables.items():
        (folder / f"{split}.json").write_text(json.dumps(table))


def _coco_annotation(visible: Booleans, row: int) -> dict[str, Any]:
    x, y, width, height = bop_box(visible)
    box = [x, y, width + 1, height + 1] if visible.any() else [0, 0, 0, 0]
    segmentation = {"counts": run_lengths(visible), "size": list(visible.shape)}
    whole = {"id": row, "image_id": row, "category_id": 1, "iscrowd": 0, "area": int(visible.sum())}
    return whole | {"bbox": box, "segmentation": segmentation}


def run_lengths(mask: Booleans) -> list[int]:
    """Lengths of runs down the columns, the first of them of pixels outside of the mask."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat, prepend=False)).tolist()
    lengths: list[int] = np.diff([0, *changes, len(flat)]).tolist()
    return lengths
