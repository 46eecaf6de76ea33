"""`tracker view`: a video of the recording with the track drawn in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import imageio.v2 as imageio
import numpy as np
import tyro

from recorder.session import open_session
from scene.drawing import open_drawer
from scene.errors import InputError
from scene.files import refuse_existing, sha256
from scene.progress import track as shown
from tracker.overlay import overlay
from tracker.track import open_track, track_path_of


@dataclass(frozen=True)
class ViewConfig:
    """Write a video of the recording with outline, skeleton and status drawn in."""

    VERB: ClassVar[str] = "view"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """recording"""
    track: Path | None = None
    """its track; SESSION.track.h5 where not given"""
    output: Path | None = None
    """video to write; SESSION.track.mp4 where not given"""
    fps: float = 10.0
    """frames a second of the video"""
    drawer: Literal["auto", "egl", "osmesa", "rays"] = "auto"
    """off-screen back-end"""
    overwrite: bool = False
    """replace an existing video"""

    def __post_init__(self) -> None:
        """Refuses a rate at which nothing plays."""
        if not self.fps > 0:
            raise InputError(f"--fps must be above 0, got {self.fps}")


def view(config: ViewConfig) -> None:
    """Draws every frame and writes the video under a temporary name first."""
    output = config.output or track_path_of(config.session).with_suffix(".mp4")
    refuse_existing(output, overwrite=config.overwrite)
    track_path = config.track or track_path_of(config.session)
    track = open_track(track_path)
    partial = output.with_name(f".partial-{output.name}")
    with open_session(config.session) as session:
        model = session.object_model
        if model is None or track.session_sha256 != sha256(config.session):
            raise InputError(f"{track_path} was not made from {config.session}; track that session again")
        drawer = open_drawer(config.drawer)
        try:
            writer: Any = imageio.get_writer(partial, format="FFMPEG", fps=config.fps, macro_block_size=2)
            with writer as video:
                for index in shown(range(len(session)), "drawing"):
                    video.append_data(
                        np.ascontiguousarray(overlay(session.frame(index), track, model, session.camera, drawer))
                    )
            partial.replace(output)
        finally:
            drawer.close()
            partial.unlink(missing_ok=True)
    print(output)
