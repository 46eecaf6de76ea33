"""Writes a session frame by frame so that whatever ends the recording, what came before is kept.

In: a SessionHeader and SensorFrames. Out: `session.h5`, by way of a hidden partial file beside it. It is written in the
order of HDF5's single writer with multiple readers, in which data always reach the file before what points to them: a
recorder killed at any moment leaves a file that `recorder repair` reads. A frame's time is written last: NaN = frame
not whole.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from recorder.session_format import SESSION, SensorFrame, SessionHeader, Truth
from scene.camera import Camera
from scene.errors import InputError
from scene.files import refuse_existing, stamp_format, stamp_provenance, writing
from scene.object_model import write_object
from scene.schema import Field, stored_dtype, validate

LIBRARY_VERSIONS = ("v110", "v110")
"""of HDF5's file format: the first that can be written in that order, whatever newer library is installed"""
RESERVE_BYTES = 16 << 20
"""kept free beside a recording, so that it can still be closed when the disk is full"""
FILTERS: dict[str, Mapping[str, Any]] = {
    "color": {"fletcher32": True, **hdf5plugin.Htj2k()},
    "depth": {"fletcher32": True, "shuffle": True, **hdf5plugin.Zstd(clevel=3)},
    "labels": {"fletcher32": True, **hdf5plugin.Zstd(clevel=1)},
}
"""lossless, with a checksum that tells a damaged image; a colour image is a codestream of high-throughput JPEG 2000.
benchmarks/record_rate.py has their sizes and rates"""
SMALL_CHUNK_BYTES = 8192
FILL: dict[str, Any] = {"f": np.nan, "i": -1}
"""by kind of dtype: what a row holds whose values were never written"""
COMMIT = "device_time_s"
"""written last of a frame"""


class SessionWriter:
    """Appends frames to a partial file; `close` validates it and puts it in its place.

    As a context manager it keeps every whole frame also when the body raises (Ctrl-C, a camera unplugged, a full disk).
    A process killed outright leaves `.NAME.PID.partial`, which `recorder repair` makes a session of.
    """

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
        self._streams: dict[str, h5py.Dataset] = {}
        with writing(path):
            self._reserve = reserved(path.absolute().parent)
            self._file = h5py.File(self.partial, "w", libver=LIBRARY_VERSIONS)
        stamp_format(self._file, SESSION)
        stamp_provenance(self._file, configuration=configuration, seed=seed, sources=sources)
        _write_header(self._file, header)

    def append(self, frame: SensorFrame) -> None:
        """Adds a frame at the end.

        Raises:
            InputError: all that is wrong with the frame; or the disk is full, and then no more frames can follow.
        """
        values = _values(frame)
        found = _frame_faults(frame, self.header.camera)
        for name in (values.keys() ^ self._streams.keys()) if self.count else ():
            found.append(f"{name.split('/')[0]} must come with every frame or with none")
        if found:
            problems = "; ".join(dict.fromkeys(found))
            raise InputError(f"frame {self.count} from sensor {self.header.sensor}: {problems}")
        try:
            if not self._streams:
                self._streams = new_streams(self._file, self.header.camera, values)
                self._file.swmr_mode = True
            self._write(values)
        except (OSError, RuntimeError) as error:
            self._reserve.close()
            raise InputError(
                f"{self.path} cannot grow any more after {self.count} frames ({_system_error(error)}), which are kept; "
                "free some space or give another --output"
            ) from error
        self.count += 1

    def _write(self, values: Mapping[str, Any]) -> None:
        for name in sorted(values, key=COMMIT.__eq__):
            stream = self._streams[name]
            stream.resize(self.count + 1, axis=0)
            stream[self.count] = values[name]
            stream.flush()

    def close(self) -> None:
        """Validates and puts the file in its place; a recording without a frame leaves nothing behind."""
        if not self._file:
            return
        self._reserve.close()
        try:
            for stream in self._streams.values():  # an interrupt may have come in the middle of a frame
                stream.resize(self.count, axis=0)
            if self.count:
                validate(self._file, SESSION)
            self._file.close()
            if self.count:
                self.partial.replace(self.path)
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"{self.path} cannot be put in its place ({_system_error(error)}); the recording is {self.partial}, "
                f"make a session of it with: recorder repair {self.partial} --output NEW.h5"
            ) from error
        if not self.count:
            self.partial.unlink(missing_ok=True)

    def __enter__(self) -> SessionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def reserved(folder: Path) -> IO[bytes]:
    """A nameless file that takes RESERVE_BYTES until it is closed, also by the end of the process."""
    held = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    try:
        os.posix_fallocate(held.fileno(), 0, RESERVE_BYTES)
    except OSError:
        held.close()
        raise
    return held


