"""Kills a recorder again and again, at random moments, and tells what `recorder repair` could not bring back.

A child records 640x480 frames as fast as it can, so that nearly every kill falls into a write, and tells of each frame
that it has recorded. Every frame that comes back is compared with what was recorded. Usage: record_kill.py [TIMES]
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from recorder.config import RepairConfig
from recorder.repair import repair
from recorder.session import SensorFrame, SessionHeader, SessionWriter, open_session
from scene.camera import Camera

TIMES = 40
LONGEST_S = 0.5
CAMERA = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)
DIFFERENT = 5
"""frames that repeat"""


def frames() -> list[SensorFrame]:
    """Blocks of colour and depth, about as hard to pack as a room."""
    made = []
    for index in range(DIFFERENT):
        rng = np.random.default_rng(index)
        color = rng.integers(0, 256, (60, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1) + rng.integers(
            0, 4, (480, 640, 3), np.uint8
        )
        depth = rng.integers(400, 900, (60, 80), np.uint16).repeat(8, 0).repeat(8, 1)
        made.append(SensorFrame(color, depth + rng.integers(0, 8, (480, 640), np.uint16), float(index)))
    return made


def record(path: Path, made: list[SensorFrame], told: int) -> None:
    """Without end; the time at which each frame was recorded goes to the pipe."""
    writer = SessionWriter(path, SessionHeader(CAMERA, 0.001, "killed"))
    for index in range(10**9):
        frame = made[index % DIFFERENT]
        writer.append(SensorFrame(frame.color, frame.depth_counts, index / 30))
        os.write(told, struct.pack("<d", time.monotonic()))


def killed_once(folder: Path, made: list[SensorFrame], wait_s: float) -> tuple[int, int, float]:
    """Frames recorded, frames brought back, and seconds of recording lost."""
    listen, told = os.pipe()
    child = os.fork()
    if child == 0:
        record(folder / "session.h5", made, told)
    os.close(told)
    first = os.read(listen, 8)
    time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    died = time.monotonic()
    os.waitpid(child, 0)
    with os.fdopen(listen, "rb") as pipe:
        told_times = np.frombuffer(first + pipe.read(), "<f8")
    partial = next(folder.glob(".*.partial"))
    kept = repair(RepairConfig(partial, folder / "session.h5", overwrite=True)).kept
    compare(folder / "session.h5", made)
    partial.unlink()
    return len(told_times), kept, float(died - told_times[min(kept, len(told_times)) - 1])


def compare(path: Path, made: list[SensorFrame]) -> None:
    """Raises where a frame came back other than it was."""
    with open_session(path) as session:
        for index in range(len(session)):
            frame = made[index % DIFFERENT]
            np.testing.assert_array_equal(session.depth_counts(index), frame.depth_counts)
            np.testing.assert_array_equal(session.frame(index).color, frame.color)
            assert session.timestamps_s[index] == index / 30


def main() -> None:
    """Kills, repairs, compares, counts."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else TIMES
    made, rng = frames(), random.Random(0)
    lost, seconds, recorded = [], [], 0
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            told, kept, lost_s = killed_once(Path(folder), made, rng.uniform(0, LONGEST_S))
        recorded += told
        lost.append(max(0, told - kept))
        seconds.append(lost_s)
    print(
        f"killed {times} times, {recorded} frames recorded, every session repaired and every frame in it as recorded; "
        f"lost: {sum(lost)} frames in all, at worst {max(lost)} frames, {max(seconds):.3f} s"
    )


if __name__ == "__main__":
    main()
