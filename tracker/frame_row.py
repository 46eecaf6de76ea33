"""What stands in a track of one frame, and what is said of all of them. In: TrackedFrame. Out: columns of TRACK."""

from __future__ import annotations

from scene.hand_pose import joints
from scene.hand_shape import HandShape
from tracker.track import ROW_FIELDS, Track, TrackStatus
from tracker.tracked_frame import TrackedFrame


def row_of(answer: TrackedFrame, shape: HandShape) -> dict[str, object]:
    """By name as ROW_FIELDS, without the timestamp; what was not TRACKED becomes NaN."""
    pose, nan = answer.pose, float("nan")
    tracked, hand_tracked = (status == TrackStatus.TRACKED for status in (answer.status, answer.hand_status))
    return {
        **{name: getattr(answer, name) for name in ROW_FIELDS if name in _PLAIN},
        "camera_from_object": pose.camera_from_object if tracked else nan,
        "camera_from_hand": pose.hand.camera_from_hand if hand_tracked else nan,
        "hand_angles": pose.hand.angles if hand_tracked else nan,
        "joints_camera": joints(shape, pose.hand) if hand_tracked else nan,
        "objective": answer.terms.sum(),
        "objective_terms": answer.terms,
    }


_PLAIN = frozenset(TrackedFrame.__dataclass_fields__) - {"pose", "terms"}


def summary(track: Track) -> str:
    """One line: how many frames have which status."""
    parts = []
    for name, status in (("object", track.status), ("hand", track.hand_status)):
        counts = ", ".join(f"{int((status == kind).sum())} {kind.name}" for kind in reversed(TrackStatus))
        parts.append(f"{name} {counts}")
    return f"{len(track)} frames; " + "; ".join(parts)
