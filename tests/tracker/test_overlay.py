from dataclasses import replace

import imageio_ffmpeg
import numpy as np
import pytest

from recorder.simulation.belt import belt
from scene.drawing import open_drawer
from scene.errors import InputError
from scene.frame import RgbdFrame
from tests.tracker.samples import ABSENT, LOST, SMALL, TRACKED, a_track, draw, true_pose, write_session
from tracker.agreement import Agreement
from tracker.frame_pictures import HIDDEN, SEEN_THROUGH, SIDE_SIZE, about, heat_map, side_view
from tracker.overlay import OUTLINE, SKELETON, object_body, outline, overlay, with_skeleton
from tracker.page import doubt, worst_first
from tracker.track import new_track, track_path_of
from tracker.view import ViewConfig, view


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = write_session(tmp_path_factory.mktemp("view") / "s.h5", model=belt())
    with new_track(track_path_of(path), a_track(path), overwrite=False):
        pass
    return path


def black(index=0):
    return RgbdFrame(index, 0.0, np.zeros((120, 160, 3), np.uint8), np.zeros((120, 160), np.float32))


def of_color(picture, color):
    return (picture == color).all(axis=-1)


def drawn_over(session, index=0, **changed):
    track = replace(a_track(session), **changed)
    return overlay(black(index), track, belt(), SMALL, open_drawer("rays"))


def test_the_outline_runs_about_the_object():
    drawing = draw(true_pose(), SMALL, hand=False)
    silhouette = drawing.depth < 0.6
    around = outline(object_body(belt()), true_pose().camera_from_object, SMALL, open_drawer("rays"))
    assert around.any()
    assert not (around & silhouette).any()
    rows, columns = np.nonzero(silhouette)
    y, x = np.nonzero(around)
    assert (y.min(), y.max(), x.min(), x.max()) == (
        rows.min() - 2,
        rows.max() + 2,
        columns.min() - 2,
        columns.max() + 2,
    )


def test_a_tracked_frame_shows_outline_and_skeleton(session):
    picture = drawn_over(session)
    around = outline(object_body(belt()), true_pose().camera_from_object, SMALL, open_drawer("rays"))
    assert of_color(picture, OUTLINE)[around].mean() > 0.8  # the skeleton and the letters may cross it
    joints_px = SMALL.project(a_track(session).joints_camera[0])
    u, v = np.round(joints_px[10]).astype(int)  # of the middle finger
    assert of_color(picture[v - 2 : v + 3, u - 2 : u + 3], SKELETON).any()


def test_the_outline_is_of_the_frame_asked_for(session):
    assert not np.array_equal(of_color(drawn_over(session, 0), OUTLINE), of_color(drawn_over(session, 2), OUTLINE))


@pytest.mark.parametrize("status", [LOST, ABSENT])
def test_what_is_not_tracked_is_not_drawn(session, status):
    nothing = np.full((3, 4, 4), np.nan)
    statuses = np.full(3, status)
    below = np.s_[80:]  # of the letters
    lost = drawn_over(session, status=statuses, camera_from_object=nothing, confidence=np.full(3, np.nan))
    assert not of_color(lost, OUTLINE)[below].any()
    assert of_color(drawn_over(session, hand_status=statuses), SKELETON).sum() == 0


def test_the_status_is_written(session):
    tracked, lost = (drawn_over(session, status=np.full(3, status))[:50] for status in (TRACKED, LOST))
    assert tracked.any()
    assert not np.array_equal(tracked, lost)


def test_the_recording_itself_is_not_painted_on(session):
    frame = black()
    overlay(frame, a_track(session), belt(), SMALL, open_drawer("rays"))
    assert not frame.color.any()


def test_a_joint_behind_the_camera_has_no_bone():
    joints_px = np.full((21, 2), np.nan)
    assert not with_skeleton(np.zeros((20, 20, 3), np.uint8), joints_px).any()
    joints_px[:2] = [[2, 3], [15, 3]]
    picture = with_skeleton(np.zeros((20, 20, 3), np.uint8), joints_px)
    assert of_color(picture, SKELETON)[3, 2:16].all()


