"""`tracker view`: a video of the recording with the track drawn in, or a page with what is to be doubted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import imageio.v2 as imageio
import numpy as np
import tyro

from recorder.session import Session, open_session
from scene.drawing import Drawer, open_drawer
from scene.errors import InputError
from scene.files import new_path, refuse_existing, sha256
from scene.object_model import ObjectModel
from scene.progress import track as shown
from tracker.frame_row import summary
from tracker.overlay import overlay
from tracker.page import write_page
from tracker.track import Track, open_track, session_and_track, track_path_of


@dataclass(frozen=True)
class ViewConfig:
    """Write a video, or with --page a page, of the recording with outline, skeleton and status drawn in."""

    VERB: ClassVar[str] = "view"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """recording"""
    track: Path | None = None
    """its track; SESSION.track.h5 where not given"""
    output: Path | None = None
    """file to write, a page where it ends in .html; SESSION.track.mp4 or SESSION.track.html where not given"""
    page: bool = False
    """a page in one file: status, confidence, and the frames most in doubt first, also from the side and as heat map"""
    frames: int = 24
    """shown on the page"""
    fps: float = 10.0
    """frames a second of the video"""
    drawer: Literal["auto", "egl", "osmesa", "rays"] = "auto"
    """off-screen back-end"""
    overwrite: bool = False
    """replace an existing file"""

    def __post_init__(self) -> None:
        """Refuses a rate at which nothing plays, a page of nothing, and a page named as a video."""
        if not self.fps > 0:
            raise InputError(f"--fps must be above 0, got {self.fps}")
        if self.frames < 1:
            raise InputError(f"--frames must be at least 1, got {self.frames}")
        if self.page and self.output is not None and self.output.suffix != ".html":
            raise InputError(f"a page must be written to a file that ends in .html, got {self.output}")

    @property
    def makes_page(self) -> bool:
        """Whether a page is asked for, by option or by the file's ending."""
        return self.page or (self.output is not None and self.output.suffix == ".html")


def view(config: ViewConfig) -> None:
    """Writes the video or the page, and says where."""
    session_path, track_path = session_and_track(config.session, config.track)
    output = config.output or track_path_of(session_path).with_suffix(".html" if config.page else ".mp4")
    refuse_existing(output, overwrite=config.overwrite)
    track = open_track(track_path)
    with open_session(session_path) as session:
        model = session.object_model
        if track.session_sha256 != sha256(session_path):
            raise InputError(f"{track_path} was not made from {session_path}; track that session again")
        drawer = open_drawer(config.drawer)
        try:
            if config.makes_page:
                facts = {"frames": summary(track), "object": "none", "symmetries": "none"}
                if model is not None:
                    facts |= {"object": model.name, "symmetries": str(track.symmetries)}
                write_page(track, session, model, drawer, output, config.frames, facts, overwrite=config.overwrite)
            else:
                _write_video(track, session, model, drawer, output, config)
        finally:
            drawer.close()
    print(output)


def _write_video(
    track: Track, session: Session, model: ObjectModel | None, drawer: Drawer, output: Path, config: ViewConfig
) -> None:
    with new_path(output, overwrite=config.overwrite) as partial:
        writer: Any = imageio.get_writer(partial, format="FFMPEG", fps=config.fps, macro_block_size=2)
        with writer as video:
            for index in shown(range(len(session)), "drawing"):
                picture = overlay(session.frame(index), track, model, session.camera, drawer)
                video.append_data(np.ascontiguousarray(picture))
