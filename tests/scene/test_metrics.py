import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scene.metrics import (
    VISIBILITY_EDGES,
    area_under_curve,
    average_distance,
    average_distance_symmetric,
    mean_euler_error_deg,
    nearest_symmetric,
    rotation_error_deg,
    surface_distance,
)
from scene.rotations import matrix_from_rotation_vector, random_rotations


def zyx(*degrees):
    return Rotation.from_euler("ZYX", degrees, degrees=True).as_matrix()


def test_rotation_error_by_hand():
    turned = matrix_from_rotation_vector(np.array([[0, 0, 0], [0.1, 0, 0], [0, np.pi, 0]]))
    np.testing.assert_allclose(rotation_error_deg(turned, np.eye(3)), [0, np.degrees(0.1), 180], atol=1e-9)


def test_mean_euler_error_by_hand():
    assert mean_euler_error_deg(zyx(30, 10, -20), zyx(20, 5, -50)) == pytest.approx((10 + 5 + 30) / 3)


def test_angles_are_compared_around_the_circle():
    assert mean_euler_error_deg(zyx(179, 0, 0), zyx(-179, 0, 0)) == pytest.approx(2 / 3)


def test_the_gimbal_lock_warns_of_nothing():
    assert np.isfinite(mean_euler_error_deg(zyx(30, 90, 10), zyx(20, -90, 0)))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_errors_are_symmetric_and_zero_for_equal_rotations(seed):
    a, b = random_rotations(2, np.random.default_rng(seed))
    for error in (rotation_error_deg, mean_euler_error_deg):
        assert error(a, a) == pytest.approx(0, abs=1e-6)
        assert error(a, b) == pytest.approx(error(b, a))
        assert 0 <= error(a, b) <= 180


def test_ranges_of_visibility_cover_everything():
    assert VISIBILITY_EDGES[0] == 0
    assert VISIBILITY_EDGES[-1] == 1
    assert all(np.diff(VISIBILITY_EDGES) > 0)


def test_distances_of_points_by_hand():
    """Two poses of different error in one call."""
    points = np.array([[0.0, 0, 0], [0.03, 0, 0], [0.06, 0, 0]])
    true = np.tile(np.eye(4), (2, 1, 1))
    moved = true.copy()
    moved[0, 0, 3], moved[1, 1, 3] = 0.03, 0.004
    np.testing.assert_allclose(average_distance(moved, true, points), [0.03, 0.004])
    np.testing.assert_allclose(average_distance_symmetric(moved, true, points), [0.01, 0.004])  # one of three is apart
    np.testing.assert_allclose(surface_distance(moved, true, points), [0.03, 0.004])


def test_the_nearest_of_the_truths_that_look_alike():
    half = np.diag([-1.0, -1, 1, 1])
    points = np.array([[0.01, 0, 0], [0, 0.02, 0]])
    true = np.eye(4)[None]
    np.testing.assert_allclose(nearest_symmetric(half[None], true, np.stack([np.eye(4), half]), points), half[None])
    np.testing.assert_allclose(nearest_symmetric(half[None], true, np.eye(4)[None], points), true)
    assert nearest_symmetric(np.zeros((0, 4, 4)), np.zeros((0, 4, 4)), true, points).shape == (0, 4, 4)


def test_the_area_under_the_curve_is_exact():
    assert area_under_curve(np.array([0.0, 0.05, 0.2, np.inf])) == pytest.approx((1 + 0.5) / 4)
    assert area_under_curve(np.array([0.001]), 0.002) == pytest.approx(0.5)
