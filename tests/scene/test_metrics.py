import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scene.metrics import VISIBILITY_EDGES, mean_euler_error_deg, rotation_error_deg
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
@settings(deadline=None, max_examples=30)
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
