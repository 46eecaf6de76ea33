"""A hand that was seen surely is not elsewhere on its object a frame later."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.hand_shape import average_hand
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import LOST, TRACKED, drawn
from tests.tracker.test_following import estimate, known
from tests.tracker.test_hand_quality import DOUBTFUL, GOOD
from tracker import hand_tracking
from tracker.config import RunConfig
from tracker.following import moved
from tracker.grasps import carried
from tracker.hand_leaps import OFF, STEP, Sighting
from tracker.hand_tracking import HandMemory, Moment, hand_tracked
from tracker.sequence import SequenceTracker


def aside(metres):
    """The drawn scene, its hand moved alone."""
    pose = drawn().pose
    return replace(pose, hand=carried(pose.hand, rigid(np.eye(3), np.array([-metres, 0, 0]))))


@given(st.integers(-20, 20), st.floats(0, 0.5))
def test_it_moves_so_far_with_every_frame_either_way(frames, metres):
    can = Sighting.of(30, drawn().pose).may_become(30 + frames, aside(metres), average_hand())
    allowed = OFF + STEP * abs(frames)
    assert can == (metres <= allowed) or abs(metres - allowed) < 1e-9


def test_what_moves_with_the_object_does_not_move():
    away = moved(drawn().pose, rigid(matrix_from_rotation_vector(np.array([0, 0, 1.0])), np.array([0.3, 0, 0])))
    assert Sighting.of(3, drawn().pose).may_become(3, away, average_hand())


def after(monkeypatch, tmp_path, *poses, quality=GOOD):
    """The estimates of frames 10, 11 and so on, whose hands are found at these poses, with `quality` but the last."""
    monkeypatch.setattr(hand_tracking, "with_hand", lambda _, here, __, memory: (here, memory))
    config, memory, answers = RunConfig((tmp_path / "s.h5",)), HandMemory(), []
    for index, pose in enumerate(poses, 10):
        now = Moment(index, drawn().observation, known(drawn()), config, np.random.default_rng(0))
        how = GOOD if pose is poses[-1] else quality
        here = replace(estimate(), pose=pose, confidence=0.99, hand_confidence=0.2, hand_quality=how)
        here, memory = hand_tracked(now, here, None, memory)
        answers.append(here)
    return answers


@pytest.mark.parametrize(("metres", "told"), [(OFF + 0.5 * STEP, 1.0), (OFF + 2 * STEP, 0.0)])
def test_a_hand_that_leapt_is_not_known(monkeypatch, tmp_path, metres, told):
    assert after(monkeypatch, tmp_path, aside(0.0), aside(metres))[-1].hand_told == told


def test_only_what_was_seen_surely_is_remembered(monkeypatch, tmp_path):
    assert after(monkeypatch, tmp_path, aside(0.0), aside(0.4), quality=DOUBTFUL)[-1].hand_told == 1.0


def test_what_leapt_is_not_remembered_and_in_time_it_may_have_got_there(monkeypatch, tmp_path):
    told = [one.hand_told for one in after(monkeypatch, tmp_path, aside(0.0), *[aside(0.1)] * 4)]
    assert told == [1.0, 0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(("metres", "status"), [(0.0, TRACKED), (0.3, LOST)])
def test_it_is_lost(monkeypatch, tmp_path, metres, status):
    scene = drawn()
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    tracker._hand = HandMemory(sighting=Sighting.of(scene.frame.index, scene.pose))
    monkeypatch.setattr(hand_tracking, "with_hand", lambda _, here, __, memory: (here, memory))
    monkeypatch.setattr(tracker, "_reviewed", lambda _, followed, __, **___: followed)
    monkeypatch.setattr(tracker, "_learn", lambda *_: None)
    here = replace(estimate(), pose=aside(metres), confidence=0.99, hand_confidence=0.2, hand_quality=GOOD)
    monkeypatch.setattr(tracker, "_followed", lambda _: here)
    assert tracker.track(scene.frame).hand_status == status
