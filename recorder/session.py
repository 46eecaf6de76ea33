"""A recording open for reading. Users of sessions import all from here: schema, writer and reader.

In: `session.h5`, from whoever. Out: Session. Its frames are read when asked for; what a stranger's file could do, other
than being read, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.session_format import (
    HAND_LABEL,
    NOT_LABELLED,
    OBJECT_LABEL,
    SESSION,
    HandSide,
    SensorFrame,
    SessionHeader,
    SessionSide,
    Truth,
)
from recorder.session_writer import SessionWriter
from scene.arrays import Bytes, Floats, Integers
from scene.camera import Camera
from scene.errors import InputError, SchemaError
from scene.files import open_file
from scene.frame import RgbdFrame
from scene.object_model import ObjectModel, read_object

__all__ = [
    "HAND_LABEL",
    "NOT_LABELLED",
    "OBJECT_LABEL",
    "SESSION",
    "HandSide",
    "SensorFrame",
    "Session",
    "SessionHeader",
    "SessionSide",
    "SessionWriter",
    "Truth",
    "open_session",
    "too_large",
    "unfinished",
]

DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError)
"""what h5py raises over the inside of a damaged file"""
LARGEST_LENGTH = {"frames": 10_000_000, "height": 16_384, "width": 16_384, "vertices": 20_000_000, "faces": 40_000_000}
LARGEST_CHUNK_BYTES = 1 << 30
"""what is larger was made to exhaust the memory of who reads it"""


class Session:
    """A recording open for reading; frames are read when asked for."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        """Takes a file that keeps to SESSION and checks what a table of shapes cannot say."""
        self._file, self.path = file, path
        absurd = too_large(file)
        if absurd:
            raise SchemaError(f"{path} must hold what a camera can record: {'; '.join(absurd)}; record it again")
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
        side: Any = self.attribute("hand_side")
        if side not in get_args(SessionSide):
            raise SchemaError(f"{path} must say hand_side right, left or unknown, says {side!r}; record it again")
        self.hand_side: SessionSide = side

    def __len__(self) -> int:
        return int(self._file["depth"].shape[0])

    def frame(self, index: int) -> RgbdFrame:
        """The frame at `index`, depth in metres."""
        depth = self.depth_counts(index).astype(np.float32) * np.float32(self.depth_scale)
        color = self._row("color", index) if self.colored else np.zeros((*depth.shape, 3), np.uint8)
        return RgbdFrame(index, float(self.timestamps_s[index]), color, depth, self.colored)

    @property
    def colored(self) -> bool:
        """Whether the recording has colour, not depth alone."""
        return "color" in self._file

    def depth_counts(self, index: int) -> NDArray[np.uint16]:
        """(height, width) as the sensor counted, times depth_scale = metres."""
        return self._row("depth", index)

    def labels(self, index: int) -> Bytes | None:
        """(height, width) as the field `labels`; None where the recording has none."""
        return self._row("labels", index) if "labels" in self._file else None

    def _row(self, name: str, index: int) -> NDArray[Any]:
        with self._readable(f"frame {index} of '{name}'"):
            row: NDArray[Any] = self._file[name][index]
            return row

    @cached_property
    def timestamps_s(self) -> Floats:
        """(N,) seconds on the sensor's clock."""
        return self._column("device_time_s")

    @cached_property
    def dropped_before(self) -> Integers:
        """(N,) frames lost between the frame before and each one."""
        return self._column("dropped_before")

    @cached_property
    def world_from_camera(self) -> Floats | None:
        """(N, 4, 4) metres, NaN = unknown; None where the source does not tell."""
        return self._column("world_from_camera") if "world_from_camera" in self._file else None

    def _column(self, name: str) -> NDArray[Any]:
        with self._readable(f"'{name}'"):
            column: NDArray[Any] = self._file[name][:]
            return column

    @cached_property
    def object_model(self) -> ObjectModel | None:
        """The known object; None where the recording was made without."""
        with self._readable("object/"):
            return read_object(self._file["object"]) if "object" in self._file else None

    @cached_property
    def truth(self) -> Truth | None:
        """All frames' truth; None where the sensor was a real one."""
        if "truth" not in self._file:
            return None
        with self._readable("truth/"):
            return Truth(**{field.name: self._file[f"truth/{field.name}"][:] for field in fields(Truth)})

    @contextmanager
    def _readable(self, part: str) -> Iterator[None]:
        """Turns what h5py raises over a part that is damaged, or lacks a part itself, into a SchemaError."""
        try:
            yield
        except KeyError as error:
            raise SchemaError(f"{self.path} lacks a part of {part} ({error}); record it again") from error
        except DAMAGE as error:
            raise SchemaError(
                f"{part} of {self.path} is damaged ({error}); copy the file again, or keep what is whole with: "
                f"recorder repair {self.path}"
            ) from error

    def attribute(self, name: str) -> str:
        """One of the file's attributes (sensor, serial, command, seed, ...) as text; "" where it has none."""
        with self._readable(f"attribute {name}"):
            return str(self._file.attrs.get(name, ""))


@contextmanager
def open_session(path: Path) -> Iterator[Session]:
    """A recording, checked and open for reading."""
    if unfinished(path):
        raise InputError(
            f"{path} is a recording that goes on, or that was killed; make a session of it with: recorder repair {path}"
        )
    with open_file(path, SESSION) as file:
        yield Session(file, path)


def unfinished(path: Path) -> bool:
    """Whether a file's superblock (HDF5 file format, version 3) says that it was never closed."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        start = stream.read(12)
    return len(start) == 12 and start[:8] == b"\x89HDF\r\n\x1a\n" and start[8] >= 3 and start[11] != 0


def too_large(file: h5py.File) -> list[str]:
    """Each length or chunk of a file that keeps to SESSION and that no recording has, as a clause."""
    found = []
    for field in SESSION.fields:
        dataset = file.get(field.name)
        if dataset is None:
            continue
        for length, given in zip(field.shape, dataset.shape, strict=True):
            if isinstance(length, str) and given > LARGEST_LENGTH[length]:
                found.append(f"'{field.name}' claims {given} {length}, at most {LARGEST_LENGTH[length]} are read")
        if dataset.chunks and int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize > LARGEST_CHUNK_BYTES:
            found.append(f"'{field.name}' is packed in pieces of {dataset.chunks}")
    return found
