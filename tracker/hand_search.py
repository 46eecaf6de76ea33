"""Finds the hand beside an object: thousands at random, of which the better vary and select, swarms about the best.

A hand has 26 numbers: a grid of places, orientations and curls that is fine enough for a swarm to end in the right hand
would have millions of nodes. Here each kept hand is replaced by the best of its own variations and itself, so that
different ones live side by side, while ever fewer are kept and the variations shrink: an evolution strategy, (1 + 16)
for each hand, with truncation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import HandPose
from scene.rotations import geodesic_angle
from tracker.grasp_views import GraspViews, SameGrasp
from tracker.hand_guesses import HALF_CLOSED, drawn_hands, moved_by_a_finger, varied
from tracker.hand_proposals import NO_PROPOSALS, Proposals
from tracker.hypothesis import (
    HAND_TRANSLATION,
    OBJECT_TRANSLATION,
    HandObjectPose,
    Layout,
    clamp_angles,
)
from tracker.objective import Evidence
from tracker.refine import HAND_NUMBERS, LeastSquares, Problem, refined, refined_each
from tracker.swarm import SwarmSettings, minimise
from tracker.weights import Weights

DRAWN, DRAWN_BESIDE = 12_000, 3_000
"""hands at random; and beside one that the network is sure of"""
KEPT: tuple[int, ...] = (300, *np.geomspace(120, 10, 30).round().astype(int).tolist())
"""of those, and of those after each round of variation"""
KEPT_BESIDE: tuple[int, ...] = (100, *np.geomspace(40, 6, 14).round().astype(int).tolist())
"""the same, beside one that the network is sure of"""
KEPT_TOGETHER = (16,) * 12
"""the same, of hands that are to explain several views"""
KEPT_APART = (4,) * 14
"""the same, of a hand that was moved by a finger"""
WORTHWHILE = 1.4
"""of the objective of the hand that was found: how much more one that is moved by a finger may have to begin with"""
VARIATIONS = 16
"""of each hand that is kept"""
WIDEST, NARROWEST = 1.0, 0.2
"""scale of the variations in the first round and in the last"""
SWARMS, PARTICLES, GENERATIONS = 2, 64, 30
"""swarms about hands that differ, and their size"""
SCALES: Floats = np.concatenate([np.zeros(6), [0.012] * 3, [0.3] * 3, [0.25] * 20])
"""(32,) metres and radians"""
CLOUD = 0.6
"""deviation of a swarm's first particles, of the scales"""
APART, AWAY = 0.5, 0.05
"""radians and metres, one of which is between any two hands that differ"""
ITERATIONS = 15
FOREARM_COST, GRASP = 0.010, 0.2
"""of the objective's weights, while searching"""
PROPOSED = 4
"""hands of the network that are refined, those of lowest objective"""
PRIOR_BESIDE, GRASP_BESIDE = 0.5, 0.03
"""of the objective's weights about the angles that the network is sure of: it knows better than a half closed hand, and
than a rule for all finger tips, how what is hidden goes on"""


class Searchable(LeastSquares, Protocol):
    """One frame's problem, or that of several views."""

    def objectives(self, vectors: Floats) -> Floats:
        """(N, 32) -> (N,) objective of each."""


def find_hand(
    problem: Problem,
    camera_from_object: Floats,
    places: Floats,
    guesses: Sequence[HandPose],
    rng: np.random.Generator,
    grasp: GraspViews,
    proposals: Proposals = NO_PROPOSALS,
) -> list[HandObjectPose]:
    """Searches for the hand, the object held still.

    Args:
        problem: with `use_hand`; its layout does not matter.
        camera_from_object: (4, 4) where the object is.
        places: (N, 3) points_camera that look like a hand, N > 0.
        guesses: hands that may be the one, among those that are drawn.
        rng: of all randomness.
        grasp: views that the hand may have to explain, too.
        proposals: of the network, tracker/hand_proposals.py.

    Returns:
        Poses that differ: those found in this frame, the best first, none of the guesses better than that; and last,
        where there are views, those that were found in all of them.
    """
    layout = Layout(np.ascontiguousarray(camera_from_object[:3, :3]), np.eye(3))
    problem = replace(problem, layout=layout, prediction=HALF_CLOSED, use_object=False)
    known, sure = [layout.vector(HandObjectPose(camera_from_object, hand)) for hand in guesses], proposals.agreed
    if proposals.hands:
        problem, seen = _expecting(problem, camera_from_object, proposals)
        known += seen
    hands = drawn_hands(DRAWN_BESIDE if sure else DRAWN, places, problem.evidence.arm, problem.weights.least_along, rng)
    hands[:, OBJECT_TRANSLATION] = camera_from_object[:3, 3]
    looking = replace(problem, evidence=every_second(problem.evidence), weights=searching(problem.weights, sure=sure))
    evolved = _evolved(looking, np.array([*known, *hands]), KEPT_BESIDE if sure else KEPT, rng)
    ends = refined_each(problem, known, HAND_NUMBERS, ITERATIONS)
    ends += [_finished(problem, start, rng) for start in _apart(evolved, SWARMS)]
    knuckles = problem.models.base_offsets[1:]
    ends += _moved_by_a_finger(problem, min(ends, key=_objective), knuckles, rng)
    found = [vector for vector, _ in sorted(ends, key=_objective)]
    if grasp.views:
        views = tuple(replace(view, evidence=every_second(view.evidence)) for view in grasp.views)
        together = SameGrasp(replace(problem, evidence=looking.evidence), camera_from_object, views)
        best, *_ = _evolved(together, np.array([*known, *found, *evolved]), KEPT_TOGETHER, rng)
        end = _finished(together, best, rng)
        found += [vector for vector, _ in [end, *_moved_by_a_finger(together, end, knuckles, rng)]]
    return [layout.pose(vector) for vector in found]


