import json
from dataclasses import replace

import numpy as np
import pytest

from recorder.simulation.belt import belt
from scene.errors import InputError
from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import declared_symmetries
from scene.transforms import rigid
from tests.tracker import samples
from tests.tracker.samples import LOST, TRACKED, a_track, true_pose, write_session
from tracker.evaluate import EvaluateConfig, evaluate, evaluation, run_evaluate
from tracker.figures import recovery_frames, self_knowledge
from tracker.frame_errors import FrameErrors
from tracker.track import new_track, track_path_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three frames whose object is visible by 0.1, 0.3 and 1."""
    folder = tmp_path_factory.mktemp("sessions")
    with pytest.MonkeyPatch.context() as patch:
        of = samples.truth_of
        patch.setattr(samples, "truth_of", lambda index: of(index, (0.1, 0.3, 1.0)[index]))
        write_session(folder / "s.h5", model=belt())
    write_session(folder / "real.h5", model=belt(), truth=False)
    return folder


def track_of(session, path, **changed):
    with new_track(path, a_track(session, **changed), overwrite=True):
        pass
    return path


def displaced():
    """Off by 4 mm and 8 degrees, by 12 mm and none, by 2 mm and 3 degrees."""
    poses = np.stack([true_pose(index).camera_from_object for index in range(3)])
    for pose, mm, degrees in zip(poses, (4, 12, 2), (8, 0, 3), strict=True):
        pose[:] = rigid(
            pose[:3, :3] @ matrix_from_rotation_vector(np.deg2rad([0, degrees, 0])),
            pose[:3, 3] + np.array([0, 0, mm / 1000]),
        )
    return poses


def test_figures_by_hand(folder, tmp_path):
    session = folder / "s.h5"
    joints_camera = a_track(session).joints_camera.copy()
    joints_camera[1, :10] += [0.003, 0, 0]  # those in sight
    joints_camera[1, 10:] += [0, 0.014, 0]
    changed = {"camera_from_object": displaced(), "joints_camera": joints_camera}
    path = track_of(session, tmp_path / "t.h5", hand_status=np.array([LOST, TRACKED, LOST]), **changed)
    everything, hidden, half, seen = evaluate(session, path)
    assert (everything.visibility, hidden.visibility, seen.visibility) == ("all", "0% to 15%", "40% to 100%")
    assert (everything.frames, everything.tracked, everything.hand_tracked) == (3, 3, 1)
    assert everything.median_rotation_deg == pytest.approx(3, abs=1e-6)
    assert everything.median_translation_mm == pytest.approx(4)
    assert everything.right == pytest.approx(2 / 3)
    assert everything.hand_joint_mm == pytest.approx((10 * 3 + 11 * 14) / 21)
    assert everything.hand_visible_joint_mm == pytest.approx(3)
    assert everything.hand_hidden_joint_mm == pytest.approx(14)
    assert (everything.hand_right, everything.hand_recall) == (1, pytest.approx(1 / 3))
    assert everything.recall == pytest.approx(1 / 2)  # of the two frames that are 15% visible
    assert (hidden.frames, half.frames, seen.frames) == (1, 1, 1)
    assert (hidden.right, half.right, seen.right) == (1, 0, 1)
    assert half.median_translation_mm == pytest.approx(12)
    assert seen.median_rotation_deg == pytest.approx(3, abs=1e-6)
    assert (hidden.hand_tracked, hidden.hand_joint_mm) == (0, None)


def test_frames_that_were_given_up_are_counted_and_have_no_error(folder, tmp_path):
    session = folder / "s.h5"
    path = track_of(
        session, tmp_path / "t.h5", status=np.array([LOST, TRACKED, TRACKED]), camera_from_object=displaced()
    )
    everything, hidden, *_ = evaluate(session, path)
    assert (everything.frames, everything.tracked) == (3, 2)
    assert everything.median_translation_mm == pytest.approx(7)
    assert (hidden.frames, hidden.tracked, hidden.right, hidden.median_rotation_deg) == (1, 0, None, None)


def test_a_session_without_truth(folder, tmp_path):
    path = track_of(folder / "real.h5", tmp_path / "t.h5")
    sentence = r"only a session with ground truth can be evaluated with --no-images, .*real\.h5 has none"
    with pytest.raises(InputError, match=sentence):
        evaluate(folder / "real.h5", path)


def test_a_track_of_another_session(folder, tmp_path):
    path = track_of(folder / "real.h5", tmp_path / "t.h5")
    with pytest.raises(InputError, match=r"t\.h5 was not made from .*s\.h5; track that session again"):
        evaluate(folder / "s.h5", path)


def test_the_table_is_printed_and_the_figures_written(folder, tmp_path, capsys):
    session = folder / "s.h5"
    path = track_of(session, tmp_path / "t.h5", camera_from_object=displaced())
    run_evaluate(EvaluateConfig(session, path, json=tmp_path / "f.json", drawer="rays"))
    out = capsys.readouterr().out
    assert "Object against ground truth (no symmetry)" in out
    assert "Hand against ground truth" in out
    assert "4.00" in out
    assert "object: 3 frames TRACKED, median residual 1.00 mm" in out
    assert "hand: confidence 0.80 on average where 1.00 are right, Brier score 0.04" in out
    figures = json.loads((tmp_path / "f.json").read_text())
    assert len(figures["rows"]) == 4
    assert figures["rows"][0]["median_translation_mm"] == pytest.approx(4)
    assert figures["images"]["frames"] == 3
    assert figures["self_knowledge"]["mean_confidence"] == pytest.approx(0.9)


def test_the_default_track_is_the_one_beside_the_session(folder, capsys):
    session = folder / "s.h5"
    track_of(session, track_path_of(session))
    for named in (session, track_path_of(session)):
        run_evaluate(EvaluateConfig(named, images=False))
        assert "100%" in capsys.readouterr().out


def test_distances_of_points_by_hand(folder, tmp_path):
    """A pose off by a translation alone: every point is off by it, and nearest points by less."""
    poses = np.stack([true_pose(index).camera_from_object for index in range(3)])
    poses[:, :3, 3] += [0.006, 0, 0]
    everything, *_ = evaluate(folder / "s.h5", track_of(folder / "s.h5", tmp_path / "t.h5", camera_from_object=poses))
    assert everything.add_mm == pytest.approx(6)
    assert everything.median_mssd_mm == pytest.approx(6)
    assert everything.adds_mm is not None
    assert 0.1 < everything.adds_mm < 6
    assert everything.add_auc == pytest.approx(0.94)


def test_what_is_not_tracked_though_visible_counts_as_missed_in_the_area(folder, tmp_path):
    path = track_of(folder / "s.h5", tmp_path / "t.h5", status=np.array([TRACKED, LOST, TRACKED]))
    everything, *_ = evaluate(folder / "s.h5", path)
    assert everything.add_auc == pytest.approx(1 / 2)
    assert everything.recall == pytest.approx(1 / 2)


def test_symmetries_of_the_track_or_of_the_command_are_forgiven(folder, tmp_path):
    session = folder / "s.h5"
    half = rigid(matrix_from_rotation_vector(np.array([0, 0, np.pi])), np.zeros(3))
    poses = np.stack([true_pose(index).camera_from_object @ half for index in range(3)])
    path = track_of(session, tmp_path / "t.h5", camera_from_object=poses)
    assert evaluate(session, path)[0].median_rotation_deg == pytest.approx(180, abs=1e-6)
    assert evaluate(session, path, ("z2",))[0].median_rotation_deg == pytest.approx(0, abs=1e-6)
    declared = declared_symmetries(("z2",))
    known = track_of(session, tmp_path / "k.h5", camera_from_object=poses, symmetries=declared)
    everything = evaluate(session, known)[0]
    assert everything.median_rotation_deg == pytest.approx(0, abs=1e-6)
    assert everything.median_mssd_mm == pytest.approx(0, abs=1e-6)
    assert everything.add_mm is not None
    assert everything.add_mm > 10  # ADD knows of no symmetry


def errors_of(right, known=None):
    """Frame errors in which only `right` is told."""
    right = np.array(right, bool)
    off, none = np.where(right, 0.0, 90.0), np.zeros(len(right), bool)
    joints = np.zeros((len(right), 21))
    return FrameErrors(~none, ~none, off, off, off, off, off, none, none, joints, joints > 0)


def test_recovery_is_counted_from_the_return():
    visibility = np.array([1, 0, 0, np.nan, 0.2, 0.5, 0.9, 0.9, 0, 0, 0.8, 0, 0, 0, 0.9, 0.9])
    right = [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    # back in frame 5 and right in 7; away for two frames only is no absence; back in frame 14 and never right
    assert recovery_frames(errors_of(right), visibility) == [2, None]
    assert recovery_frames(errors_of([1] * 16), visibility) == [0, 0]
    assert recovery_frames(errors_of([1, 1]), np.array([1.0, 1.0])) == []


def test_confidence_and_spread_are_compared_with_errors(folder):
    track = a_track(
        folder / "s.h5", confidence=np.array([0.9, 0.6, 0.2]), spread_translation=np.array([1, 2, 3]) / 1000
    )
    errors = replace(errors_of([1, 1, 0]), translation_mm=np.array([2.0, 4.0, 12.0]))
    known = self_knowledge(track, errors)
    assert known.mean_confidence == pytest.approx(1.7 / 3)
    assert known.right == pytest.approx(2 / 3)
    assert known.brier == pytest.approx((0.01 + 0.16 + 0.04) / 3)
    assert known.spread_of_error == pytest.approx(1)
    assert known.error_by_spread == pytest.approx(2)


def test_the_hands_confidence_is_compared_with_its_errors(folder):
    track = a_track(folder / "s.h5", hand_confidence=np.array([0.9, 0.6, 0.2]))
    errors = errors_of([1, 1, 1])
    joint_mm = np.repeat([[5.0], [30.0], [5.0]], 21, axis=1)
    called = np.array([True, True, False])
    known = self_knowledge(track, replace(errors, joint_mm=joint_mm, hand_called=called, hand_known=called | True))
    assert known.hand_mean_confidence == pytest.approx(0.75)
    assert known.hand_right == pytest.approx(0.5)
    assert known.hand_brier == pytest.approx((0.01 + 0.36) / 2)


def test_the_images_tell_a_pose_from_one_that_slipped(folder, tmp_path):
    """Without any truth: the second frame's pose is 35 mm off to the side."""
    session = folder / "real.h5"
    poses = np.stack([true_pose(index).camera_from_object for index in range(3)])
    poses[1, :3, 3] += [0.0, 0.035, 0.0]
    path = track_of(session, tmp_path / "t.h5", camera_from_object=poses)
    found = evaluation(EvaluateConfig(session, path, drawer="rays"))
    assert (found.rows, found.self_knowledge) == ([], None)
    assert found.images is not None
    assert found.images.slipped == [1]
    assert found.images.median_overlap is not None
    assert found.images.median_overlap > 0.8
    assert found.images.mean_seen_through is not None
    assert found.images.mean_seen_through > 0.1
    right = evaluation(EvaluateConfig(session, track_of(session, tmp_path / "r.h5"), drawer="rays")).images
    assert right is not None
    assert right.mean_seen_through is not None
    assert right.mean_seen_through < 0.05
    assert right.mean_hand_seen_through is not None
    assert right.mean_hand_seen_through < 0.15
