"""How fast frames of 640x480 are recorded and read on one core, how large they get, and how much memory it takes.

In: the real recording `hand-mug` below $UNOCCLUDE_DATA or ../shared/data where it is, resized to 640x480; else frames
of the simulated sensor. Out: a table that compares a session with PNG files, gzip in HDF5 and the recorder of the
RealSense SDK; then drops and memory of a long recording from a camera that gives 30 frames/s and waits for nobody.

All of it runs on one core. Where others compute, too, give it the right of way for as long as it takes:
nice -n -10 python benchmarks/record_rate.py [SECONDS]
"""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recorder.ahead import read_ahead
from recorder.session import SensorFrame, SessionHeader, SessionWriter, open_session
from scene.camera import Camera
from scene.errors import require

SECONDS = 60
FRAMES_PER_S = 30.0
DIFFERENT, MEASURED = 24, 96
"""frames that differ, and frames that are written to measure a rate"""
CAMERA = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)
DATA = Path(os.environ.get("UNOCCLUDE_DATA", Path(__file__).parents[2] / "shared" / "data"))
Pair = tuple[NDArray[np.uint8], NDArray[np.uint16]]


def recorded_frames() -> tuple[str, list[Pair]]:
    """Colour and depth to measure with, and where they are from."""
    folder = DATA / "hand-mug"
    if not folder.is_dir():
        return "simulated", simulated_frames()
    pairs = []
    for path in sorted((folder / "rgb").glob("*.png"))[: 2 * DIFFERENT : 2]:
        color = Image.fromarray(imageio.imread(path)).resize((640, 480))
        depth = Image.fromarray(imageio.imread(folder / "depth" / path.name)).resize(
            (640, 480), Image.Resampling.NEAREST
        )
        pairs.append((np.asarray(color), np.asarray(depth, np.uint16)))
    return "real (hand-mug)", pairs


def simulated_frames() -> list[Pair]:
    """Of the simulated sensor."""
    from recorder.sensors.simulated import SimulatedSensor, Simulation
    from recorder.simulation.belt import belt

    with SimulatedSensor(belt(), Simulation(frames=DIFFERENT)) as sensor:
        return [(np.asarray(frame.color), frame.depth_counts) for frame in sensor.frames()]


def write_session(pairs: list[Pair], folder: Path, count: int) -> Path:
    """As recorder capture does."""
    with SessionWriter(folder / "s.h5", SessionHeader(CAMERA, 0.001, "benchmark"), overwrite=True) as writer:
        for index in range(count):
            color, depth = pairs[index % len(pairs)]
            writer.append(SensorFrame(color, depth, index / FRAMES_PER_S))
    return folder / "s.h5"


def write_png(pairs: list[Pair], folder: Path, count: int) -> Path:
    """A PNG file for each image, at imageio's own setting."""
    (folder / "png").mkdir(exist_ok=True)
    for index in range(count):
        color, depth = pairs[index % len(pairs)]
        imageio.imwrite(folder / f"png/c{index:05d}.png", color)
        imageio.imwrite(folder / f"png/d{index:05d}.png", depth)
    return folder / "png"


def write_gzip(pairs: list[Pair], folder: Path, count: int) -> Path:
    """HDF5 with the filter that every installation has."""
    with h5py.File(folder / "g.h5", "w") as file:
        for name, of in (("color", 0), ("depth", 1)):
            shape, dtype = pairs[0][of].shape, pairs[0][of].dtype
            file.create_dataset(name, (count, *shape), chunks=(1, *shape), compression="gzip", dtype=dtype)
        for index in range(count):
            file["color"][index], file["depth"][index] = pairs[index % len(pairs)]
    return folder / "g.h5"


def write_realsense(pairs: list[Pair], folder: Path, count: int) -> Path:
    """A recording of the RealSense SDK, as its own recorder packs a software device."""
    rs: Any = require("pyrealsense2", extra="realsense")
    device = rs.software_device()
    streams = {
        kind: (device.add_sensor(name), layout, size)
        for kind, name, layout, size in (
            (rs.stream.color, "RGB Camera", rs.format.rgb8, 3),
            (rs.stream.depth, "Stereo Module", rs.format.z16, 2),
        )
    }
    profiles = [
        sensor.add_video_stream(_stream(rs, kind, layout, size)) for kind, (sensor, layout, size) in streams.items()
    ]
    path = folder / "device.db3"
    recorder, kept = rs.recorder(str(path), device), rs.frame_queue(10)
    sensors = recorder.query_sensors()
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles())
        sensor.start(kept)
    for index in range(count):
        for (sensor, _, size), profile, pixels in zip(
            streams.values(), profiles, pairs[index % len(pairs)], strict=True
        ):
            frame = rs.software_video_frame()
            frame.pixels, frame.bpp, frame.stride = pixels, size, 640 * size
            frame.timestamp, frame.frame_number = index * 100 / 3, index
            frame.domain, frame.profile = rs.timestamp_domain.hardware_clock, profile.as_video_stream_profile()
            sensor.on_video_frame(frame)
        time.sleep(0.1)  # so that the SDK, which drops what it is given too fast, writes each
    for sensor in sensors:
        sensor.stop()
        sensor.close()
    return path