def test_the_video_has_every_frame_at_its_rate(session, tmp_path):
    view(ViewConfig(session, output=tmp_path / "v.mp4", fps=5.0, drawer="rays"))
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "v.mp4"))
    assert frames == 3
    assert seconds == pytest.approx(3 / 5, abs=0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


def test_the_default_video_stands_beside_the_track(session, capsys):
    view(ViewConfig(session, drawer="rays"))
    assert capsys.readouterr().out.strip().endswith("s.track.mp4")
    assert session.with_name("s.track.mp4").exists()
    with pytest.raises(InputError, match="exists already"):
        view(ViewConfig(session, drawer="rays"))
    view(ViewConfig(session.with_name("s.track.h5"), drawer="rays", overwrite=True))
    assert capsys.readouterr().out.strip().endswith("s.track.mp4")


def test_a_track_of_another_session_is_refused(session, tmp_path):
    other = write_session(tmp_path / "other.h5", model=belt(), frames=1)
    with pytest.raises(InputError, match=r"was not made from .*other\.h5; track that session again"):
        view(ViewConfig(other, track=track_path_of(session), drawer="rays"))
    assert [path.name for path in tmp_path.iterdir()] == ["other.h5"]


def test_a_rate_at_which_nothing_plays_is_refused(session):
    with pytest.raises(InputError, match="--fps must be above 0, got 0"):
        ViewConfig(session, fps=0)


def test_a_page_holds_everything_in_itself(session, tmp_path):
    page = tmp_path / "p.html"
    view(ViewConfig(session, output=page, frames=2, drawer="rays"))
    text = page.read_text()
    assert text.count("<tr><td class") == 2  # as many frames as asked for
    assert text.count("data:image/jpeg") == 6
    assert text.count("data:image/png") == 4
    assert "http" not in text
    assert "3 frames; object 3 TRACKED" in text
    assert [path.name for path in tmp_path.iterdir()] == ["p.html"]


def test_the_default_page_stands_beside_the_track(session, capsys):
    view(ViewConfig(session, page=True, drawer="rays"))
    assert capsys.readouterr().out.strip().endswith("s.track.html")
    assert session.with_name("s.track.html").exists()


def test_pages_that_cannot_be_are_refused(session, tmp_path):
    with pytest.raises(InputError, match=r"must be written to a file that ends in \.html, got .*v\.mp4"):
        ViewConfig(session, page=True, output=tmp_path / "v.mp4")
    with pytest.raises(InputError, match="--frames must be at least 1, got 0"):
        ViewConfig(session, frames=0)


def test_the_most_doubtful_frame_is_first(session):
    track = a_track(
        session,
        status=np.array([TRACKED, TRACKED, LOST]),
        confidence=np.array([0.9, 0.6, 0.1]),
        residual=np.array([0.001, 0.001, 0.01]),
    )
    nothing = np.full(3, np.nan)
    found = Agreement(nothing, np.array([0.0, 0.0, 0.9]), nothing, nothing)
    np.testing.assert_allclose(doubt(track, found), [0.2, 0.5, np.nan])
    np.testing.assert_array_equal(worst_first(doubt(track, found)), [1, 0])
    slipped = Agreement(np.array([0.2, 1.0, 1.0]), np.array([0.3, 0, 0]), nothing, nothing)
    np.testing.assert_array_equal(worst_first(doubt(track, slipped)), [0, 1])


def test_the_heat_map_tells_what_differs_from_what_was_seen_through():
    body = object_body(belt())
    pose = true_pose().camera_from_object
    drawer = open_drawer("rays")
    drawing = drawer.draw([body.placed(pose)], SMALL)
    on_object = drawing.labels > 0
    depth = np.where(on_object, drawing.depth, 0.7).astype(np.float32)
    frame = RgbdFrame(0, 0.0, np.zeros((*depth.shape, 3), np.uint8), depth)
    same = heat_map(frame, [body.placed(pose)], SMALL, drawer)
    assert not same[~on_object].any()
    behind = RgbdFrame(0, 0.0, frame.color, depth + np.float32(0.05))
    before = RgbdFrame(0, 0.0, frame.color, depth - np.float32(0.05))
    assert (heat_map(behind, [body.placed(pose)], SMALL, drawer)[on_object] == SEEN_THROUGH).all()
    assert (heat_map(before, [body.placed(pose)], SMALL, drawer)[on_object] == HIDDEN).all()
    assert not (same[on_object] == SEEN_THROUGH).all()
    assert not heat_map(frame, [], SMALL, drawer).any()


def test_pictures_are_cut_out_about_what_is_drawn():
    drawer, body = open_drawer("rays"), object_body(belt()).placed(true_pose().camera_from_object)
    rows, columns = about([body], SMALL, drawer)
    labels = drawer.draw([body], SMALL).labels
    assert labels[rows, columns].sum() == labels.sum()
    assert labels[rows, columns].size < labels.size / 2
    nothing = body.placed(np.eye(4))
    nothing.camera_from_body[2, 3] = -1.0  # behind the camera
    assert about([nothing], SMALL, drawer) == (slice(None), slice(None))


def test_from_the_side_what_is_farther_is_to_the_right(session):
    track = a_track(session)
    place = track.camera_from_object[0, :3, 3]
    frame = black()
    samples = np.array([[0.0, 0, 0]])
    nearer = replace(track, camera_from_object=track.camera_from_object.copy(), hand_status=np.full(3, LOST))
    picture = side_view(frame, nearer, samples, SMALL)
    v, u = np.argwhere((picture == OUTLINE).all(axis=-1))[0]
    assert abs(u - SIDE_SIZE / 2) < 1
    assert abs(v - SIDE_SIZE / 2) < 1
    inverse_rotation = np.linalg.inv(track.camera_from_object[0, :3, :3])
    samples = np.array([[0.0, 0, 0], inverse_rotation @ [0, 0.02, 0.05]])  # farther from the camera, and lower
    places = np.argwhere((side_view(frame, nearer, samples, SMALL) == OUTLINE).all(axis=-1))
    assert places[:, 1].max() > u + 30
    assert places[:, 0].max() > v + 10
    assert place[2] > 0
