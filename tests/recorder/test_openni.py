"""OpenNI2's own Dummy device stands in for a camera; what it lacks, registration and a field of view, is told."""

import subprocess
import sys
from collections import deque

import pytest

from recorder.cli import run
from recorder.sensors.openni import matched

PROGRAM = """
import itertools, sys, numpy as np
from recorder.sensors.openni import OpenNISensor
from scene.errors import SensorError
CAMERA = (280.0, 281.0, 159.5, 119.5)
for options in ({}, {"registered": False}):
    try:
        OpenNISensor(uri=b"Dummy", **options).__enter__()
    except SensorError as error:
        print(error)
with OpenNISensor(uri=b"Dummy", intrinsics=CAMERA, registered=False) as sensor:
    print(sensor.serial, sensor.depth_scale, sensor.camera)
    frames = list(itertools.islice(sensor.frames(), 8))
print(frames[0].color.shape, frames[0].depth_counts.shape, frames[0].depth_counts.dtype, frames[0].depth_counts.max())
times = np.array([frame.device_time_s for frame in frames])
print("rising" if (np.diff(times) > 0).all() else times, round(float(np.median(np.diff(times))), 3))
print([frame.dropped_before for frame in frames][0], frames[0].host_time_s > 1e9, flush=True)
import os; os._exit(0)
"""


@pytest.fixture(scope="module")
def said():
    """In a process of its own: the SDK's threads outlive its use."""
    pytest.importorskip("openni", reason="openni is not installed (extra openni)")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    if "libOpenNI2 is needed" in done.stderr:
        pytest.skip("the library libOpenNI2 is not installed")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_device_that_does_not_register_depth_is_refused(said):
    assert "depth must be registered to colour" in said[0]


def test_a_device_without_a_field_of_view_wants_intrinsics(said):
    assert "give --intrinsics FX FY CX CY" in said[1]


def test_the_dummy_device_is_read(said):
    assert "0.001 Camera(width=320, height=240, fx=280.0" in said[2]
    assert said[3].startswith("(240, 320, 3) (240, 320) uint16")
    assert said[4] == "rising 0.033"
    assert said[5] == "0 True"


def test_the_newest_pair_of_near_times_is_taken_with_what_came_before():
    colors = deque([(0, 1, "c1"), (33, 2, "c2"), (66, 3, "c3")])
    depths = deque([(1, 1, "d1"), (34, 2, "d2")])
    assert [one[2] for one in matched(colors, depths, 16)] == ["c2", "d2"]
    assert ([one[2] for one in colors], list(depths)) == (["c3"], [])
    assert matched(colors, depths, 16) is None


def test_devices_says_of_each_backend_what_is_there(monkeypatch, capsys):
    monkeypatch.setattr("recorder.sensors.realsense.why_absent", lambda: None)
    monkeypatch.setattr("recorder.sensors.openni.why_absent", lambda: "OpenNI2 finds none")
    assert run(["devices"]) == 0
    assert capsys.readouterr().out.splitlines() == ["realsense    attached", "openni       OpenNI2 finds none"]
