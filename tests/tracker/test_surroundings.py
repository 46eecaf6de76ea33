"""Background, planes, arm, and the observation that they make of a frame."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_dilation, binary_opening, median_filter

from scene.camera import Camera
from scene.frame import RgbdFrame
from tests.tracker.samples import CAMERA, WALL, WALL_PLANE, draw, drawn, likelihoods, true_pose
from tracker.arm import HAND_LENGTH, JUMP, Arm, find_arm, find_near_arm, opened, parted
from tracker.background import LEAST_FRAMES, static_background, tolerance
from tracker.observation import (
    FARTHEST,
    SMALL_PLANE_SHARE,
    TABLE_RECESS,
    Surroundings,
    find_planes,
    median_of_nine,
    observe,
    smoothed,
    widened,
)

SMALL = Camera(40, 30, 40.0, 40.0, 19.5, 14.5)


def frames_of(depths):
    color = np.zeros((30, 40, 3), np.uint8)
    return [RgbdFrame(at, at / 30, color, depth.astype(np.float32)) for at, depth in enumerate(depths)]


def still_scene(count=8, noise=0.001):
    """A wall at 1 m before which a block moves from left to right."""
    rng = np.random.default_rng(0)
    depths = np.full((count, 30, 40), 1.0) + rng.normal(size=(count, 30, 40)) * noise
    for at in range(count):
        depths[at, 10:20, 4 * at : 4 * at + 6] = 0.6
    return depths


def test_what_stands_still_is_background_and_what_moves_is_not():
    background = static_background(frames_of(still_scene()))
    np.testing.assert_allclose(background, 1.0, atol=0.006)
    assert background.dtype == np.float32


def test_what_never_leaves_is_background_too():
    depths = still_scene()
    depths[:, 25:, :10] = 0.5
    np.testing.assert_allclose(static_background(frames_of(depths))[25:, :10], 0.5, atol=0.006)


def test_unmeasured_pixels_have_no_background():
    depths = still_scene()
    depths[:, :3] = 0
    background = static_background(frames_of(depths))
    assert np.isinf(background[:3]).all()
    assert np.isfinite(background[5:]).all()


def test_a_camera_that_moves_has_no_background():
    slope = np.linspace(0.6, 1.4, 40)[None] + np.linspace(0, 0.3, 30)[:, None]
    depths = np.stack([np.roll(slope, 5 * at, axis=1) + 0.05 * at for at in range(8)])
    assert static_background(frames_of(depths)) is None


def test_few_frames_tell_nothing():
    assert static_background(frames_of(still_scene(LEAST_FRAMES - 1))) is None
    assert static_background(frames_of(still_scene(LEAST_FRAMES))) is not None


def test_tolerance_grows_with_distance():
    near, far = tolerance(np.array([0.4, 1.2]))
    assert 3 * 0.0012 < near < far


def arm_scene():
    """An arm of skin that enters at the left, and a thing of no skin colour beside it."""
    foreground = np.zeros((30, 40), bool)
    foreground[12:18, :31] = True
    foreground[3:8, 20:26] = True
    points = SMALL.back_project(np.full((30, 40), 0.5))[foreground]
    rows, _ = np.nonzero(foreground)
    return foreground, points, rows >= 12


def test_an_arm_points_from_the_images_edge_to_the_hand():
    arm = find_arm(*arm_scene())
    assert arm is not None
    np.testing.assert_allclose(arm.direction, [1, 0, 0], atol=0.1)
    assert np.linalg.norm(arm.direction) == pytest.approx(1)
    assert arm.entry[0] == pytest.approx((1.5 - 19.5) / 40 * 0.5, abs=0.01)
    assert arm.reach == pytest.approx(29 / 40 * 0.5, abs=0.02)
    hand = arm.beyond_wrist(arm.entry + np.array([[arm.reach, 0, 0], [0, 0, 0], [0.1, 0, 0]]))
    np.testing.assert_array_equal(hand, [True, False, False])
    assert arm.beyond_wrist(arm.entry[None] + [arm.reach - HAND_LENGTH + 0.001, 0, 0]).all()


def test_what_does_not_touch_the_edge_is_no_arm():
    foreground, _, _ = arm_scene()
    foreground[:, :6] = False
    points = SMALL.back_project(np.full((30, 40), 0.5))[foreground]
    assert find_arm(foreground, points, np.nonzero(foreground)[0] >= 12) is None


def test_what_is_not_of_a_hands_colour_is_no_arm():
    foreground, points, hand_like = arm_scene()
    assert find_arm(foreground, points, np.zeros_like(hand_like)) is None


def test_what_stands_behind_an_arm_is_none_of_it():
    """A thing of the hand's colour half a metre behind it, which touches it in the image."""
    foreground, points, hand_like = arm_scene()
    alone = find_arm(foreground, points, hand_like)
    behind = foreground.copy()
    behind[12:18, 31:38] = True
    depth = np.where(foreground, 0.5, 1.0)
    touched = find_arm(behind, SMALL.back_project(depth)[behind], np.nonzero(behind)[0] >= 12)
    assert alone is not None
    assert touched is not None
    assert touched.reach == pytest.approx(alone.reach, abs=0.001)
    np.testing.assert_allclose(touched.direction, alone.direction, atol=0.01)


