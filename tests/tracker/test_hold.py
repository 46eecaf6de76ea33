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
    slipped = Hold.of(pose).slipped(moved).hand_from_object
    np.testing.assert_allclose(slipped[:3, 3], [0.0, 0.2 + hold_module.SLIPS * 0.1, 0.0], atol=1e-12)
    assert rotation_error_deg(slipped[:3, :3], np.eye(3)) == pytest.approx(hold_module.SLIPS * 20)


def test_an_object_whose_turn_is_not_seen_turns_with_the_hand():
    observation, pose, knowledge = can_scene()
    pose = replace(pose, hand=replace(pose.hand, camera_from_hand=rigid(np.eye(3), np.array([0.1, 0.0, 0.5]))))
    before, drifted = Hold.of(pose), turned(pose, 40, [0, 0, 1.0])
    here = replace(estimate(), pose=drifted, told=0.9, hand_confidence=0.9)
    found, after = held(observation, here, before, 0.9, knowledge, np.random.default_rng(0))
    assert off_by(found.pose, pose) < 2
    assert found.hand_confidence == 0.9
    np.testing.assert_array_equal(after.hand_from_object, before.hand_from_object)
    doubted = replace(before, against=hold_module.PATIENCE - 1)
    assert held(observation, here, doubted, 0.9, knowledge, np.random.default_rng(0))[1].against == 0
    near = turned(pose, 4, [0, 0, 1.0])
    found, after = held(observation, replace(here, pose=near), before, 0.9, knowledge, np.random.default_rng(0))
    assert found.pose is near
    assert off_by(near, pose) > 3


def test_an_object_whose_turn_is_seen_is_held_otherwise_once_several_frames_say_so():
    scene = drawn()
    here = replace(estimate(), pose=scene.pose, told=0.9, hand_confidence=0.9)
    hold = before = Hold.of(turned(scene.pose, 90, [1.0, 0, 0]))
    for frames in range(1, hold_module.PATIENCE):
        found, hold = held(scene.observation, here, hold, 0.9, known(scene), np.random.default_rng(0))
        assert found is here
        assert hold.against == frames
        np.testing.assert_array_equal(hold.hand_from_object, before.hand_from_object)
    _, hold = held(scene.observation, here, hold, 0.9, known(scene), np.random.default_rng(0))
    np.testing.assert_allclose(hold.hand_from_object, Hold.of(scene.pose).hand_from_object)
    assert hold.against == 0


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
    assert after(told=1.0, hand_confidence=0.86) == 1
    tracker.return_to_anchor()
    assert tracker.state.hand.hold is None
    assert after(told=1.0, hand_confidence=0.86) == 1
    assert tracker.state.hand.hold is None
