import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene.camera import Camera
from scene.noise import MODELS, measured_depth, noisy_color, noisy_depth, shadowed, tilt_to_ray

CAMERA = Camera(320, 240, 585.0, 585.0, 159.5, 119.5)
INNER = (slice(20, -20), slice(60, -20))
"""away from the border, and from the left where the projector's columns begin"""


def wall(z):
    return np.full((CAMERA.height, CAMERA.width), z, np.float32)


def slanted(degrees, z=0.8):
    """A plane that recedes to the right."""
    x = (np.arange(CAMERA.width) - CAMERA.cx) / CAMERA.fx
    return np.tile((z / (1 - x * np.tan(np.deg2rad(degrees)))).astype(np.float32), (CAMERA.height, 1))


@pytest.mark.parametrize(
    ("z", "sd_mm", "step_mm"), [(0.4, 1.20, 0.46), (0.6, 1.28, 1.02), (0.8, 1.50, 1.82), (1.5, 3.50, 6.40)]
)
def test_axial_noise_and_levels_of_a_wall_are_those_of_the_paper(z, sd_mm, step_mm):
    noisy = noisy_depth(wall(z), CAMERA, np.random.default_rng(0), "structured-light")[INNER].astype(float)
    expected = np.hypot(sd_mm, step_mm / np.sqrt(12))  # rounding to a step adds the variance of a uniform
    assert noisy.std() * 1000 == pytest.approx(expected, rel=0.05)
    levels = np.unique(noisy)
    step = np.diff(levels)[np.argmin(np.abs(levels[:-1] - z))] * 1000
    assert step == pytest.approx(step_mm, rel=0.05)


def ramp(z):
    """A wall whose depth runs through many levels, 20 mm from left to right: where z lies in its step evens out."""
    return wall(z) + np.linspace(-0.01, 0.01, CAMERA.width, dtype=np.float32)


@pytest.mark.parametrize(("z", "sd_mm"), [(0.5, 0.24), (1.0, 0.95)])
def test_disparity_model_has_the_spread_of_barron_and_malik(z, sd_mm):
    error = measured_depth(ramp(z), CAMERA, np.random.default_rng(1), MODELS["disparity"]) - ramp(z)
    assert error[INNER].astype(float).std() * 1000 == pytest.approx(sd_mm, rel=0.07)


@given(st.floats(0.4, 1.5), st.sampled_from(["structured-light", "disparity"]))
@settings(max_examples=15)
def test_no_bias_of_half_a_level(z, model):
    error = noisy_depth(ramp(z), CAMERA, np.random.default_rng(2), model)[INNER].astype(float) - ramp(z)[INNER]
    step = z**2 / (8 * CAMERA.fx * 0.075)
    assert abs(error.mean()) < 0.1 * step + 0.00005  # a ramp is not a whole number of steps


def test_none_changes_nothing():
    depth = slanted(30)
    np.testing.assert_array_equal(noisy_depth(depth, CAMERA, np.random.default_rng(0), "none"), depth)