def test_fingers_beyond_what_is_held_are_the_arms():
    """A thing held 5 cm nearer to the camera parts them from it in depth."""
    foreground, _, _ = arm_scene()
    depth = np.full((30, 40), 0.5)
    depth[:, 25:28] = 0.45
    points, rows = SMALL.back_project(depth)[foreground], np.nonzero(foreground)[0]
    columns = np.nonzero(foreground)[1]
    hand_like = (rows >= 12) & ((columns < 25) | (columns >= 28))
    arm = find_arm(foreground, points, hand_like)
    assert arm is not None
    assert arm.reach == pytest.approx(29 / 40 * 0.5, abs=0.02)


def test_a_hand_whose_wrist_is_hidden_has_an_arm():
    """What is held hides the wrist, so that most of the hand's surface does not reach the image's edge."""
    foreground, _, _ = arm_scene()
    depth = np.full((30, 40), 0.5)
    depth[:, 6:10] = 0.4
    points = SMALL.back_project(depth)[foreground]
    rows, columns = np.nonzero(foreground)
    arm = find_arm(foreground, points, (rows >= 12) & (columns >= 10))
    assert arm is not None
    assert arm.entry[0] == pytest.approx((1.5 - 19.5) / 40 * 0.5, abs=0.01)


def test_surfaces_part_where_the_one_behind_begins():
    foreground = np.ones((4, 6), bool)
    foreground[:, 0] = False
    depth = np.full((4, 6), 0.5)
    depth[:, 3:] = 0.5 + 1.5 * JUMP
    expected = foreground.copy()
    expected[:, 3] = False
    np.testing.assert_array_equal(parted(foreground, np.dstack([np.zeros((4, 6, 2)), depth])[foreground]), expected)
    depth[:, 3:] = 0.5 + 0.5 * JUMP
    np.testing.assert_array_equal(parted(foreground, np.dstack([np.zeros((4, 6, 2)), depth])[foreground]), foreground)


def test_the_wall_is_a_plane_and_the_camera_before_it():
    planes = find_planes(draw(true_pose()), CAMERA, seed=0)
    np.testing.assert_allclose(planes[0], WALL_PLANE[0], atol=0.01)
    np.testing.assert_array_equal(find_planes(draw(true_pose()), CAMERA, seed=0), planes)


