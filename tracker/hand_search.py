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
    clamp_angles,
)
from tracker.objective import Evidence, Weights
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
APART, AWAY = 0.5, 0.05
"""radians and metres, one of which is between any two starts"""
PROMISING, GLANCES = 32, 6
"""poses of the grid that are refined, and by how many steps"""
ITERATIONS = 15
FOREARM_COST, GRASP = 0.010, 0.2
"""of the objective's weights, while searching"""


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
    looking = replace(problem, evidence=every_second(problem.evidence), weights=searching(problem.weights))
    looking = replace(looking, layout=layout, prediction=poses[0, HAND_ANGLES])
    poses = poses[np.argsort(looking.objectives(poses))]
    coarse = [_refined(looking, pose, GLANCES) for pose in _apart(poses, PROMISING)]
    poses = np.array([vector for vector, _ in sorted(coarse, key=lambda pair: pair[1])])
    best, least = poses[0], np.inf
    for start in _apart(poses, SWARMS):
        local = replace(problem, layout=layout, prediction=start[HAND_ANGLES])
        starts = start + rng.normal(size=(PARTICLES, VECTOR_SIZE)) * SCALES
        starts[0] = start
        result = minimise(local.objectives, clamp_angles(starts), SCALES, SwarmSettings(GENERATIONS), rng)
        vector, objective = refined(local, result.best, HAND_NUMBERS, ITERATIONS)
        if objective < least:
            best, least = vector, objective
    return layout.pose(best)


def searching(weights: Weights) -> Weights:
    """The objective for a hand of which nothing is known: no coarse fit must lose to none at all."""
    return weights._replace(forearm_cost=FOREARM_COST, grasp=GRASP)


def every_second(evidence: Evidence) -> Evidence:
    """The same frame with half of the points to be explained, for a first look."""
    return evidence._replace(
        points=evidence.points[::2],
        point_object_chance=evidence.point_object_chance[::2],
        point_hand_chance=evidence.point_hand_chance[::2],
        point_weight=evidence.point_weight[::2],
    )


def _refined(problem: Problem, start: Floats, iterations: int) -> tuple[Floats, float]:
    """By least squares towards the start's own angles."""
    return refined(replace(problem, prediction=start[HAND_ANGLES]), start, HAND_NUMBERS, iterations)


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


def _apart(poses: Floats, count: int) -> list[Floats]:
    """The first `count` of the sorted (N, 32) poses whose orientations or places differ."""
    chosen: list[int] = []
    rotations = _rotations(poses)
    for i in range(len(poses)):
        turned = geodesic_angle(rotations[chosen], rotations[i]) > APART
        away = np.linalg.norm(poses[chosen, HAND_TRANSLATION] - poses[i, HAND_TRANSLATION], axis=1) > AWAY
        if (turned | away).all():
            chosen.append(i)
        if len(chosen) == count:
            break
    return [poses[i] for i in chosen]
