"""What a user knows already: the first pose, masks, the hand's side; and that --refine only adds what was estimated."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recorder.session import HAND_LABEL, NOT_LABELLED, OBJECT_LABEL, Session
from recorder.simulation.belt import belt
from scene.command import run_program
from scene.errors import InputError
from scene.metrics import rotation_error_deg
from scene.rotations import matrix_from_rotation_vector
from tests.tracker.samples import LOST, TRACKED, drawn, true_pose, write_session
from tracker import second_look
from tracker.config import RunConfig
from tracker.hints import read_pose, with_labels
from tracker.many import run_all
from tracker.sequence import SequenceTracker
from tracker.track import open_track

SHORT = ("--particles", 12, "--generations", 6, "--points", 100)


def tracker(*arguments):
    return run_program("tracker", "", {RunConfig: run_all}, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("hints") / "s.h5", model=belt(), frames=2)


@pytest.mark.parametrize("ending", [".txt", ".csv", ".npy", ".json"])
def test_a_pose_is_read_from_each_kind_of_file(tmp_path, ending):
    pose, path = true_pose().camera_from_object, tmp_path / f"pose{ending}"
    if ending == ".npy":
        np.save(path, pose)
    elif ending == ".json":
        path.write_text(json.dumps(pose.tolist()))
    else:
        np.savetxt(path, pose, delimiter="," if ending == ".csv" else " ", fmt="%.4f")
    read = read_pose(path)
    np.testing.assert_allclose(read, pose, atol=1e-3)
    np.testing.assert_allclose(read[:3, :3] @ read[:3, :3].T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        (np.eye(3), r"must hold 4 x 4 finite numbers, holds \(3, 3\)"),
        (np.eye(4), "must place the object before the camera in metres, z is 0"),
        (np.diag([1.0, 1, -1, 1]), "must be a rotation and a translation"),
        (np.diag([2.0, 2, 2, 1]), "must be a rotation and a translation"),
        (np.eye(4) + np.outer([0, 0, 450.0, 0], [0, 0, 0, 1]), "in metres, z is 450"),
    ],
)
def test_what_is_no_pose_is_refused(tmp_path, numbers, sentence):
    np.save(tmp_path / "p.npy", numbers)
    with pytest.raises(InputError, match=sentence):
        read_pose(tmp_path / "p.npy")


def test_what_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "p.txt").write_text("no numbers")
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    for name in ("p.txt", "o.npy", "none.json"):
        with pytest.raises(InputError, match="must hold 4 x 4 numbers and cannot be read"):
            read_pose(tmp_path / name)


def test_labels_take_the_place_of_colors():
    observation = drawn().observation
    labels = np.full(observation.depth.shape, NOT_LABELLED, np.uint8)
    assert with_labels(observation, labels) is observation
    assert with_labels(observation, None) is observation
    labels[:100] = 0
    labels[20:30], labels[40:60] = OBJECT_LABEL, HAND_LABEL
    told = with_labels(observation, labels)
    assert (told.object_chance[20:30] == 1).all()
    assert (told.hand_chance[40:60] == 1).all()
    assert (told.object_chance[60:100] == 0).all()
    np.testing.assert_array_equal(told.object_chance[100:], observation.object_chance[100:])


@pytest.mark.usefixtures("quick")
def test_labels_reach_the_tracker_unless_they_are_not_wanted(session, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(Session, "labels", lambda self, index: asked.append(index))
    assert tracker("run", session, "--output", tmp_path / "n.h5", "--no-masks", *SHORT) == 0
    assert asked == []
    assert tracker("run", session, "--output", tmp_path / "t.h5", *SHORT) == 0
    assert set(asked) == {0, 1}


@pytest.mark.usefixtures("quick")
def test_tracking_begins_at_the_pose_that_is_given(session, tmp_path, monkeypatch):
    """Four degrees and as many millimetres off, and without any search."""
    pose = true_pose().camera_from_object.copy()
    pose[:3, :3] = pose[:3, :3] @ matrix_from_rotation_vector(np.array([0, 0.07, 0]))
    pose[:3, 3] += [0.004, 0, 0]
    np.savetxt(tmp_path / "p.txt", pose)
    monkeypatch.setattr(SequenceTracker, "_found", lambda self, observation: [])
    assert tracker("run", session, "--output", tmp_path / "n.h5", *SHORT) == 0
    assert (open_track(tmp_path / "n.h5").status != TRACKED).all()
    assert tracker("run", session, "--output", tmp_path / "t.h5", "--initial-pose", tmp_path / "p.txt", *SHORT) == 0
    track = open_track(tmp_path / "t.h5")
    assert (track.status == TRACKED).all()
    for index in range(2):
        true = true_pose(index).camera_from_object
        assert rotation_error_deg(track.camera_from_object[index, :3, :3], true[:3, :3]) < 4
        assert np.linalg.norm(track.camera_from_object[index, :3, 3] - true[:3, 3]) < 0.004


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("hand", "side"), [("auto", "right"), ("left", "left"), ("right", "right")])
def test_the_hand_followed_is_of_the_side_asked_for(session, tmp_path, hand, side):
    assert tracker("run", session, "--output", tmp_path / "t.h5", "--hand", hand, *SHORT) == 0
    shape = open_track(tmp_path / "t.h5").hand_shape
    assert shape.side == side
    thumb_first = shape.base_offsets[0, 2] < shape.base_offsets[4, 2]
    assert thumb_first == (side == "right")


@pytest.mark.usefixtures("quick")
def test_symmetries_declared_are_kept_and_said(session, tmp_path, capsys):
    assert tracker("run", session, "--output", tmp_path / "u.h5", *SHORT, "--symmetry", "z2", "x2") == 0
    assert "declared: 4 poses that look alike" in capsys.readouterr().out
    assert len(open_track(tmp_path / "u.h5").symmetries.discrete) == 4
    assert tracker("run", session, "--output", tmp_path / "d.h5", *SHORT) == 0
    assert "detected: no symmetry" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_refine_looks_again_and_keeps_what_stays_lost(session, tmp_path, monkeypatch):
    """The first frame is LOST going back, and TRACKED when it is come to from the other side.

    Both frames are followed once before they are tracked.
    """
    np.savetxt(tmp_path / "p.txt", true_pose().camera_from_object)
    hint = ("--initial-pose", tmp_path / "p.txt")
    monkeypatch.setattr(SequenceTracker, "_found", lambda self, observation: [])
    original, asked = SequenceTracker.track, []

    def track(self, frame):
        asked.append(frame.index)
        answer = original(self, frame)
        return replace(answer, status=type(answer.status)(LOST)) if len(asked) == 3 else answer

    monkeypatch.setattr(SequenceTracker, "track", track)
    assert tracker("run", session, "--output", tmp_path / "t.h5", *hint, *SHORT) == 0
    assert list(open_track(tmp_path / "t.h5").status) == [LOST, TRACKED]
    asked.clear()
    assert tracker("run", session, "--output", tmp_path / "r.h5", "--refine", *hint, *SHORT) == 0
    track_again = open_track(tmp_path / "r.h5")
    assert asked == [0, 1, 0, 1, 0]
    assert list(track_again.status) == [TRACKED, TRACKED]
    monkeypatch.setattr(second_look, "lost_runs", lambda status, anchor: [])
    asked.clear()
    assert tracker("run", session, "--output", tmp_path / "s.h5", "--refine", *hint, *SHORT) == 0
    left = open_track(tmp_path / "s.h5")
    assert list(left.status) == [LOST, TRACKED]
    assert np.isnan(left.camera_from_object[0]).all()
