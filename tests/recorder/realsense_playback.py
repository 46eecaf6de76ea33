"""Tests that play recordings through the RealSense SDK, run by test_realsense.py in a process of their own.

The SDK's own simulation stands in for a device: a software device is recorded, the pipeline plays the recording, in
real time as from a camera. A busy machine loses some of it, so that no test wants every frame.
"""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress

import numpy as np
import pytest

from recorder.cli import run
from recorder.sensors import realsense
from recorder.sensors.realsense import RealSenseSensor
from recorder.session import open_session
from scene.errors import SensorError

NUMBERS = [*range(1, 21), *range(25, 41)]
"""of the frames that the software device sends; 21 to 24 are lost"""
COLOR_FOCAL, DEPTH_FOCAL, CENTRE_X, EDGE = 600.0, 400.0, 320.5, 400


@pytest.fixture(scope="module")
def rs():
    return pytest.importorskip("pyrealsense2", reason="pyrealsense2 is not installed (extra realsense)")


def intrinsics(rs, focal):
    made = rs.intrinsics()
    made.width, made.height, made.fx, made.fy, made.ppx, made.ppy = 640, 480, focal, focal + 1, CENTRE_X, 241.0
    made.model, made.coeffs = rs.distortion.none, [0.0] * 5
    return made


def video_stream(rs, kind, layout, bytes_per_pixel, focal):
    stream = rs.video_stream()
    stream.type, stream.fmt, stream.bpp, stream.intrinsics = kind, layout, bytes_per_pixel, intrinsics(rs, focal)
    stream.index, stream.uid, stream.width, stream.height, stream.fps = 0, int(kind), 640, 480, 30
    return stream


def send(rs, sensor, profile, number, pixels):
    frame = rs.software_video_frame()
    frame.bpp = pixels.itemsize * (pixels.shape[2] if pixels.ndim == 3 else 1)
    frame.pixels, frame.stride, frame.frame_number = pixels, 640 * frame.bpp, number
    frame.timestamp, frame.domain = number * 100.0 / 3, rs.timestamp_domain.hardware_clock
    frame.profile = profile.as_video_stream_profile()
    sensor.on_video_frame(frame)


@pytest.fixture(scope="module")
def recording(rs, tmp_path_factory):
    """A step in depth at column EDGE of the depth image; colour and near depth tell the frame's number."""
    path = tmp_path_factory.mktemp("realsense") / "device.db3"
    device = rs.software_device()
    color_sensor, depth_sensor = device.add_sensor("RGB Camera"), device.add_sensor("Stereo Module")
    color = color_sensor.add_video_stream(video_stream(rs, rs.stream.color, rs.format.rgb8, 3, COLOR_FOCAL), True)
    depth = depth_sensor.add_video_stream(video_stream(rs, rs.stream.depth, rs.format.z16, 2, DEPTH_FOCAL), True)
    same = rs.extrinsics()
    same.rotation, same.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0]
    depth.register_extrinsics_to(color, same)
    color.register_extrinsics_to(depth, same)
    depth_sensor.add_read_only_option(rs.option.depth_units, 0.0005)
    device.register_info(rs.camera_info.serial_number, "simulated-7")
    file = rs.recorder(str(path), device)
    kept, sensors = rs.frame_queue(100), file.query_sensors()
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles())
        sensor.start(kept)
    for number in NUMBERS:
        counts = np.full((480, 640), 1000 + number, np.uint16)
        counts[:, EDGE:] = 3000
        send(rs, depth_sensor, depth, number, counts)
        send(rs, color_sensor, color, number, np.full((480, 640, 3), (number, 0, 200), np.uint8))
        time.sleep(0.02)  # the recording keeps the time of arrival
    for sensor in sensors:
        sensor.stop()
        sensor.close()
    del sensor, sensors, file  # closes the file
    return path


@pytest.fixture
def played(recording, monkeypatch):
    monkeypatch.setattr(realsense, "TIMEOUT_MS", 2500)
    return lambda warm_up_frames=0: RealSenseSensor(warm_up_frames=warm_up_frames, recording=recording)


def until_it_ends(sensor):
    frames = []
    with pytest.raises(SensorError, match=r"simulated-7 must stay attached.*check cable"):
        frames.extend(sensor.frames())  # list() would lose them with the error
    return frames


def test_what_the_device_tells_of_itself(played):
    with played() as sensor:
        camera = sensor.camera
        assert (sensor.name, sensor.serial, sensor.depth_scale, sensor.total) == (
            "realsense",
            "simulated-7",
            0.0005,
            None,
        )
        assert (camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy) == (
            640,
            480,
            600.0,
            601.0,
            320.5,
            241.0,
        )


def test_frames_carry_times_numbers_and_losses_until_the_device_is_gone(played):
    started = time.time()
    with played() as sensor:
        frames = until_it_ends(sensor)
    numbers = np.array([frame.color[0, 0, 0] for frame in frames], int)
    assert len(frames) > 12
    assert set(numbers) <= set(NUMBERS)
    np.testing.assert_array_equal([frame.dropped_before for frame in frames], [0, *(np.diff(numbers) - 1)])
    assert max(frame.dropped_before for frame in frames) >= 4
    np.testing.assert_allclose([frame.device_time_s for frame in frames], numbers / 30, atol=1e-4)
    assert all(started <= frame.host_time_s <= time.time() for frame in frames)


