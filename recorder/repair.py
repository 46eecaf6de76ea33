"""`recorder repair`: a session of what a killed recorder left, or of what is whole in a damaged one.

In: the partial file, or a damaged session. It stays as it is. Out: a session with every frame that is whole.
"""

from __future__ import annotations

import re
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from recorder.config import RepairConfig
from recorder.excerpt import write_excerpt
from recorder.session import DAMAGE, SESSION, too_large, unfinished
from scene.errors import InputError, SchemaError
from scene.files import new_file
from scene.progress import track
from scene.schema import faults

PARTIAL_NAME = re.compile(r"\.(.+)\.\d+\.partial")


@dataclass(frozen=True)
class Repaired:
    """What came of a repair."""

    output: Path
    kept: int
    """frames in the output"""
    lost: int
    """frames that had begun and are not whole"""
    seconds: float
    """from the first to the last frame kept"""


def repair(config: RepairConfig) -> Repaired:
    """Writes the output; raises where nothing can be kept."""
    source_path = config.source or only_partial(Path())
    output = config.output or output_of(source_path)
    with _salvaged(source_path, output.absolute().parent) as source:
        kept, begun = whole_frames(source)
        if not kept:
            raise InputError(f"{source_path} holds no whole frame, so there is nothing to keep; record again")
        with new_file(output, SESSION, overwrite=config.overwrite) as target:
            write_excerpt(source, target, kept, source_path)
            times = target["device_time_s"][:]
    return Repaired(output, len(kept), begun - len(kept), float(times[-1] - times[0]))


def only_partial(folder: Path) -> Path:
    """The partial recording in a folder, where there is exactly one."""
    found = sorted(path for path in folder.glob(".*.partial") if PARTIAL_NAME.fullmatch(path.name))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(f"this folder must hold one unfinished recording, holds {names}; name the file to repair")
    return found[0]


def output_of(source: Path) -> Path:
    """`session.h5` of `.session.h5.123.partial`; `NAME.repaired.h5` of any other file."""
    named = PARTIAL_NAME.fullmatch(source.name)
    return source.with_name(named[1]) if named else source.with_name(f"{source.stem}.repaired.h5")


def whole_frames(source: h5py.File) -> tuple[list[int], int]:
    """Indices of the frames of which every part can be read, and how many frames had begun."""
    streams = [
        source[field.name] for field in SESSION.fields if field.shape[:1] == ("frames",) and field.name in source
    ]
    shortest, longest = min(map(len, streams)), max(map(len, streams))
    written = set(range(shortest))
    for stream in streams:
        if stream.chunks and stream.chunks[0] == 1:
            written &= _written_chunks(stream)
    kept = [index for index in track(sorted(written), "checking frames") if _is_whole(streams, index)]
    return kept, longest


def _written_chunks(stream: h5py.Dataset) -> set[int]:
    """Frames whose image was written: one that was not would read as zeros."""
    found: set[int] = set()
    with suppress(*DAMAGE):  # what the index lists before its damaged part counts
        stream.id.chunk_iter(lambda chunk: found.add(chunk.chunk_offset[0]))
    return found


def _is_whole(streams: list[h5py.Dataset], index: int) -> bool:
    try:
        values = {stream.name: stream[index] for stream in streams}
    except DAMAGE:
        return False
    return bool(np.isfinite(values["/device_time_s"]))


@contextmanager
def _salvaged(path: Path, folder: Path) -> Iterator[h5py.File]:
    """Opens what can be opened of it; a file that was cut short is lengthened with zeros, in a copy in `folder`."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; name the recording to repair")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".repair-") as scratch:
        missing = bytes_missing(path)
        opened = _lengthened(path, missing, Path(scratch) / "lengthened.h5") if missing else path
        try:
            file = h5py.File(opened, "r", libver="latest", swmr=True) if unfinished(path) else h5py.File(opened, "r")
        except OSError as error:
            raise SchemaError(
                f"{path} must be an HDF5 file whose beginning is whole ({error}); record again"
            ) from error
        with file:
            try:
                _refuse_other_files(file, path)
                yield file
            except DAMAGE as error:
                raise SchemaError(f"{path} is damaged where all frames depend on it ({error}); record again") from error


def bytes_missing(path: Path) -> int:
    """How much shorter a file is than its superblock says (HDF5 file format, versions 2 and 3); 0 where it is whole."""
    with path.open("rb") as stream:
        start = stream.read(44)
    if unfinished(path) or len(start) < 44 or start[:8] != b"\x89HDF\r\n\x1a\n" or start[8] not in (2, 3):
        return 0
    (end,) = struct.unpack_from("<Q", start, 28)
    return max(0, int(end) - path.stat().st_size)


def _lengthened(path: Path, missing: int, copy: Path) -> Path:
    """A copy with a hole at its end, which takes no space on the disk."""
    shutil.copyfile(path, copy)
    with copy.open("r+b") as stream:
        stream.truncate(copy.stat().st_size + missing)
    return copy


def _refuse_other_files(file: h5py.File, path: Path) -> None:
    """Lengths may differ after a kill; all else must be as in any session."""
    found = [fault for fault in faults(file, SESSION) if " with frames = " not in fault] or too_large(file)
    if found:
        raise SchemaError(f"{path} is not a session that can be repaired: {'; '.join(found)}; record again")
