"""FORMAT of session.track.h5: for every frame a status, and a pose only where the tracker stands by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from enum import IntEnum
from pathlib import Path
from typing import get_args

import h5py
import numpy as np

from scene.arrays import Floats, Integers
from scene.errors import InputError
from scene.files import new_file, open_file
from scene.hand_shape import HandShape, Side
from scene.schema import Field, Schema
from scene.symmetry import SYMMETRY_FIELDS, Symmetries, read_symmetries, write_symmetries


class TrackStatus(IntEnum):
    """What is known of the object, or of the hand, in one frame."""

    ABSENT = 0
    """nothing of it is in view"""
    LOST = 1
    """it may be in view, and no pose can be vouched for"""
    TRACKED = 2
    """the pose is an estimate that passed the quality test"""


HAND_RESIDUAL_MEANING = "hand: the same; NaN where none was tried; absent in the tracks of earlier releases"
_HAND_SHAPE_FIELDS = (
    Field("hand_shape/base_offsets", (5, 3), "float64", "m", "hand", "joint at which each finger begins"),
    Field("hand_shape/base_rotations", (5, 3, 3), "float64", "", "hand", "hand_from_finger at zero angles"),
    Field("hand_shape/phalanx_lengths", (5, 3), "float64", "m", "", "length of each bone, from the palm outwards"),
    Field("hand_shape/radii", (5, 4), "float64", "m", "", "radius of the flesh at each joint and tip"),
    Field(
        "hand_shape/palm_segments", ("palm_segments", 2, 3), "float64", "m", "hand", "end points of the palm's capsules"
    ),
    Field("hand_shape/palm_radii", ("palm_segments", 2), "float64", "m", "", "radii at those end points"),
)

TRACK = Schema(
    "track",
    1,
    "The tracker's answer: one row a frame, NaN wherever nothing was estimated.",
    (
        Field("status", ("frames",), "int8", "", "", "object: 0 ABSENT, 1 LOST, 2 TRACKED"),
        Field("hand_status", ("frames",), "int8", "", "", "hand: 0 ABSENT, 1 LOST, 2 TRACKED"),
        Field("timestamp_s", ("frames",), "float64", "s", "", "of the session's frame, on the device's clock"),
        Field("camera_from_object", ("frames", 4, 4), "float64", "m", "camera", "object pose; NaN unless TRACKED"),
        Field("camera_from_hand", ("frames", 4, 4), "float64", "m", "camera", "hand pose; NaN unless TRACKED"),
        Field("hand_angles", ("frames", 20), "float64", "rad", "", "joint angles as ANGLE_NAMES; NaN unless TRACKED"),
        Field("joints_camera", ("frames", 21, 3), "float64", "m", "camera", "as JOINT_NAMES; NaN unless TRACKED"),
        Field("confidence", ("frames",), "float64", "", "", "object: chance that the pose is right; NaN = not tried"),
        Field("hand_confidence", ("frames",), "float64", "", "", "hand: the same"),
        Field("objective", ("frames",), "float64", "", "", "value reached; NaN where nothing was tried"),
        Field("objective_terms", ("frames", "terms"), "float64", "", "", "its terms, named in the attribute `terms`"),
        Field("residual", ("frames",), "float64", "m", "", "median distance of the object's points to its surface"),
        Field("hand_residual", ("frames",), "float64", "m", "", HAND_RESIDUAL_MEANING, True),
        Field("visibility", ("frames",), "float64", "", "", "part of the object that is not hidden; NaN unknown"),
        Field("spread_translation", ("frames",), "float64", "m", "", "object: deviation over the swarm's better half"),
        Field("spread_rotation", ("frames",), "float64", "rad", "", "object: the same, of the angle"),
        *_HAND_SHAPE_FIELDS,
        *SYMMETRY_FIELDS,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Track:
    """A whole track in memory; the arrays are those of TRACK."""

    status: Integers
    hand_status: Integers
    timestamp_s: Floats
    camera_from_object: Floats
    camera_from_hand: Floats
    hand_angles: Floats
    joints_camera: Floats
    confidence: Floats
    hand_confidence: Floats
    objective: Floats
    objective_terms: Floats
    residual: Floats
    hand_residual: Floats
    visibility: Floats
    spread_translation: Floats
    spread_rotation: Floats
    hand_shape: HandShape
    terms: tuple[str, ...]
    """names of the columns of objective_terms"""
    session_name: str
    """file name of the session that was tracked"""
    session_sha256: str
    """hash of that file"""
    symmetries: Symmetries = field(default_factory=Symmetries.none)
    """of the object, declared or detected"""

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.status)


ROW_FIELDS = tuple(part.name for part in TRACK.fields if part.shape[:1] == ("frames",))
"""the arrays with one row a frame"""


_ATTRIBUTES = ("hand_side", "terms", "session_name", "session_sha256")


ROWS_AT_ONCE = 4096
TRACK_ENDING = ".track.h5"


def track_path_of(session: Path) -> Path:
    """session.h5 -> session.track.h5, beside it."""
    return session.with_suffix(TRACK_ENDING)


def session_and_track(path: Path, track: Path | None) -> tuple[Path, Path]:
    """Of a session's path and its track's, if that is not beside it; either may be named where one is asked for."""
    if track is None and path.name.endswith(TRACK_ENDING):
        return path.with_name(path.name.removesuffix(TRACK_ENDING) + ".h5"), path
    return path, track or track_path_of(path)


@contextmanager
def new_track(path: Path, track: Track, *, overwrite: bool) -> Iterator[h5py.File]:
    """Writes a whole track and yields the file, for its provenance, before it gets its name."""
    with new_file(path, TRACK, overwrite=overwrite) as file:
        for name in ROW_FIELDS:
            _write_rows(file, name, getattr(track, name))
        for part in _HAND_SHAPE_FIELDS:
            file[part.name] = getattr(track.hand_shape, Path(part.name).name)
        write_symmetries(file, track.symmetries)
        file.attrs["hand_side"] = track.hand_shape.side
        file.attrs["terms"] = ",".join(track.terms)
        file.attrs["session_name"], file.attrs["session_sha256"] = track.session_name, track.session_sha256
        yield file


def _write_rows(file: h5py.File, name: str, rows: Floats | Integers) -> None:
    """In pieces: a long track's rows may lie on disk."""
    dataset = file.create_dataset(name, rows.shape, TRACK.field(name).dtype)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        dataset[start : start + ROWS_AT_ONCE] = rows[start : start + ROWS_AT_ONCE]


