"""LOST frames looked at again from the other side in time: what was lost going one way is often followed the other way.

In: a finished track, its session and the tracker's last state. Out: the track with those LOST frames filled in that are
now estimated with enough confidence; the others stay LOST.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from recorder.session import Session
from scene.arrays import Bytes, Integers
from scene.progress import track as shown
from tracker.config import RunConfig
from tracker.frame_row import row_of
from tracker.sequence import SequenceTracker
from tracker.track import ROW_FIELDS, Track, TrackStatus
from tracker.tracker_state import TrackerState


def looked_at_again(
    track: Track,
    session: Session,
    anchor: int,
    state: TrackerState,
    config: RunConfig,
    labels_of: Callable[[int], Bytes | None],
) -> Track:
    """The track with the LOST frames that could be followed from the frames behind them, as tracking went."""
    columns: dict[str, Any] = {name: np.array(getattr(track, name)) for name in ROW_FIELDS}
    for first, others in shown(lost_runs(track.status, anchor), "looking again"):
        tracker = SequenceTracker.resumed(state, config, labels_of)
        tracker.start_at(session.frame(first), track.camera_from_object[first])
        for index in others:
            answer = tracker.track(session.frame(index))
            if answer.status != TrackStatus.TRACKED:
                break
            for name, value in row_of(answer, track.hand_shape).items():
                columns[name][index] = value
    return replace(track, **columns)


def lost_runs(status: Integers, anchor: int) -> list[tuple[int, list[int]]]:
    """Of each stretch of frames that are not TRACKED: the TRACKED frame at its end, and its frames from there back.

    Tracking went from the anchor to the last frame and then from the anchor to the first; back is against that.

    Args:
        status: (N,) of the object.
        anchor: frame that tracking began with.
    """
    tracked = status == TrackStatus.TRACKED
    found = []
    for order in (list(range(anchor, len(status))), list(range(anchor, -1, -1))):
        run: list[int] = []
        for index in order:
            if not tracked[index]:
                run.append(index)
            elif run:
                found.append((index, run[::-1]))
                run = []
    return found
