"""Some of a session's frames in a new session: nothing is unpacked and packed again.

In: an open session file, the indices of its frames to keep. Out: another, which says what it was made of.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from recorder.session_format import SESSION
from scene.arrays import Integers
from scene.files import sha256
from scene.progress import track
from scene.schema import Field

ATTRIBUTES = (
    *("command", "configuration", "versions", "seed", "sources"),
    *("sensor", "serial", "hand_side", "notes", "edited"),
)
"""of the recording, which an excerpt keeps"""
OBJECT_ATTRIBUTES = ("name", "source", "colored")


def write_excerpt(source: h5py.File, target: h5py.File, kept: Sequence[int], source_path: Path) -> None:
    """Fills `target` with what holds for the whole recording and with some of its frames.

    Args:
        source: keeps to SESSION, but for the lengths of what has frames.
        target: new and stamped as a session.
        kept: rising indices of frames, at least one; what is left out between two of them counts as dropped.
        source_path: for the note on where it comes from.
    """
    for field in SESSION.fields:
        if field.name in source:
            _copy(source[field.name], target, field, np.asarray(kept))
    target["dropped_before"][:] = dropped_between(source["dropped_before"], kept)
    _copy_attributes(source, target, ATTRIBUTES)
    if "object" in source:
        _copy_attributes(source["object"], target["object"], OBJECT_ATTRIBUTES)
    _note_edit(source, target, source_path)


def _note_edit(source: h5py.File, target: h5py.File, source_path: Path) -> None:
    edit = {"command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]), "from": source_path.name}
    try:
        edits = list(json.loads(str(source.attrs.get("edited", "[]"))))
    except (ValueError, TypeError):  # not as this program writes it
        edits = []
    target.attrs["edited"] = json.dumps([*edits, edit | {"sha256": sha256(source_path)}])


def _copy_attributes(source: h5py.Group, target: h5py.Group, names: Sequence[str]) -> None:
    for name in names:
        if name in source.attrs:
            target.attrs[name] = source.attrs[name]


def dropped_between(dropped_before: h5py.Dataset, kept: Sequence[int]) -> Integers:
    """(len(kept),) frames lost before each one of those that are kept; 0 before the first."""
    dropped, indices = np.asarray(dropped_before[: kept[-1] + 1]), np.asarray(kept)
    total = np.cumsum(np.maximum(dropped, 0)) + np.arange(len(dropped))
    between: Integers = np.diff(total[indices], prepend=total[indices[0]] + 1) - 1
    between[0] = 0
    return between


def _copy(dataset: h5py.Dataset, target: h5py.File, field: Field, kept: Integers) -> None:
    if field.shape[:1] != ("frames",):
        target[field.name] = dataset[()]
    elif dataset.chunks and dataset.chunks[0] == 1:
        _copy_chunks(dataset, _new_like(dataset, target, field.name, len(kept)), kept)
    else:
        target.create_dataset(field.name, data=dataset[: kept[-1] + 1][kept], maxshape=(None, *dataset.shape[1:]))


def _new_like(dataset: h5py.Dataset, target: h5py.File, name: str, frames: int) -> h5py.Dataset:
    """An empty data set with the same filters."""
    parent, _, leaf = name.rpartition("/")
    group = target.require_group(parent) if parent else target
    space = h5py.h5s.create_simple((frames, *dataset.shape[1:]), (h5py.h5s.UNLIMITED, *dataset.shape[1:]))
    made = h5py.h5d.create(group.id, leaf.encode(), dataset.id.get_type(), space, dataset.id.get_create_plist())
    return h5py.Dataset(made)


def _copy_chunks(dataset: h5py.Dataset, made: h5py.Dataset, kept: Integers) -> None:
    origin = (0,) * (dataset.ndim - 1)
    whole_frames: Any = dataset.chunks[1:] == dataset.shape[1:]
    for index, frame in enumerate(track(kept, f"copying {dataset.name[1:]}", len(kept))):
        if whole_frames:
            mask, packed = dataset.id.read_direct_chunk((int(frame), *origin))
            made.id.write_direct_chunk((index, *origin), packed, mask)
        else:
            made[index] = dataset[frame]