def test_same_seed_same_image_other_seed_other_image():
    first, again, other = (
        noisy_depth(wall(0.6), CAMERA, np.random.default_rng(seed), "structured-light") for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.3


@pytest.mark.parametrize("degrees", [0, 30, 60, 75])
def test_tilt_of_a_plane(degrees):
    row, column = CAMERA.height // 2, CAMERA.width // 2  # there the ray is the optical axis
    assert np.rad2deg(tilt_to_ray(slanted(degrees), CAMERA)[row, column]) == pytest.approx(degrees, abs=1.0)


def test_steep_surface_returns_nothing_and_a_tilted_one_is_noisier():
    rng = np.random.default_rng(0)
    near = (slice(100, 140), slice(150, 170))
    assert (noisy_depth(slanted(86), CAMERA, rng, "structured-light")[near] == 0).mean() > 0.9
    planes = [slanted(tilt)[near] for tilt in (0, 72)]
    seen = [noisy_depth(slanted(tilt), CAMERA, rng, "structured-light")[near] for tilt in (0, 72)]
    spread = [(noisy - plane).std() for noisy, plane in zip(seen, planes, strict=True)]
    assert spread[1] > 1.5 * spread[0]


def test_shadow_falls_to_the_right_of_what_is_near_and_is_as_wide_as_the_disparities_differ():
    depth = wall(1.0)
    depth[100:140, 100:180] = 0.5
    dark = shadowed(depth, CAMERA, 0.075)
    expected = CAMERA.fx * 0.075 * (1 / 0.5 - 1 / 1.0)  # 43.9 px
    assert dark[120].sum() == pytest.approx(expected, abs=2)
    assert dark[120, 180:220].all()
    assert not dark[:95].any()
    assert not dark[120, :180].any()


def test_thin_thing_throws_a_thin_shadow_apart_from_itself():
    depth = wall(1.0)
    depth[:, 100:110] = 0.5
    dark = shadowed(depth, CAMERA, 0.075)[120]
    assert dark.sum() == pytest.approx(10, abs=2)
    assert not dark[110:140].any()


def test_edges_leave_holes():
    depth = wall(0.8)
    depth[60:180, 100:200] = 0.7
    noisy = noisy_depth(depth, CAMERA, np.random.default_rng(0), "structured-light")
    assert (noisy[80:160, 99:101] == 0).mean() > 0.3
    assert (noisy[80:160, 120:180] == 0).mean() < 0.01


def test_nothing_stays_nothing():
    assert not noisy_depth(wall(0), CAMERA, np.random.default_rng(0), "structured-light").any()


@pytest.mark.parametrize(("level", "sd"), [(0.0, 1.5), (128.0, np.sqrt(1.5**2 + 16 * 128 / 255))])
def test_color_noise_grows_with_light(level, sd):
    color = np.full((200, 200, 3), level, np.uint8)
    noisy = noisy_color(color, np.random.default_rng(0)).astype(float) - level
    spread = np.sqrt((noisy[noisy > 0] ** 2).sum() / (noisy > 0).sum()) if level == 0 else noisy.std()
    assert spread == pytest.approx(sd, rel=0.35 if level == 0 else 0.05)  # at 0 half of it is cut off


def test_options_of_color_noise_are_heeded():
    color = np.full((50, 50, 3), 200, np.uint8)
    quiet = noisy_color(color, np.random.default_rng(0), read_sd=0.0, shot_sd_at_white=0.0)
    np.testing.assert_array_equal(quiet, color)
    assert noisy_color(color, np.random.default_rng(0), read_sd=9.0, shot_sd_at_white=0.0).std() > 7


@pytest.mark.parametrize("z", [0.4, 0.6, 1.0])
def test_stereo_spreads_as_its_disparity_does_and_neighbours_err_alike(z):
    error = noisy_depth(wall(z), CAMERA, np.random.default_rng(0), "stereo")[INNER].astype(float) - z
    expected = np.hypot(0.08, 1 / 32 / np.sqrt(12)) * z**2 / (CAMERA.fx * 0.05)
    assert error.std() == pytest.approx(expected, rel=0.06)
    assert np.corrcoef(error[:, 1:].ravel(), error[:, :-1].ravel())[0, 1] > 0.7
    assert abs(np.corrcoef(error[:, 12:].ravel(), error[:, :-12].ravel())[0, 1]) < 0.1


def test_the_second_imager_of_stereo_leaves_its_shadow_to_the_left():
    depth = wall(1.0)
    depth[100:140, 100:180] = 0.5
    dark = shadowed(depth, CAMERA, -0.05)[120]
    assert dark.sum() == pytest.approx(CAMERA.fx * 0.05, abs=2)
    assert dark[75:100].all()
    assert not dark[100:].any()


@pytest.mark.parametrize(("z", "sd_mm"), [(0.4, 0.5), (0.5, 0.5), (1.0, 1.0), (3.0, 3.0)])
def test_time_of_flight_grows_with_depth_and_has_neither_levels_nor_shadows(z, sd_mm):
    noisy = noisy_depth(wall(z), CAMERA, np.random.default_rng(0), "time-of-flight").astype(float)
    assert noisy.std() * 1000 == pytest.approx(sd_mm, rel=0.03)
    assert noisy.mean() == pytest.approx(z, abs=1e-4)
    assert len(np.unique(noisy)) > 1000
    near = wall(1.0)
    near[100:140, 100:180] = 0.5
    holes = noisy_depth(near, CAMERA, np.random.default_rng(0), "time-of-flight") == 0
    assert holes[100:140, 96:104].any()
    assert not holes[120, 190:].any()