def open_track(path: Path) -> Track:
    """Reads and checks a track file."""
    with open_file(path, TRACK) as file:
        rows = {name: file[name][:] for name in ROW_FIELDS if name in file}
        rows.setdefault("hand_residual", np.full(len(rows["status"]), np.nan))
        _check_statuses(path, rows)
        missing = [name for name in _ATTRIBUTES if name not in file.attrs]
        if missing:
            raise InputError(f"{path} must have the attributes {', '.join(missing)}; track the session again")
        side = file.attrs["hand_side"]
        if side not in get_args(Side):
            raise InputError(f"{path} must name the hand's side left or right, has {side!r}; track the session again")
        shape = {part.name: file[f"hand_shape/{part.name}"][:] for part in fields(HandShape) if part.name != "side"}
        return Track(
            **rows,
            hand_shape=HandShape(side=side, **shape),
            terms=tuple(str(file.attrs["terms"]).split(",")),
            session_name=str(file.attrs["session_name"]),
            session_sha256=str(file.attrs["session_sha256"]),
            symmetries=read_symmetries(file),
        )


def _check_statuses(path: Path, rows: dict[str, Floats]) -> None:
    status = rows["status"]
    if not np.isin(status, list(TrackStatus)).all() or not np.isin(rows["hand_status"], list(TrackStatus)).all():
        raise InputError(f"{path} must hold statuses 0, 1 or 2 only; track the session again")
    claimed = status == TrackStatus.TRACKED
    hand_claimed = rows["hand_status"] == TrackStatus.TRACKED
    hand_rows = [rows[name][hand_claimed] for name in ("camera_from_hand", "hand_angles", "joints_camera")]
    known = [np.isfinite(values).all() for values in (rows["camera_from_object"][claimed], *hand_rows)]
    if not all(known):
        raise InputError(f"{path} calls frames TRACKED that have no pose; track the session again")
