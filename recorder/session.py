"""The format of a recording, `session.h5`: schema, writer, reader.

In: what a sensor delivers (SensorFrame), once for the whole recording a SessionHeader. Out: one HDF5 file with one
frame a chunk, depth lossless as the sensor counted it. A recording is never changed after its capture.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, get_args

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from scene.arrays import Booleans, Bytes, Floats, Integers
from scene.camera import Camera
from scene.errors import InputError, SchemaError
from scene.files import open_file, refuse_existing, stamp_format, stamp_provenance
from scene.frame import RgbdFrame
from scene.object_model import ObjectModel, read_object, write_object
from scene.schema import Field, Schema, stored_dtype, validate

HandSide = Literal["right", "left"]
DEPTH_MEANING = "z at each colour pixel as the sensor counted it, times depth_scale = metres; 0 = no measurement."
REGISTRATION_MEANING = "Pose of the depth camera before `depth` was registered to colour; identity = registered by it."


def _truth(name: str, shape: tuple[int, ...], dtype: str, unit: str, meaning: str) -> Field:
    return Field(f"truth/{name}", ("frames", *shape), dtype, unit, "camera" if unit == "m" else "", meaning, True)


def _mesh(name: str, shape: tuple[int | str, ...], dtype: str, unit: str, meaning: str) -> Field:
    return Field(f"object/{name}", shape, dtype, unit, "object" if unit == "m" else "", meaning, True)


SESSION = Schema(
    "session",
    1,
    "A recording: registered colour and depth of a hand that handles one known object, and that object's mesh.",
    (
        Field("color", ("frames", "height", "width", 3), "uint8", "", "camera", "RGB image of each frame."),
        Field("depth", ("frames", "height", "width"), "uint16", "depth_scale m", "camera", DEPTH_MEANING),
        Field("depth_scale", (), "float64", "m", "", "What one count of `depth` stands for."),
        Field("device_time_s", ("frames",), "float64", "s", "", "Time of the frame on the sensor's clock."),
        Field("host_time_s", ("frames",), "float64", "s", "", "Unix time of the frame's arrival; NaN = unknown."),
        Field("dropped_before", ("frames",), "int64", "", "", "Frames lost between the frame before and this one."),
        Field(
            "camera/matrix", (3, 3), "float64", "px", "", "Intrinsics of the colour image; first pixel centre (0, 0)."
        ),
        Field("camera/distortion", (5,), "float64", "", "", "k1, k2, p1, p2, k3 as OpenCV has them; 0 = none."),
        Field("camera/color_from_depth", (4, 4), "float64", "m", "camera", REGISTRATION_MEANING),
        _mesh("vertices", ("vertices", 3), "float64", "m", "Vertices of the object's mesh."),
        _mesh("faces", ("faces", 3), "int32", "", "Triangles, as indices into object/vertices."),
        _mesh("vertex_colors", ("vertices", 3), "uint8", "", "RGB of each vertex."),
        _truth("camera_from_object", (4, 4), "float64", "m", "Object pose."),
        _truth("joints_camera", (21, 3), "float64", "m", "Wrist, then thumb to little from the palm outwards."),
        _truth("joint_visible", (21,), "bool", "", "Nothing but the hand's own skin covers the joint."),
        _truth("camera_from_hand", (4, 4), "float64", "m", "Hand pose."),
        _truth("hand_angles", (20,), "float64", "rad", "Joint angles."),
        _truth("object_visibility", (), "float64", "", "Visible / amodal pixels of the object; NaN = not in view."),
        _truth("hand_visibility", (), "float64", "", "Visible / amodal pixels of the hand; NaN = not in view."),
    ),
)


@dataclass(frozen=True)
class Truth:
    """What a simulated sensor knows; every array with a leading axis of frames, or none for one frame."""

    camera_from_object: Floats
    """(..., 4, 4) metres"""
    joints_camera: Floats
    """(..., 21, 3) metres, NaN = unknown"""
    joint_visible: Booleans
    """(..., 21) nothing but the hand's own skin covers the joint"""
    camera_from_hand: Floats
    """(..., 4, 4) metres, NaN = unknown"""
    hand_angles: Floats
    """(..., 20) radians, NaN = unknown"""
    object_visibility: Floats
    """(...) visible pixels / amodal pixels, NaN = not in view"""
    hand_visibility: Floats
    """(...) visible pixels / amodal pixels, NaN = not in view"""


@dataclass(frozen=True)
class SensorFrame:
    """What a sensor delivers at one time."""

    color: Bytes
    """(height, width, 3) RGB"""
    depth_counts: NDArray[np.uint16]
    """(height, width) z in the sensor's counts, registered to colour; 0 = no measurement"""
    device_time_s: float
    """seconds on the sensor's clock"""
    host_time_s: float = float("nan")
    """seconds on the Unix clock at arrival, NaN = unknown"""
    dropped_before: int = 0
    """frames lost since the frame before"""
    truth: Truth | None = None
    """of this frame, from a simulated sensor"""