def _expecting(problem: Problem, camera_from_object: Floats, proposals: Proposals) -> tuple[Problem, list[Floats]]:
    """The problem, its prior about the hand that the network is sure of, and its best proposals."""
    vectors = np.array([problem.layout.vector(HandObjectPose(camera_from_object, hand)) for hand in proposals.hands])
    if proposals.agreed:
        weights = problem.weights._replace(prior=PRIOR_BESIDE, grasp=GRASP_BESIDE)
        problem = replace(problem, prediction=proposals.hands[0].angles, weights=weights)
    order = np.argsort(problem.objectives(vectors), kind="stable")[:PROPOSED]
    return problem, list(vectors[order])


def _moved_by_a_finger(
    problem: Searchable, end: tuple[Floats, float], knuckles: Floats, rng: np.random.Generator
) -> list[tuple[Floats, float]]:
    """What the hand that was found comes to if each finger is taken for its neighbour, either way.

    They vary and select among themselves, as at first they explain less than the hands that they might replace.
    """
    hand, objective = end
    ends = []
    for by in (1, -1):
        moved = clamp_angles(moved_by_a_finger(hand, knuckles, by))
        start, lowest = refined(problem, moved, HAND_NUMBERS, ITERATIONS)
        if lowest < WORTHWHILE * objective:
            best, *_ = _evolved(problem, np.array([moved, start]), KEPT_APART, rng)
            ends.append(_finished(problem, best, rng))
    return ends


def _objective(end: tuple[Floats, float]) -> float:
    return end[1]


def _evolved(problem: Searchable, hands: Floats, kept: Sequence[int], rng: np.random.Generator) -> Floats:
    """(N, 32) -> (kept[-1], 32) what the best of them became, best first."""
    hands, values = _best(hands, problem.objectives(hands), kept[0])
    for count, scale in zip(kept[1:], np.geomspace(WIDEST, NARROWEST, len(kept) - 1), strict=True):
        young = varied(np.repeat(hands, VARIATIONS, axis=0), scale, hands, rng)
        of_young = problem.objectives(young).reshape(len(hands), VARIATIONS)
        best = of_young.argmin(axis=1)
        better = of_young.min(axis=1) < values
        hands[better] = young.reshape(len(hands), VARIATIONS, -1)[better, best[better]]
        hands, values = _best(hands, np.minimum(values, of_young.min(axis=1)), count)
    return hands


def _best(hands: Floats, values: Floats, count: int) -> tuple[Floats, Floats]:
    order = np.argsort(values, kind="stable")[:count]
    return hands[order], values[order]


def _finished(problem: Searchable, start: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """By a swarm about the start, and least squares."""
    starts = start + rng.normal(size=(PARTICLES, len(start))) * SCALES * CLOUD
    starts[0] = start
    result = minimise(problem.objectives, clamp_angles(starts), SCALES, SwarmSettings(GENERATIONS), rng)
    return refined(problem, result.best, HAND_NUMBERS, ITERATIONS)


def searching(weights: Weights, *, sure: bool = False) -> Weights:
    """The objective for a hand of which nothing is known: no coarse fit must lose to none at all.

    `sure`: the network says how the fingers are, so that nothing else has to.
    """
    return weights._replace(forearm_cost=FOREARM_COST, grasp=weights.grasp if sure else GRASP)


def every_second(evidence: Evidence) -> Evidence:
    """The same frame with half of the points to be explained, for a first look."""
    # copied, since the kernel would be compiled a second time for numbers that do not lie side by side
    return evidence._replace(
        points=evidence.points[::2].copy(),
        point_object_chance=evidence.point_object_chance[::2].copy(),
        point_hand_chance=evidence.point_hand_chance[::2].copy(),
        point_weight=evidence.point_weight[::2].copy(),
        point_may_be_forearm=evidence.point_may_be_forearm[::2].copy(),
    )


def _apart(hands: Floats, count: int) -> list[Floats]:
    """The first `count` of the sorted (N, 32) hands whose orientations or places differ."""
    chosen: list[int] = []
    rotations = Layout(np.eye(3), np.eye(3)).hand_rotations(hands)
    for i in range(len(hands)):
        turned = geodesic_angle(rotations[chosen], rotations[i]) > APART
        away = np.linalg.norm(hands[chosen, HAND_TRANSLATION] - hands[i, HAND_TRANSLATION], axis=1) > AWAY
        if (turned | away).all():
            chosen.append(i)
        if len(chosen) == count:
            break
    return [hands[i] for i in chosen]
