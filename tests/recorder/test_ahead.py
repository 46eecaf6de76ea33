"""Frames that a camera gives while the recorder is kept waiting, and what becomes of them."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

import recorder.ahead
import recorder.capture
from recorder.ahead import read_ahead
from recorder.cli import run
from recorder.session import SensorFrame, SessionWriter, open_session
from scene.camera import Camera
from scene.errors import SensorError

PERIOD_S = 0.02


class TickingCamera:
    """Gives a frame each PERIOD_S, and drops what nobody takes before the next is there."""

    name, serial, depth_scale, total = "ticking", "1", 0.001, None
    object_model = hand_side = None
    notes = ""
    camera = Camera(8, 6, 10.0, 10.0, 3.5, 2.5)

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        assert "camera" not in [thread.name for thread in threading.enumerate()]  # nobody asks a closed camera

    def frames(self):
        began, previous = time.monotonic(), -1
        while True:
            time.sleep(max(0.0, began + (previous + 1) * PERIOD_S - time.monotonic()))
            index = int((time.monotonic() - began) / PERIOD_S)
            yield SensorFrame(*images(), float(index), dropped_before=index - previous - 1)
            previous = index


def images():
    return np.zeros((6, 8, 3), np.uint8), np.full((6, 8), 700, np.uint16)


@pytest.fixture
def stalling(monkeypatch, tmp_path):
    """A disk that halts for half a second at the third frame."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder.capture, "open_sensor", lambda config, model: TickingCamera())
    append = SessionWriter.append

    def halting(writer, frame):
        time.sleep(0.5 if writer.count == 2 else 0)
        append(writer, frame)

    monkeypatch.setattr(SessionWriter, "append", halting)


def captured(count):
    assert run(["capture", "--frames", str(count)]) == 0
    with open_session(Path("session.h5")) as session:
        return session.timestamps_s, session.dropped_before


def test_a_halt_of_the_disk_costs_no_frame(stalling):
    times, dropped = captured(40)
    assert times[2] - times[0] < 0.4 / PERIOD_S
    # 25 frames came in the halt; a busy machine may keep the camera itself from one or two
    assert dropped.sum() < 12
    np.testing.assert_array_equal(np.diff(times), dropped[1:] + 1)


def test_what_does_not_fit_in_memory_is_dropped_and_counted(stalling, monkeypatch):
    monkeypatch.setattr(recorder.ahead, "WAITING_FRAMES", 2)
    times, dropped = captured(10)
    assert dropped[:3].sum() < 12 < dropped.sum()
    np.testing.assert_array_equal(np.diff(times), dropped[1:] + 1)


def test_an_error_comes_after_the_frames_before_it():
    def failing():
        for index in range(5):
            yield SensorFrame(*images(), float(index))
        raise SensorError("the cable is out")

    seen = []
    with pytest.raises(SensorError, match="the cable is out"), read_ahead(failing(), threading.Event()) as frames:
        seen.extend(frame.device_time_s for frame in frames)
    assert seen == [0, 1, 2, 3, 4]


def test_an_orderly_end_is_one():
    with read_ahead(iter([SensorFrame(*images(), float(index)) for index in range(3)]), threading.Event()) as frames:
        assert [frame.device_time_s for frame in frames] == [0, 1, 2]


def test_who_leaves_does_not_wait_for_frames_that_nobody_wants(monkeypatch):
    monkeypatch.setattr(recorder.ahead, "WAITING_FRAMES", 3)
    before = threading.active_count()
    with read_ahead(TickingCamera().frames(), threading.Event()) as frames:
        next(frames)
        time.sleep(6 * PERIOD_S)  # by now the thread waits for room
    assert threading.active_count() == before


def test_once_stopped_what_waits_is_the_rest(monkeypatch):
    stop = threading.Event()
    with read_ahead(TickingCamera().frames(), stop) as frames:
        first = next(frames)
        time.sleep(6 * PERIOD_S)
        stop.set()
        rest = list(frames)
    assert first.device_time_s == 0
    assert 2 <= len(rest) <= 9
