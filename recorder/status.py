"""The line that is seen while recording: frames, rate, drops, holes in the depth, disk use, time left.

In: frames on their way into the file. Out: the same frames, and the line on standard error.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from recorder.session import SensorFrame

RECENT = 60
"""frames that rate and holes are taken from"""


@dataclass
class Status:
    """What is known of a recording under way."""

    total: int | None
    """frames there will be, or None"""
    frames: int = 0
    dropped: int = 0
    arrivals_s: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    holes: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    """part of each recent frame's depth without a measurement"""

    def add(self, frame: SensorFrame, now_s: float) -> None:
        """Counts a frame that arrived at a time."""
        self.frames += 1
        self.dropped += frame.dropped_before
        self.arrivals_s.append(now_s)
        self.holes.append(1 - np.count_nonzero(frame.depth_counts) / frame.depth_counts.size)

    @property
    def rate(self) -> float:
        """Frames a second, of late; 0 before there are two."""
        span = self.arrivals_s[-1] - self.arrivals_s[0] if self.arrivals_s else 0.0
        return (len(self.arrivals_s) - 1) / span if span > 0 else 0.0

    def left_s(self, written_bytes: int, free_bytes: int) -> float | None:
        """Seconds until all frames are there or the disk is full, whichever is sooner; None before there is a rate."""
        if not self.rate:
            return None
        room = free_bytes / max(1.0, written_bytes / self.frames)
        frames = room if self.total is None else min(room, self.total - self.frames)
        return frames / self.rate

    def line(self, written_bytes: int, free_bytes: int) -> str:
        """In words and figures."""
        of = "" if self.total is None else f"/{self.total}"
        left = self.left_s(written_bytes, free_bytes)
        parts = (
            f"{self.frames}{of} frames",
            f"{self.rate:.1f}/s",
            f"{self.dropped} dropped",
            f"{np.mean(self.holes) if self.holes else 0:.0%} holes in depth",
            f"{written_bytes / 1e6:.0f} MB",
            f"{'?' if left is None else duration(left)} {'of disk left' if self.total is None else 'left'}",
        )
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """`12 s`, `5 min`, `2.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def shown(frames: Iterable[SensorFrame], total: int | None, written: Path) -> Iterator[SensorFrame]:
    """Yields the frames; a frame counts once the caller has asked for the next, and so has recorded it.

    Args:
        frames: to record.
        total: how many there will be, or None.
        written: file that they go to.
    """
    status = Status(total)
    columns = (TextColumn("recording"), BarColumn(), TextColumn("{task.fields[line]}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, line="")
        for frame in frames:
            yield frame
            status.add(frame, time.monotonic())
            size, free = written.stat().st_size, shutil.disk_usage(written.absolute().parent).free
            progress.update(task, completed=status.frames, line=status.line(size, free))
