"""The format of `pairs.h5`: schema, writer, reader. One row is one pair: what a camera saw, with and without the hand.

Three crops of one view stand side by side: `occluded` (the recording's, or a rendered view before a background of the
recording: `origin` says which), `rendered` (tracked hand and object on black), `clean` (the object alone on black, at
the same pose, in the same light and noise).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from scene.arrays import Booleans, Bytes, Floats, Integers
from scene.errors import InputError, SchemaError
from scene.files import new_file, open_file
from scene.object_model import ObjectModel, read_object, write_object
from scene.rotations import matrix_from_quaternion
from scene.schema import Field, Schema, stored_dtype
from scene.splits import SPLIT_NAMES as SPLIT_NAMES
from scene.splits import TEST as TEST
from scene.splits import TRAIN as TRAIN
from scene.splits import VALIDATION as VALIDATION

REAL, RENDERED = 0, 1
"""values of `origin`: the occluded crop is the recording's / is a rendering of the tracked hand and object from another
viewpoint, before a background cut from the recording"""
ORIGIN_NAMES = ("real", "rendered")

DEPTH_STEPS = 32767
"""stored depth is 1 + DEPTH_STEPS (normalised + 1): 1..65535, and 0 for no measurement"""
NORMALISED = "(z - z of the object's centre) / diameter, clipped to -1..1, as 1 + 32767 (x + 1); 0 = no measurement"
BACKGROUND = {
    "occluded": "the recording's, or a rendering before its background",
    "rendered": "tracked hand and object on black",
    "clean": "the object alone on black",
}


def _row(name: str, shape: tuple[int | str, ...], dtype: str, unit: str, frame: str, meaning: str) -> Field:
    return Field(name, ("pairs", *shape), dtype, unit, frame, meaning)


def _crops(kind: str) -> tuple[Field, Field]:
    return (
        _row(f"{kind}/color", ("size", "size", 3), "uint8", "", "camera", f"RGB crop: {BACKGROUND[kind]}."),
        _row(f"{kind}/depth", ("size", "size"), "uint16", "", "camera", f"Depth of that crop: {NORMALISED}."),
    )


PAIRS = Schema(
    "pairs",
    1,
    "Crops of an object in a hand, each beside what it would be without the hand, with the object's pose.",
    (
        *_crops("occluded"),
        *_crops("rendered"),
        *_crops("clean"),
        _row("mask_amodal", ("size", "size"), "bool", "", "", "The object's whole silhouette, hidden parts included."),
        _row("mask_visible", ("size", "size"), "bool", "", "", "What of it the occluded crop shows."),
        _row("quaternion_wxyz", (4,), "float64", "", "camera", "Unit quaternion of camera_from_object, w >= 0."),
        _row("camera_from_object", (4, 4), "float64", "m", "camera", "Object pose, in the recording's camera."),
        _row("camera_from_view", (3, 3), "float64", "", "camera", "Turns a view straight at the object to the camera."),
        _row("crop_matrix", (3, 3), "float64", "px", "", "Intrinsics of the crops; project with it and the pose."),
        _row("crop_box", (4,), "float64", "px", "", "Left, top, right, bottom edge in the recording's pixels."),
        _row("visibility", (), "float64", "", "", "Visible / amodal pixels."),
        _row("visibility_lost_hand", (), "float64", "", "", "Part of the amodal mask behind something nearer."),
        _row("visibility_lost_self", (), "float64", "", "", "0: the amodal mask is what faces the camera already."),
        _row("visibility_lost_truncation", (), "float64", "", "", "Part of the amodal mask outside of the image."),
        _row("visibility_lost_other", (), "float64", "", "", "Part where the camera sees past it: error of the pose."),
        _row("confidence", (), "float64", "", "", "The tracker's, of the object in that frame; 0..1."),
        _row("frame_index", (), "int64", "", "", "Frame of the session that the row comes from."),
        _row("hand_frame", (), "int64", "", "", "Frame whose tracked hand is drawn; -1 = none is."),
        _row("timestamp_s", (), "float64", "s", "", "Of that frame, on the sensor's clock."),
        _row("split", (), "uint8", "", "", "0 train, 1 validation, 2 test: by blocks of time, of either origin."),
        _row("origin", (), "uint8", "", "", "Of the occluded crop: 0 real (recorded), 1 rendered (another viewpoint)."),
        Field("left_out/frame_index", ("left_out",), "int64", "", "", "Frames of the session that gave no pair."),
        Field("left_out/reason", ("left_out",), "str", "", "", "Why not."),
        Field("object/vertices", ("vertices", 3), "float64", "m", "object", "Vertices of the object's mesh."),
        Field("object/faces", ("faces", 3), "int32", "", "", "Triangles, as indices into object/vertices."),
        Field("object/vertex_colors", ("vertices", 3), "uint8", "", "", "RGB of each vertex."),
    ),
)  # fmt: skip

ROW_FIELDS = tuple(field for field in PAIRS.fields if field.shape[0] == "pairs")
ROWS_A_BLOCK = 64
"""rows that are gathered before they are written"""

Numbers = TypeVar("Numbers")


def center_of(model: ObjectModel) -> Floats:
    """(3,) metres, object frame: the middle of the mesh's bounding box, about which crops and depth are taken."""
    middle: Floats = (model.vertices.min(axis=0) + model.vertices.max(axis=0)) / 2
    return middle


