"""Smoothing: nearer to the truth on noisy tracks, nothing through jumps and gaps; LOST frames looked at again."""

from dataclasses import replace

import numpy as np
import pytest

from scene.hand_pose import ANGLE_LIMITS, HandPose, joints
from scene.metrics import rotation_error_deg
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import LOST, TRACKED, a_track
from tracker.second_look import lost_runs
from tracker.smoothing import Deviations, jumps, runs, smooth_poses, smoothed

FRAMES = 60
NOISE_M, NOISE_RAD = 0.003, 0.04


def true_motion(times):
    """A hand that sways and turns the object: up to half a metre and three radians a second."""
    place = np.stack([0.05 * np.sin(5 * times), 0.03 * np.cos(4 * times), 0.5 + 0.02 * np.sin(3 * times)], axis=1)
    axis = np.array([0.3, 0.9, -0.3]) / np.linalg.norm([0.3, 0.9, -0.3])
    return rigid(matrix_from_rotation_vector(np.sin(2.5 * times)[:, None] * axis), place)


def noisy(poses, seed=0):
    rng = np.random.default_rng(seed)
    turns = matrix_from_rotation_vector(rng.normal(0, NOISE_RAD, (len(poses), 3)))
    return rigid(poses[:, :3, :3] @ turns, poses[:, :3, 3] + rng.normal(0, NOISE_M, (len(poses), 3)))


@pytest.fixture
def session(tmp_path):
    path = tmp_path / "s.h5"
    path.write_bytes(b"any file has a hash")
    return path


def a_long_track(session, poses, **changed):
    track = a_track(session, frames=len(poses))
    return replace(
        track,
        camera_from_object=poses,
        timestamp_s=np.arange(len(poses)) / 30,
        spread_translation=np.full(len(poses), NOISE_M),
        spread_rotation=np.full(len(poses), NOISE_RAD),
        **changed,
    )


def errors(poses, true):
    mm = 1000 * np.linalg.norm(poses[:, :3, 3] - true[:, :3, 3], axis=1)
    return np.nanmean(rotation_error_deg(poses[:, :3, :3], true[:, :3, :3])), np.nanmean(mm)


def test_noise_becomes_less(session):
    true = true_motion(np.arange(FRAMES) / 30)
    track = a_long_track(session, noisy(true))
    before, after = errors(track.camera_from_object, true), errors(smoothed(track).camera_from_object, true)
    assert after[0] < 0.7 * before[0]
    assert after[1] < 0.7 * before[1]


def test_a_steady_motion_is_left_as_it_is():
    """Without noise and acceleration there is nothing to change, though the frames' times are uneven."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 30))
    turn = matrix_from_rotation_vector(times[:, None] * np.array([0.5, 1.0, -0.2]))
    poses = rigid(turn, times[:, None] * np.array([0.1, -0.2, 0.05]) + [0, 0, 0.5])
    steady = smooth_poses(poses, times, Deviations(np.full(30, 0.002), np.full(30, 0.02)))
    np.testing.assert_allclose(steady, poses, atol=1e-6)


def test_an_uncertain_frame_gives_way_to_its_neighbours():
    times = np.arange(21) / 30
    true = true_motion(times)
    off = true.copy()
    off[10, :3, 3] += [0.02, 0, 0]
    deviations = Deviations(np.full(21, 0.002), np.full(21, 0.02))
    trusted = smooth_poses(off, times, deviations)
    unsure = Deviations(np.where(np.arange(21) == 10, 0.05, 0.002), np.full(21, 0.02))
    doubted = smooth_poses(off, times, unsure)
    assert np.linalg.norm(doubted[10, :3, 3] - true[10, :3, 3]) < 0.003
    assert np.linalg.norm(trusted[10, :3, 3] - true[10, :3, 3]) > 0.004


def test_nothing_is_smoothed_through_a_jump(session):
    true = true_motion(np.arange(FRAMES) / 30)
    turned = true.copy()
    turned[30:, :3, :3] = true[30:, :3, :3] @ matrix_from_rotation_vector(np.array([0, 0, 1.2]))
    turned[30:, :3, 3] += [0.04, 0, 0]
    track = a_long_track(session, turned)
    deviations = Deviations(track.spread_translation, track.spread_rotation)
    np.testing.assert_array_equal(jumps(turned, track.timestamp_s, deviations), [30])
    after = smoothed(track).camera_from_object
    rotation_deg, mm = (np.abs(part) for part in errors(after[28:32], turned[28:32]))
    assert rotation_deg < 1
    assert mm < 2
    assert jumps(noisy(true), track.timestamp_s, deviations).size == 0


def test_what_is_lost_stays_lost_and_ends_a_run(session):
    true = true_motion(np.arange(FRAMES) / 30)
    status = np.full(FRAMES, TRACKED)
    status[20:25] = LOST
    poses = noisy(true)
    poses[20:25] = np.nan
    track = smoothed(a_long_track(session, poses, status=status))
    np.testing.assert_array_equal(track.status, status)
    assert np.isnan(track.camera_from_object[20:25]).all()
    assert np.isfinite(track.camera_from_object[status == TRACKED]).all()
    deviations = Deviations(np.full(FRAMES, NOISE_M), np.full(FRAMES, NOISE_RAD))
    found = runs(status == TRACKED, poses, track.timestamp_s, deviations)
    assert found == [slice(0, 20), slice(25, FRAMES)]


def test_the_hand_is_smoothed_within_its_limits_and_its_joints_follow(session):
    rng = np.random.default_rng(1)
    track = a_long_track(session, true_motion(np.arange(FRAMES) / 30))
    hands, middle = noisy(true_motion(np.arange(FRAMES) / 30 + 1)), ANGLE_LIMITS.mean(axis=1)
    angles = np.clip(middle + rng.normal(0, 1.0, (FRAMES, 20)), ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
    after = smoothed(replace(track, camera_from_hand=hands, hand_angles=angles))
    assert np.diff(after.hand_angles, axis=0).std() < 0.7 * np.diff(angles, axis=0).std()
    assert (after.hand_angles >= ANGLE_LIMITS[:, 0]).all()
    assert (after.hand_angles <= ANGLE_LIMITS[:, 1]).all()
    pose = HandPose(after.camera_from_hand[5], after.hand_angles[5])
    np.testing.assert_allclose(after.joints_camera[5], joints(track.hand_shape, pose))


def test_lost_frames_are_reached_from_the_far_side():
    t, lost = TRACKED, LOST
    status = np.array([lost, t, lost, lost, t, t, lost, t, lost])
    # from frame 4 forwards frame 6 is lost, which 7 can look back at; from 4 backwards 3 and 2, which 1 can; the ends
    # have nothing behind them
    assert lost_runs(status, 4) == [(7, [6]), (1, [2, 3])]
    assert lost_runs(np.full(4, lost), 0) == []
