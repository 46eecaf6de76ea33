"""`recorder export`: a session as a folder of images, a TUM sequence, a BOP data set or a video.

In: a session. Out: a folder, or a file, complete or absent. What `recorder capture --source` reads back from the first
three is what was exported, truth included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from recorder.config import ExportConfig
from recorder.export.bop import write_bop
from recorder.export.folder import write_folder
from recorder.export.tum import write_tum
from recorder.export.video import write_video
from recorder.session import Session, open_session
from scene.errors import InputError
from scene.files import new_folder, refuse_existing, sha256

WRITERS: dict[str, Callable[[Session, Path], None]] = {
    "folder": write_folder,
    "tum": write_tum,
    "bop": write_bop,
}
COLORED = ("tum", "bop")
"""layouts that are nothing without colour"""


def export(config: ExportConfig) -> Path:
    """Writes the export; its path."""
    ending = ".mp4" if config.format == "video" else f".{config.format}"
    output = config.output or config.session.with_suffix(ending)
    refuse_existing(output, overwrite=config.overwrite, folder=config.format != "video")
    with open_session(config.session) as session:
        if config.format in COLORED and not session.colored:
            raise InputError(
                f"a {config.format} export must have colour, and {config.session} is depth alone; give --format folder"
            )
        if config.format == "video":
            write_video(session, output, config.fps, overwrite=config.overwrite)
        else:
            made_of = {
                "session": config.session.name,
                "sha256": sha256(config.session),
                "configuration": asdict(config),
            }
            with new_folder(output, made_of, overwrite=config.overwrite) as folder:
                WRITERS[config.format](session, folder)
    return output