@dataclass(frozen=True)
class SessionHeader:
    """What holds for the whole recording."""

    camera: Camera
    """of the colour image, to which depth is registered"""
    depth_scale: float
    """metres that one depth count stands for"""
    sensor: str
    """which back-end recorded"""
    serial: str = ""
    """of the device, or what else tells the source"""
    hand_side: HandSide = "right"
    """the hand that handles the object"""
    object_model: ObjectModel | None = None
    """None where nobody gave one; then no stage after this can track it"""
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """k1, k2, p1, p2, k3 as OpenCV has them"""

    def __post_init__(self) -> None:
        """Refuses a scale that is none."""
        if not (np.isfinite(self.depth_scale) and self.depth_scale > 0):
            raise InputError(f"the depth scale must be positive metres per count, got {self.depth_scale}")


class SessionWriter:
    """Appends frames to a file beside its place; `close` validates and renames it.

    As a context manager it keeps every whole frame also when the body raises (Ctrl-C, a camera unplugged). A process
    killed outright leaves `.NAME.PID.partial`, which `open_session` reads, without at most the last second.
    """

    FLUSH_INTERVAL_S = 1.0

    def __init__(
        self,
        path: Path,
        header: SessionHeader,
        *,
        configuration: object = None,
        seed: int | None = None,
        sources: Mapping[str, Path] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Opens the partial file and writes all that does not change; arguments as stamp_provenance takes them."""
        refuse_existing(path, overwrite=overwrite)
        self.path, self.header, self.count = path, header, 0
        self.partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._flushed_at = time.monotonic()
        try:
            self._file = h5py.File(self.partial, "w")
        except OSError as error:
            raise InputError(f"{path} could not be written ({error}); give another --output") from error
        stamp_format(self._file, SESSION)
        stamp_provenance(self._file, configuration=configuration, seed=seed, sources=sources)
        _write_header(self._file, header)
        self._streams = _new_streams(self._file, header.camera)

    def append(self, frame: SensorFrame) -> None:
        """Adds a frame at the end; raises an InputError that lists everything wrong with it."""
        found = _frame_faults(frame, self.header.camera)
        if self.count and (frame.truth is not None) != ("truth/hand_angles" in self._streams):
            found.append("truth must come with every frame or with none")
        if found:
            raise InputError(f"frame {self.count} from sensor {self.header.sensor}: {'; '.join(found)}")
        if frame.truth is not None and self.count == 0:
            self._streams |= _new_truth_streams(self._file)
        try:
            for name, value in _values(frame).items():
                self._streams[name].resize(self.count + 1, axis=0)
                self._streams[name][self.count] = value
            self.count += 1
            self._flush_now_and_then()
        except OSError as error:
            raise InputError(f"{self.path} cannot grow ({error}); free some space or give another --output") from error

    def _flush_now_and_then(self) -> None:
        now = time.monotonic()
        if self.count == 1 or now - self._flushed_at >= self.FLUSH_INTERVAL_S:
            self._file.flush()
            self._flushed_at = now

    def close(self) -> None:
        """Validates and puts the file in its place; a recording without a frame leaves nothing behind."""
        if not self._file:
            return
        for stream in self._streams.values():  # an interrupt may have come in the middle of a frame
            stream.resize(self.count, axis=0)
        if self.count:
            validate(self._file, SESSION)
        self._file.close()
        if not self.count:
            self.partial.unlink(missing_ok=True)
            return
        try:
            self.partial.replace(self.path)
        except OSError as error:
            raise InputError(f"{self.path} cannot be replaced ({error}); the recording is {self.partial}") from error

    def __enter__(self) -> SessionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Session:
    """A recording open for reading; frames are read when asked for."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        """Takes a file that keeps to SESSION and checks what a table of shapes cannot say."""
        self._file, self.path = file, path
        height, width = file["depth"].shape[1:]
        try:
            self.camera = Camera.from_matrix(file["camera/matrix"][:], width, height)
        except InputError as error:
            raise SchemaError(f"{path} has a camera that cannot be: {error}; record it again") from error
        self.depth_scale = float(file["depth_scale"][()])
        if not (np.isfinite(self.depth_scale) and self.depth_scale > 0):
            raise SchemaError(f"{path} must have a positive depth_scale, has {self.depth_scale}; record it again")
        if len(self) == 0:
            raise SchemaError(f"{path} must hold at least one frame and holds none; record it again")
        self.hand_side: HandSide = file.attrs.get("hand_side", "")
        if self.hand_side not in get_args(HandSide):
            raise SchemaError(f"{path} must say hand_side right or left, says {self.hand_side!r}; record it again")

    def __len__(self) -> int:
        return int(self._file["depth"].shape[0])

    def frame(self, index: int) -> RgbdFrame:
        """The frame at `index`, depth in metres."""
        depth = self.depth_counts(index).astype(np.float32) * np.float32(self.depth_scale)
        return RgbdFrame(index, float(self.timestamps_s[index]), self._file["color"][index], depth)

    def depth_counts(self, index: int) -> NDArray[np.uint16]:
        """(height, width) as the sensor counted, times depth_scale = metres."""
        counts: NDArray[np.uint16] = self._file["depth"][index]
        return counts

    @cached_property
    def timestamps_s(self) -> Floats:
        """(N,) seconds on the sensor's clock."""
        times: Floats = self._file["device_time_s"][:]
        return times

    @cached_property
    def dropped_before(self) -> Integers:
        """(N,) frames lost between the frame before and each one."""
        dropped: Integers = self._file["dropped_before"][:]
        return dropped

    @cached_property
    def object_model(self) -> ObjectModel | None:
        """The known object; None where the recording was made without."""
        with self._whole("object"):
            return read_object(self._file["object"]) if "object" in self._file else None

    @cached_property
    def truth(self) -> Truth | None:
        """All frames' truth; None where the sensor was a real one."""
        if "truth" not in self._file:
            return None
        with self._whole("truth"):
            return Truth(**{field.name: self._file[f"truth/{field.name}"][:] for field in fields(Truth)})

    @contextmanager
    def _whole(self, group: str) -> Iterator[None]:
        """Turns a part that a group lacks, whose fields are optional only all together, into a SchemaError."""
        try:
            yield
        except KeyError as error:
            raise SchemaError(f"{self.path} lacks a part of {group}/ ({error}); record it again") from error

    def attribute(self, name: str) -> str:
        """One of the file's attributes (sensor, serial, command, seed, ...) as text; "" where it has none."""
        return str(self._file.attrs.get(name, ""))


@contextmanager
def open_session(path: Path) -> Iterator[Session]:
    """A recording, or the partial file of a killed one, checked and open for reading."""
    with open_file(path, SESSION) as file:
        yield Session(file, path)


def _write_header(file: h5py.File, header: SessionHeader) -> None:
    file["depth_scale"] = np.float64(header.depth_scale)
    file["camera/matrix"] = header.camera.matrix
    file["camera/distortion"] = np.array(header.distortion, float)
    file["camera/color_from_depth"] = np.eye(4)
    file.attrs["sensor"], file.attrs["serial"] = header.sensor, header.serial
    file.attrs["hand_side"] = header.hand_side
    if header.object_model is not None:
        write_object(file.create_group("object"), header.object_model)


def _new_streams(file: h5py.File, camera: Camera) -> dict[str, h5py.Dataset]:
    """Empty data sets that grow by frames. Images: one frame a chunk, so that any frame reads alone."""
    image: dict[int | str, int | str] = {"height": camera.height, "width": camera.width}
    streams = {}
    for field in SESSION.fields:
        if field.shape[:1] != ("frames",) or field.optional:
            continue
        shape = tuple(image.get(length, length) for length in field.shape[1:])
        packed = {"shuffle": True, **hdf5plugin.Zstd(clevel=3)} if shape else {}
        streams[field.name] = _new_stream(file, field, shape, 1 if shape else 1024, packed)
    return streams


def _new_truth_streams(file: h5py.File) -> dict[str, h5py.Dataset]:
    truth = [field for field in SESSION.fields if field.name.startswith("truth/")]
    return {field.name: _new_stream(file, field, field.shape[1:], 64, {}) for field in truth}


def _new_stream(
    file: h5py.File, field: Field, shape: tuple[Any, ...], frames_a_chunk: int, packed: Mapping[str, Any]
) -> h5py.Dataset:
    return file.create_dataset(
        field.name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=(frames_a_chunk, *shape),
        dtype=stored_dtype(field),
        **packed,
    )


def _values(frame: SensorFrame) -> dict[str, Any]:
    """What to append to each stream."""
    values: dict[str, Any] = {
        "color": frame.color,
        "depth": frame.depth_counts,
        "device_time_s": frame.device_time_s,
        "host_time_s": frame.host_time_s,
        "dropped_before": frame.dropped_before,
    }
    if frame.truth is not None:
        values |= {f"truth/{field.name}": getattr(frame.truth, field.name) for field in fields(Truth)}
    return values


def _frame_faults(frame: SensorFrame, camera: Camera) -> list[str]:
    found = []
    for name, image, dtype, shape in (
        ("color", frame.color, np.uint8, (camera.height, camera.width, 3)),
        ("depth_counts", frame.depth_counts, np.uint16, (camera.height, camera.width)),
    ):
        if image.dtype != dtype or image.shape != shape:
            found.append(f"{name} must be {shape} {np.dtype(dtype)}, is {image.shape} {image.dtype}")
    if not np.isfinite(frame.device_time_s):
        found.append(f"device_time_s must be finite, is {frame.device_time_s}")
    return found
