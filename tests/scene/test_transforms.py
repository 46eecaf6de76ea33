import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scene.rotations import random_rotations
from scene.transforms import OPENGL_FROM_OPENCV, apply, inverse, rigid


def transforms(count, seed):
    rng = np.random.default_rng(seed)
    return rigid(random_rotations(count, rng), rng.normal(size=(count, 3)))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_transform_then_its_inverse_changes_nothing(seed):
    motion, points = transforms(4, seed), np.random.default_rng(seed).normal(size=(4, 7, 3))
    np.testing.assert_allclose(motion @ inverse(motion), np.tile(np.eye(4), (4, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(apply(inverse(motion), apply(motion, points)), points, atol=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_transforms_compose_from_right_to_left(seed):
    a, b = transforms(2, seed)
    points = np.random.default_rng(seed).normal(size=(7, 3))
    np.testing.assert_allclose(apply(a @ b, points), apply(a, apply(b, points)), atol=1e-12)


def test_points_are_turned_first_and_moved_then():
    quarter_about_z = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    moved = apply(rigid(quarter_about_z, np.array([10, 20, 30.0])), np.array([[1, 2, 3.0]]))
    np.testing.assert_allclose(moved, [[8, 21, 33]])


def test_opengl_looks_along_minus_z_with_y_up():
    np.testing.assert_array_equal(apply(OPENGL_FROM_OPENCV, np.array([[1.0, 2, 3]])), [[1, -2, -3]])
    np.testing.assert_array_equal(OPENGL_FROM_OPENCV @ OPENGL_FROM_OPENCV, np.eye(4))


def test_rigid_broadcasts():
    assert rigid(np.eye(3), np.zeros((5, 2, 3))).shape == (5, 2, 4, 4)
    np.testing.assert_array_equal(rigid(np.eye(3), np.array([[1, 2, 3.0]]))[0, :, 3], [1, 2, 3, 1])
