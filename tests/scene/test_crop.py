"""Crops: intrinsics that map a pose back, and pixels where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.camera import Camera
from scene.crop import CROP_DIAMETERS, CropView, camera_from_view, crop_about, cut_color, cut_nearest

CAMERA = Camera(width=160, height=120, fx=150.0, fy=140.0, cx=80.2, cy=58.7)


def test_crop_by_hand() -> None:
    camera = Camera(100, 100, 100.0, 100.0, 49.5, 49.5)
    crop = crop_about(camera, np.array([0, 0, 1.0]), 0.2, 56)
    # 1.4 * 0.2 m * 100 px at 1 m = 28 px about 49.5; 56 crop pixels to 28, so twice the focal length
    np.testing.assert_allclose(crop.box, [35.5, 35.5, 63.5, 63.5])
    np.testing.assert_allclose(crop.crop_camera.matrix, [[200, 0, 27.5], [0, 200, 27.5], [0, 0, 1]])


@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0.3, 1.5), st.floats(0.03, 0.3))
def test_center_falls_on_the_middle(x: float, y: float, z: float, diameter: float) -> None:
    center = np.array([x, y, z])
    crop = crop_about(CAMERA, center, diameter, 96)
    np.testing.assert_allclose(crop.crop_camera.project(center), 47.5, atol=1e-6)
    beside = center + np.array([diameter * CROP_DIAMETERS / 2, 0, 0])
    # fx is larger than the mean of both focal lengths, so half a side reaches a little over the edge at 95.5
    assert crop.crop_camera.project(beside)[0] == pytest.approx(47.5 + 48 * np.sqrt(150 / 140), abs=1e-6)


def test_window_holds_the_crop_and_sees_the_same() -> None:
    crop = crop_about(CAMERA, np.array([0.1, -0.05, 0.5]), 0.08, 40)
    window = crop.window
    for point in (np.array([0.1, -0.05, 0.5]), np.array([0.12, -0.07, 0.52])):
        in_image, in_window = CAMERA.project(point), window.project(point)
        difference = in_image - in_window
        np.testing.assert_allclose(difference, np.rint(difference), atol=1e-9)
        assert (in_window > 0).all()
        assert (in_window < window.width - 1).all()


def ramp() -> tuple[np.ndarray, np.ndarray]:
    """Red is the column, green the row, and another for depth."""
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    return np.stack([u, v, np.full_like(u, 7)], axis=-1).astype(np.uint8), (u + 1000 * v).astype(np.float32)


def test_colour_is_linear_and_lies_where_the_camera_says() -> None:
    color, _ = ramp()
    crop = CropView(CAMERA, left=30.3, top=40.7, side=20.0, size=50)
    cut = cut_color(color, CAMERA, crop)
    # the centre of crop pixel i is at left + (i + 1/2) 20 / 50
    np.testing.assert_allclose(cut[10, :, 0], 30.3 + 0.4 * (np.arange(50) + 0.5), atol=0.51)
    np.testing.assert_allclose(cut[:, 10, 1], 40.7 + 0.4 * (np.arange(50) + 0.5), atol=0.51)
    assert (cut[..., 2] == 7).all()


def test_depth_is_never_mixed() -> None:
    _, depth = ramp()
    crop = CropView(CAMERA, left=30.3, top=40.7, side=20.0, size=50)
    cut = cut_nearest(depth, CAMERA, crop)
    assert np.isin(cut, depth).all()
    assert cut[0, 0] == 30 + 1000 * 41  # its centre is at (30.5, 40.9); numpy rounds 30.5 to the even number
    assert cut.dtype == np.float32


def test_outside_of_the_image_is_black_and_counted() -> None:
    color, depth = ramp()
    crop = CropView(CAMERA, left=-10.5, top=-0.5, side=20.0, size=20)
    assert not cut_color(color + 1, CAMERA, crop)[:, :9].any()
    assert not cut_nearest(depth + 1, CAMERA, crop)[:, :10].any()
    assert cut_nearest(depth + 1, CAMERA, crop)[:, 10:].all()
    np.testing.assert_array_equal(crop.inside, np.tile(np.arange(20) >= 10, (20, 1)))
    right = CropView(CAMERA, left=149.5, top=109.5, side=20.0, size=20)
    np.testing.assert_array_equal(right.inside, np.outer(np.arange(20) < 10, np.arange(20) < 10))


def test_crop_of_a_window_is_the_crop_of_the_image() -> None:
    color, depth = ramp()
    crop = crop_about(CAMERA, np.array([0.05, 0.02, 0.5]), 0.08, 33)
    window = crop.window
    left, top = round(CAMERA.cx - window.cx), round(CAMERA.cy - window.cy)
    rows, columns = slice(top, top + window.height), slice(left, left + window.width)
    np.testing.assert_array_equal(cut_color(color[rows, columns], window, crop), cut_color(color, CAMERA, crop))
    np.testing.assert_array_equal(cut_nearest(depth[rows, columns], window, crop), cut_nearest(depth, CAMERA, crop))


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(0.2, 2))
def test_view_looks_at_the_centre_without_roll(x: float, y: float, z: float) -> None:
    center = np.array([x, y, z])
    rotation = camera_from_view(center)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(rotation[:, 2], center / np.linalg.norm(center), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    # the least rotation has its axis in the image plane
    assert rotation[0, 1] == pytest.approx(rotation[1, 0], abs=1e-9)