def stored_depth(depth: Floats, center_z: float, diameter: float) -> NDArray[np.uint16]:
    """(...) metres, 0 = no measurement -> as the file keeps it."""
    normalised = np.clip((depth - center_z) / diameter, -1, 1)
    stored = np.where(depth > 0, 1 + np.rint(DEPTH_STEPS * (normalised + 1)), 0)
    return stored.astype(np.uint16)


def normalised_depth(stored: Numbers) -> Numbers:
    """Stored depth as any array of floats -> -1..1, diameters about the object's centre; not where it is 0."""
    number: Any = stored
    normalised: Numbers = (number - 1) / DEPTH_STEPS - 1
    return normalised


def metric_depth(stored: Integers, center_z: float, diameter: float) -> Floats:
    """(...) as stored -> float32 metres, 0 = no measurement; what was clipped stays one diameter from the centre."""
    depth = center_z + diameter * normalised_depth(stored.astype(np.float32))
    metres: Floats = np.where(stored > 0, depth, 0).astype(np.float32)
    return metres


@dataclass(frozen=True)
class Crop:
    """Colour and stored depth of one crop."""

    color: Bytes
    """(size, size, 3) RGB"""
    depth: NDArray[np.uint16]
    """(size, size) as stored_depth makes it"""


@dataclass(frozen=True)
class Pair:
    """One row; the fields are those of PAIRS."""

    occluded: Crop
    rendered: Crop
    clean: Crop
    mask_amodal: Booleans
    mask_visible: Booleans
    quaternion_wxyz: Floats
    camera_from_object: Floats
    camera_from_view: Floats
    crop_matrix: Floats
    crop_box: Floats
    visibility: float
    visibility_lost_hand: float
    visibility_lost_self: float
    visibility_lost_truncation: float
    visibility_lost_other: float
    confidence: float
    frame_index: int
    hand_frame: int
    timestamp_s: float
    split: int
    origin: int


class PairsWriter:
    """Appends rows to an open file; made by new_pairs."""

    def __init__(self, file: h5py.File, model: ObjectModel, size: int) -> None:
        self.file, self._size, self.count = file, size, 0
        self._waiting: list[Pair] = []
        self._left_out: list[tuple[int, str]] = []
        write_object(file.create_group("object"), model)
        file.attrs["diameter"], file.attrs["center_object"] = model.diameter, center_of(model)
        self._streams = {field.name: _new_stream(file, field, size) for field in ROW_FIELDS}

    def append(self, pair: Pair) -> None:
        """Adds a row at the end."""
        if pair.mask_amodal.shape != (self._size, self._size):
            raise InputError(f"crops must be {self._size} px wide in this file, got {pair.mask_amodal.shape}")
        self._waiting.append(pair)
        self.count += 1
        if len(self._waiting) == ROWS_A_BLOCK:
            self._write_waiting()

    def leave_out(self, frame_index: int, reason: str) -> None:
        """Says why a frame gives no pair."""
        self._left_out.append((frame_index, reason))

    def finish(self) -> None:
        """Writes what waits; new_pairs calls it."""
        self._write_waiting()
        left_out = sorted(self._left_out)
        self.file["left_out/frame_index"] = np.array([frame for frame, _ in left_out], np.int64)
        reasons = self.file.create_dataset("left_out/reason", (len(left_out),), h5py.string_dtype())
        reasons[:] = [reason for _, reason in left_out]

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        values = _columns(self._waiting)
        for name, stream in self._streams.items():
            start = len(stream)
            stream.resize(start + len(self._waiting), axis=0)
            stream[start:] = values[name]
        self._waiting.clear()


@contextmanager
def new_pairs(path: Path, model: ObjectModel, size: int, *, overwrite: bool) -> Iterator[PairsWriter]:
    """A pairs file to fill; it gets its name when the block ends well, and leaves nothing behind otherwise."""
    with new_file(path, PAIRS, overwrite=overwrite) as file:
        writer = PairsWriter(file, model, size)
        yield writer
        writer.finish()


