"""`tracker run`: in, session.h5; out, session.track.h5."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recorder.session import Session, open_session
from scene.arrays import Booleans, Floats
from scene.distance_field import build_distance_field
from scene.errors import TrackingError
from scene.files import refuse_existing, sha256, stamp_provenance
from scene.frame import RgbdFrame
from scene.hand_pose import joints
from scene.hand_shape import HandShape, average_hand
from scene.object_model import ObjectModel
from scene.progress import track as shown
from tracker.background import FRAMES
from tracker.config import RunConfig
from tracker.objective import TERMS
from tracker.scene_knowledge import SceneKnowledge
from tracker.sequence import SequenceTracker, TrackedFrame
from tracker.track import ROW_FIELDS, Track, TrackStatus, new_track, track_path_of


def run(config: RunConfig) -> None:
    """Tracks a whole recording and writes the track beside it."""
    output = config.output or track_path_of(config.session)
    refuse_existing(output, overwrite=config.overwrite)
    track = track_session(config)
    with new_track(output, track, overwrite=config.overwrite) as file:
        stamp_provenance(file, configuration=config, seed=config.seed, sources={"session": config.session})
    print(f"{output}: {summary(track)}")


def track_session(config: RunConfig) -> Track:
    """The track of a recording, in memory."""
    with open_session(config.session) as session:
        shape = average_hand(session.hand_side)
        model = tracked_model(session)
        ahead = frames_ahead(session)
        field = build_distance_field(model)
        knowledge = SceneKnowledge.before(ahead, session.camera, model, field, shape, config.seed)
        rows = _tracked_rows(SequenceTracker(knowledge, config), session, ahead)
        return as_track(rows, session.timestamps_s, shape, config.session)


def frames_ahead(session: Session) -> list[RgbdFrame]:
    """Some frames spread over the recording."""
    indices = np.unique(np.linspace(0, len(session) - 1, FRAMES).round().astype(int))
    return [session.frame(int(index)) for index in indices]


def _tracked_rows(tracker: SequenceTracker, session: Session, ahead: list[RgbdFrame]) -> list[TrackedFrame]:
    """Begins where the object is seen best, goes on to the end, and then from there back to the first frame."""
    anchor = tracker.look_ahead(ahead) or 0
    order = [*range(anchor, len(session)), *range(anchor - 1, -1, -1)]
    rows: dict[int, TrackedFrame] = {}
    for index in shown(order, "tracking"):
        if index == anchor - 1:
            tracker.return_to_anchor()
        rows[index] = tracker.track(session.frame(index))
    return [rows[index] for index in range(len(session))]


def tracked_model(session: Session) -> ObjectModel:
    """The session's object.

    Raises:
        TrackingError: the session holds no frames, or no object mesh.
    """
    if len(session) == 0:
        raise TrackingError(f"a session must hold frames to be tracked, {session.path} has none; capture it again")
    if session.object_model is None:
        raise TrackingError(
            f"a session must embed the object's mesh to be tracked, {session.path} has none; "
            "capture it again with --object MESH"
        )
    return session.object_model


def as_track(rows: list[TrackedFrame], timestamps_s: Floats, shape: HandShape, session: Path) -> Track:
    """Stacks the frames; what was not TRACKED becomes NaN."""
    tracked = np.array([row.status == TrackStatus.TRACKED for row in rows])
    hand_tracked = np.array([row.hand_status == TrackStatus.TRACKED for row in rows])

    def where(kept: Booleans, values: list[Floats]) -> Floats:
        stacked = np.array(values, float)
        stacked[~kept] = np.nan
        return stacked

    columns = {name: np.array([getattr(row, name) for row in rows]) for name in ROW_FIELDS if name in _PLAIN}
    return Track(
        **columns,
        timestamp_s=timestamps_s,
        camera_from_object=where(tracked, [row.pose.camera_from_object for row in rows]),
        camera_from_hand=where(hand_tracked, [row.pose.hand.camera_from_hand for row in rows]),
        hand_angles=where(hand_tracked, [row.pose.hand.angles for row in rows]),
        joints_camera=where(hand_tracked, [joints(shape, row.pose.hand) for row in rows]),
        objective=np.array([row.terms.sum() for row in rows]),
        objective_terms=np.array([row.terms for row in rows]),
        hand_shape=shape,
        terms=TERMS,
        session_name=session.name,
        session_sha256=sha256(session),
    )


_PLAIN = frozenset(TrackedFrame.__dataclass_fields__) - {"pose", "terms"}


def summary(track: Track) -> str:
    """One line: how many frames have which status."""
    parts = []
    for name, status in (("object", track.status), ("hand", track.hand_status)):
        counts = ", ".join(f"{int((status == kind).sum())} {kind.name}" for kind in reversed(TrackStatus))
        parts.append(f"{name} {counts}")
    return f"{len(track)} frames; " + "; ".join(parts)
