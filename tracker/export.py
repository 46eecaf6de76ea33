"""`tracker export`: a track as what other programs read. In: session.track.h5. Out: one file, complete or absent.

- npz   `status`, `hand_status`, `camera_from_object` (N, 4, 4) metres and `joints_camera` (N, 21, 3) metres, NaN where
        not TRACKED, `confidence`, `hand_confidence`, `timestamp_s`, each of N frames.
- csv   one line a frame: status, confidence, translation in metres and quaternion w x y z; empty where not TRACKED.
- tum   `timestamp tx ty tz qx qy qz qw` of camera_from_object, metres, TRACKED frames only.
- mano  parameters of a MANO hand whose model the user has, tracker/mano_export.py.
- bop   `scene_id,im_id,obj_id,score,R,t,time` as the BOP challenge has it: row-major R, t in millimetres, TRACKED only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import tyro

from scene.arrays import Integers
from scene.errors import InputError
from scene.files import new_path, refuse_existing
from scene.rotations import quaternion_from_matrix
from tracker.brought_hand import brought_model, refuse_betas
from tracker.mano_export import mano_arrays
from tracker.track import Track, TrackStatus, open_track

Format = Literal["npz", "csv", "tum", "bop", "mano"]
ENDINGS: dict[Format, str] = {
    "npz": ".npz",
    "csv": ".csv",
    "tum": ".tum.txt",
    "bop": ".bop.csv",
    "mano": ".mano.npz",
}
NPZ_FIELDS = (
    "status",
    "hand_status",
    "camera_from_object",
    "joints_camera",
    "confidence",
    "hand_confidence",
    "timestamp_s",
)
CSV_HEADER = ("frame", "timestamp_s", "status", "confidence", "tx", "ty", "tz", "qw", "qx", "qy", "qz", "hand_status",
              "hand_confidence")  # fmt: skip
BOP_HEADER = ("scene_id", "im_id", "obj_id", "score", "R", "t", "time")
UNKNOWN_TIME = -1
"""BOP's value where the time an image took is not known"""
MM = 1000.0


@dataclass(frozen=True)
class ExportConfig:
    """Write a track as npz, csv, TUM trajectory, BOP results or parameters of MANO."""

    VERB: ClassVar[str] = "export"

    track: tyro.conf.Positional[Path] = Path("session.track.h5")
    """track to export"""
    format: Format = "npz"
    """npz: all of it for numpy; csv: a line a frame; tum: timestamps and poses; bop: results of the BOP challenge;
    mano: the hand's pose as --mano has it, an npz"""
    output: Path | None = None
    """file to write; beside the track where not given"""
    scene_id: int = 1
    """of the BOP results"""
    object_id: int = 1
    """of the BOP results"""
    mano: Path | None = None
    """of --format mano: MANO_RIGHT.pkl or MANO_LEFT.pkl, or an .npz of its arrays"""
    betas: tuple[float, ...] = ()
    """10 shape coefficients of that hand, where they are known; fitted to the track's hand where not given"""
    overwrite: bool = False
    """replace an existing file"""

    def __post_init__(self) -> None:
        """Refuses a model without its format, and the format without a model."""
        if (self.format == "mano") != (self.mano is not None):
            given = f"--format {self.format} {'without' if self.mano is None else 'with'} --mano"
            raise InputError(f"--format mano and --mano FILE belong together, got {given}; give both or none")
        refuse_betas(self.mano, self.betas)


def export(config: ExportConfig) -> None:
    """Writes the file and says where."""
    output = config.output or config.track.with_suffix(ENDINGS[config.format])
    refuse_existing(output, overwrite=config.overwrite)
    track = open_track(config.track)
    content = WRITERS[config.format](track, config)
    with new_path(output, overwrite=config.overwrite) as partial:
        partial.write_bytes(content)
    tracked, hand = (int((status == TrackStatus.TRACKED).sum()) for status in (track.status, track.hand_status))
    print(f"{output}: {len(track)} frames, the object TRACKED in {tracked}, the hand in {hand}")


def npz(track: Track, config: ExportConfig) -> bytes:
    """The arrays of NPZ_FIELDS, without pickles."""
    del config
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(track, name) for name in NPZ_FIELDS})
    return buffer.getvalue()


def mano(track: Track, config: ExportConfig) -> bytes:
    """The arrays of tracker.mano_export, without pickles; says how near the MANO hand is to the tracked one."""
    assert config.mano is not None
    model = brought_model(config.mano, track.hand_shape.side)
    arrays = mano_arrays(track, model, np.array(config.betas) if config.betas else None)
    if (track.hand_status == TrackStatus.TRACKED).any():
        print(
            f"joints of the MANO hand and of the track are {np.nanmean(arrays['fit_error_mm']):.1f} mm apart on average"
        )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def comma_separated(track: Track, config: ExportConfig) -> bytes:
    """One line a frame, its columns CSV_HEADER."""
    del config
    rows = []
    for index in range(len(track)):
        pose: list[object] = [""] * 7
        if track.status[index] == TrackStatus.TRACKED:
            pose = [*track.camera_from_object[index, :3, 3], *_quaternion_wxyz(track, index)]
        statuses = [TrackStatus(code).name for code in (track.status[index], track.hand_status[index])]
        confidences = ["" if np.isnan(c) else c for c in (track.confidence[index], track.hand_confidence[index])]
        rows.append([index, track.timestamp_s[index], statuses[0], confidences[0], *pose, statuses[1], confidences[1]])
    return _table(CSV_HEADER, rows)


def tum(track: Track, config: ExportConfig) -> bytes:
    """A trajectory of the object in camera coordinates, its quaternions x y z w."""
    del config
    lines = ["# timestamp tx ty tz qx qy qz qw: camera_from_object, seconds and metres"]
    for index in _tracked(track):
        w, x, y, z = _quaternion_wxyz(track, index)
        numbers = (track.timestamp_s[index], *track.camera_from_object[index, :3, 3], x, y, z, w)
        lines.append(" ".join(f"{number:.9g}" if at else f"{number:.6f}" for at, number in enumerate(numbers)))
    return ("\n".join(lines) + "\n").encode()


def bop(track: Track, config: ExportConfig) -> bytes:
    """Results of the BOP challenge, the confidence as score."""
    rows = []
    for index in _tracked(track):
        pose = track.camera_from_object[index]
        rotation = " ".join(f"{value:.9g}" for value in pose[:3, :3].ravel())
        translation = " ".join(f"{value:.9g}" for value in pose[:3, 3] * MM)
        score = f"{track.confidence[index]:.6f}"
        rows.append([config.scene_id, index, config.object_id, score, rotation, translation, UNKNOWN_TIME])
    return _table(BOP_HEADER, rows)


WRITERS: dict[Format, Callable[[Track, ExportConfig], bytes]] = {
    "npz": npz,
    "csv": comma_separated,
    "tum": tum,
    "bop": bop,
    "mano": mano,
}


def _tracked(track: Track) -> Integers:
    return np.flatnonzero(track.status == TrackStatus.TRACKED)


def _quaternion_wxyz(track: Track, index: int) -> tuple[float, float, float, float]:
    w, x, y, z = quaternion_from_matrix(track.camera_from_object[index, :3, :3])
    return float(w), float(x), float(y), float(z)


def _table(header: tuple[str, ...], rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
