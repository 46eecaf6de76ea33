"""What is left when a recording ends as nobody wanted: by a kill, a signal, a full disk, a damaged or cut file."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import recorder.session_writer
from recorder.cli import run
from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth, open_session
from scene.camera import Camera
from scene.errors import InputError, SchemaError

ROOT = Path(__file__).parents[2]
HEADER = SessionHeader(Camera(8, 6, 10.0, 11.0, 3.5, 2.5), 0.0005, "test", "42")


def frame(index):
    rng = np.random.default_rng(index)
    truth = replace(Truth.unknown(), camera_from_object=np.eye(4) * index)
    color, depth = rng.integers(0, 256, (6, 8, 3), np.uint8), rng.integers(1, 65536, (6, 8), np.uint16)
    return SensorFrame(color, depth, index / 30, dropped_before=index % 2, truth=truth)


@pytest.fixture
def session(tmp_path):
    with SessionWriter(tmp_path / "s.h5", HEADER) as writer:
        for index in range(8):
            writer.append(frame(index))
    return tmp_path / "s.h5"


def same_frames(path, indices):
    with open_session(path) as session:
        assert len(session) == len(indices)
        for row, index in enumerate(indices):
            np.testing.assert_array_equal(session.frame(row).color, frame(index).color)
            np.testing.assert_array_equal(session.depth_counts(row), frame(index).depth_counts)
            np.testing.assert_array_equal(session.truth.camera_from_object[row], np.eye(4) * index)
        np.testing.assert_allclose(session.timestamps_s, np.array(indices) / 30)
        return list(session.dropped_before)


def test_killed_at_random_moments_nothing_recorded_is_lost():
    command = [sys.executable, "benchmarks/record_kill.py", "4"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    frames, seconds = re.search(r"at worst (\d+) frames, ([\d.]+) s", done.stdout).groups()
    assert (int(frames), float(seconds) < 1) == (0, True)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_recording_with_all_kept(tmp_path, stop):
    program = (
        "import sys, time, numpy as np, recorder.capture as c; from recorder.cli import run\n"
        "from recorder.session import SensorFrame; from scene.camera import Camera\n"
        "class Slow:\n"
        "    name, serial, depth_scale, notes = 'slow', '1', 0.001, ''\n"
        "    total = object_model = hand_side = None\n"
        "    camera = Camera(8, 6, 10.0, 10.0, 3.5, 2.5)\n"
        "    def __enter__(self): return self\n"
        "    def __exit__(self, *raised): pass\n"
        "    def frames(self):\n"
        "        for index in range(10**9):\n"
        "            yield SensorFrame(np.zeros((6, 8, 3), np.uint8), np.zeros((6, 8), np.uint16), index / 30)\n"
        "            if index == 5: print('going', flush=True)\n"
        "            time.sleep(0.01)\n"
        "c.open_sensor = lambda config, model: Slow()\n"
        "sys.exit(run(['capture']))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"going\n"
        time.sleep(0.1)
        process.send_signal(stop)
        said = process.communicate(timeout=20)[0].decode()
    assert process.returncode == 0
    assert "stopped; " in said
    with open_session(tmp_path / "session.h5") as session:
        assert len(session) >= 6
    assert [path.name for path in tmp_path.iterdir()] == ["session.h5"]


@pytest.fixture
def small_disk(tmp_path):
    """Four megabytes, where whoever runs the tests may mount such a disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = [shutil.which("mount") or "false", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a full disk is tried on a small one, which only root may mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_the_recording_with_all_kept(small_disk, monkeypatch):
    monkeypatch.setattr(recorder.session_writer, "RESERVE_BYTES", 1 << 20)
    header = replace(HEADER, camera=Camera(640, 480, 500.0, 500.0, 319.5, 239.5))
    color, rng = np.zeros((480, 640, 3), np.uint8), np.random.default_rng(0)
    images = [rng.integers(0, 65536, (480, 640), np.uint16) for _ in range(12)]

    def record():
        with SessionWriter(small_disk / "s.h5", header) as writer:
            for index, image in enumerate(images):
                writer.append(SensorFrame(color, image, float(index)))

    with pytest.raises(
        InputError, match=r"cannot grow any more after (\d+) frames \(No space left.*which are kept"
    ) as told:
        record()
    count = int(re.search(r"after (\d+)", str(told.value))[1])
    assert count >= 3
    with open_session(small_disk / "s.h5") as session:
        assert len(session) == count
        for index in range(count):
            np.testing.assert_array_equal(session.depth_counts(index), images[index])
    assert [path.name for path in small_disk.iterdir()] == ["s.h5"]


def test_a_disk_without_room_to_begin_is_told(small_disk):
    with pytest.raises(InputError, match=r"could not be written.*free some space"):
        SessionWriter(small_disk / "s.h5", HEADER)
    assert not list(small_disk.iterdir())


def left_by_a_kill(folder):
    """What a recorder leaves that is killed between a frame's images and its time."""
    child = os.fork()
    if child == 0:
        writer = SessionWriter(folder / "s.h5", HEADER)
        for index in range(4):
            writer.append(frame(index))
        writer._streams["color"].resize(5, axis=0)
        writer._streams["color"].flush()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    return next(folder.glob(".*.partial"))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_repair_finds_the_partial_names_its_output_and_counts_the_loss(tmp_path, monkeypatch, capsys):
    partial = left_by_a_kill(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["repair"]) == 0
    assert "4 frames over 0.10 s kept, 1 that had begun not whole and left out; s.h5" in capsys.readouterr().out
    assert same_frames(tmp_path / "s.h5", [0, 1, 2, 3]) == [0, 1, 0, 1]
    assert partial.exists()
    assert run(["repair"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(["repair", str(partial), "--output", "other.h5"]) == 0
    with open_session(Path("other.h5")) as session:
        assert partial.name in session.attribute("edited")


def test_a_cut_file_gives_what_is_before_the_cut(tmp_path, capsys):
    path, rng = tmp_path / "s.h5", np.random.default_rng(0)
    images = rng.integers(0, 65536, (8, 60, 80), np.uint16)
    with SessionWriter(path, replace(HEADER, camera=Camera(80, 60, 90.0, 90.0, 39.5, 29.5))) as writer:
        for index, image in enumerate(images):
            writer.append(SensorFrame(rng.integers(0, 256, (60, 80, 3), np.uint8), image, index / 30))
    with h5py.File(path) as file:
        cut = file["depth"].id.get_chunk_info(5).byte_offset
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    with pytest.raises(SchemaError, match="cut short"), open_session(path):
        pass
    assert run(["repair", str(path)]) == 0
    assert "5 frames over 0.13 s kept, 3 that had begun not whole and left out" in capsys.readouterr().out
    with open_session(tmp_path / "s.repaired.h5") as repaired:
        for index in range(5):
            np.testing.assert_array_equal(repaired.depth_counts(index), images[index])
    assert path.read_bytes() == content[:cut]


def test_a_damaged_frame_is_left_out_and_counts_as_dropped(session, tmp_path):
    with h5py.File(session) as file:
        where = file["color"].id.get_chunk_info(3).byte_offset
    content = bytearray(session.read_bytes())
    content[where : where + 40] = bytes(40)
    session.write_bytes(content)
    assert run(["repair", str(session)]) == 0
    # frame 3 itself, and the one that was dropped before it
    assert same_frames(tmp_path / "s.repaired.h5", [0, 1, 2, 4, 5, 6, 7]) == [0, 1, 0, 2, 1, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be an HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "must be an HDF5 file"),
        (None, "does not exist"),
    ],
)
def test_what_cannot_be_repaired_is_told(tmp_path, content, message, capsys):
    if content is not None:
        (tmp_path / "s.h5").write_bytes(content)
    assert run(["repair", str(tmp_path / "s.h5")]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*repaired*"))


def test_repair_follows_no_link_and_needs_a_frame(session, tmp_path, capsys, monkeypatch):
    with h5py.File(session, "r+") as file:
        del file["host_time_s"]
        file["host_time_s"] = h5py.ExternalLink("other.h5", "secret")
    assert run(["repair", str(session)]) == 2
    assert "link to elsewhere" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert run(["repair"]) == 2
    assert "must hold one unfinished recording, holds none" in capsys.readouterr().err


def test_trim_keeps_the_frames_asked_for(session, tmp_path, capsys):
    assert run(f"trim {session} --start 1 --stop 7 --every 2".split()) == 0
    assert "3 frames in" in capsys.readouterr().out
    assert same_frames(tmp_path / "s.trimmed.h5", [1, 3, 5]) == [0, 2, 2]
    with open_session(tmp_path / "s.trimmed.h5") as trimmed:
        assert (trimmed.attribute("sensor"), trimmed.attribute("serial")) == ("test", "42")
        assert "s.h5" in trimmed.attribute("edited")
    assert run(f"trim {session} --output {tmp_path}/s.trimmed.h5".split()) == 2
    assert run(f"trim {session} --output {tmp_path}/s.trimmed.h5 --overwrite".split()) == 0
    same_frames(tmp_path / "s.trimmed.h5", range(8))


@pytest.mark.parametrize(
    ("options", "message"), [("--start 9", "--start must be below 8"), ("--every 0", "at least 1")]
)
def test_trim_refuses_what_keeps_nothing(session, options, message, capsys):
    assert run(f"trim {session} {options}".split()) == 2
    assert message in capsys.readouterr().err
