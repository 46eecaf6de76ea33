"""What a RealSense tells without a recording; what plays one is in realsense_playback.py."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from recorder.cli import run
from recorder.sensors.realsense import RealSenseSensor, as_camera, why_absent
from recorder.sensors.realsense_file import RealSenseFile
from scene.errors import SensorError

PLAYBACK = Path(__file__).with_name("realsense_playback.py")
TRIES, TIMEOUT_S = 3, 180


@pytest.fixture(scope="module")
def rs():
    return pytest.importorskip("pyrealsense2", reason="pyrealsense2 is not installed (extra realsense)")


def test_recordings_play_through_the_sdk(rs, tmp_path):
    """In a process of its own, again where needed: its threads end or halt now and then a process that plays a file."""
    command = [sys.executable, "-m", "pytest", "-q", "--last-failed", "-o", f"cache_dir={tmp_path}", PLAYBACK]
    for _ in range(TRIES):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired as expired:
            said = f"halted: {expired.stdout}"
            continue
        said = done.stdout + done.stderr
        if done.returncode == 0:
            return
    pytest.fail(said)


class SlowPlayback:
    """Stands in for the SDK's pipeline and playback on a busy machine: frames come late, the end is told later."""

    def __init__(self, arrivals, ends, length_s=0.0):
        self.arrivals, self.ends, self.length_s = list(arrivals), ends, length_s

    def try_wait_for_frames(self, wait_ms):
        assert wait_ms > 0
        arrived = self.arrivals.pop(0) if self.arrivals else False
        return arrived, SimpleNamespace(get_color_frame=lambda: True, get_depth_frame=lambda: True)

    def get_position(self):
        return 2_000_000_000 if self.arrivals else 0  # the SDK's own is 0 once it has stopped

    def get_duration(self):
        return timedelta(seconds=self.length_s)

    def current_status(self):
        return "stopped" if self.ends and not self.arrivals else "playing"


def slow(tmp_path, arrivals, ends, length_s=0.0):
    (tmp_path / "a.db3").touch()
    sensor = RealSenseFile(tmp_path / "a.db3")
    sensor._pipeline = sensor._playback = SlowPlayback(arrivals, ends, length_s)
    sensor._rs = SimpleNamespace(playback_status=SimpleNamespace(stopped="stopped"))
    return sensor


def test_a_recording_that_plays_slowly_is_read_to_its_end(rs, tmp_path):
    assert len(list(slow(tmp_path, [False, False, True, False, True], ends=True)._framesets())) == 2


def test_a_recording_that_ends_before_its_length_is_a_sentence(rs, tmp_path):
    assert len(list(slow(tmp_path, [True, True, False], ends=True, length_s=2.4)._framesets())) == 2
    with pytest.raises(SensorError, match=r"to its end at 2\.60 s, and the RealSense SDK stops at 2\.00 s.*is kept"):
        list(slow(tmp_path, [True, True, False], ends=True, length_s=2.6)._framesets())


def test_an_sdk_that_halts_is_a_sentence(rs, tmp_path):
    with pytest.raises(SensorError, match="gives no more frames before it; import it again"):
        list(slow(tmp_path, [True], ends=False)._framesets())


def test_distorted_colour_is_refused(rs):
    distorted = rs.intrinsics()
    distorted.coeffs = [0.1, 0.0, 0.0, 0.0, 0.0]
    with pytest.raises(SensorError, match="free of lens distortion"):
        as_camera(distorted, "1")


def test_a_recording_that_does_not_start_is_a_sentence(rs, tmp_path):
    with pytest.raises(SensorError, match="does not start"), RealSenseSensor(recording=tmp_path / "none.db3"):
        pass


def test_without_the_sdk_the_remedy_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "pyrealsense2", None)
    assert "pip install 'unocclude[realsense]'" in why_absent()
    assert run(f"capture --sensor realsense --output {tmp_path / 's.h5'}".split()) == 2
    assert "pip install 'unocclude[realsense]'" in capsys.readouterr().err
    assert run(f"capture --output {tmp_path / 's.h5'}".split()) == 2
    said = capsys.readouterr().err
    assert "looked for an Intel RealSense" in said
    assert "--sensor simulated" in said
    assert len(said.splitlines()) == 1


def test_without_a_device_it_is_said(rs, monkeypatch):
    monkeypatch.setattr(rs.context, "query_devices", lambda self: [])
    assert why_absent() == "pyrealsense2 finds none"


def test_a_file_that_is_no_recording_is_refused(tmp_path, rs, capsys):
    (tmp_path / "a.bag").write_bytes(b"nothing")
    assert run(["capture", "--source", str(tmp_path / "a.bag"), "--output", str(tmp_path / "s.h5")]) == 2
    assert "must be a recording of the RealSense SDK" in capsys.readouterr().err
    assert run(["capture", "--sensor", "realsense", "--source", str(tmp_path / "b.bag")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_what_the_sdk_does_at_the_end_halts_nobody(tmp_path):
    program = (
        "import atexit, sys, time, types\n"
        "sys.modules['pyrealsense2'] = types.ModuleType('pyrealsense2')\n"
        "atexit.register(time.sleep, 600)\n"
        "from recorder.cli import main\n"
        f"sys.argv = ['recorder', 'info', {str(tmp_path / 'none.h5')!r}]\n"
        "main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PLAYBACK.parents[2])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, "does not exist" in done.stderr) == (2, True)
