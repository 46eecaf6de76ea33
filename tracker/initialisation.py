"""Finds the object without a click: many poses before every thing in view, the best of them refined.

The same objective judges as in tracking, only without a hand: where a hypothesis stands before what is seen it is
refuted, where something stands before it it is merely unseen, and its colours must be those of the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import HandPose, rest_angles
from scene.object_model import farthest_points
from scene.rotations import covering_rotations, geodesic_angle, rotation_vector_from_matrix
from scene.transforms import rigid
from tracker.hypothesis import OBJECT_ROTATION, OBJECT_TRANSLATION, VECTOR_SIZE, HandObjectPose, Layout
from tracker.objective import Models, Weights
from tracker.observation import Observation
from tracker.refine import OBJECT_NUMBERS, Problem, refined
from tracker.swarm import SwarmSettings, minimise

FEW_ROTATIONS, MANY_ROTATIONS = 300, 2000
"""orientations tried at each place and at the best places: about 28 and 15 degrees apart"""
PLACES, BEST_PLACES = 60, 16
"""places tried, spread over the foreground, and those that are looked at closely"""
POINTS = 1000
"""foreground points that judge"""
PROMISING, KEPT = 3, 16
"""particles of each swarm that are refined coarsely, and hypotheses of all places that are refined to the end"""
PARTICLES, GENERATIONS = 64, 25
"""of the swarm at each of the best places"""
SWARM_SCALES: Floats = np.concatenate([[0.01] * 3, [0.4] * 3, np.zeros(VECTOR_SIZE - 6)])
"""(32,) metres and radians"""
COARSE = 1.5
"""how much longer the objective's distance scales are while looking"""
HIDDEN, UNDER_HAND = 0.6, 0.4
"""price of a hidden sample while searching: what is found must be seen"""


@dataclass(frozen=True)
class ObjectCandidate:
    """One place and orientation at which the object may be."""

    camera_from_object: Floats
    """(4, 4)"""
    objective: float
    """without the hand's terms"""


def find_object(
    observation: Observation, models: Models, weights: Weights, rng: np.random.Generator, near: Floats | None = None
) -> list[ObjectCandidate]:
    """Searches the frame for the object.

    Args:
        observation: of the frame.
        models: object and hand.
        weights: of the objective.
        rng: of all randomness.
        near: (3,) points_camera at which to search first, with as many places about it; None for none.

    Returns:
        The refined candidates, best first, none twice; empty where nothing stands before the camera.
    """
    if len(observation.points) < 100:
        return []
    likeness = observation.object_rather_than_hand
    share = (0.1 + likeness) / (0.1 + likeness).sum()
    chosen = rng.choice(len(observation.points), min(POINTS, len(observation.points)), replace=False, p=share)
    evidence = observation.evidence(chosen)
    strict = searching(weights)
    problem = Problem(evidence, models, strict, Layout(np.eye(3), np.eye(3)), rest_angles(), use_hand=False)
    looking = replace(problem, models=thinned(models), weights=blurred(strict, COARSE))
    places = _places_about(evidence.points, likeness[chosen], models.object_reach, near)
    values = _objectives(looking, *_grid(places, models, FEW_ROTATIONS)).reshape(len(places), -1)
    places = places[np.argsort(values.min(axis=1))[:BEST_PLACES]]
    positions, rotations = _grid(places, models, MANY_ROTATIONS)
    values = _objectives(looking, positions, rotations)
    coarse = [
        candidate
        for at in range(len(places))
        for candidate in _swarmed(looking, *_share(positions, rotations, values, at, len(places)), rng)
    ]
    coarse.sort(key=lambda candidate: candidate.objective)
    found: list[ObjectCandidate] = []
    for candidate in coarse:
        if len(found) < KEPT and _is_new(candidate, found):
            pose = candidate.camera_from_object
            found.append(_refined_candidate(problem, pose[:3, 3], pose[:3, :3], iterations=25))
    return sorted(found, key=lambda candidate: candidate.objective)


def _share(positions: Floats, rotations: Floats, values: Floats, at: int, places: int) -> tuple[Floats, Floats]:
    """The best PARTICLES positions and orientations at one of the places, best first."""
    size = len(values) // places
    best = at * size + np.argsort(values[at * size : (at + 1) * size])[:PARTICLES]
    return positions[best], rotations[best]


