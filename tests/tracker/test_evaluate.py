import json

import numpy as np
import pytest

from recorder.simulation.belt import belt
from scene.errors import InputError
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker import samples
from tests.tracker.samples import LOST, TRACKED, a_track, true_pose, write_session
from tracker.evaluate import EvaluateConfig, evaluate, run_evaluate
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
    with pytest.raises(InputError, match=r"only a session with ground truth can be evaluated, .*real\.h5 has none"):
        evaluate(folder / "real.h5", path)


def test_a_track_of_another_session(folder, tmp_path):
    path = track_of(folder / "real.h5", tmp_path / "t.h5")
    with pytest.raises(InputError, match=r"t\.h5 was not made from .*s\.h5; track that session again"):
        evaluate(folder / "s.h5", path)


def test_the_table_is_printed_and_the_figures_written(folder, tmp_path, capsys):
    session = folder / "s.h5"
    path = track_of(session, tmp_path / "t.h5", camera_from_object=displaced())
    run_evaluate(EvaluateConfig(session, path, tmp_path / "f.json"))
    out = capsys.readouterr().out
    assert "Track against ground truth" in out
    assert "4.00" in out
    rows = json.loads((tmp_path / "f.json").read_text())["rows"]
    assert len(rows) == 4
    assert rows[0]["median_translation_mm"] == pytest.approx(4)


def test_the_default_track_is_the_one_beside_the_session(folder, capsys):
    session = folder / "s.h5"
    track_of(session, track_path_of(session))
    run_evaluate(EvaluateConfig(session))
    assert "100%" in capsys.readouterr().out
