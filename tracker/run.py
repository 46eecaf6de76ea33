"""`tracker run`: in, one session.h5 or several; out, for each a session.track.h5."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from recorder.session import Session, open_session
from scene.arrays import Bytes
from scene.errors import TrackingError
from scene.files import installed_versions, refuse_existing, sha256, stamp_provenance
from scene.hand_shape import HandShape
from scene.mano.file import refuse_missing
from scene.memory import keep_freed_memory
from scene.progress import track as shown
from scene.symmetry import Symmetries
from tracker.beginning import begun, refuse_untrackable, symmetries_of, ways_from
from tracker.config import DETECT, RunConfig
from tracker.frame_row import row_of, summary
from tracker.hints import unlabelled
from tracker.lone_hand import LoneHandTracker
from tracker.objective import TERMS
from tracker.second_look import looked_at_again
from tracker.sequence import SequenceTracker
from tracker.smoothing import smoothed
from tracker.track import ROW_FIELDS, Track, new_track, track_path_of
from tracker.unfinished import SAVE_EVERY, RunState, UnfinishedTrack

BESIDE_ROWS = frozenset({"sessions", "output", "overwrite", "refine", "workers", "cluster"})
"""options that no row depends on"""


def run(config: RunConfig, session_path: Path, report: Callable[[], None] = lambda: None) -> str:
    """Tracks a whole recording and writes the track beside it; goes on where an earlier run was stopped.

    Args:
        config: of the command.
        session_path: one of its sessions.
        report: called after each frame.

    Returns:
        One line on the track.
    """
    output = config.output or track_path_of(session_path)
    refuse_existing(output, overwrite=config.overwrite)
    with open_session(session_path) as session:
        inputs = inputs_of(config, session_path)
        unfinished = UnfinishedTrack(output, inputs, len(session), overwrite=config.overwrite)
        track = track_session(session, config, unfinished, report)
        with new_track(output, track, overwrite=config.overwrite) as file:
            sources = {"session": session_path, **({} if config.mano is None else {"mano": config.mano})}
            stamp_provenance(file, configuration=config, seed=config.seed, sources=sources)
            file.attrs["inputs"] = json.dumps(inputs)
        has_object = session.object_model is not None
    unfinished.remove()
    found = "detected" if config.symmetry == DETECT else "declared"
    return f"{output}: {summary(track)}; {f'{found}: {track.symmetries}' if has_object else 'no object'}"


def inputs_of(config: RunConfig, session_path: Path) -> dict[str, str]:
    """All that the rows of a track depend on, by name; where it is written, and what it replaces, does not."""
    chosen = {name: str(value) for name, value in asdict(config).items() if name not in BESIDE_ROWS}
    if config.mano is not None:
        refuse_missing(config.mano)
        chosen["mano"] = sha256(config.mano)
    return {**chosen, "session": sha256(session_path), "versions": json.dumps(installed_versions())}


def track_session(
    session: Session, config: RunConfig, unfinished: UnfinishedTrack, report: Callable[[], None]
) -> Track:
    """The track of a recording; its rows stay on disk.

    Raises:
        TrackingError: it was interrupted, or the session cannot be tracked.
    """
    refuse_untrackable(session, config)
    keep_freed_memory()
    labels_of = session.labels if config.masks else unlabelled
    state = unfinished.state()
    if state is None:
        state = begun(session, config)
    else:
        print(f"going on after {state.done} of {len(session)} frames", file=sys.stderr)
        for _ in range(state.done):
            report()
    order = [index for way in ways_from(state.anchor, len(session)) for index in way]
    tracker = resumed(state, config, labels_of)
    try:
        for done in shown(range(state.done, len(order)), "tracking"):
            if order[done] == state.anchor - 1 and isinstance(tracker, SequenceTracker):
                tracker.return_to_anchor()
            answer = tracker.track(session.frame(order[done]))
            unfinished.put(order[done], row_of(answer, tracker.state.knowledge.shape))
            state = state_of(tracker, state.anchor, done + 1)
            if state.done % SAVE_EVERY == 0:
                unfinished.save(state)
            report()
    except KeyboardInterrupt:
        unfinished.save(state)
        raise TrackingError(
            f"interrupted after {state.done} of {len(session)} frames, which are kept; run the same command to go on"
        ) from None
    track = _track(unfinished, session, tracker.state.knowledge.shape, symmetries_of(session.object_model, config))
    if not config.refine:
        return track
    unfinished.save(state)
    if state.tracker is not None:
        track = looked_at_again(track, session, state.anchor, state.tracker, config, labels_of)
    return smoothed(track)


def resumed(
    state: RunState, config: RunConfig, labels_of: Callable[[int], Bytes | None]
) -> SequenceTracker | LoneHandTracker:
    """What goes on from a state."""
    if state.lone is not None:
        return LoneHandTracker(state.lone, config, labels_of)
    assert state.tracker is not None
    return SequenceTracker.resumed(state.tracker, config, labels_of)


def state_of(tracker: SequenceTracker | LoneHandTracker, anchor: int, done: int) -> RunState:
    """After so many frames."""
    if isinstance(tracker, LoneHandTracker):
        return RunState(anchor, done, None, tracker.state)
    return RunState(anchor, done, tracker.state)


def _track(unfinished: UnfinishedTrack, session: Session, shape: HandShape, symmetries: Symmetries) -> Track:
    unfinished.rows["timestamp_s"] = session.timestamps_s
    return Track(
        **{name: unfinished.rows[name] for name in ROW_FIELDS},
        hand_shape=shape,
        terms=TERMS,
        session_name=session.path.name,
        session_sha256=sha256(session.path),
        symmetries=symmetries,
    )
