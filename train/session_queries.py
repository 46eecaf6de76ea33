"""A session -> one crop for each frame in which the object is: where its track has it, or about one pixel.

The only file of this package that reads sessions and tracks (live.py reads a sensor): training itself sees pairs alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from pairs.format import center_of
from recorder.session import SESSION, Session, open_session
from scene.errors import InputError
from scene.files import sha256
from scene.progress import track as progress
from scene.transforms import apply
from tracker.track import TrackStatus, open_track, track_path_of
from train.config import Predict
from train.model import Settings
from train.query import Query, center_behind, cut_query


def is_session(path: Path) -> bool:
    """Whether a file says that it is a session."""
    try:
        with h5py.File(path, "r") as file:
            return bool(file.attrs.get("format") == SESSION.format)
    except OSError:
        return False


def session_queries(config: Predict, settings: Settings) -> list[Query]:
    """The crops of a session's frames; those in which the object was not found are left out.

    Raises:
        InputError: the network takes other images, the session has another object, there is neither track nor --at.
    """
    path = config.source
    assert path is not None
    if settings.channels == 3:
        raise InputError(f"this network takes colour alone, {path} holds RGB-D frames; give it an image")
    with open_session(path) as session:
        model = session.object_model
        if model is not None and not np.isclose(model.diameter, settings.diameter, rtol=0.01):
            raise InputError(
                f"this network was trained on {settings.object} of {1000 * settings.diameter:.0f} mm, {path} shows "
                f"{model.name} of {1000 * model.diameter:.0f} mm; give a session of the same object"
            )
        found = list(_at_pixel(session, config.at, settings) if config.at else _along_track(session, config, settings))
    if not found:
        raise InputError(
            f"the object must be found in some frame of {path} and is in none; track it again, or give --at"
        )
    return found


def _along_track(session: Session, config: Predict, settings: Settings) -> Iterator[Query]:
    path, model = config.track or track_path_of(session.path), session.object_model
    if model is None or not path.exists():
        missing = "the object's mesh" if model is None else f"its track {path}"
        raise InputError(
            f"where the object is in {session.path} is told by its track, and {missing} is missing; "
            f"run: tracker run {session.path}, or give --at U V, a pixel on an object that stays there"
        )
    track = open_track(path)
    if track.session_sha256 != sha256(session.path) or len(track) != len(session):
        raise InputError(f"{path} must be the track of {session.path} and is of another; give its own --track")
    center_object = center_of(model)[None]
    for index in progress(np.flatnonzero(track.status == TrackStatus.TRACKED), "cut"):
        frame, center = session.frame(int(index)), apply(track.camera_from_object[index], center_object)[0]
        yield cut_query(f"frame {index}", frame.color, frame.depth, session.camera, center, settings)


def _at_pixel(session: Session, at: tuple[int, int], settings: Settings) -> Iterator[Query]:
    """Frames with nothing measured about the pixel are left out."""
    for index in progress(range(len(session)), "cut"):
        frame = session.frame(index)
        center = center_behind(*at, frame.depth, session.camera, settings.diameter)
        if center is not None:
            yield cut_query(f"frame {index}", frame.color, frame.depth, session.camera, center, settings)
