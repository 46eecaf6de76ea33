"""A track that is being made: in a folder beside the output, rows and the tracker's state, as a killed run needs them.

    rows.npy      one record a frame, written as soon as the frame is tracked
    state.h5      after how many frames, and what the tracker knew then; replaced as a whole every few frames
    inputs.json   options, session and versions that the rows depend on

Frames after the stored state are tracked again, with the same answer: randomness is seeded by frame.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from scene.errors import InputError
from tracker.lone_hand import LoneHandState
from tracker.objective import TERMS
from tracker.stored_values import read_value, write_value
from tracker.track import ROW_FIELDS, TRACK
from tracker.tracker_state import TrackerState

SAVE_EVERY = 16
"""frames after which the state is stored"""
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)
"""what reading a folder raises that was damaged, or left by another version"""


@dataclass(frozen=True)
class RunState:
    """How far a run has come."""

    anchor: int
    """frame that tracking began with"""
    done: int
    """frames tracked, from the anchor to the end and then from the anchor back"""
    tracker: TrackerState | None
    """what it knew then; None where there is no object"""
    lone: LoneHandState | None = None
    """the same of a hand without an object"""


class UnfinishedTrack:
    """The folder; it comes into being with the first state stored, and `remove` ends it."""

    def __init__(self, output: Path, inputs: dict[str, str], count: int, *, overwrite: bool) -> None:
        """Finds what an earlier run left.

        Args:
            output: the track that will be.
            inputs: all that the rows depend on, by name.
            count: frames of the recording.
            overwrite: put away what was left by a run with other inputs.

        Raises:
            InputError: that was left, and not to be put away.
        """
        self.folder = output.with_name(f".{output.name}.unfinished")
        self._inputs, self._count = inputs, count
        self._rows: np.memmap[Any, np.dtype[np.void]] | None = None
        differing = self._differing()
        if differing and not overwrite:
            raise InputError(
                f"{self.folder} holds a run that was stopped and differs in {', '.join(differing)}; "
                "run it as it was to go on, or give --overwrite to begin anew"
            )
        if differing:
            self.remove()

    def _differing(self) -> list[str]:
        if not self.folder.exists():
            return []
        try:
            kept = json.loads((self.folder / "inputs.json").read_text(encoding="utf-8"))
            names = sorted({*kept, *self._inputs})
            return [f"{name} ({kept.get(name)})" for name in names if kept.get(name) != self._inputs.get(name)]
        except DAMAGE:
            return ["what cannot be read"]

    def state(self) -> RunState | None:
        """The last one stored, by this run or an earlier one.

        Raises:
            InputError: it is damaged.
        """
        path = self.folder / "state.h5"
        if not path.exists():
            return None
        try:
            with h5py.File(path, "r") as file:
                state: RunState = read_value(file, "run", RunState)
            return state
        except DAMAGE as error:
            raise InputError(f"{path} is damaged ({error}); delete the folder {self.folder} to begin anew") from error

    def save(self, state: RunState) -> None:
        """Stores the state, and with it all rows put so far."""
        self.rows.flush()
        path = self.folder / "state.h5"
        partial = path.with_suffix(".partial")
        with h5py.File(partial, "w") as file:
            write_value(file, "run", state)
        partial.replace(path)

    def put(self, index: int, row: dict[str, object]) -> None:
        """Writes the row of a frame; by name, as ROW_FIELDS."""
        for name, value in row.items():
            self.rows[name][index] = value

    @property
    def rows(self) -> np.memmap[Any, np.dtype[np.void]]:
        """(frames,) records on disk, their fields ROW_FIELDS."""
        if self._rows is None:
            path = self._made() / "rows.npy"
            mode = "r+" if path.exists() else "w+"
            shape = None if path.exists() else (self._count,)
            self._rows = np.lib.format.open_memmap(path, mode, None if shape is None else row_dtype(), shape)
        return self._rows

    def remove(self) -> None:
        """Ends it, when the track is there or it is not wanted."""
        self._rows = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _made(self) -> Path:
        if not self.folder.exists():
            try:
                self.folder.mkdir()
                (self.folder / "inputs.json").write_text(json.dumps(self._inputs, indent=1), encoding="utf-8")
            except OSError as error:
                raise InputError(f"{self.folder} could not be written ({error}); give another --output") from error
        return self.folder


def row_dtype() -> np.dtype[np.void]:
    """Of a record: the fields of TRACK that have one row a frame."""
    lengths = {"terms": len(TERMS)}
    fields = [TRACK.field(name) for name in ROW_FIELDS]
    shapes = [tuple(lengths[n] if isinstance(n, str) else n for n in field.shape[1:]) for field in fields]
    return np.dtype([(field.name, field.dtype, shape) for field, shape in zip(fields, shapes, strict=True)])
