"""How the hand holds the object: what that tells of the object's turn, and when it is given up."""

from dataclasses import replace

import numpy as np
import pytest

from scene.hand_pose import HandPose, rest_angles
from scene.metrics import rotation_error_deg
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import drawn
from tests.tracker.test_following import estimate, known
from tests.tracker.test_let_go import touching
from tests.tracker.test_turns import can_scene
from tracker import hand_tracking
from tracker import hold as hold_module
from tracker.config import RunConfig
from tracker.hold import Hold, held
from tracker.hypothesis import HandObjectPose
from tracker.sequence import SequenceTracker


def turned(pose, degrees, axis):
    turn = rigid(matrix_from_rotation_vector(np.deg2rad(degrees) * np.array(axis)), np.zeros(3))
    return replace(pose, camera_from_object=pose.camera_from_object @ turn)


def off_by(one, other):
    return rotation_error_deg(one.camera_from_object[:3, :3], other.camera_from_object[:3, :3])


def test_a_hold_is_the_object_in_the_hands_frame_and_slips_a_little_towards_what_is_seen():
    hand = HandPose(rigid(np.eye(3), np.array([0.1, 0.0, 0.5])), rest_angles())
    pose = HandObjectPose(rigid(np.eye(3), np.array([0.1, 0.2, 0.5])), hand)
    np.testing.assert_allclose(Hold.of(pose).hand_from_object[:3, 3], [0.0, 0.2, 0.0], atol=1e-12)
    moved = turned(replace(pose, camera_from_object=rigid(np.eye(3), np.array([0.1, 0.3, 0.5]))), 20, [0, 0, 1.0])
    slipped = Hold.of(pose).slipped(moved, 1.0).hand_from_object
    np.testing.assert_allclose(slipped[:3, 3], [0.0, 0.2 + hold_module.SLIPS * 0.1, 0.0], atol=1e-12)
    assert rotation_error_deg(slipped[:3, :3], np.eye(3)) == pytest.approx(hold_module.SLIPS * 20)
    untold = Hold.of(pose).slipped(moved, 0.0).hand_from_object
    np.testing.assert_allclose(untold, Hold.of(pose).hand_from_object, atol=1e-12)


def can_in_hand():
    """A can whose turn is not seen, 40 degrees from how it is, beside a hand that is rather sure."""
    observation, pose, knowledge = can_scene()
    pose = replace(pose, hand=replace(pose.hand, camera_from_hand=rigid(np.eye(3), np.array([0.1, 0.0, 0.5]))))
    here = replace(estimate(), pose=turned(pose, 40, [0, 0, 1.0]), told=0.7, hand_confidence=0.8, hand_told=0.6)
    return observation, pose, knowledge, here


def test_an_object_whose_turn_is_not_seen_turns_with_the_hand_and_is_told_as_surely_as_that_is_right():
    observation, pose, knowledge, here = can_in_hand()
    before = Hold.of(pose)
    found, after = held(observation, here, before, 0.9, knowledge, np.random.default_rng(0))
    assert off_by(found.pose, pose) < 2
    assert (found.told, found.hand_confidence, found.hand_told) == (0.8, 0.8, 0.6)
    np.testing.assert_array_equal(after.hand_from_object, before.hand_from_object)
    doubted = replace(before, against=hold_module.PATIENCE - 1)
    assert held(observation, here, doubted, 0.9, knowledge, np.random.default_rng(0))[1].against == 0
    near = turned(pose, 4, [0, 0, 1.0])
    found, after = held(observation, replace(here, pose=near), before, 0.9, knowledge, np.random.default_rng(0))
    assert found.pose is near
    assert found.told == 0.8
    told = replace(here, pose=near, told=0.9)
    assert held(observation, told, before, 0.9, knowledge, np.random.default_rng(0))[0].told == 0.9


