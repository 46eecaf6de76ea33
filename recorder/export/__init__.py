"""`recorder export`: a session as a folder of images, a TUM sequence, a BOP data set or a video.

In: a session. Out: a folder, or a file, complete or absent. What `recorder capture --source` reads back from the first
three is what was exported, truth included.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recorder.config import ExportConfig
from recorder.export.bop import write_bop
from recorder.export.folder import write_folder
from recorder.export.tum import write_tum
from recorder.export.video import write_video
from recorder.session import Session, open_session
from scene.errors import InputError
from scene.files import as_json, refuse_existing, sha256

MARK = "exported.json"
"""in every exported folder: what it was made of, and that it may be replaced"""
WRITERS: dict[str, Callable[[Session, Path], None]] = {
    "folder": write_folder,
    "tum": write_tum,
    "bop": write_bop,
}


def export(config: ExportConfig) -> Path:
    """Writes the export; its path."""
    ending = ".mp4" if config.format == "video" else f".{config.format}"
    output = config.output or config.session.with_suffix(ending)
    refuse_existing(output, overwrite=config.overwrite)
    with open_session(config.session) as session:
        if config.format == "video":
            write_video(session, output, config.fps, overwrite=config.overwrite)
        else:
            _write_whole(session, output, WRITERS[config.format], config)
    return output


def _write_whole(session: Session, output: Path, write: Callable[[Session, Path], None], config: ExportConfig) -> None:
    """Fills a folder beside its place, then puts it there."""
    if output.exists() and not (output / MARK).is_file():
        raise InputError(f"{output} was not made by recorder export, so it is not replaced; give another --output")
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        write(session, partial)
        made_of = {"session": config.session.name, "sha256": sha256(config.session), "configuration": as_json(config)}
        (partial / MARK).write_text(json.dumps(made_of, indent=1), encoding="utf-8")
        if output.exists():
            shutil.rmtree(output)
        partial.rename(output)
    except OSError as error:
        raise InputError(
            f"{output} could not be written ({error}); free some space or give another --output"
        ) from error
    finally:
        with suppress(OSError):
            shutil.rmtree(partial, ignore_errors=True)
