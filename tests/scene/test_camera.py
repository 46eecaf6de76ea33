import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene.camera import Camera
from scene.errors import InputError

CAMERA = Camera(width=8, height=6, fx=10.0, fy=12.0, cx=3.0, cy=2.0)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_what_is_projected_comes_back(seed):
    depth = np.random.default_rng(seed).uniform(0.2, 3, (6, 8))
    points = CAMERA.back_project(depth)
    v, u = np.mgrid[:6, :8]
    np.testing.assert_allclose(CAMERA.project(points), np.stack([u, v], axis=-1), atol=1e-9)
    np.testing.assert_array_equal(points[..., 2], depth)


def test_projection_by_hand():
    np.testing.assert_allclose(CAMERA.project(np.array([0.2, 0.5, 2.0])), [3 + 10 * 0.1, 2 + 12 * 0.25])


def test_x_is_right_and_y_is_down():
    middle, right, below = CAMERA.project(np.array([[0, 0, 1.0], [0.1, 0, 1], [0, 0.1, 1]]))
    assert right[0] > middle[0]
    assert below[1] > middle[1]


def test_points_behind_the_camera_have_no_pixel():
    pixels = CAMERA.project(np.array([[0, 0, -1.0], [0.1, 0.1, 0], [0, 0, 1]]))
    np.testing.assert_array_equal(np.isnan(pixels), [[True, True], [True, True], [False, False]])


def test_no_measurement_stays_at_depth_zero():
    np.testing.assert_array_equal(CAMERA.back_project(np.zeros((6, 8)))[..., 2], 0)


def test_a_crop_shifts_the_principal_point():
    crop = CAMERA.cropped(2, 1, 4, 3)
    assert (crop.width, crop.height, crop.cx, crop.cy, crop.fx) == (4, 3, 1.0, 1.0, 10.0)
    point = np.array([0.1, 0.05, 1.0])
    np.testing.assert_allclose(crop.project(point), CAMERA.project(point) - [2, 1])


def test_resizing_keeps_corners_of_pixels_not_their_centres():
    """The image spans -1/2 .. 7 1/2; twice as large it spans -1/2 .. 15 1/2."""
    twice = CAMERA.resized(16, 18)
    assert (twice.fx, twice.fy, twice.cx, twice.cy) == pytest.approx((20, 36, 2 * 3.5 - 0.5, 3 * 2.5 - 0.5))
    corner = np.array([(-0.5 - 3) / 10, (-0.5 - 2) / 12, 1.0])
    np.testing.assert_allclose(CAMERA.project(corner), [-0.5, -0.5])
    np.testing.assert_allclose(twice.project(corner), [-0.5, -0.5])


def test_a_camera_and_its_matrix_are_one():
    assert Camera.from_matrix(CAMERA.matrix, 8, 6) == CAMERA
    np.testing.assert_array_equal(CAMERA.matrix, [[10, 0, 3], [0, 12, 2], [0, 0, 1]])


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((0, 6, 10, 12, 3, 2), "an image must have pixels, got 0 x 6"),
        ((8, 6, 0, 12, 3, 2), "focal lengths must be positive and finite, got fx, fy, cx, cy = (0, 12, 3, 2)"),
        ((8, 6, 10, -1, 3, 2), "focal lengths must be positive and finite"),
        ((8, 6, 10, 12, float("nan"), 2), "focal lengths must be positive and finite"),
    ],
)
def test_what_is_no_camera_is_refused(numbers, sentence):
    with pytest.raises(InputError) as error:
        Camera(*numbers)
    assert str(error.value).startswith(sentence)
