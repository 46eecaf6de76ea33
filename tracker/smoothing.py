"""Poses smoothed over a recording: each from all frames of its run, the uncertain ones less from themselves.

The fixed-interval estimate of Rauch, Tung and Striebel 1965 under white acceleration, on SE(3): where x_i are the
poses, z_i the tracked ones with deviations s_i, and q the deviation of the acceleration, it minimises

    sum |log(x_i^-1 z_i)|^2 / s_i^2  +  sum |velocity_i+1 - velocity_i|^2 / (q dt^2)^2

Translations are linear; rotations are solved by Gauss-Newton in the tangent space (Bell 1994: the smoother is that).
A run ends where the object was not TRACKED and where it jumped: nothing is smoothed through these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.linalg import solveh_banded

from scene.arrays import Booleans, Floats, Integers
from scene.hand_pose import ANGLE_LIMITS, HandPose, joints
from scene.rotations import matrix_from_rotation_vector, rotation_vector_from_matrix
from scene.transforms import rigid
from tracker.track import Track, TrackStatus

ACCELERATION, TURN_ACCELERATION = 4.0, 40.0
"""m/s^2 and rad/s^2: deviations of a hand's and what it holds"""
LEAST_M, LEAST_RAD = 0.0015, 0.015
"""deviation of the surest pose; the swarm's spread says less than the sensor's noise leaves"""
HAND_M, HAND_RAD = 0.005, 0.05
"""deviation of a hand's pose, whose spread is not known"""
JUMP = 5.0
"""deviations by which a step differs from the one before and the one after where the estimate jumped"""
ITERATIONS = 4


@dataclass(frozen=True)
class Deviations:
    """Of the poses of one run."""

    translation: Floats
    """(N,) metres"""
    rotation: Floats
    """(N,) radians"""


