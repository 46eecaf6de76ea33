"""Runs that are stopped and go on: what is kept, and that the track comes out the same, bit for bit."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pytest

from recorder.session import open_session
from recorder.simulation.belt import belt
from scene.arrays import Floats
from scene.command import run_program
from scene.hand_shape import Side
from tests.tracker.conftest import make_quick
from tests.tracker.samples import write_session
from tracker.beginning import begun
from tracker.config import RunConfig
from tracker.many import run_all
from tracker.sequence import SequenceTracker
from tracker.stored_values import read_value, write_value
from tracker.track import ROW_FIELDS, open_track
from tracker.tracker_state import TrackerState
from tracker.unfinished import UnfinishedTrack

FRAMES = 5
SHORT = ("--particles", 12, "--generations", 6, "--points", 100, "--confidence", 0)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("long") / "s.h5", model=belt(), frames=FRAMES)


@pytest.fixture(scope="module")
def whole(session, tmp_path_factory):
    """The track of a run that nothing stopped."""
    path = tmp_path_factory.mktemp("whole") / "whole.h5"
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch.setattr)
        assert tracker("run", session, "--output", path, *SHORT) == 0
    return path


def tracker(*arguments):
    return run_program("tracker", "", {RunConfig: run_all}, [str(argument) for argument in arguments])


def rows_of(path):
    track = open_track(path)
    return {name: getattr(track, name) for name in ROW_FIELDS}


def assert_same(path, other):
    one, another = rows_of(path), rows_of(other)
    for name in ROW_FIELDS:
        np.testing.assert_array_equal(one[name], another[name])


def interrupted(*command):
    """The command, stopped at its frame 2."""
    with pytest.MonkeyPatch.context() as patch:
        stop_at(2, patch, KeyboardInterrupt())
        assert tracker(*command) == 2


def stop_at(frame, monkeypatch, error):
    """The tracker ends in the middle of a frame, after it has changed something of itself.

    The second time that it comes there: all frames of so short a recording are followed once before they are tracked.
    """
    original, seen = SequenceTracker.track, []

    def track(self, given):
        answer = original(self, given)
        seen.append(given.index)
        if seen.count(frame) == 2:
            raise error
        return answer

    monkeypatch.setattr(SequenceTracker, "track", track)


@pytest.mark.usefixtures("quick")
def test_an_interrupted_run_goes_on_to_the_same_track(session, whole, tmp_path, capsys):
    command = ("run", session, "--output", tmp_path / "t.h5", *SHORT)
    with pytest.MonkeyPatch.context() as patch:
        stop_at(3, patch, KeyboardInterrupt())
        assert tracker(*command) == 2
    assert "frames, which are kept; run the same command to go on" in capsys.readouterr().err
    assert not (tmp_path / "t.h5").exists()
    assert tracker(*command) == 0
    assert "going on after" in capsys.readouterr().err
    assert_same(whole, tmp_path / "t.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["t.h5"]


@pytest.mark.usefixtures("quick")
def test_a_run_that_differs_is_refused_and_overwritten_only_where_asked(session, tmp_path, capsys):
    command = ("run", session, "--output", tmp_path / "t.h5", *SHORT)
    interrupted(*command)
    capsys.readouterr()
    assert tracker(*command, "--seed", 3) == 2
    sentence = capsys.readouterr().err
    assert "holds a run that was stopped and differs in seed (0); run it as it was to go on, or" in sentence
    assert tracker(*command, "--seed", 3, "--overwrite") == 0
    assert "going on" not in capsys.readouterr().err
    with h5py.File(tmp_path / "t.h5") as file:
        assert json.loads(file.attrs["configuration"])["seed"] == 3


@pytest.mark.usefixtures("quick")
def test_a_damaged_state_is_told(session, tmp_path, capsys):
    command = ("run", session, "--output", tmp_path / "t.h5", *SHORT)
    interrupted(*command)
    (tmp_path / ".t.h5.unfinished" / "state.h5").write_bytes(b"not HDF5")
    assert tracker(*command) == 2
    assert "state.h5 is damaged" in capsys.readouterr().err
    (tmp_path / ".t.h5.unfinished" / "inputs.json").write_bytes(b"{")
    assert tracker(*command) == 2
    assert "differs in what cannot be read" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_all_of_a_tracker_is_in_its_state(session):
    """What is added to the tracker and not to its state would be lost by going on."""
    config = RunConfig((session,))
    with open_session(session) as opened:
        state = begun(opened, replace(config, confidence=1.0)).tracker
    kept = {name.lstrip("_") for name in vars(SequenceTracker.resumed(state, config))}
    assert kept - {"config", "rng", "labels_of"} == set(TrackerState.__dataclass_fields__)


def test_memory_does_not_grow_with_the_rows(tmp_path):
    rows = UnfinishedTrack(tmp_path / "t.h5", {}, 1000, overwrite=False).rows
    assert isinstance(rows, np.memmap)


class Point(NamedTuple):
    x: float
    name: str = "p"


@dataclass(frozen=True)
class Inner:
    values: Floats
    side: Side
    count: int


@dataclass(frozen=True)
class Outer:
    inner: Inner | None
    other: Inner | None
    point: Point
    pair: tuple[float, float]
    several: tuple[Inner, ...]
    sure: bool


def test_values_come_back_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    inner = Inner(rng.normal(size=(3, 2)).astype(np.float32), "left", 7)
    value = Outer(inner, None, Point(0.1 + 0.2), (np.pi, float("nan")), (inner, inner), True)
    with h5py.File(tmp_path / "v.h5", "w") as file:
        write_value(file, "v", value)
        back = read_value(file, "v", Outer)
    assert back.point == value.point
    assert back.pair[0] == np.pi
    assert np.isnan(back.pair[1])
    assert (back.other, back.sure, back.inner.side, back.inner.count) == (None, True, "left", 7)
    assert len(back.several) == 2
    assert back.several[1].values.dtype == np.float32
    np.testing.assert_array_equal(back.several[1].values, inner.values)


@pytest.mark.parametrize("value", [{"a": 1}, object(), [1.0]])
def test_what_has_no_place_in_a_file_is_refused(tmp_path, value):
    with h5py.File(tmp_path / "v.h5", "w") as file, pytest.raises(TypeError, match="has no place in a file"):
        write_value(file, "v", value)


KILLED = """
import os, signal, sys
from tests.tracker.conftest import make_quick
from tracker import run
from tracker.cli import run_tracker
from tracker.sequence import SequenceTracker
make_quick(setattr)
run.SAVE_EVERY, original, tracked = 2, SequenceTracker.track, []
def track(self, frame):
    if len(tracked) == 5 + 3:  # whichever frame it began in, after each was followed once
        os.kill(os.getpid(), int(sys.argv[1]))
    tracked.append(frame.index)
    return original(self, frame)
SequenceTracker.track = track
sys.exit(run_tracker(sys.argv[2:]))
"""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_ended_from_outside_goes_on(session, whole, tmp_path, capsys, stop):
    """In a process of its own, as a user or a cluster has it; what was stored last is gone on from."""
    command = [str(part) for part in ("run", session, "--output", tmp_path / "t.h5", *SHORT)]
    program = [sys.executable, "-c", KILLED, str(int(stop))]
    root = Path(__file__).parents[2]
    ended = subprocess.run([*program, *command], cwd=root, capture_output=True, check=False, text=True)
    if stop == signal.SIGTERM:
        assert ended.returncode == 2
        assert re.search(
            r"tracker: interrupted after \d of 5 frames, which are kept; run the same command", ended.stderr
        )
        assert "Traceback" not in ended.stderr
    else:
        assert ended.returncode == -stop
    assert not (tmp_path / "t.h5").exists()
    assert tracker(*command) == 0
    assert re.search(r"going on after [1-4] of 5 frames", capsys.readouterr().err)
    assert_same(whole, tmp_path / "t.h5")