def test_it_is_fitted_where_it_was_found_where_the_hand_has_it_elsewhere():
    observation, pose, knowledge, here = can_in_hand()
    aside = rigid(np.eye(3), np.array([0.03, 0.04, 0.05]))
    hold = Hold.of(replace(pose, camera_from_object=aside @ pose.camera_from_object))
    found, _ = held(observation, here, hold, 0.9, knowledge, np.random.default_rng(0))
    assert off_by(found.pose, pose) < 2
    assert np.linalg.norm((found.pose.camera_from_object - pose.camera_from_object)[:3, 3]) < 0.002


def test_an_object_whose_turn_is_seen_is_held_otherwise_once_several_frames_say_so():
    scene = drawn()
    here = replace(estimate(), pose=scene.pose, told=0.9, told_here=1.0, hand_confidence=0.9)
    hold = before = Hold.of(turned(scene.pose, 90, [1.0, 0, 0]))
    for frames in range(1, hold_module.PATIENCE):
        found, hold = held(scene.observation, here, hold, 0.9, known(scene), np.random.default_rng(0))
        assert found.pose is here.pose
        assert found.told == 0.9
        assert hold.against == frames
        np.testing.assert_array_equal(hold.hand_from_object, before.hand_from_object)
    _, hold = held(scene.observation, here, hold, 0.9, known(scene), np.random.default_rng(0))
    np.testing.assert_allclose(hold.hand_from_object, Hold.of(scene.pose).hand_from_object)
    assert hold.against == 0


def test_of_one_that_is_held_otherwise_only_this_frame_tells_how_it_is_turned():
    scene = drawn()
    here = replace(estimate(), pose=scene.pose, told=0.9, told_here=0.7, hand_confidence=0.9)
    hold = Hold.of(turned(scene.pose, 90, [1.0, 0, 0]))
    found, after = held(scene.observation, here, hold, 0.9, known(scene), np.random.default_rng(0))
    assert 0.5 < found.told < 0.7
    assert after.against == 1
    untold = replace(here, told_here=0.4)
    found, after = held(scene.observation, untold, hold, 0.9, known(scene), np.random.default_rng(0))
    assert off_by(found.pose, scene.pose) > 60
    assert after.against == 0


def test_frames_that_agree_end_the_row():
    scene = drawn()
    hold = replace(Hold.of(scene.pose), against=hold_module.PATIENCE - 1)
    here = replace(estimate(), pose=scene.pose, told=0.9, hand_confidence=0.9)
    assert held(scene.observation, here, hold, 0.9, known(scene), np.random.default_rng(0))[1].against == 0


def test_a_tracker_asks_how_the_hand_holds_the_object_once_both_were_seen_well(monkeypatch, tmp_path):
    scene, pose, asked = drawn(), touching(), []
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    monkeypatch.setattr(hand_tracking, "held", lambda _, here, hold, *__: asked.append(hold) or (here, hold))
    monkeypatch.setattr(hand_tracking, "hand_seen", lambda now, _, memory: (memory, now.knowledge))
    monkeypatch.setattr(hand_tracking, "with_hand", lambda _, here, __, memory: (here, memory))
    monkeypatch.setattr(tracker, "_learn", lambda *_: None)
    monkeypatch.setattr(tracker, "_reviewed", lambda _, followed, __: followed)

    def after(told, hand_confidence):
        here = replace(estimate(), pose=pose, confidence=0.99, told=told, hand_confidence=hand_confidence)
        monkeypatch.setattr(tracker, "_followed", lambda _: here)
        tracker.track(scene.frame)
        return len(asked)

    assert after(told=0.8, hand_confidence=0.88) == after(told=1.0, hand_confidence=0.1) == 0
    assert tracker.state.hand.hold is None
    assert after(told=1.0, hand_confidence=0.88) == 0
    np.testing.assert_allclose(tracker.state.hand.hold.hand_from_object, Hold.of(pose).hand_from_object)
    assert after(told=1.0, hand_confidence=0.1) == 0
    assert after(told=1.0, hand_confidence=0.88) == 1
    assert after(told=1.0, hand_confidence=0.64) == 1
    assert after(told=1.0, hand_confidence=0.66) == 2
    tracker.return_to_anchor()
    assert tracker.state.hand.hold is None
    assert after(told=1.0, hand_confidence=0.86) == 2
    assert tracker.state.hand.hold is None
