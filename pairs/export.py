"""Pairs as others read them; a folder appears under its name when it is complete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pairs.config import ExportConfig, ExportName
from pairs.export_bop import write_bop
from pairs.export_coco import write_coco
from pairs.export_folder import write_folder, write_webdataset
from pairs.format import PairsFile, open_pairs
from scene.files import new_folder


def export(config: ExportConfig) -> int:
    """Runs the command; the number of pairs."""
    writers: dict[ExportName, Callable[[PairsFile, Path, ExportConfig], None]] = {
        "bop": write_bop, "coco": write_coco, "folder": write_folder, "webdataset": write_webdataset,
    }  # fmt: skip
    with new_folder(config.output, config, overwrite=config.overwrite) as folder, open_pairs(config.pairs) as pairs:
        writers[config.format](pairs, folder, config)
        return len(pairs)
