"""All three crops of each pair, with masks and facts: as files in folders, or in tar files for streaming."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from pairs.config import ExportConfig
from pairs.export_images import DEPTH_COUNT, depth_counts, each_row, one_image, png
from pairs.format import BACKGROUND_NAMES, ORIGIN_NAMES, PairsFile
from scene.progress import track
from scene.splits import SPLIT_NAMES

IMAGES = ("occluded", "rendered", "clean")
SMALL = ("camera_from_object", "quaternion_wxyz", "crop_matrix", "crop_box", "visibility", "visibility_lost_hand",
         "visibility_lost_self", "visibility_lost_truncation", "visibility_lost_other", "confidence", "timestamp_s",
         "frame_index", "hand_frame", "background_frame")  # fmt: skip
"""fields that are written as they are; the codes of others by their names"""


def write_folder(pairs: PairsFile, folder: Path, config: ExportConfig) -> None:
    """SPLIT/ROW.KIND.png and SPLIT/ROW.json for each pair."""
    del config
    for row in each_row(pairs):
        place = folder / SPLIT_NAMES[pairs.split[row]]
        place.mkdir(exist_ok=True)
        for name, content in row_files(pairs, row).items():
            (place / f"{row:06d}.{name}").write_bytes(content)


def write_webdataset(pairs: PairsFile, folder: Path, config: ExportConfig) -> None:
    """SPLIT-NNNNNN.tar with the same files; a row's files follow each other, as WebDataset wants them."""
    for code, split in enumerate(SPLIT_NAMES):
        rows = np.flatnonzero(pairs.split == code)
        for shard, start in enumerate(range(0, len(rows), config.shard_rows)):
            with tarfile.open(folder / f"{split}-{shard:06d}.tar", "w") as tar:
                for row in track(rows[start : start + config.shard_rows].tolist(), f"{split} {shard}"):
                    for name, content in row_files(pairs, row).items():
                        entry = tarfile.TarInfo(f"{row:06d}.{name}")
                        entry.size = len(content)
                        tar.addfile(entry, io.BytesIO(content))


def row_files(pairs: PairsFile, row: int) -> dict[str, bytes]:
    """Name after the row's number -> content."""
    files = {}
    for kind in IMAGES:
        files[f"{kind}.png"] = png(one_image(pairs, f"{kind}/color", row))
        files[f"{kind}_depth.png"] = png(depth_counts(pairs, kind, row))
    for kind in ("amodal", "visible"):
        files[f"mask_{kind}.png"] = png(one_image(pairs, f"mask_{kind}", row).astype(np.uint8) * 255)
    return files | {"json": json.dumps(_facts(pairs, row)).encode()}


def _facts(pairs: PairsFile, row: int) -> dict[str, Any]:
    facts: dict[str, Any] = {name: pairs.column(name)[row].tolist() for name in SMALL}
    facts |= {"origin": ORIGIN_NAMES[pairs.origin[row]], "depth_unit_m": DEPTH_COUNT}
    facts["background"] = BACKGROUND_NAMES[pairs.column("background")[row]]
    return facts | {"recording": pairs.recordings[int(pairs.column("recording")[row])].name}
