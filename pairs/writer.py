"""Writes `pairs.h5`: rows one after the other, or whole rows of other files of pairs without unpacking their images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from pairs.schema import IMAGE_FIELDS, PAIRS, ROW_FIELDS, Crop, Pair, center_of
from scene.arrays import Integers
from scene.errors import InputError
from scene.files import new_file
from scene.object_model import ObjectModel, write_object
from scene.schema import Field, stored_dtype
from scene.symmetry import Symmetries, write_symmetries

ROWS_A_BLOCK = 64
"""rows that are gathered before they are written"""
BITS, AS_IS = hdf5plugin.Blosc.BITSHUFFLE, hdf5plugin.Blosc.NOSHUFFLE
QUICK_NOISY = dict(hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=BITS))
QUICK = dict(hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=AS_IS))
SMALL_NOISY = dict(hdf5plugin.Blosc(cname="zstd", clevel=1, shuffle=BITS))
SMALL = dict(hdf5plugin.Blosc(cname="zstd", clevel=1, shuffle=AS_IS))
"""Training reads `occluded` and `clean` over and over: LZ4 unpacks them five times faster than Zstandard, which packs
the rest a quarter smaller. The low bits of noisy colour hold nothing to find, so its bits are sorted first; depth
repeats whole numbers, the steps of the sensor."""
FILTERS = {"occluded/color": QUICK_NOISY, "rendered/color": SMALL_NOISY, "rendered/depth": SMALL}


@dataclass(frozen=True)
class Recording:
    """Where rows come from."""

    name: str
    sha256: str = ""


class PairsWriter:
    """Appends rows to an open file; made by new_pairs."""

    def __init__(self, file: h5py.File, model: ObjectModel, size: int) -> None:
        self.file, self._size, self.count = file, size, 0
        self._waiting: list[Pair] = []
        self.left_out: list[tuple[int, str]] = []
        """(frame, reason) of each frame that gives no pair"""
        write_object(file.create_group("object"), model)
        file.attrs["diameter"], file.attrs["center_object"] = model.diameter, center_of(model)
        self._streams = {field.name: _new_stream(file, field, size) for field in ROW_FIELDS}
        self.recordings: list[Recording] = []
        self.symmetries = Symmetries.none()
        """of the object"""

    def append(self, pair: Pair) -> None:
        """Adds a row at the end."""
        if pair.mask_amodal.shape != (self._size, self._size):
            raise InputError(f"crops must be {self._size} px wide in this file, got {pair.mask_amodal.shape}")
        self._waiting.append(pair)
        self.count += 1
        if len(self._waiting) == ROWS_A_BLOCK:
            self._write_waiting()

    def append_all(self, source: h5py.File) -> None:
        """Adds all rows of another file of pairs that is open."""
        self.append_stored(source, np.arange(len(source["split"])), {})

    def append_stored(self, source: h5py.File, rows: Integers, changed: dict[str, Integers]) -> None:
        """Adds rows of another file of pairs that is open.

        Args:
            source: keeps to PAIRS, with crops of this file's size.
            rows: (N,) of it.
            changed: name of a small field -> (N,) values in place of those stored.
        """
        self._write_waiting()
        start, image_names = self.count, {field.name for field in IMAGE_FIELDS}
        self.count += len(rows)
        for name, stream in self._streams.items():
            stream.resize(self.count, axis=0)
            if name in image_names:
                _copy_images(source[name], stream, rows, start)
            elif name in changed or name in source:
                stream[start:] = changed[name] if name in changed else source[name][:][rows]
            else:
                stream[start:] = DEFAULTS[name]

    def leave_out(self, frame_index: int, reason: str) -> None:
        """Says why a frame gives no pair."""
        self.left_out.append((frame_index, reason))

    def finish(self) -> None:
        """Writes what waits; new_pairs calls it."""
        self._write_waiting()
        left_out = sorted(self.left_out)
        self.file["left_out/frame_index"] = np.array([frame for frame, _ in left_out], np.int64)
        reasons = self.file.create_dataset("left_out/reason", (len(left_out),), h5py.string_dtype())
        reasons[:] = [reason for _, reason in left_out]
        write_symmetries(self.file, self.symmetries)
        recordings = self.recordings or [Recording("unknown")]
        for name in ("name", "sha256"):
            written = self.file.create_dataset(f"recordings/{name}", (len(recordings),), h5py.string_dtype())
            written[:] = [getattr(recording, name) for recording in recordings]

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


DEFAULTS = {field.name: field.default for field in fields(Pair) if isinstance(field.default, int)}
"""of fields that older files do not have"""


def _copy_images(source: h5py.Dataset, target: h5py.Dataset, rows: Integers, start: int) -> None:
    """Moves compressed rows as they are where both files pack them alike, which is a hundred times faster."""
    alike = _packing(source) == _packing(target) and source.chunks == target.chunks and source.dtype == target.dtype
    rest = (0,) * (source.ndim - 1)
    for at, row in enumerate(rows, start):
        if alike:
            skipped, packed = source.id.read_direct_chunk((int(row), *rest))
            target.id.write_direct_chunk((at, *rest), packed, skipped)
        else:
            target[at] = source[int(row)]


def _packing(dataset: h5py.Dataset) -> list[Any]:
    properties = dataset.id.get_create_plist()
    return [properties.get_filter(at)[0] for at in range(properties.get_nfilters())]


def _new_stream(file: h5py.File, field: Field, size: int) -> h5py.Dataset:
    """Empty data set that grows by rows. Images: one row a chunk, which random rows read fastest."""
    shape: tuple[Any, ...] = tuple(size if length == "size" else length for length in field.shape[1:])
    image, small = "size" in field.shape, field.name.startswith("mask")
    return file.create_dataset(
        field.name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=(1 if image else 1024, *shape),
        dtype=stored_dtype(field),
        **(FILTERS.get(field.name, SMALL if small else QUICK) if image else {}),
    )