def test_a_forearm_that_is_as_flat_as_a_table_is_none():
    frame = draw(true_pose())
    depth = np.full(frame.depth.shape, 1.4, np.float32)
    height, width = depth.shape
    depth[: height // 3, : width // 2] = 0.35  # a sixth of what is measured, 19 cm by 9
    planes = find_planes(replace(frame, depth=depth), CAMERA, seed=0)
    np.testing.assert_allclose(planes, [[0, 0, -1, 1.4]], atol=0.01)
    depth[: height // 3, : width // 2] = 0.95  # a wall's end, seven times as large
    assert len(find_planes(replace(frame, depth=depth), CAMERA, seed=0)) == 2


def test_what_is_held_is_no_table_however_large_it_is():
    frame = draw(true_pose())
    depth = np.full(frame.depth.shape, 1.4, np.float32)
    height, width = depth.shape
    depth[: height // 2, : width // 2] = 0.8
    rows, columns = np.nonzero(depth < 1.0)
    points = CAMERA.points_at(rows, columns, depth[rows, columns])
    middle = points.mean(axis=0)
    held = middle, float(np.linalg.norm(points - middle, axis=1).max())
    board = replace(frame, depth=depth)
    assert len(find_planes(board, CAMERA, seed=0)) == 2
    np.testing.assert_allclose(find_planes(board, CAMERA, seed=0, held=held), [[0, 0, -1, 1.4]], atol=0.01)


def shown_at(depths):
    """A frame that shows squares in a grid of 4 rows and 8 columns, NaN where nothing is measured."""
    depth = np.kron(np.nan_to_num(depths), np.ones((CAMERA.height // 4, CAMERA.width // 8)))
    return replace(draw(true_pose()), depth=depth.astype(np.float32))


def test_a_walls_foot_is_a_plane_where_small_ones_count_and_things_that_lie_in_one_are_none():
    foot = np.full((4, 8), np.nan)
    foot[1:] = 1.4
    foot[0, :3] = 1.2  # a ninth of what is measured, 51 cm by 26
    assert len(find_planes(shown_at(foot), CAMERA, seed=0)) == 1
    planes = find_planes(shown_at(foot), CAMERA, seed=0, least_share=SMALL_PLANE_SHARE)
    np.testing.assert_allclose(planes[1], [0, 0, -1, 1.2], atol=0.01)
    things = foot.copy()
    things[0] = [1.2, 0.7, 0.5, 0.9, 1.2, 0.8, 1.0, 1.2]  # as many squares, far apart
    planes = find_planes(shown_at(things), CAMERA, seed=0, least_share=SMALL_PLANE_SHARE)
    np.testing.assert_allclose(planes, [[0, 0, -1, 1.4]], atol=0.01)


def test_nothing_measured_has_no_planes():
    frame = draw(true_pose())
    empty = RgbdFrame(0, 0.0, frame.color, np.zeros_like(frame.depth))
    assert find_planes(empty, CAMERA, seed=0).shape == (0, 4)


def test_the_foreground_is_what_stands_before_the_wall():
    scene = drawn()
    observation = scene.observation
    np.testing.assert_array_equal(observation.foreground, scene.frame.depth < WALL - 0.05)
    assert len(observation.points) == observation.foreground.sum()
    wall = ~observation.foreground
    beside = binary_dilation(~wall, np.ones((3, 3)))  # what stands before the wall is a pixel wider
    np.testing.assert_allclose(observation.depth[~beside], WALL + TABLE_RECESS, rtol=1e-5)
    np.testing.assert_array_equal(observation.depth[~wall], widened(smoothed(scene.frame.depth, ~wall), ~wall)[~wall])


def test_what_stands_before_something_is_a_pixel_wider():
    depth = np.full((20, 30), 0.7, np.float32)
    depth[8:12, 10:20] = 0.5
    depth[9, 12] = 0.505  # a step, no edge
    depth[10, 15] = 0
    wide = widened(depth, depth == 0.5)
    expected = np.full_like(depth, 0.7)
    expected[7:13, 9:21] = 0.5
    expected[9, 12], expected[10, 15] = 0.505, 0.5
    np.testing.assert_array_equal(wide, expected)
    np.testing.assert_array_equal(widened(depth, np.zeros(depth.shape, bool)), depth)


def test_smoothing_takes_noise_away_and_leaves_edges_and_holes():
    rng = np.random.default_rng(0)
    true = np.full((60, 80), 0.5, np.float32)
    true[:, 40:] = 0.6
    noisy = (true + rng.normal(scale=0.001, size=true.shape)).astype(np.float32)
    noisy[20:30, 10:20] = 0
    smooth = smoothed(noisy, np.ones(noisy.shape, bool))
    assert (smooth[20:30, 10:20] == 0).all()
    seen = np.zeros(true.shape, bool)
    seen[2:-2, 2:-2] = True
    seen[18:32, 8:22] = False
    assert np.abs(smooth - true)[seen].max() < 0.005
    assert np.abs(smooth - true)[seen].mean() < 0.5 * np.abs(noisy - true)[seen].mean()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_the_median_of_nine_is_that_of_the_window(height: int, width: int, seed: int):
    depth = np.random.default_rng(seed).integers(0, 6, (height, width)).astype(np.float32)
    np.testing.assert_array_equal(median_of_nine(depth), median_filter(depth, 3, mode="constant"))


def test_a_known_background_is_taken_out_like_a_plane():
    frame = draw(true_pose())
    nothing = np.zeros((0, 4))
    background = np.full(frame.depth.shape, WALL, np.float32)
    by_depth = observe(frame, CAMERA, likelihoods(frame), Surroundings(nothing, background))
    by_plane = observe(frame, CAMERA, likelihoods(frame), Surroundings(WALL_PLANE))
    np.testing.assert_array_equal(by_depth.foreground, by_plane.foreground)
    assert by_depth.plane is None
    neither = observe(frame, CAMERA, likelihoods(frame), Surroundings(nothing))
    assert neither.foreground.all()
    np.testing.assert_array_equal(neither.evidence(np.arange(3)).table, [0, 0, 0, 1])


def test_what_is_far_counts_as_unmeasured():
    frame = draw(true_pose())
    far = RgbdFrame(0, 0.0, frame.color, np.where(frame.depth == np.float32(WALL), FARTHEST + 0.1, frame.depth))
    observation = observe(far, CAMERA, likelihoods(frame), Surroundings(np.zeros((0, 4))))
    beside = binary_dilation(observation.foreground, np.ones((3, 3)))
    assert (observation.depth[~beside] == 0).all()
    assert observation.foreground.sum() == drawn().observation.foreground.sum()


def test_evidence_holds_the_points_that_were_chosen():
    observation = drawn().observation
    chosen = np.array([5, 700, 12])
    evidence = observation.evidence(chosen)
    np.testing.assert_array_equal(evidence.points, observation.points[chosen])
    rows, columns = np.nonzero(observation.foreground)
    for at, index in enumerate(chosen):
        assert evidence.point_hand_chance[at] == pytest.approx(observation.hand_chance[rows[index], columns[index]])
    pixels = CAMERA.project(evidence.points)
    np.testing.assert_allclose(pixels, np.stack([columns[chosen], rows[chosen]], axis=1), atol=1e-3)


def test_the_hand_is_of_a_hands_colour_and_the_object_is_not():
    scene = drawn()
    from_hand = scene.observation.points[:, 0] < -0.02
    assert scene.observation.hand_like[from_hand].mean() > 0.8
    assert scene.observation.hand_like[scene.observation.points[:, 0] > 0.02].mean() < 0.3


def test_areas_are_in_square_metres():
    observation = drawn(False).observation
    everything = np.ones(len(observation.points), bool)
    assert observation.area(everything) == pytest.approx(len(everything) * (0.45 / 280) ** 2, rel=0.1)


def test_a_mask_puts_points_back_on_their_pixels():
    observation = drawn().observation
    chosen = (observation.points[:, 0] > 0) & (observation.points[:, 1] > 0)
    mask = observation.mask(chosen)
    assert mask.sum() == chosen.sum()
    np.testing.assert_array_equal(observation.features_of(np.nonzero(chosen)[0]), observation.features[mask])
    v, u = np.nonzero(mask)
    assert (u > 159).all()
    assert (v > 119).all()


@given(arrays(bool, (9, 11)), st.integers(1, 12))
def test_opening_is_that_of_mathematical_morphology(thing, size):
    square = np.ones((size, size), bool)
    np.testing.assert_array_equal(opened(thing, size), binary_opening(thing, square))


def near_arm_scene():
    """A hand of skin at the right end of an arm that is too near to be measured, before a table."""
    camera = Camera(80, 60, 80.0, 80.0, 39.5, 29.5)
    missing, foreground = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    missing[20:40, :40] = True
    foreground[20:40, 40:60] = True
    missing[5, :] = True  # a thin gap
    points = camera.back_project(np.full((60, 80), 0.5))[foreground]
    return foreground, points, np.ones(len(points), bool), missing, camera


def test_an_arm_too_near_to_be_measured_is_seen_by_what_is_missing():
    foreground, points, hand_like, missing, camera = near_arm_scene()
    assert find_arm(foreground, points, hand_like) is None
    arm = find_near_arm(foreground, points, hand_like, missing, camera)
    assert arm is not None
    np.testing.assert_allclose(arm.direction, [1, 0, 0], atol=0.1)
    assert arm.entry[0] == pytest.approx((1.5 - 39.5) / 80 * 0.5, abs=0.01)
    assert arm.entry[2] == pytest.approx(0.5)


def test_what_is_missing_elsewhere_or_thin_is_no_arm():
    foreground, points, hand_like, missing, camera = near_arm_scene()
    assert find_near_arm(foreground, points, np.zeros_like(hand_like), missing, camera) is None
    for gone in (slice(36, 40), slice(0, 4)):  # beside the hand, and at the image's edge
        cut = missing.copy()
        cut[20:40, gone] = False
        assert find_near_arm(foreground, points, hand_like, cut, camera) is None
    thin = np.zeros_like(missing)
    thin[28:33, :40] = True
    assert find_near_arm(foreground, points, hand_like, thin, camera) is None


def test_what_could_be_measured_is_what_stands_before_planes_and_background():
    camera = Camera(40, 30, 40.0, 40.0, 19.5, 14.5)
    wall = np.array([[0.0, 0.0, -1.0, 1.0]])
    assert Surroundings(wall).measurable(camera).all()
    assert not Surroundings(wall * (1, 1, 1, FARTHEST + 0.1)).measurable(camera).any()
    assert not Surroundings(np.zeros((0, 4))).measurable(camera).any()
    floor = np.array([[0.0, -1.0, 0.0, 0.3]])  # seen below the horizon alone
    rows = np.nonzero(Surroundings(floor).measurable(camera).any(axis=1))[0]
    assert rows.min() == pytest.approx(14.5 + 0.3 / FARTHEST * 40, abs=1)
    background = np.full((30, 40), np.inf, np.float32)
    background[:10] = 1.0
    seen = Surroundings(np.zeros((0, 4)), background).measurable(camera)
    assert seen[:10].all()
    assert not seen[10:].any()


def test_an_observation_looks_for_the_arm_in_what_is_missing():
    frame = drawn().frame
    arm = drawn().observation.arm
    depth = frame.depth.copy()
    seen = observe(RgbdFrame(0, 0.0, frame.color, depth), CAMERA, likelihoods(frame), Surroundings(WALL_PLANE))
    assert not seen.missing.any()
    assert (seen.arm is None) == (arm is None)
    rows, columns = np.nonzero(seen.foreground)
    hand = np.nonzero(seen.foreground)[1][seen.hand_like]
    middle = int(np.median(rows[seen.hand_like]))
    depth[middle - 15 : middle + 15, : int(hand.min()) + 3] = 0
    near = observe(RgbdFrame(0, 0.0, frame.color, depth), CAMERA, likelihoods(frame), Surroundings(WALL_PLANE))
    assert near.missing.any()
    assert near.arm is not None
    assert near.arm.direction[0] > 0.5
    assert columns.size


PLANES_OF_NOISE = """
import numpy as np
from scene.camera import Camera
from scene.frame import RgbdFrame
from tracker.observation import find_planes

rng = np.random.default_rng(3)
depth = np.linspace(0.7, 1.3, 240)[:, None] + rng.normal(size=(240, 320)) * 0.004
frame = RgbdFrame(0, 0.0, np.zeros((240, 320, 3), np.uint8), depth.astype(np.float32))
print(find_planes(frame, Camera(320, 240, 300.0, 300.0, 159.5, 119.5), 0).tobytes().hex())
"""


def test_planes_do_not_depend_on_how_many_threads_look_for_them():
    found = set()
    for threads in (1, 2, 5):
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_THREAD_LIMIT": str(threads)}
        command = [sys.executable, "-W", "ignore", "-c", PLANES_OF_NOISE]
        found.add(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(found) == 1
    assert len(found.pop()) > 10


def test_an_arm_ends_with_a_hand_and_the_rest_of_it_may_be_forearm():
    arm = Arm(np.zeros(3), np.array([0.0, 0, 1]), reach=0.5)
    along = np.array([[0, 0, 0.40], [0, 0, 0.42], [0, 0, 0.44], [0, 0, 0.50]])
    np.testing.assert_array_equal(arm.ends_with(along), [False, False, True, True])
