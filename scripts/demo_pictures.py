"""Pictures for the demo's page: frames with what was tracked in them, and rows of pairs; as data of an <img>."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from pairs.format import ORIGIN_NAMES, open_pairs
from pairs.page import COLUMNS, contact_row
from recorder.session import open_session
from scene.arrays import Bytes
from scene.drawing import open_drawer
from tracker.overlay import OUTLINE, object_body, outline, with_skeleton
from tracker.track import Track, TrackStatus, open_track, track_path_of

FRAMES, PAIRS = 9, 10
"""how many are shown"""


def track_pictures(session_path: Path) -> list[tuple[str, str]]:
    """(text, picture) of frames spread over a tracked session."""
    track = open_track(track_path_of(session_path))
    drawer = open_drawer()
    pictures = []
    with open_session(session_path) as session:
        for index in np.linspace(0, len(session) - 1, FRAMES).round().astype(int):
            picture = session.frame(int(index)).color.copy()
            if track.status[index] == TrackStatus.TRACKED and session.object_model is not None:
                pose = track.camera_from_object[index]
                picture[outline(object_body(session.object_model), pose, session.camera, drawer)] = OUTLINE
            if track.hand_status[index] == TrackStatus.TRACKED:
                picture = with_skeleton(picture, session.camera.project(track.joints_camera[index]))
            pictures.append((_caption(track, int(index)), image_data(picture)))
    drawer.close()
    return pictures


def pair_rows(path: Path) -> tuple[tuple[str, ...], list[tuple[str, list[str]]]]:
    """Names of the columns, and (text, pictures) of pairs spread over the file."""
    with open_pairs(path) as pairs:
        rows = np.linspace(0, len(pairs) - 1, PAIRS).round().astype(int).tolist()
        texts = [f"{ORIGIN_NAMES[pairs.origin[row]]}, {pairs.visibility[row]:.0%} visible" for row in rows]
        return COLUMNS, [
            (text, [image_data(picture) for picture in contact_row(pairs, row)])
            for text, row in zip(texts, rows, strict=True)
        ]


def image_data(picture: Bytes) -> str:
    """A PNG inside the page."""
    stream = io.BytesIO()
    imageio.imwrite(stream, picture, extension=".png")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _caption(track: Track, index: int) -> str:
    names = [TrackStatus(status[index]).name for status in (track.status, track.hand_status)]
    return f"frame {index}: object {names[0]}, hand {names[1]}"
