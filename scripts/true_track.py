"""A session with ground truth -> a track that says the truth, so that pairs can be made without a tracker's errors.

Usage: python scripts/true_track.py SESSION.h5 ... (writes SESSION.track.h5 beside each, replacing what is there)
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from recorder.session import Session, open_session
from scene.files import sha256, stamp_provenance
from scene.hand_shape import average_hand
from tracker.track import Track, TrackStatus, new_track, track_path_of


def main(paths: list[Path]) -> None:
    """Writes a track for each session."""
    if not paths:
        sys.exit("give sessions with ground truth: python scripts/true_track.py SESSION.h5 ...")
    for path in paths:
        with open_session(path) as session:
            track = true_track(session)
        with new_track(track_path_of(path), track, overwrite=True) as file:
            stamp_provenance(file, configuration={"truth_of": path.name}, seed=None, sources={"session": path})
        print(f"truth of {len(track)} frames in {track_path_of(path)}")


def true_track(session: Session) -> Track:
    """TRACKED wherever the pose is known and some of the object is seen, with full confidence and no spread."""
    truth = session.truth
    if truth is None:
        sys.exit(f"{session.path} must hold ground truth and has none; give a simulated recording")
    count = len(session)
    known = np.isfinite(truth.camera_from_object).all(axis=(1, 2)) & (np.nan_to_num(truth.object_visibility) > 0)
    hand = np.isfinite(truth.camera_from_hand).all(axis=(1, 2)) & np.isfinite(truth.hand_angles).all(axis=1)
    return Track(
        status=np.where(known, TrackStatus.TRACKED, TrackStatus.ABSENT),
        hand_status=np.where(hand, TrackStatus.TRACKED, TrackStatus.ABSENT),
        timestamp_s=session.timestamps_s,
        camera_from_object=np.where(known[:, None, None], truth.camera_from_object, np.nan),
        camera_from_hand=truth.camera_from_hand,
        hand_angles=truth.hand_angles,
        joints_camera=truth.joints_camera,
        confidence=np.where(known, 1.0, np.nan),
        hand_confidence=np.where(hand, 1.0, np.nan),
        objective=np.full(count, np.nan),
        objective_terms=np.full((count, 1), np.nan),
        residual=np.zeros(count),
        hand_residual=np.zeros(count),
        visibility=truth.object_visibility,
        spread_translation=np.zeros(count),
        spread_rotation=np.zeros(count),
        hand_shape=average_hand(session.hand_side),
        terms=("none",),
        session_name=session.path.name,
        session_sha256=sha256(session.path),
    )


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