def new_streams(file: h5py.File, camera: Camera, names: Mapping[str, Any]) -> dict[str, h5py.Dataset]:
    """Empty data sets that grow by frames. Images: one frame a chunk, so that any frame reads alone."""
    image: dict[int | str, int | str] = {"height": camera.height, "width": camera.width}
    streams = {}
    for field in SESSION.fields:
        if field.name in names:
            shape = tuple(image.get(length, length) for length in field.shape[1:])
            streams[field.name] = _new_stream(file, field, shape)
    return streams


def _new_stream(file: h5py.File, field: Field, shape: tuple[Any, ...]) -> h5py.Dataset:
    dtype = stored_dtype(field)
    row_bytes = dtype.itemsize * int(np.prod(shape))
    frames_a_chunk = 1 if field.name in FILTERS else max(1, SMALL_CHUNK_BYTES // row_bytes)
    return file.create_dataset(
        field.name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=(frames_a_chunk, *shape),
        dtype=dtype,
        fillvalue=FILL.get(dtype.kind),
        **FILTERS.get(field.name, {}),
    )


def _write_header(file: h5py.File, header: SessionHeader) -> None:
    file["depth_scale"] = np.float64(header.depth_scale)
    file["camera/matrix"] = header.camera.matrix
    file["camera/distortion"] = np.array(header.distortion, float)
    file["camera/color_from_depth"] = np.eye(4)
    file.attrs["sensor"], file.attrs["serial"] = header.sensor, header.serial
    file.attrs["hand_side"], file.attrs["notes"] = header.hand_side, header.notes
    if header.object_model is not None:
        write_object(file.create_group("object"), header.object_model)


def _values(frame: SensorFrame) -> dict[str, Any]:
    """What to append to each stream."""
    values: dict[str, Any] = {
        "depth": frame.depth_counts,
        "device_time_s": frame.device_time_s,
        "host_time_s": frame.host_time_s,
        "dropped_before": frame.dropped_before,
    }
    if frame.truth is not None:
        values |= {f"truth/{field.name}": getattr(frame.truth, field.name) for field in fields(Truth)}
    extra = {"color": frame.color, "labels": frame.labels, "world_from_camera": frame.world_from_camera}
    return values | {name: value for name, value in extra.items() if value is not None}


def _frame_faults(frame: SensorFrame, camera: Camera) -> list[str]:
    size = (camera.height, camera.width)
    images: tuple[tuple[str, NDArray[Any] | None, type, tuple[int, ...]], ...] = (
        ("color", frame.color, np.uint8, (*size, 3)),
        ("depth_counts", frame.depth_counts, np.uint16, size),
        ("labels", frame.labels, np.uint8, size),
    )
    found = []
    for name, image, dtype, shape in images:
        if image is None:
            continue
        if image.dtype != dtype or image.shape != shape:
            found.append(f"{name} must be {shape} {np.dtype(dtype)}, is {image.shape} {image.dtype}")
    if not np.isfinite(frame.device_time_s):
        found.append(f"device_time_s must be finite, is {frame.device_time_s}")
    return found


def _system_error(error: Exception) -> str:
    """The operating system's words within HDF5's."""
    words = re.search(r"error message = '([^']+)'", str(error))
    return words[1] if words else str(error).splitlines()[0]
