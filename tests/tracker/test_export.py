"""A track as other programs read it."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recorder.simulation.belt import belt
from scene.rotations import matrix_from_quaternion
from tests.tracker.samples import a_track, true_pose, write_session
from tracker.cli import run_tracker
from tracker.track import TrackStatus, new_track

LOST = 1


@pytest.fixture
def exported(tmp_path):
    """(format, options) -> the file written from a track of three frames whose second is LOST."""
    session = write_session(tmp_path / "session.h5", model=belt())
    track = a_track(session)
    poses = track.camera_from_object.copy()
    poses[LOST] = np.nan
    status = track.status.copy()
    status[LOST] = TrackStatus.LOST
    with new_track(
        tmp_path / "session.track.h5", replace(track, camera_from_object=poses, status=status), overwrite=False
    ):
        pass

    def write(kind, *options):
        assert run_tracker(["export", str(tmp_path / "session.track.h5"), "--format", kind, *options]) == 0
        return tmp_path

    return write


def test_npz_has_everything_and_needs_no_pickle(exported, capsys):
    folder = exported("npz")
    assert "session.track.npz: 3 frames, the object TRACKED in 2" in capsys.readouterr().out
    with np.load(folder / "session.track.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {
            "status", "hand_status", "camera_from_object", "joints_camera", "confidence", "hand_confidence",
            "timestamp_s",
        }  # fmt: skip
        assert arrays["status"].tolist() == [2, 1, 2]
        assert arrays["joints_camera"].shape == (3, 21, 3)
        np.testing.assert_allclose(arrays["camera_from_object"][2], true_pose(2).camera_from_object)
        assert np.isnan(arrays["camera_from_object"][LOST]).all()


def test_csv_leaves_empty_what_is_lost(exported):
    with (exported("csv") / "session.track.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["TRACKED", "LOST", "TRACKED"]
    assert rows[LOST]["tx"] == rows[LOST]["qw"] == ""
    pose = true_pose(2).camera_from_object
    quaternion = np.array([float(rows[2][name]) for name in ("qw", "qx", "qy", "qz")])
    np.testing.assert_allclose(matrix_from_quaternion(quaternion), pose[:3, :3], atol=1e-9)
    np.testing.assert_allclose([float(rows[2][name]) for name in ("tx", "ty", "tz")], pose[:3, 3])
    assert float(rows[2]["timestamp_s"]) == pytest.approx(2 / 30)


def test_tum_has_w_last_and_only_what_is_tracked(exported):
    rows = np.loadtxt(exported("tum") / "session.track.tum.txt")
    assert rows.shape == (2, 8)
    pose = true_pose(2).camera_from_object
    np.testing.assert_allclose(matrix_from_quaternion(rows[1, [7, 4, 5, 6]]), pose[:3, :3], atol=1e-6)
    np.testing.assert_allclose(rows[1, 1:4], pose[:3, 3], atol=1e-7)
    assert rows[1, 0] == pytest.approx(2 / 30, abs=1e-6)


def test_bop_is_row_major_and_in_millimetres(exported):
    with (exported("bop", "--scene-id", "7", "--object-id", "15") / "session.track.bop.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["scene_id", "im_id", "obj_id", "score", "R", "t", "time"]
    assert [(row["scene_id"], row["im_id"], row["obj_id"]) for row in rows] == [("7", "0", "15"), ("7", "2", "15")]
    pose = true_pose(2).camera_from_object
    np.testing.assert_allclose(np.array(rows[1]["R"].split(), float).reshape(3, 3), pose[:3, :3], atol=1e-8)
    np.testing.assert_allclose(np.array(rows[1]["t"].split(), float), 1000 * pose[:3, 3], rtol=1e-8)
    assert float(rows[1]["score"]) == pytest.approx(0.9)
    assert rows[1]["time"] == "-1"


def test_an_existing_file_is_kept_unless_told(exported, tmp_path, capsys):
    output = tmp_path / "mine.npz"
    output.write_bytes(b"precious")
    arguments = ["export", str(tmp_path / "session.track.h5"), "--output", str(output)]
    exported("csv")
    assert run_tracker(arguments) == 2
    assert "exists already; give another --output, or --overwrite to replace it" in capsys.readouterr().err
    assert output.read_bytes() == b"precious"
    assert run_tracker([*arguments, "--overwrite"]) == 0
    assert output.read_bytes() != b"precious"


def test_a_disk_that_is_full_leaves_nothing(exported, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    exported("csv")
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr(Path, "write_bytes", full)
    assert run_tracker(["export", str(tmp_path / "session.track.h5"), "--format", "tum"]) == 2
    err = capsys.readouterr().err
    assert "could not be written" in err
    assert "free some space or give another --output" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_missing_track_is_named(tmp_path, capsys):
    assert run_tracker(["export", str(tmp_path / "none.track.h5")]) == 2
    assert "none.track.h5 does not exist" in capsys.readouterr().err
