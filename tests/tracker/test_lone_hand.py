"""A bare hand: where it is looked for, whether its outline is believed, and the way from depth alone to a page."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from recorder.session import SensorFrame, SessionHeader, SessionWriter
from recorder.simulation.belt import belt
from scene.frame import RgbdFrame
from scene.hand_pose import HandPose, joints
from scene.transforms import rigid
from tests.tracker.bare_hands import frame, pose, someone, surface, write_bare_session
from tests.tracker.samples import ABSENT, CAMERA, SMALL, TRACKED, write_session
from tracker import finger_trials, lone_hand
from tracker.arm import find_arm, find_lone_arm
from tracker.cli import run_tracker
from tracker.config import RunConfig
from tracker.finger_trials import with_fingers_tried
from tracker.hand_outline import outline_confidence, outline_overlap
from tracker.hand_places import hand_places, pieces
from tracker.hypothesis import HandObjectPose, Layout
from tracker.lone_hand import NOWHERE, LoneHandState, LoneHandTracker
from tracker.observation import find_planes
from tracker.track import open_track

SHORT = ("--particles", "8", "--generations", "4", "--points", "60", "--confidence", "0")


def tracker_of(seen):
    state = LoneHandState.before(seen, CAMERA, someone(), 0)
    return LoneHandTracker(state, RunConfig())


def places(index=0, *, body=False):
    seen = frame(index, body=body)
    return hand_places(tracker_of(seen)._observed(seen))


@pytest.mark.parametrize("body", [False, True])
def test_the_hand_is_the_nearest_place_whatever_is_behind_it(body):
    found = places(body=body)
    assert body or len(found) == 1
    joint_px = CAMERA.project(joints(someone(), pose(0))).round().astype(int)
    assert found[0].foreground[joint_px[:, 1], joint_px[:, 0]].all()
    assert (found[0].points[:, 2] < 0.6).all()
    assert found[0].arm.direction @ pose(0).camera_from_hand[:3, 0] > 0.9
    assert found[0].area(found[0].hand_points) < found[0].area(found[0].foreground[found[0].foreground])


def test_what_is_far_from_all_that_was_measured_is_empty_and_what_is_beside_it_unknown():
    place = places()[0]
    assert place.depth[5, 5] == 10.0
    rows, columns = np.nonzero(place.foreground)
    beside = place.depth[rows.min() - 2, columns[rows.argmin()]]
    assert beside == 0.0


def test_nothing_in_view_is_no_place():
    seen = RgbdFrame(0, 0.0, np.zeros((240, 320, 3), np.uint8), np.zeros((240, 320), np.float32), False)
    assert hand_places(tracker_of(seen)._observed(seen)) == []


def test_surfaces_are_parted_where_depth_jumps():
    depth = np.full((30, 40), 0.5)
    depth[:, 20:] = 0.52
    depth[:, 39] = 0.0
    assert [piece.sum() for piece in pieces(depth)] == [600, 570]
    depth[:, 20:] = 0.51
    assert [piece.sum() for piece in pieces(depth)] == [1200]


def test_an_arm_that_ends_in_the_view_comes_from_its_far_end():
    foreground = np.zeros((100, 100), bool)
    foreground[40:60, 20:80] = True
    columns = np.nonzero(foreground)[1]
    points = np.stack([columns * 0.005, np.zeros(1200), 0.5 + 0.001 * (80 - columns)], axis=1)
    everywhere = np.ones(1200, bool)
    assert find_arm(foreground, points, everywhere) is None
    assert find_lone_arm(foreground, points, everywhere).direction[0] > 0.9
    crossing = np.zeros((100, 100), bool)
    crossing[40:60, 40:] = True
    assert find_lone_arm(crossing, points[:, :] + [0.1, 0, 0], everywhere).direction[0] < -0.9
    assert find_lone_arm(foreground, points, np.zeros(1200, bool)) is None


def test_a_palm_is_no_table():
    seen = frame(0)
    assert len(find_planes(seen, CAMERA, 0)) == 0  # though palm and forearm are most of what is seen
    chest = np.zeros_like(seen.depth)
    chest[: CAMERA.height // 2] = 0.9
    assert len(find_planes(replace(seen, depth=chest), CAMERA, 0)) == 1
    assert len(find_planes(replace(seen, depth=chest), CAMERA, 0, 0.5)) == 0
    wall = np.where(seen.depth > 0, seen.depth, 0.9).astype(np.float32)
    assert len(find_planes(replace(seen, depth=wall), CAMERA, 0, 0.5)) == 1


def test_the_outline_tells_the_right_hand_from_others():
    place, right = places()[0], pose(0)
    assert outline_overlap(place, surface(), right) > 0.93
    turned = replace(right, camera_from_hand=right.camera_from_hand @ rigid(np.diag([1.0, -1, -1]), np.zeros(3)))
    assert outline_overlap(place, surface(), turned) < 0.75
    curled = right.angles.copy()
    curled.reshape(5, 4)[1:, 1:] = 1.2
    assert outline_overlap(place, surface(), replace(right, angles=curled)) < 0.8
    outside = replace(right, camera_from_hand=rigid(np.eye(3), np.array([0.25, 0, 0])) @ right.camera_from_hand)
    assert outline_overlap(place, surface(), outside) == 0
    behind = replace(right, camera_from_hand=rigid(np.eye(3), np.array([0, 0, -0.5])) @ right.camera_from_hand)
    assert outline_overlap(place, surface(), behind) == 0
    assert outline_confidence(0.93) > 0.95 > 0.5 > outline_confidence(0.75)


def test_what_hides_the_hand_counts_neither_way_and_what_is_seen_through_it_against():
    place, right = places()[0], pose(0)
    foreground = place.foreground.copy()
    foreground[:, 160:] = False
    cut = replace(place, foreground=foreground, points=place.points[foreground[place.foreground]])
    overlaps = []
    for beyond in (0.3, 10.0):
        depth = place.depth.copy()
        depth[:, 160:] = beyond
        overlaps.append(outline_overlap(replace(cut, depth=depth), surface(), right))
    assert overlaps[0] > 0.75 > 0.6 > overlaps[1]


def test_a_finger_in_anothers_place_finds_its_own():
    seen = frame(0)
    tracker, right = tracker_of(seen), pose(0)
    place = hand_places(tracker._observed(seen))[0]
    problem = tracker._problem(place.evidence(np.nonzero(place.hand_points)[0][::20]), right)
    wrong = right.angles.copy()
    wrong.reshape(5, 4)[2] = [0.2, 0.1, 1.7, 1.0]
    layout = Layout.about(HandObjectPose(NOWHERE, right))
    vector = layout.vector(HandObjectPose(NOWHERE, HandPose(right.camera_from_hand, wrong)))
    found = layout.pose(with_fingers_tried(problem, vector)).hand
    away = np.linalg.norm(joints(someone(), found) - joints(someone(), right), axis=1)
    assert away[12] < 0.012  # the middle finger's tip, 7 cm off before


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """Two frames of depth alone that have little to do with each other, tracked as a user would."""
    session = write_bare_session(tmp_path_factory.mktemp("bare") / "s.h5")
    assert run_tracker(["run", str(session)]) == 0
    return session


def test_a_bare_hand_is_found_in_each_frame_of_depth_alone(tracked):
    track = open_track(tracked.with_suffix(".track.h5"))
    assert (track.status == ABSENT).all()
    assert (track.hand_status == TRACKED).all()
    assert np.isnan(track.camera_from_object).all()
    assert np.isnan(track.confidence).all()
    assert (track.hand_residual < 0.004).all()
    for index in range(2):
        away = np.linalg.norm(track.joints_camera[index] - joints(someone(), pose(index)), axis=1)
        assert away.mean() < 0.012


def test_it_is_evaluated_shown_and_exported(tracked, tmp_path, capsys):
    assert run_tracker(["evaluate", str(tracked), "--drawer", "rays"]) == 0
    said = capsys.readouterr().out
    assert "Hand against ground truth" in said
    assert "Object against" not in said
    assert "hand: 2 frames TRACKED, median residual" in said
    for options in (["--page"], []):
        ending = "html" if options else "mp4"
        output = ["--output", str(tmp_path / f"t.{ending}"), "--drawer", "rays"]
        assert run_tracker(["view", str(tracked), *options, *output]) == 0
    page = (tmp_path / "t.html").read_text()
    assert page.count('<td class="number">') == 2
    for kind in ("npz", "csv", "tum", "bop"):
        output = ["--format", kind, "--output", str(tmp_path / f"t.{kind}")]
        assert run_tracker(["export", str(tracked.with_suffix(".track.h5")), *output]) == 0
    assert "2 frames, the object TRACKED in 0, the hand in 2" in capsys.readouterr().out
    assert np.isfinite(np.load(tmp_path / "t.npz")["joints_camera"]).all()


@pytest.fixture
def once(quick, monkeypatch):
    """One quick search a frame."""
    monkeypatch.setattr(lone_hand, "SEARCHES", 1)
    monkeypatch.setattr(lone_hand, "TRIED", 1)
    monkeypatch.setattr(finger_trials, "ROUNDS", 1)


@pytest.mark.usefixtures("once")
def test_a_stopped_run_goes_on_and_ends_in_the_same_track(tmp_path, monkeypatch, capsys):
    session = write_bare_session(tmp_path / "s.h5", frames=2)
    assert run_tracker(["run", str(session), *SHORT, "--output", str(tmp_path / "whole.h5")]) == 0
    original, calls = LoneHandTracker.track, count()

    def stopped(self, seen):
        if next(calls) == 3:  # the second frame, after both were followed to get to know the hand
            raise KeyboardInterrupt
        return original(self, seen)

    with monkeypatch.context() as patch:
        patch.setattr(LoneHandTracker, "track", stopped)
        assert run_tracker(["run", str(session), *SHORT]) == 2
    assert "interrupted after 1 of 2 frames" in capsys.readouterr().err
    assert run_tracker(["run", str(session), *SHORT]) == 0
    assert "going on after 1 of 2 frames" in capsys.readouterr().err
    one, other = open_track(tmp_path / "whole.h5"), open_track(session.with_suffix(".track.h5"))
    for name in ("joints_camera", "hand_confidence", "hand_residual", "objective_terms"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.usefixtures("once")
def test_a_hand_in_a_session_with_colour_and_no_mesh_is_tracked_alone(tmp_path, capsys):
    session = write_session(tmp_path / "s.h5", frames=1)
    assert run_tracker(["run", str(session), *SHORT, "--refine"]) == 0
    assert "no object" in capsys.readouterr().out
    assert open_track(session.with_suffix(".track.h5")).status.tolist() == [ABSENT]


def test_options_of_an_object_are_refused_where_there_is_none(tmp_path, capsys):
    session = write_bare_session(tmp_path / "s.h5", frames=1)
    (tmp_path / "pose.txt").write_text("1 0 0 0\n0 1 0 0\n0 0 1 0.5\n0 0 0 1\n")
    for options in (["--symmetry", "z2"], ["--initial-pose", str(tmp_path / "pose.txt")]):
        assert run_tracker(["run", str(session), *options]) == 2
        said = capsys.readouterr().err
        assert f"--initial-pose and --symmetry are of an object, and {session} has none; leave them out" in said


def test_an_object_in_depth_alone_is_refused(tmp_path, capsys):
    session = tmp_path / "s.h5"
    with SessionWriter(session, SessionHeader(SMALL, 0.001, "drawn", object_model=belt())) as writer:
        writer.append(SensorFrame(None, np.full((120, 160), 700, np.uint16), 0.0))
    assert run_tracker(["run", str(session)]) == 2
    assert "an object must be seen in colour to be tracked" in capsys.readouterr().err


def test_labels_say_which_of_two_things_is_the_hand():
    seen = frame(0)
    mirrored = replace(seen, depth=np.minimum(seen.depth, 1) + np.roll(seen.depth, 120, axis=1) * (seen.depth == 0))
    tracker = tracker_of(mirrored)
    assert len(hand_places(tracker._observed(mirrored))) >= 2
    labels = np.zeros(seen.depth.shape, np.uint8)
    labels[seen.depth > 0] = 1
    told = LoneHandTracker(tracker.state, RunConfig(), lambda _: labels)
    found = hand_places(told._observed(mirrored))
    assert len(found) == 1
    assert found[0].foreground[labels == 1].mean() > 0.9
