"""Finds the hand in a frame whose object is known or not: many places, orientations and curls, the best refined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import HandPose
from scene.object_model import farthest_points
from scene.rotations import covering_rotations
from scene.transforms import rigid
from tracker.hypothesis import HandObjectPose, Layout
from tracker.objective import residual_count, objective_of_particles
from tracker.refine import HAND_NUMBERS, Problem, refined

PLACES, ROTATIONS, KEPT = 8, 250, 16
CURLS_DEG = ((0, 15, 15, 10), (0, 45, 50, 25))
"""a flat and a grasping hand: the four angles of every finger"""
HAND_CENTRE = np.array([0.075, -0.01, 0.0])
"""hand frame, metres: about the middle of what is seen of a hand"""


def find_hand(problem: Problem, camera_from_object: Floats, places: Floats) -> tuple[HandObjectPose, float] | None:
    """Searches for the hand, the object held still.

    Args:
        problem: with `use_hand`.
        camera_from_object: (4, 4) where the object is.
        places: (N, 3) points_camera that look like a hand.

    Returns:
        The best pose and its objective; None where there are no places.
    """
    if len(places) < 10:
        return None
    centres = places[farthest_points(places, PLACES)]
    poses = [pose for pose in _grid(centres) if _fits_arm(pose, problem.evidence.arm, problem.weights.least_along)]
    starts = np.zeros((len(poses), 32))
    starts[:, :3] = camera_from_object[:3, 3]
    values = np.zeros(len(poses))
    object_reference = np.ascontiguousarray(camera_from_object[:3, :3])
    size = residual_count(problem.evidence, problem.models)
    for i, pose in enumerate(poses):
        starts[i, 6:9], starts[i, 12:] = pose.camera_from_hand[:3, 3], pose.angles
        fixed = (
            pose.camera_from_hand[:3, :3].copy(),
            pose.angles,
            True,
            problem.evidence,
            problem.models,
            problem.weights,
        )
        objective_of_particles(starts[i : i + 1], object_reference[None], *fixed, size, values[i : i + 1])
    best: tuple[HandObjectPose, float] | None = None
    for i in np.argsort(values)[:KEPT]:
        layout = Layout(object_reference, poses[i].camera_from_hand[:3, :3].copy())
        local = replace(problem, layout=layout, prediction=poses[i].angles)
        vector, objective = refined(local, starts[i], HAND_NUMBERS, iterations=12)
        if best is None or objective < best[1]:
            best = layout.pose(vector), objective
    return best


def _grid(centres: Floats) -> list[HandPose]:
    poses = []
    for rotation in covering_rotations(ROTATIONS):
        for centre in centres:
            for curl in CURLS_DEG:
                angles = np.deg2rad(np.tile(np.array(curl, float), 5))
                angles[:4] = np.deg2rad([15, 10, 15, 15])
                poses.append(HandPose(rigid(rotation, centre - rotation @ HAND_CENTRE), angles))
    return poses


def _fits_arm(pose: HandPose, arm: Floats, least_along: float) -> bool:
    return not arm.any() or float(pose.camera_from_hand[:3, 0] @ arm) >= least_along