def test_colour_is_rgb_and_depth_is_registered_to_it(played):
    with played() as sensor:
        frame = next(sensor.frames())
    assert frame.color.shape == (480, 640, 3)
    assert tuple(frame.color[5, 5]) == (frame.color[0, 0, 0], 0, 200)
    assert frame.depth_counts.dtype == np.uint16
    row = frame.depth_counts[241]
    edge = (EDGE - 0.5 - CENTRE_X) * COLOR_FOCAL / DEPTH_FOCAL + CENTRE_X  # 439, not 400
    assert abs(np.flatnonzero(row == 3000)[0] - edge) <= 1.5
    assert 1000 < row[100] <= 1040


def test_warm_up_is_skipped(played):
    with played(warm_up_frames=20) as sensor:
        frame = next(sensor.frames())
    assert frame.color[0, 0, 0] > 20
    assert frame.dropped_before == 0
    assert realsense.WARM_UP_FRAMES == 30


def test_capture_records_it(played, monkeypatch, tmp_path):
    monkeypatch.setattr("recorder.sensors._realsense", lambda: played(warm_up_frames=2))
    output = tmp_path / "s.h5"
    assert run(f"capture --sensor realsense --frames 5 --output {output}".split()) == 0
    with open_session(output) as session:
        assert len(session) == 5
        assert (session.attribute("sensor"), session.attribute("serial")) == ("realsense", "simulated-7")
        assert session.frame(0).depth[241, 639] == pytest.approx(1.5)


def test_auto_takes_it_where_it_is_attached(played, monkeypatch, tmp_path):
    monkeypatch.setattr(realsense, "why_absent", lambda: None)
    monkeypatch.setattr("recorder.sensors._realsense", played)
    output = tmp_path / "s.h5"
    assert run(f"capture --frames 2 --output {output}".split()) == 0
    with open_session(output) as session:
        assert session.attribute("sensor") == "realsense"


def test_leaving_stops_the_pipeline(played):
    with played() as sensor:
        pipeline = sensor._pipeline
        next(sensor.frames())
    with pytest.raises(RuntimeError, match="before start"):
        pipeline.stop()


def test_frames_before_the_camera_was_gone_stay_in_the_file(played, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("recorder.sensors._realsense", played)
    output = tmp_path / "s.h5"
    assert run(f"capture --sensor realsense --output {output}".split()) == 2
    assert "must stay attached" in capsys.readouterr().err
    with open_session(output) as session:
        assert len(session) > 12


def import_of(recording, output):
    program = "from recorder.cli import main; main()"
    return [sys.executable, "-c", program, "capture", "--source", recording, "--output", output, "--overwrite"]


def test_a_recording_of_the_sdk_is_imported_to_its_end(recording, tmp_path):
    output = tmp_path / "s.h5"
    for _ in range(3):  # now and then the SDK, with its threads, ends or halts the process that plays a file
        with suppress(subprocess.TimeoutExpired):
            if subprocess.run(import_of(recording, output), capture_output=True, timeout=60).returncode == 0:
                break
    with open_session(output) as session:
        numbers = [int(session.frame(index).color[0, 0, 0]) for index in range(len(session))]
        assert len(numbers) >= len(NUMBERS) - 2  # the SDK loses the first pair
        assert set(numbers) <= set(NUMBERS)
        assert (session.attribute("sensor"), session.attribute("serial")) == ("realsense", "simulated-7")
        assert (session.depth_scale, session.camera.fx) == (0.0005, 600.0)


@pytest.mark.parametrize(
    ("damage", "frames", "message"),
    [
        ("an image in the middle", range(4, 24), "it is damaged there; what came before is kept"),
        ("its end is cut off", range(0), "cannot be played"),
    ],
)
def test_a_damaged_recording_is_a_sentence(recording, tmp_path, damage, frames, message):
    source, output = tmp_path / "damaged.db3", tmp_path / "s.h5"
    content = recording.read_bytes()
    source.write_bytes(content[: len(content) // 2] if damage == "its end is cut off" else content)
    if damage == "an image in the middle":
        spoil_an_image(source, 12)
    for _ in range(3):  # as above
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(import_of(source, output), capture_output=True, text=True, timeout=60)
            if done.returncode == 2:
                break
    assert done.returncode == 2
    assert message in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert output.exists() == bool(frames)
    if frames:
        with open_session(output) as session:
            assert len(session) in frames


def spoil_an_image(path, number):
    """Overwrites the packed image number `number` of one stream, from 0."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            "UPDATE messages SET data = zeroblob(length(data)) WHERE id = (SELECT id FROM messages WHERE topic_id = "
            "(SELECT topic_id FROM messages GROUP BY topic_id HAVING count(*) > 30 ORDER BY max(length(data)) DESC) "
            "ORDER BY timestamp LIMIT 1 OFFSET ?)",
            (number,),
        )


def test_a_recorder_that_is_kept_waiting_loses_no_more_than_otherwise(played):
    numbers = []

    def record():
        for frame in sensor.frames():
            numbers.append(int(frame.color[0, 0, 0]))
            if len(numbers) == 5:
                time.sleep(0.4)  # a dozen frames arrive

    with played() as sensor, pytest.raises(SensorError):
        record()
    after = set(range(numbers[4] + 1, numbers[4] + 11))
    assert len(after & set(numbers)) >= 7  # the SDK's own queue keeps one of them