def smoothed(track: Track) -> Track:
    """The track with its TRACKED poses smoothed; no frame's status changes, nor what was measured of it."""
    poses, hands = track.camera_from_object.copy(), track.camera_from_hand.copy()
    angles, joints_camera = track.hand_angles.copy(), track.joints_camera.copy()
    sure = np.sqrt(np.clip(np.nan_to_num(track.confidence, nan=0.5), 0.1, 1.0))
    spread = Deviations(
        np.maximum(np.nan_to_num(track.spread_translation), LEAST_M) / sure,
        np.maximum(np.nan_to_num(track.spread_rotation), LEAST_RAD) / sure,
    )
    of_hand = Deviations(np.full(len(track), HAND_M), np.full(len(track), HAND_RAD))
    times = track.timestamp_s
    for run in runs(track.status == TrackStatus.TRACKED, poses, times, spread):
        poses[run] = smooth_poses(poses[run], times[run], _part(spread, run))
    for run in runs(track.hand_status == TrackStatus.TRACKED, hands, times, of_hand):
        hands[run] = smooth_poses(hands[run], times[run], _part(of_hand, run))
        smooth = _linear(angles[run], times[run], of_hand.rotation[run], TURN_ACCELERATION)
        angles[run] = np.clip(smooth, ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
    for index in np.flatnonzero(track.hand_status == TrackStatus.TRACKED):
        joints_camera[index] = joints(track.hand_shape, HandPose(hands[index], angles[index]))
    return replace(
        track, camera_from_object=poses, camera_from_hand=hands, hand_angles=angles, joints_camera=joints_camera
    )


def runs(tracked: Booleans, poses: Floats, timestamps_s: Floats, deviations: Deviations) -> list[slice]:
    """Stretches of frames, three or more, in which something was TRACKED without a gap and without a jump."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], tracked, [False]]).astype(int)))
    found = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        part = slice(int(start), int(stop))
        cuts = start + jumps(poses[part], timestamps_s[part], _part(deviations, part))
        bounds = [int(start), *(int(cut) for cut in cuts), int(stop)]
        found += [slice(low, high) for low, high in pairwise(bounds) if high - low > 2]
    return found


def jumps(poses: Floats, timestamps_s: Floats, deviations: Deviations) -> Integers:
    """Positions (of the frame after) of steps unlike the steps on both sides: (N, 4, 4), (N,) seconds -> (J,)."""
    if len(poses) < 3:
        return np.zeros(0, int)
    seconds = np.maximum(np.diff(timestamps_s), 1e-3)
    turned = rotation_vector_from_matrix(poses[:-1, :3, :3].swapaxes(1, 2) @ poses[1:, :3, :3])
    unlike = np.zeros(len(seconds), bool)
    for steps, deviation, acceleration in (
        (np.diff(poses[:, :3, 3], axis=0), deviations.translation, ACCELERATION),
        (turned, deviations.rotation, TURN_ACCELERATION),
    ):
        limit = JUMP * np.hypot(acceleration * seconds**2, np.maximum(deviation[1:], deviation[:-1]))
        change = np.linalg.norm(np.diff(steps, axis=0), axis=1)
        before, after = (np.concatenate(parts) for parts in (([np.inf], change), (change, [np.inf])))
        size = np.linalg.norm(steps, axis=1)
        unlike |= (before > limit) & (after > limit) & (size > limit)
    return np.flatnonzero(unlike) + 1


def smooth_poses(poses: Floats, timestamps_s: Floats, deviations: Deviations) -> Floats:
    """(N, 4, 4) poses of one run and their times (N,) -> the smoothed ones."""
    translation = _linear(poses[:, :3, 3], timestamps_s, deviations.translation, ACCELERATION)
    rotation, measured = poses[:, :3, :3], poses[:, :3, :3]
    system = _system(timestamps_s, deviations.rotation, TURN_ACCELERATION)
    for _ in range(ITERATIONS):
        off = rotation_vector_from_matrix(rotation.swapaxes(1, 2) @ measured) / deviations.rotation[:, None] ** 2
        turned = rotation_vector_from_matrix(rotation[:-1].swapaxes(1, 2) @ rotation[1:])
        pull = _curvature_pull(turned, timestamps_s, TURN_ACCELERATION)
        rotation = rotation @ matrix_from_rotation_vector(solveh_banded(system, off - pull))
    return rigid(rotation, translation)


def _linear(values: Floats, timestamps_s: Floats, deviation: Floats, acceleration: float) -> Floats:
    """(N, D) measured with deviations (N,) -> (N, D) smoothed."""
    system = _system(timestamps_s, deviation, acceleration)
    smooth: Floats = solveh_banded(system, values / deviation[:, None] ** 2)
    return smooth


def _system(timestamps_s: Floats, deviation: Floats, acceleration: float) -> Floats:
    """(3, N) upper bands of the normal equations: of the measurements, and of the second differences."""
    bands = np.zeros((3, len(deviation)))
    bands[2] = deviation**-2.0
    rows, weights = _second_differences(timestamps_s, acceleration)
    for first in range(3):
        for second in range(first, 3):
            products = weights * rows[:, first] * rows[:, second]
            np.add.at(bands[2 - (second - first)], np.arange(len(rows)) + second, products)
    return bands


def _curvature_pull(turned: Floats, timestamps_s: Floats, acceleration: float) -> Floats:
    """(N - 1, 3) relative rotations -> (N, 3) gradient of the second term by each frame's tangent."""
    rows, weights = _second_differences(timestamps_s, acceleration)
    seconds = np.maximum(np.diff(timestamps_s), 1e-3)[:, None]
    curvature = weights[:, None] * np.diff(turned / seconds, axis=0) * np.minimum(seconds[:-1], seconds[1:])
    pull = np.zeros((len(turned) + 1, 3))
    for at in range(3):
        pull[at : at + len(rows)] += rows[:, at, None] * curvature
    return pull


def _second_differences(timestamps_s: Floats, acceleration: float) -> tuple[Floats, Floats]:
    """(N - 2, 3) coefficients in metres of change of the step, and (N - 2,) weights."""
    seconds = np.maximum(np.diff(timestamps_s), 1e-3)
    step = np.minimum(seconds[:-1], seconds[1:])
    before, after = step / seconds[:-1], step / seconds[1:]
    rows = np.stack([before, -before - after, after], axis=1)
    return rows, 1 / (acceleration * step**2) ** 2


def _part(deviations: Deviations, run: slice) -> Deviations:
    return Deviations(deviations.translation[run], deviations.rotation[run])
