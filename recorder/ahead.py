"""Takes a camera's frames as they come, while those before them are still being written.

In: frames of a camera, which drops what nobody takes in time. Out: the same frames in the same order. A disk or another
program that keeps the recorder waiting for a moment so costs no frame; one that does so for longer than WAITING_FRAMES
does, and `dropped_before` says how many.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue

from recorder.session import SensorFrame

WAITING_FRAMES = 90
"""in memory at most: three seconds and 140 MB of 640x480 at 30 frames a second"""
Taken = SensorFrame | BaseException | None
"""a frame, what ended the camera, or its orderly end"""


@contextmanager
def read_ahead(frames: Iterator[SensorFrame], stop: threading.Event) -> Iterator[Iterator[SensorFrame]]:
    """The frames, asked for by a thread of its own.

    What the camera raises comes after the frames before it. Once `stop` is set, the camera is asked no more, and the
    frames that wait are the last. Leaving the context sets it and waits for the thread, and so for one more frame or
    for the camera's time-out.
    """
    waiting: Queue[Taken] = Queue(WAITING_FRAMES)
    thread = threading.Thread(target=_take, args=(frames, waiting, stop), name="camera", daemon=True)
    thread.start()
    try:
        yield _handed_on(waiting)
    finally:
        stop.set()
        while thread.is_alive():
            with suppress(Empty):  # it may wait for room
                waiting.get_nowait()
            thread.join(0.01)


def _take(frames: Iterator[SensorFrame], waiting: Queue[Taken], stop: threading.Event) -> None:
    outcome: Taken = None
    try:
        for frame in frames:
            waiting.put(frame)
            if stop.is_set():
                break
    except BaseException as error:  # of any kind: it is raised again where the frames are recorded
        outcome = error
    waiting.put(outcome)


def _handed_on(waiting: Queue[Taken]) -> Iterator[SensorFrame]:
    while (taken := waiting.get()) is not None:
        if isinstance(taken, BaseException):
            raise taken
        yield taken
