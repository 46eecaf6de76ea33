"""The truth of a recording as a track: what is known is TRACKED, what is not is ABSENT; without truth a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth
from scripts.true_track import main
from tests.pairs.samples import wedge
from tests.renderer.fakes import CAMERA, camera_from_object, hand_pose
from tracker.track import TrackStatus, open_track, track_path_of


def session(path: Path, truths: list[Truth] | None) -> Path:
    """Three grey frames."""
    with SessionWriter(path, SessionHeader(CAMERA, 0.001, "fake", object_model=wedge())) as writer:
        for index in range(3):
            color, depth = np.full((120, 160, 3), 90, np.uint8), np.full((120, 160), 400, np.uint16)
            writer.append(SensorFrame(color, depth, index / 10, truth=None if truths is None else truths[index]))
    return path


def known(index: int) -> Truth:
    hand = hand_pose(index)
    return replace(
        Truth.unknown(),
        camera_from_object=camera_from_object(index),
        camera_from_hand=hand.camera_from_hand,
        hand_angles=hand.angles,
        joints_camera=np.zeros((21, 3)),
        object_visibility=np.asarray(0.5),
    )


def test_the_truth_becomes_a_track(tmp_path: Path) -> None:
    unseen = replace(known(1), object_visibility=np.asarray(0.0))
    no_hand = replace(Truth.unknown(), camera_from_object=camera_from_object(2), object_visibility=np.asarray(1.0))
    path = session(tmp_path / "session.h5", [known(0), unseen, no_hand])
    main([path])
    track = open_track(track_path_of(path))
    tracked, absent = TrackStatus.TRACKED, TrackStatus.ABSENT
    assert track.status.tolist() == [tracked, absent, tracked]
    assert track.hand_status.tolist() == [tracked, tracked, absent]
    np.testing.assert_allclose(track.camera_from_object[[0, 2]], [camera_from_object(0), camera_from_object(2)])
    np.testing.assert_allclose(track.hand_angles[0], hand_pose(0).angles)
    assert np.isnan(track.camera_from_object[1]).all()
    assert (track.confidence[[0, 2]] == 1).all()
    np.testing.assert_allclose(track.visibility, [0.5, 0.0, 1.0])


def test_a_recording_without_truth_is_refused(tmp_path: Path) -> None:
    path = session(tmp_path / "session.h5", None)
    with pytest.raises(SystemExit, match="must hold ground truth and has none; give a simulated recording"):
        main([path])
    assert not track_path_of(path).exists()
    with pytest.raises(SystemExit, match="give sessions with ground truth"):
        main([])