class PairsFile:
    """A pairs file open for reading; images are read when asked for. Open it anew in each worker of a data loader."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        """Takes a file that keeps to PAIRS and checks what a table of shapes cannot say."""
        self._file, self.path = file, path
        self.size = int(file["mask_amodal"].shape[1])
        found = _value_faults(self)
        if found:
            raise SchemaError(f"{path} cannot be used: {'; '.join(found)}; make it again with make-pairs")

    def __len__(self) -> int:
        return int(self._file["split"].shape[0])

    def read(self, field: str, start: int, stop: int) -> NDArray[Any]:
        """Rows start..stop of a field: the fast way."""
        values: NDArray[Any] = self._file[field][start:stop]
        return values

    def read_rows(self, field: str, rows: Sequence[int] | Integers) -> NDArray[Any]:
        """Any rows of a field, in the order given: one by one, as h5py's indexing by a list is far slower."""
        stored = self._file[field]
        values = np.empty((len(rows), *stored.shape[1:]), stored.dtype)
        for at in np.argsort(rows, kind="stable"):  # sorted, so that the disk is read forwards
            values[at] = stored[int(rows[at])]
        return values

    def column(self, field: str) -> NDArray[Any]:
        """All rows of a small field."""
        return self.read(field, 0, len(self))

    @cached_property
    def quaternion_wxyz(self) -> Floats:
        """(N, 4) of camera_from_object."""
        return self.column("quaternion_wxyz")

    @cached_property
    def camera_from_object(self) -> Floats:
        """(N, 4, 4) metres."""
        return self.column("camera_from_object")

    @cached_property
    def visibility(self) -> Floats:
        """(N,) visible / amodal pixels of the object in the occluded crop."""
        return self.column("visibility")

    @cached_property
    def split(self) -> Integers:
        """(N,) TRAIN, VALIDATION or TEST."""
        return self.column("split")

    @cached_property
    def origin(self) -> Integers:
        """(N,) REAL or RENDERED: what the occluded crop is."""
        return self.column("origin")

    @cached_property
    def object_model(self) -> ObjectModel:
        """The object."""
        return read_object(self._file["object"])

    @cached_property
    def left_out(self) -> list[tuple[int, str]]:
        """(frame index, reason) of each frame that gave no pair."""
        reasons = self._file["left_out/reason"].asstr()[:]
        return list(zip(self._file["left_out/frame_index"][:].tolist(), reasons, strict=True))

    def attribute(self, name: str) -> str:
        """One of the file's attributes (command, seed, noise, ...) as text; "" where it has none."""
        return str(self._file.attrs.get(name, ""))


@contextmanager
def open_pairs(path: Path) -> Iterator[PairsFile]:
    """A pairs file, checked and open for reading."""
    with open_file(path, PAIRS) as file:
        yield PairsFile(file, path)


def _value_faults(pairs: PairsFile) -> list[str]:
    found, visibility = [], pairs.visibility
    if not (np.isfinite(visibility) & (visibility >= 0) & (visibility <= 1)).all():
        found.append("visibility must lie in 0..1")
    if not np.isin(pairs.split, (TRAIN, VALIDATION, TEST)).all():
        found.append("split must be 0, 1 or 2")
    if not np.isin(pairs.origin, (REAL, RENDERED)).all():
        found.append("origin must be 0 or 1")
    if not np.isfinite(pairs.camera_from_object).all() or not np.isfinite(pairs.quaternion_wxyz).all():
        return [*found, "every pair must have a pose"]
    norms = np.linalg.norm(pairs.quaternion_wxyz, axis=1)
    if not np.allclose(norms, 1, atol=1e-6):
        found.append("quaternions must be unit")
    elif len(pairs) and not np.allclose(
        matrix_from_quaternion(pairs.quaternion_wxyz), pairs.camera_from_object[:, :3, :3], atol=1e-5
    ):
        found.append("quaternion_wxyz must be the rotation of camera_from_object")
    return found


def _columns(rows: Sequence[Pair]) -> dict[str, NDArray[Any]]:
    columns = {}
    for field in fields(Pair):
        values = [getattr(row, field.name) for row in rows]
        if isinstance(values[0], Crop):
            columns[f"{field.name}/color"] = np.stack([crop.color for crop in values])
            columns[f"{field.name}/depth"] = np.stack([crop.depth for crop in values])
        else:
            columns[field.name] = np.stack(values)
    return columns


def _new_stream(file: h5py.File, field: Field, size: int) -> h5py.Dataset:
    """Empty data set that grows by rows. Images: one row a chunk and LZ4, which random rows read fastest."""
    shape: tuple[Any, ...] = tuple(size if length == "size" else length for length in field.shape[1:])
    image = "size" in field.shape
    return file.create_dataset(
        field.name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=(1 if image else 1024, *shape),
        dtype=stored_dtype(field),
        **(dict(hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=hdf5plugin.Blosc.SHUFFLE)) if image else {}),
    )
