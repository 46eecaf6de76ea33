"""Finds the object without a click: thousands of proposed poses, the best of them refined.

Pairs of points propose (tracker/point_pairs.py), the objective of tracking judges, only without a hand: where a
hypothesis stands before what is seen it is refuted, where something stands before it it is merely unseen, and its
colours must be those of the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import HandPose, rest_angles
from scene.rotations import geodesic_angle
from scene.transforms import rigid
from tracker.hypothesis import OBJECT_TRANSLATION, VECTOR_SIZE, HandObjectPose, Layout
from tracker.models import thinned
from tracker.nearby import within
from tracker.objective import Models
from tracker.observation import Observation
from tracker.point_pairs import OrientedPoints, observed_normals, proposed_poses
from tracker.refine import OBJECT_NUMBERS, Problem, refined
from tracker.threads import shared
from tracker.weights import Weights

POINTS, FEW_POINTS = 1000, 250
"""foreground points that propose and judge, and those of them that judge at first sight"""
FEWEST_POINTS = 100
"""foreground points below which nothing stands before the camera"""
LOOKED_THROUGH = 1500
"""proposed poses, best at first sight, among which the promising ones, no two alike, are looked for"""
PROMISING, KEPT = 60, 10
"""proposed poses that are refined coarsely, and those of them that are refined to the end"""
ALIKE_WITHIN, ALIKE_TURNED = 0.012, 0.35
"""metres and radians within which of two proposed poses only the better is refined"""
FEW_SAMPLES = 0.2
"""share of the object's samples that is looked at meanwhile"""
COARSE = 1.5
"""how much longer the objective's distance scales are while looking"""
HIDDEN, UNDER_HAND = 0.6, 0.4
"""price of a hidden sample while searching: what is found must be seen"""


@dataclass(frozen=True)
class ObjectCandidate:
    """One pose that the object may have."""

    camera_from_object: Floats
    """(4, 4)"""
    objective: float
    """without the hand's terms"""


def find_object(
    observation: Observation,
    models: Models,
    weights: Weights,
    rng: np.random.Generator,
    *,
    colored: bool,
    near: Floats | None = None,
) -> list[ObjectCandidate]:
    """Searches the frame for the object.

    Args:
        observation: of the frame.
        models: object and hand.
        weights: of the objective.
        rng: of all randomness.
        colored: whether the model's colours are the object's.
        near: (3,) points_camera about which half of the search is made; None for none.

    Returns:
        The refined candidates, best first, none twice; empty where nothing like it stands before the camera.
    """
    if len(observation.points) < FEWEST_POINTS:
        return []
    likeness = observation.object_rather_than_hand
    share = (0.1 + likeness) / (0.1 + likeness).sum()
    chosen = rng.choice(len(observation.points), min(POINTS, len(observation.points)), replace=False, p=share)
    strict = searching(weights)
    layout = Layout(np.eye(3), np.eye(3))
    problem = Problem(observation.evidence(chosen), models, strict, layout, rest_angles(), use_hand=False)
    looking = replace(problem, models=thinned(models, FEW_SAMPLES), weights=blurred(strict, COARSE))
    glancing = replace(looking, evidence=observation.evidence(chosen[:FEW_POINTS]))
    points = observation.points[chosen]
    observed = OrientedPoints(
        points, observed_normals(observation.points, chosen), observation.features[observation.foreground][chosen]
    )
    drawn = _drawn_about(points, likeness[chosen], models.object_reach, near)
    positions, rotations = proposed_poses(observed, drawn, models, rng, colored=colored)
    likely = np.argsort(_objectives(glancing, positions, rotations))[:LOOKED_THROUGH]
    positions, rotations = positions[likely], rotations[likely]
    best = _promising(positions, rotations, _objectives(looking, positions, rotations))
    coarse = shared(lambda i: _refined_candidate(looking, positions[i], rotations[i], iterations=10), best)
    poses = [candidate.camera_from_object for candidate in _different(coarse)[:KEPT]]
    return _different(shared(lambda pose: _refined_candidate(problem, pose[:3, 3], pose[:3, :3], iterations=25), poses))


def _drawn_about(points: Floats, likeness: Floats, reach: float, near: Floats | None) -> Floats:
    """(N,) how often each point is drawn for a pair: by its colour, and half of them about `near`."""
    share = 0.05 + likeness**2
    share /= share.sum()
    if near is None:
        return share
    close = share * within(points, near, 2 * reach)
    total: float = close.sum()
    return share if total <= 0 else 0.5 * share + 0.5 * close / total


def _promising(positions: Floats, rotations: Floats, values: Floats) -> list[int]:
    """Indices of the poses of lowest objective, none like a lower one of them."""
    best: list[int] = []
    left = np.argsort(values, kind="stable")
    while len(left) and len(best) < PROMISING:
        lowest = left[0]
        best.append(int(lowest))
        alike = within(positions[left], positions[lowest], ALIKE_WITHIN)
        alike[alike] = geodesic_angle(rotations[left[alike]], rotations[lowest]) < ALIKE_TURNED
        left = left[~alike]
    return best


def _objectives(problem: Problem, positions: Floats, rotations: Floats) -> Floats:
    vectors = np.zeros((len(positions), VECTOR_SIZE))
    vectors[:, OBJECT_TRANSLATION] = positions
    return problem.objectives(vectors, rotations)


def searching(weights: Weights) -> Weights:
    """The objective for a pose of which nothing is known beforehand: hidden samples cost more."""
    return weights._replace(hidden=HIDDEN, unmeasured=HIDDEN, under_hand=UNDER_HAND)


def blurred(weights: Weights, factor: float) -> Weights:
    """The same objective with its distances' scales `factor` times as long: smoother, with wider basins."""
    return weights._replace(points_scale=weights.points_scale * factor, gap_scale=weights.gap_scale * factor)


def _different(candidates: list[ObjectCandidate]) -> list[ObjectCandidate]:
    """The best first, none twice: two may have come to the same end."""
    kept: list[ObjectCandidate] = []
    for candidate in sorted(candidates, key=lambda candidate: candidate.objective):
        if _is_new(candidate, kept):
            kept.append(candidate)
    return kept


def _is_new(candidate: ObjectCandidate, kept: list[ObjectCandidate]) -> bool:
    """Whether no kept one is within 1 cm and 0.2 rad."""
    pose = candidate.camera_from_object
    return not any(
        np.linalg.norm(pose[:3, 3] - other.camera_from_object[:3, 3]) < 0.01
        and geodesic_angle(pose[:3, :3], other.camera_from_object[:3, :3]) < 0.2
        for other in kept
    )


def _refined_candidate(problem: Problem, position: Floats, rotation: Floats, iterations: int) -> ObjectCandidate:
    layout = Layout(np.ascontiguousarray(rotation), np.eye(3))
    problem = replace(problem, layout=layout)
    start = np.zeros(VECTOR_SIZE)
    start[:3] = position
    best, objective = refined(problem, start, OBJECT_NUMBERS, iterations)
    return ObjectCandidate(layout.pose(best).camera_from_object, objective)


def pose_without_hand(camera_from_object: Floats) -> HandObjectPose:
    """A candidate as a whole hypothesis, its hand far behind the camera."""
    return HandObjectPose(camera_from_object, HandPose(rigid(np.eye(3), np.array([0, 0, -1.0])), rest_angles()))
