import h5py
import numpy as np
import pytest

from scene.errors import InputError, SchemaError
from scene.hand_pose import joints
from scene.hand_shape import average_hand, scaled
from tests.tracker.samples import ABSENT, LOST, TRACKED, a_track, true_pose
from tracker.frame_row import row_of, summary
from tracker.hypothesis import HandObjectPose
from tracker.objective import TERMS
from tracker.track import ROW_FIELDS, TRACK, TrackStatus, new_track, open_track, track_path_of
from tracker.tracked_frame import TrackedFrame


@pytest.fixture
def session(tmp_path):
    path = tmp_path / "s.h5"
    path.write_bytes(b"any file has a hash")
    return path


def written(session, **changed):
    path, track = track_path_of(session), a_track(session, **changed)
    with new_track(path, track, overwrite=True):
        pass
    return path, track


def test_a_track_stands_beside_its_session(session):
    assert track_path_of(session) == session.parent / "s.track.h5"


def test_a_track_comes_back(session):
    path, track = written(session, status=np.array([TRACKED, LOST, ABSENT]))
    back = open_track(path)
    assert len(back) == 3
    for name in ROW_FIELDS:
        np.testing.assert_array_equal(getattr(back, name), getattr(track, name))
        assert getattr(back, name).dtype == TRACK.field(name).dtype
    assert (back.terms, back.session_name, back.session_sha256) == (TERMS, "s.h5", track.session_sha256)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_hands_shape_comes_back(session, side):
    shape = scaled(average_hand(side), 1.1)
    path, _ = written(session, hand_shape=shape)
    back = open_track(path).hand_shape
    assert back.side == side
    for name in ("base_offsets", "base_rotations", "phalanx_lengths", "radii", "palm_segments", "palm_radii"):
        np.testing.assert_array_equal(getattr(back, name), getattr(shape, name))


def change(path, name, value):
    with h5py.File(path, "r+") as file:
        file[name][...] = value


def test_a_tracked_frame_without_a_pose_is_refused(session):
    path, _ = written(session)
    with h5py.File(path, "r+") as file:
        file["camera_from_object"][1] = np.nan
    with pytest.raises(InputError, match="calls frames TRACKED that have no pose; track the session again"):
        open_track(path)
    with h5py.File(path, "r+") as file:
        file["status"][1] = LOST
    assert np.isnan(open_track(path).camera_from_object[1]).all()


def test_a_tracked_hand_without_a_pose_is_refused(session):
    path, _ = written(session)
    change(path, "joints_camera", np.nan)
    change(path, "camera_from_hand", np.nan)
    with pytest.raises(InputError, match="TRACKED"):
        open_track(path)


@pytest.mark.parametrize("name", ["status", "hand_status"])
@pytest.mark.parametrize("value", [-1, 3])
def test_statuses_that_mean_nothing_are_refused(session, name, value):
    path, _ = written(session)
    change(path, name, value)
    with pytest.raises(InputError, match=r"must hold statuses 0, 1 or 2 only; track the session again"):
        open_track(path)


def test_a_side_that_is_none_is_refused(session):
    path, _ = written(session)
    with h5py.File(path, "r+") as file:
        file.attrs["hand_side"] = "upper"
    with pytest.raises(InputError, match="must name the hand's side left or right, has 'upper'"):
        open_track(path)


@pytest.mark.parametrize("name", ["hand_side", "terms", "session_name", "session_sha256"])
def test_a_missing_attribute_is_a_sentence(session, name):
    path, _ = written(session)
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
    with pytest.raises(InputError):
        open_track(path)


def test_a_missing_field_is_named(session):
    path, _ = written(session)
    with h5py.File(path, "r+") as file:
        del file["hand_angles"], file["hand_shape/radii"]
    with pytest.raises(SchemaError, match=r"'hand_angles' is missing; 'hand_shape/radii' is missing"):
        open_track(path)


def a_row(status, hand_status, **changed):
    nan = float("nan")
    fields = {"confidence": 0.9, "hand_confidence": 0.8, "terms": np.full(6, 0.1), "residual": 0.001}
    fields |= {"visibility": 0.5, "spread_translation": nan, "hand_residual": 0.002, "spread_rotation": nan}
    pose: HandObjectPose = true_pose()
    return TrackedFrame(TrackStatus(status), TrackStatus(hand_status), pose, **{**fields, **changed})


def test_what_is_not_tracked_is_nan():
    """A LOST object keeps its confidence, and loses its pose."""
    rows = [
        row_of(answer, average_hand())
        for answer in (a_row(TRACKED, LOST), a_row(LOST, ABSENT), a_row(TRACKED, TRACKED))
    ]
    columns = {name: [np.isnan(row[name]).all() for row in rows] for name in ("camera_from_hand", "hand_angles")}
    assert [np.isnan(row["camera_from_object"]).any() for row in rows] == [False, True, False]
    assert columns == {"camera_from_hand": [True, True, False], "hand_angles": [True, True, False]}
    assert [np.isnan(row["joints_camera"]).all() for row in rows] == [True, True, False]
    assert [row["status"] for row in rows] == [TRACKED, LOST, TRACKED]
    assert [row["confidence"] for row in rows] == [0.9, 0.9, 0.9]
    np.testing.assert_allclose([row["objective"] for row in rows], 0.6)
    np.testing.assert_allclose(rows[2]["joints_camera"], joints(average_hand(), true_pose().hand))
    assert set(rows[0]) == set(ROW_FIELDS) - {"timestamp_s"}


def test_the_summary_counts_each_status(session):
    track = a_track(session, status=np.array([TRACKED, LOST, LOST]), hand_status=np.array([ABSENT, LOST, TRACKED]))
    assert summary(track) == "3 frames; object 1 TRACKED, 2 LOST, 0 ABSENT; hand 1 TRACKED, 1 LOST, 1 ABSENT"
