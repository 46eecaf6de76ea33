"""The format of `pairs.h5`: the reader, and by name all that other stages use of its table and its writer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pairs.chunks import ImageChunks
from pairs.schema import (
    BACKGROUND_NAMES,
    BLACK,
    DEPTH_STEPS,
    IMAGE_FIELDS,
    ORIGIN_NAMES,
    OWN,
    PAIRS,
    RANDOM,
    REAL,
    RECORDING,
    RENDERED,
    ROW_FIELDS,
    Crop,
    Pair,
    center_of,
    metric_depth,
    normalised_depth,
    stored_depth,
)
from pairs.writer import DEFAULTS, PairsWriter, Recording, new_pairs
from scene.arrays import Floats, Integers
from scene.errors import SchemaError
from scene.files import open_file
from scene.object_model import ObjectModel, read_object
from scene.rotations import matrix_from_quaternion
from scene.splits import SPLIT_NAMES, TEST, TRAIN, VALIDATION
from scene.symmetry import Symmetries, read_symmetries

__all__ = [
    "BACKGROUND_NAMES",
    "BLACK",
    "DEPTH_STEPS",
    "IMAGE_FIELDS",
    "ORIGIN_NAMES",
    "OWN",
    "PAIRS",
    "RANDOM",
    "REAL",
    "RECORDING",
    "RENDERED",
    "ROW_FIELDS",
    "SPLIT_NAMES",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "Crop",
    "Pair",
    "PairsFile",
    "PairsWriter",
    "Recording",
    "center_of",
    "metric_depth",
    "new_pairs",
    "normalised_depth",
    "open_pairs",
    "stored_depth",
]


IMAGE_NAMES = {field.name for field in IMAGE_FIELDS}


class PairsFile:
    """A pairs file open for reading; images are read when asked for. Open it anew in each worker of a data loader."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        """Takes a file that keeps to PAIRS and checks what a table of shapes cannot say."""
        self.file, self.path = file, path
        self.size = int(file["mask_amodal"].shape[1])
        self._opened: dict[str, ImageChunks] = {}
        self._columns: dict[str, NDArray[Any]] = {}
        found = _value_faults(self)
        if found:
            raise SchemaError(f"{path} cannot be used: {'; '.join(found)}; make it again with make-pairs")

    def __len__(self) -> int:
        return int(self.file["split"].shape[0])

    def read(self, field: str, start: int, stop: int) -> NDArray[Any]:
        """Rows start..stop of a field: the fast way."""
        if field in DEFAULTS and field not in self.file:
            return np.full(min(stop, len(self)) - start, DEFAULTS[field], PAIRS.field(field).dtype)
        values: NDArray[Any] = self.file[field][start:stop]
        return values

    def read_rows(self, field: str, rows: Sequence[int] | Integers) -> NDArray[Any]:
        """Any rows of an image field, in the order given; as the machine allows, thousands a second."""
        return self.chunks(field).rows(np.asarray(rows, np.int64))

    def chunks(self, field: str) -> ImageChunks:
        """Where the rows of an image field lie; outlives this file."""
        if field not in self._opened:
            self._opened[field] = ImageChunks.of(self.file[field], self.path)
        return self._opened[field]

    def column(self, field: str) -> NDArray[Any]:
        """All rows of a field; those of a small one are read once."""
        if field in IMAGE_NAMES:
            return self.read(field, 0, len(self))
        if field not in self._columns:
            self._columns[field] = self.read(field, 0, len(self))
        return self._columns[field]

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
        return read_object(self.file["object"])

    @cached_property
    def symmetries(self) -> Symmetries:
        """Of the object; none where nobody said or looked."""
        return read_symmetries(self.file)

    @cached_property
    def left_out(self) -> list[tuple[int, str]]:
        """(frame index, reason) of each frame that gave no pair."""
        reasons = self.file["left_out/reason"].asstr()[:]
        return list(zip(self.file["left_out/frame_index"][:].tolist(), reasons, strict=True))

    @cached_property
    def recordings(self) -> list[Recording]:
        """What the rows' `recording` counts."""
        if "recordings/name" not in self.file:
            return [Recording("unknown")]
        names, hashes = (self.file[f"recordings/{part}"].asstr()[:] for part in ("name", "sha256"))
        return [Recording(name, digest) for name, digest in zip(names, hashes, strict=True)]

    def attribute(self, name: str) -> str:
        """One of the file's attributes (command, seed, noise, ...) as text; "" where it has none."""
        return str(self.file.attrs.get(name, ""))


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
