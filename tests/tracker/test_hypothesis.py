import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scene.hand_pose import ANGLE_LIMITS, HandPose
from scene.rotations import matrix_from_rotation_vector, random_rotations
from scene.transforms import rigid
from tracker.hypothesis import (
    HAND_ANGLES,
    HAND_ROTATION,
    HAND_TRANSLATION,
    OBJECT_ROTATION,
    OBJECT_TRANSLATION,
    VECTOR_SIZE,
    HandObjectPose,
    Layout,
    clamp_angles,
)

seeds = st.integers(0, 2**32 - 1)


def random_pose(rng):
    place = rigid(random_rotations(2, rng), rng.normal(size=(2, 3)))
    return HandObjectPose(place[0], HandPose(place[1], rng.uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])))


@given(seeds)
@settings(max_examples=50)
def test_a_pose_comes_back_from_its_vector(seed):
    rng = np.random.default_rng(seed)
    pose, layout = random_pose(rng), Layout.about(random_pose(rng))
    back = layout.pose(layout.vector(pose))
    np.testing.assert_allclose(back.camera_from_object, pose.camera_from_object, atol=1e-9)
    np.testing.assert_allclose(back.hand.camera_from_hand, pose.hand.camera_from_hand, atol=1e-9)
    np.testing.assert_allclose(back.hand.angles, pose.hand.angles)


@given(seeds)
@settings(max_examples=50)
def test_a_vector_comes_back_from_its_pose(seed):
    rng = np.random.default_rng(seed)
    layout, vector = Layout.about(random_pose(rng)), rng.uniform(-1, 1, VECTOR_SIZE)
    np.testing.assert_allclose(layout.vector(layout.pose(vector)), vector, atol=1e-9)


def test_the_reference_pose_has_no_rotation():
    pose = random_pose(np.random.default_rng(0))
    vector = Layout.about(pose).vector(pose)
    np.testing.assert_allclose(vector[OBJECT_ROTATION], 0, atol=1e-9)
    np.testing.assert_allclose(vector[HAND_ROTATION], 0, atol=1e-9)
    np.testing.assert_array_equal(vector[OBJECT_TRANSLATION], pose.camera_from_object[:3, 3])
    np.testing.assert_array_equal(vector[HAND_TRANSLATION], pose.hand.camera_from_hand[:3, 3])


def test_rotation_vectors_are_in_the_camera_frame():
    """Turning about the camera's z changes number 5, whatever the orientation."""
    pose = random_pose(np.random.default_rng(0))
    layout = Layout.about(pose)
    vector = layout.vector(pose)
    vector[5] += 0.3
    about_z = matrix_from_rotation_vector(np.array([0, 0, 0.3]))
    expected = about_z @ pose.camera_from_object[:3, :3]
    np.testing.assert_allclose(layout.pose(vector).camera_from_object[:3, :3], expected, atol=1e-12)


def test_a_layout_keeps_its_reference_when_the_pose_is_changed():
    pose = random_pose(np.random.default_rng(0))
    layout, before = Layout.about(pose), pose.camera_from_object[:3, :3].copy()
    pose.camera_from_object[:] = 0
    np.testing.assert_array_equal(layout.object_reference, before)


@given(seeds)
@settings(max_examples=30)
def test_clamped_angles_are_within_limits_and_nothing_else_changes(seed):
    vectors = np.random.default_rng(seed).uniform(-4, 4, (3, VECTOR_SIZE))
    before, clamped = vectors.copy(), clamp_angles(vectors)
    angles = clamped[:, HAND_ANGLES]
    assert ((angles >= ANGLE_LIMITS[:, 0]) & (angles <= ANGLE_LIMITS[:, 1])).all()
    np.testing.assert_array_equal(clamped[:, :12], before[:, :12])
    np.testing.assert_array_equal(vectors, before)
    np.testing.assert_array_equal(clamp_angles(clamped), clamped)
    inside = (before[:, 12:] > ANGLE_LIMITS[:, 0]) & (before[:, 12:] < ANGLE_LIMITS[:, 1])
    np.testing.assert_array_equal(angles[inside], before[:, 12:][inside])
