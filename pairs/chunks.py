"""Rows of an image field straight from the file's bytes: no HDF5 call between asking for a row and having it.

HDF5 finds where each row lies (one chunk a row); from then on the file is a memory map and a row is one decompression.
Thousands of rows a second in any order, and nothing that a forked or spawned process could not share: the table of
places is two arrays, the map is made anew wherever an object of this class wakes up.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from scene.arrays import Booleans, Integers
from scene.errors import SchemaError

BLOSC_FILTER = 32001
"""HDF5's number of it"""
HEADER = struct.Struct("<4xI4xI")
"""of a Blosc buffer: its length unpacked and packed, in bytes"""

blosc.use_threads = False  # one thread in each data-loader process; also what survives a fork


@dataclass(frozen=True)
class ImageChunks:
    """Where each row of one field lies."""

    path: Path
    field: str
    shape: tuple[int, ...]
    """of one row"""
    dtype: np.dtype[Any]
    offsets: Integers
    """(N,) bytes from the file's start; empty where the field is not packed as this project's writer does it"""
    sizes: Integers
    """(N,) bytes"""
    plain: Booleans
    """(N,) the row did not get smaller by packing and lies there as it is"""

    @staticmethod
    def of(dataset: h5py.Dataset, path: Path) -> ImageChunks:
        """Finds the rows of an open data set."""
        found = _found_chunks(dataset) if _one_blosc_row_a_chunk(dataset) else []
        if len(found) != dataset.shape[0]:
            found = []
        found.sort(key=lambda chunk: chunk.chunk_offset[0])
        offsets, sizes = (
            np.array([getattr(chunk, name) for chunk in found], np.int64) for name in ("byte_offset", "size")
        )
        plain = np.array([chunk.filter_mask != 0 for chunk in found], bool)
        return ImageChunks(path, dataset.name.lstrip("/"), dataset.shape[1:], dataset.dtype, offsets, sizes, plain)

    def rows(self, rows: Integers) -> NDArray[Any]:
        """(N,) -> (N, ...) the rows in the order given.

        Raises:
            SchemaError: a row's bytes are not what the file claims.
        """
        if len(rows) and len(self.offsets) == 0:
            return self._by_hdf5(rows)
        values = np.empty((len(rows), *self.shape), self.dtype)
        for at, row in enumerate(rows):
            self._unpack(int(row), values[at])
        return values

    def _unpack(self, row: int, target: NDArray[Any]) -> None:
        start, size = int(self.offsets[row]), int(self.sizes[row])
        packed = self._map[start : start + size]
        if self.plain[row] and len(packed) == target.nbytes:
            target[...] = np.frombuffer(packed, self.dtype).reshape(self.shape)
            return
        # Blosc believes its header: what it says is compared with what HDF5 says before it is followed
        if len(packed) < HEADER.size or HEADER.unpack_from(packed) != (target.nbytes, len(packed)):
            raise SchemaError(
                f"{self.path} is damaged in row {row} of {self.field}; copy it again from where it was made"
            )
        try:
            blosc.decompress(packed, target.view(np.uint8))
        except (RuntimeError, ValueError) as error:
            raise SchemaError(
                f"{self.path} is damaged in row {row} of {self.field} ({error}); copy it again"
            ) from error

    def _by_hdf5(self, rows: Integers) -> NDArray[Any]:
        """A field that another program packed in its own way: one by one, as indexing by a list is far slower."""
        with h5py.File(self.path, "r") as file:
            stored = file[self.field]
            values = np.empty((len(rows), *self.shape), self.dtype)
            for at in np.argsort(rows, kind="stable"):  # sorted, so that the disk is read forwards
                values[at] = stored[int(rows[at])]
        return values

    @cached_property
    def _map(self) -> mmap.mmap:
        with self.path.open("rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the map, which belongs to a process."""
        return {name: value for name, value in self.__dict__.items() if name != "_map"}


def _one_blosc_row_a_chunk(dataset: h5py.Dataset) -> bool:
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(at)[0] for at in range(properties.get_nfilters())]
    return filters == [BLOSC_FILTER] and dataset.chunks == (1, *dataset.shape[1:])


def _found_chunks(dataset: h5py.Dataset) -> list[Any]:
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)
    return found