def _swarmed(problem: Problem, positions: Floats, rotations: Floats, rng: np.random.Generator) -> list[ObjectCandidate]:
    """A swarm that starts from one place's best orientations; its best particles, refined."""
    layout = Layout(np.ascontiguousarray(rotations[0]), np.eye(3))
    starts = np.zeros((len(positions), VECTOR_SIZE))
    starts[:, OBJECT_TRANSLATION] = positions
    starts[:, OBJECT_ROTATION] = rotation_vector_from_matrix(rotations @ rotations[0].T)
    local = replace(problem, layout=layout)
    result = minimise(local.objectives, starts, SWARM_SCALES, SwarmSettings(GENERATIONS, reach=8.0), rng)
    best = np.argsort(result.personal_objectives)[:PROMISING]
    candidates = []
    for vector in result.personal_bests[best]:
        pose = layout.pose(vector).camera_from_object
        candidates.append(_refined_candidate(problem, pose[:3, 3], pose[:3, :3], iterations=8))
    return candidates


def _places_about(points: Floats, chances: Floats, reach: float, near: Floats | None) -> Floats:
    """(P, 3) as _places, and more of them about `near`."""
    places = _places(points, chances, reach)
    if near is None:
        return places
    close = np.linalg.norm(points - near, axis=1) < 2 * reach
    return np.concatenate([_places(points[close], chances[close], reach), places]) if close.sum() > 20 else places


def _places(points: Floats, chances: Floats, reach: float) -> Floats:
    """(P, 3) where the visible surface of an object of that size may be centred: means of the points within reach.

    Each place climbs to the mean of what is about it (mean shift), object-coloured points first, so that few places
    cover the whole scene and a thing that stands alone is met at its centre.
    """
    likely = points[chances >= np.quantile(chances, 0.5)]
    places = likely[farthest_points(likely, PLACES)]
    for _ in range(3):
        near = np.linalg.norm(places[:, None] - points, axis=2) < 0.8 * reach
        weight = near * (0.05 + chances)
        places = weight @ points / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    kept: list[Floats] = []
    for place in np.concatenate([places, likely[farthest_points(likely, PLACES)]]):
        if all(np.linalg.norm(place - other) > 0.2 * reach for other in kept):
            kept.append(place)
    return np.array(kept)


def _visible_centres(models: Models, rotations: Floats, directions: Floats) -> Floats:
    """(R, 3, 3) orientations, (P, 3) lines of sight -> (P, R, 3) mean of the samples that face the camera."""
    samples = np.einsum("rij,mj->rmi", rotations, models.samples)
    normals = np.einsum("rij,mj->rmi", rotations, models.normals)
    facing = np.maximum(-np.einsum("rmi,pi->prm", normals, directions), 0.0)
    centres: Floats = np.einsum("prm,rmi->pri", facing, samples) / facing.sum(axis=2)[..., None]
    return centres


def _grid(places: Floats, models: Models, count: int) -> tuple[Floats, Floats]:
    """(N, 3) object positions and (N, 3, 3) orientations: at every place `count` of them, its visible side there."""
    rotations = covering_rotations(count)
    directions = places / np.linalg.norm(places, axis=1, keepdims=True)
    positions = places[:, None] - _visible_centres(thinned(models), rotations, directions)
    return positions.reshape(-1, 3), np.tile(rotations, (len(places), 1, 1))


def _objectives(problem: Problem, positions: Floats, rotations: Floats) -> Floats:
    vectors = np.zeros((len(positions), VECTOR_SIZE))
    vectors[:, OBJECT_TRANSLATION] = positions
    return problem.objectives(vectors, rotations)


def searching(weights: Weights) -> Weights:
    """The objective for a pose of which nothing is known beforehand: hidden samples cost more."""
    return weights._replace(hidden=HIDDEN, under_hand=UNDER_HAND)


def thinned(models: Models) -> Models:
    """The same models with a third of the samples, which are still spread evenly, for a first look."""
    kept = len(models.samples) // 3
    return models._replace(
        samples=models.samples[:kept], normals=models.normals[:kept], sample_features=models.sample_features[:kept]
    )


def blurred(weights: Weights, factor: float) -> Weights:
    """The same objective with its distances' scales `factor` times as long: smoother, with wider basins."""
    return weights._replace(points_scale=weights.points_scale * factor, gap_scale=weights.gap_scale * factor)


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
    start = np.zeros(32)
    start[:3] = position
    best, objective = refined(problem, start, OBJECT_NUMBERS, iterations)
    return ObjectCandidate(layout.pose(best).camera_from_object, objective)


def pose_without_hand(camera_from_object: Floats) -> HandObjectPose:
    """A candidate as a whole hypothesis, its hand far behind the camera."""
    return HandObjectPose(camera_from_object, HandPose(rigid(np.eye(3), np.array([0, 0, -1.0])), rest_angles()))
