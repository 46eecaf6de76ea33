"""Grasps are kept as the object sees them, each once, the latest first."""

from dataclasses import replace

import numpy as np

from scene.hand_pose import HandPose, rest_angles
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tracker.grasps import MOST, Grasps
from tracker.hypothesis import HandObjectPose


def held(place, turn=(0.0, 0.0, 0.0), angles=None):
    """An object 0.5 m away, the hand at `place` metres beside it."""
    hand = rigid(matrix_from_rotation_vector(np.array(turn)), np.array([0, 0, 0.5]) + place)
    return HandObjectPose(rigid(np.eye(3), np.array([0, 0, 0.5])), HandPose(hand, rest_angles() + (angles or 0.0)))


def test_a_grasp_comes_along_with_the_object():
    pose = held([0.1, 0, 0])
    motion = rigid(matrix_from_rotation_vector(np.array([0.3, -1.0, 0.2])), np.array([0.05, 0.1, -0.1]))
    (hand,) = Grasps().remembered(pose).hands(motion @ pose.camera_from_object)
    np.testing.assert_allclose(hand.camera_from_hand, motion @ pose.hand.camera_from_hand, atol=1e-12)
    np.testing.assert_array_equal(hand.angles, pose.hand.angles)


def test_a_grasp_seen_again_replaces_itself_and_another_is_added():
    grasps = Grasps().remembered(held([0.1, 0, 0])).remembered(held([0.11, 0, 0], angles=0.1))
    assert len(grasps.on_object) == 1
    assert grasps.on_object[0].camera_from_hand[0, 3] == 0.11
    assert len(grasps.remembered(held([0.15, 0, 0])).on_object) == 2
    assert len(grasps.remembered(held([0.11, 0, 0], turn=[0, 0.5, 0])).on_object) == 2


def test_the_oldest_grasps_are_forgotten():
    grasps = Grasps()
    for number in range(MOST + 2):
        grasps = grasps.remembered(held([0.1 * number, 0, 0]))
    places = [round(hand.camera_from_hand[0, 3], 6) for hand in grasps.on_object]
    assert places == [round(0.1 * number, 6) for number in range(MOST + 1, 1, -1)]
    assert replace(grasps) == grasps