def _stream(rs: Any, kind: Any, layout: Any, bytes_per_pixel: int) -> Any:
    stream, intrinsics = rs.video_stream(), rs.intrinsics()
    intrinsics.width, intrinsics.height, intrinsics.fx, intrinsics.fy = 640, 480, 525.0, 525.0
    stream.type, stream.fmt, stream.bpp, stream.intrinsics = kind, layout, bytes_per_pixel, intrinsics
    stream.uid, stream.width, stream.height, stream.fps = int(kind), 640, 480, 30
    return stream


def read_session(path: Path, count: int) -> None:
    """Every frame, as a tracker reads it."""
    with open_session(path) as session:
        for index in range(count):
            session.frame(index)


def read_png(path: Path, count: int) -> None:
    """Every image."""
    for index in range(count):
        imageio.imread(path / f"c{index:05d}.png"), imageio.imread(path / f"d{index:05d}.png")


def read_gzip(path: Path, count: int) -> None:
    """Every frame."""
    with h5py.File(path) as file:
        for index in range(count):
            file["color"][index], file["depth"][index]


WAYS: dict[str, tuple[Callable[[list[Pair], Path, int], Path], Callable[[Path, int], None] | None]] = {
    "session": (write_session, read_session),
    "PNG files": (write_png, read_png),
    "gzip in HDF5": (write_gzip, read_gzip),
    "RealSense .db3": (write_realsense, None),
}


def compared(pairs: list[Pair]) -> None:
    """Prints size and rates by way; rates by the processor's time, so that other programs do not count."""
    raw = sum(color.nbytes + depth.nbytes for color, depth in pairs) / len(pairs)
    print("| way | MB a frame | of raw | written, frames/s of one core | read |\n|---|---|---|---|---|")
    for name, (write, read) in WAYS.items():
        if write is write_realsense and importlib.util.find_spec("pyrealsense2") is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            path = write(pairs, Path(folder), MEASURED)
            written = MEASURED / (time.process_time() - began)
            began = time.process_time()
            if read is not None:
                read(path, MEASURED)
            red = f"{MEASURED / (time.process_time() - began):.0f}" if read is not None else "not measured"
            files = path.iterdir() if path.is_dir() else [path]
            size = sum(file.stat().st_size for file in files) / MEASURED
        print(f"| {name} | {size / 1e6:.2f} | {size / raw:.0%} | {written:.0f} | {red} |")


@dataclass
class PacedCamera:
    """Gives 30 frames/s for a while, and drops what nobody takes before the next is there."""

    pairs: list[Pair]
    count: int
    given: int = 0
    dropped: int = 0

    def frames(self) -> Iterator[SensorFrame]:
        """Until as many have been given or dropped."""
        began, following = time.monotonic(), 0
        while following < self.count:
            time.sleep(max(0.0, began + following / FRAMES_PER_S - time.monotonic()))
            index = min(self.count - 1, int((time.monotonic() - began) * FRAMES_PER_S))
            self.given, self.dropped = self.given + 1, self.dropped + index - following
            yield SensorFrame(
                *self.pairs[index % len(self.pairs)], index / FRAMES_PER_S, time.time(), index - following
            )
            following = index + 1


def sustained(pairs: list[Pair], seconds: int) -> None:
    """Records a camera as recorder capture does; prints what was dropped, and how memory grew."""
    camera, longest_s = PacedCamera(pairs, int(seconds * FRAMES_PER_S)), 0.0
    memory_mb: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        busy, path = time.process_time(), Path(folder) / "s.h5"
        with (
            SessionWriter(path, SessionHeader(CAMERA, 0.001, "benchmark")) as writer,
            read_ahead(camera.frames(), threading.Event()) as frames,
        ):
            for frame in frames:
                began = time.monotonic()
                writer.append(frame)
                longest_s = max(longest_s, time.monotonic() - began)
                if frame.device_time_s >= seconds * len(memory_mb) / 10:
                    memory_mb.append(resident_mb())
        core = (time.process_time() - busy) / seconds
        size = path.stat().st_size
    print(
        f"{camera.given} frames recorded at {FRAMES_PER_S:.0f}/s in {seconds} s, {camera.dropped} dropped; "
        f"the longest write took {longest_s * 1000:.0f} ms, {core:.0%} of one core; {size / 1e6:.0f} MB; memory "
        f"{memory_mb[1]:.0f} MB after a tenth and {memory_mb[-1]:.0f} MB at the end"
    )


def resident_mb() -> float:
    """Memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Both measurements, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    source, pairs = recorded_frames()
    print(f"640x480, {source} frames, lossless")
    compared(pairs)
    sustained(pairs, int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)


if __name__ == "__main__":
    main()
