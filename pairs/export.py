"""Pairs as others read them; a folder appears under its name when it is complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pairs.config import ExportConfig, ExportName
from pairs.export_bop import write_bop
from pairs.export_coco import write_coco
from pairs.export_folder import write_folder, write_webdataset
from pairs.format import PairsFile, open_pairs
from scene.errors import InputError
from scene.files import refuse_existing


def export(config: ExportConfig) -> int:
    """Runs the command; the number of pairs."""
    refuse_existing(config.output, overwrite=config.overwrite)
    partial = config.output.with_name(f".{config.output.name}.{os.getpid()}.partial")
    writers: dict[ExportName, Callable[[PairsFile, Path, ExportConfig], None]] = {
        "bop": write_bop, "coco": write_coco, "folder": write_folder, "webdataset": write_webdataset,
    }  # fmt: skip
    try:
        with open_pairs(config.pairs) as pairs:
            partial.mkdir()
            writers[config.format](pairs, partial, config)
            if config.output.exists():
                shutil.rmtree(config.output)
            partial.rename(config.output)
            return len(pairs)
    except OSError as error:
        raise InputError(
            f"{config.output} could not be written ({error}); free some space or give another --output"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
