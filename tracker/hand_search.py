"""Finds the hand beside an object: many places, orientations and curls, swarms from the best, the best refined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scene.arrays import Floats
from scene.object_model import farthest_points
from scene.rotations import covering_rotations, geodesic_angle, rotation_vector_from_matrix
from tracker.hypothesis import (
    HAND_ANGLES,
    HAND_ROTATION,
    HAND_TRANSLATION,
    OBJECT_TRANSLATION,
    VECTOR_SIZE,
    HandObjectPose,
    Layout,
)
from tracker.refine import HAND_NUMBERS, Problem, refined
from tracker.swarm import SwarmSettings, minimise

PLACES, ROTATIONS = 6, 300
SWARMS, PARTICLES, GENERATIONS = 4, 64, 30
"""swarms from orientations that differ, and their size"""
CURLS_DEG = ((0, 10, 15, 10), (0, 35, 45, 25), (0, 65, 70, 40))
"""a flat, a grasping and a closed hand: the four angles of every finger"""
THUMB_DEG = (15, 10, 15, 15)
HAND_CENTRE = np.array([0.075, -0.01, 0.0])
"""hand frame, metres: about the middle of what is seen of a hand"""
SCALES: Floats = np.concatenate([np.zeros(6), [0.012] * 3, [0.3] * 3, [0.25] * 20])
"""(32,) metres and radians"""
APART = 0.6
"""radians between the starts of two swarms"""


def find_hand(problem: Problem, camera_from_object: Floats, places: Floats, rng: np.random.Generator) -> HandObjectPose:
    """Searches for the hand, the object held still.

    Args:
        problem: with `use_hand`; its layout does not matter.
        camera_from_object: (4, 4) where the object is.
        places: (N, 3) points_camera that look like a hand, N > 0.
        rng: of all randomness.

    Returns:
        The best pose found.
    """
    rotations = _fitting_rotations(problem)
    poses = _grid(places[farthest_points(places, PLACES)], rotations, camera_from_object)
    layout = Layout(np.ascontiguousarray(camera_from_object[:3, :3]), np.eye(3))
    values = replace(problem, layout=layout, prediction=poses[0, HAND_ANGLES]).objectives(poses)
    poses = poses[np.argsort(values)]
    best, least = poses[0], np.inf
    for start in _apart(poses):
        local = replace(problem, layout=layout, prediction=start[HAND_ANGLES])
        near = geodesic_angle(_rotations(poses), _rotations(start)) < APART
        result = minimise(
            local.objectives, np.concatenate([start[None], poses[near][: PARTICLES - 1]]), SCALES,
            SwarmSettings(GENERATIONS), rng,
        )  # fmt: skip
        vector, objective = refined(local, result.best, HAND_NUMBERS, iterations=15)
        if objective < least:
            best, least = vector, objective
    return layout.pose(best)


def _fitting_rotations(problem: Problem) -> Floats:
    """(R, 3, 3) orientations in which the hand does not point against the way its arm comes."""
    rotations, arm = covering_rotations(ROTATIONS), problem.evidence.arm
    return rotations[rotations[:, :, 0] @ arm >= problem.weights.least_along] if arm.any() else rotations


def _grid(centres: Floats, rotations: Floats, camera_from_object: Floats) -> Floats:
    """(N, 32) vectors: every place, orientation and curl, orientations counted from none."""
    curls = np.stack([np.deg2rad(np.concatenate([THUMB_DEG, *[curl] * 4]).astype(float)) for curl in CURLS_DEG])
    shape = (len(centres), len(rotations), len(curls))
    poses = np.zeros((*shape, VECTOR_SIZE))
    poses[..., OBJECT_TRANSLATION] = camera_from_object[:3, 3]
    poses[..., HAND_TRANSLATION] = (centres[:, None] - rotations @ HAND_CENTRE)[:, :, None]
    poses[..., HAND_ROTATION] = rotation_vector_from_matrix(rotations)[None, :, None]
    poses[..., HAND_ANGLES] = curls
    return poses.reshape(-1, VECTOR_SIZE)


def _rotations(vectors: Floats) -> Floats:
    """(..., 32) -> (..., 3, 3)."""
    return Layout(np.eye(3), np.eye(3)).hand_rotations(vectors)


def _apart(poses: Floats) -> list[Floats]:
    """The first SWARMS of the sorted (N, 32) poses whose orientations differ."""
    chosen: list[Floats] = []
    for pose in poses:
        if all(geodesic_angle(_rotations(pose), _rotations(other)) > APART for other in chosen):
            chosen.append(pose)
        if len(chosen) == SWARMS:
            break
    return chosen
