"""Fingers that ended in a neighbour's place, or wrongly bent: tried otherwise, alone and together, and spread.

A finger in the place of its neighbour explains that neighbour's points, and nothing pulls it to where its own are: a
local minimum that neither a swarm nor least squares leaves. Beside the objective counts that fingers share no space.
In: a hypothesis. Out: one that is no worse.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import ANGLE_LIMITS, BONE_COUNT, place_bones
from tracker.hand_guesses import CLOSED_DEG, MOST_CLOSED
from tracker.hypothesis import HAND_ANGLES
from tracker.objective import Models
from tracker.refine import HAND_NUMBERS, Problem, refined

FINGERS = (1, 2, 3, 4)
"""after the thumb"""
FIST_DEG, SHARES = CLOSED_DEG[1:], (0.0, 0.4, 0.8, MOST_CLOSED)
"""flexions of a finger of a fist, and shares of them by which a finger is tried bent"""
ABDUCTIONS = (0.1, 0.5, 0.9)
"""share of its range at which a finger that bends otherwise stands"""
SPREADS_DEG = (-16, -8, 8, 16)
"""by which some neighbouring fingers are turned aside together"""
TRIED, ITERATIONS = 3, 8
"""of each kind, and steps of their refinement"""
ALONG: Floats = np.array([0.0, 0.25, 0.5, 0.75])
"""shares of a bone at which fingers are compared"""
HALF_BONE = 2
"""how many of them the first bone lacks, whose flesh is the palm's"""
SPACE_WEIGHT, SPACE_SCALE, YIELDS = 0.01, 0.006, 0.003
"""of the cost of shared space; metres; metres by which the flesh of two fingers gives way"""
ROUNDS, GAIN = 3, 0.01
"""at most, and the share of the objective from which another one is worth its time"""


def with_fingers_tried(problem: Problem, vector: Floats) -> Floats:
    """The best of a hypothesis (32,) and of those with fingers bent otherwise or turned aside, refined."""
    best, cost = _refined(problem, vector)
    for _ in range(ROUNDS):
        found, lowest = min((_refined(problem, start) for start in _promising(problem, best)), key=lambda end: end[1])
        worthwhile = lowest < (1 - GAIN) * cost
        if lowest < cost:
            best, cost = found, lowest
        if not worthwhile:
            break
    return best


def _refined(problem: Problem, vector: Floats) -> tuple[Floats, float]:
    best, objective = refined(problem, vector, HAND_NUMBERS, ITERATIONS)
    return best, objective + shared_space(problem.models, best)


def shared_space(models: Models, vector: Floats) -> float:
    """Cost of fingers in each other: (depth / 6 mm)^2 for each two of them, from half of their first bones on."""
    frames = np.tile(np.eye(4), (BONE_COUNT, 1, 1))
    chain = models.base_offsets, models.base_rotations, models.phalanx_lengths, models.abduction_sign
    place_bones(*chain, np.ascontiguousarray(vector[HAND_ANGLES]), frames)
    bones = frames[1:].reshape(5, 3, 4, 4)[1:]
    along = models.phalanx_lengths[1:, :, None] * ALONG
    centres = bones[:, :, None, :3, 3] + along[..., None] * bones[:, :, None, :3, 0]
    radii = models.radii[1:, :-1, None] * (1 - ALONG) + models.radii[1:, 1:, None] * ALONG
    centres, radii = centres.reshape(4, -1, 3)[:, HALF_BONE:], radii.reshape(4, -1)[:, HALF_BONE:]
    cost = 0.0
    for one, other in combinations(range(4), 2):
        apart = np.linalg.norm(centres[one][:, None] - centres[other], axis=2)
        deepest = float((radii[one][:, None] + radii[other] - apart).max())
        cost += SPACE_WEIGHT * (max(deepest - YIELDS, 0.0) / SPACE_SCALE) ** 2
    return cost


def _promising(problem: Problem, vector: Floats) -> list[Floats]:
    """Of each kind of change those of lowest objective."""
    groups = [(first, last) for first, last in product(FINGERS, FINGERS) if first <= last]
    bends = [*vector[HAND_ANGLES].reshape(5, 4)[1:, 1:], *(np.deg2rad(FIST_DEG) * share for share in SHARES)]
    kinds = (
        [_bent(vector, *choice) for choice in product(FINGERS, bends, ABDUCTIONS)],
        [_turned_aside(vector, *group, turn_deg) for group, turn_deg in product(groups, SPREADS_DEG)],
        [_all_bent(vector, shares) for shares in product(SHARES[:3], repeat=len(FINGERS))],
    )
    chosen = []
    for variants in map(np.array, kinds):
        shared = np.array([shared_space(problem.models, variant) for variant in variants])
        chosen += list(variants[np.argsort(problem.objectives(variants) + shared, kind="stable")[:TRIED]])
    return chosen


def _bent(vector: Floats, finger: int, flexions: Floats, share: float) -> Floats:
    """With a finger's three flexions, and its abduction at a share of the range."""
    changed = vector.copy()
    low, high = ANGLE_LIMITS[4 * finger]
    changed[HAND_ANGLES].reshape(5, 4)[finger] = [low + share * (high - low), *flexions]
    return changed


def _all_bent(vector: Floats, shares: tuple[float, ...]) -> Floats:
    """With each finger a share of a fist's, and not spread."""
    changed = vector.copy()
    changed[HAND_ANGLES].reshape(5, 4)[1:] = np.deg2rad([[0, *(np.array(FIST_DEG) * share)] for share in shares])
    return changed


def _turned_aside(vector: Floats, first: int, last: int, turn_deg: float) -> Floats:
    """With the fingers from one to another turned in their abduction, within its limits when they are refined."""
    changed = vector.copy()
    changed[HAND_ANGLES].reshape(5, 4)[first : last + 1, 0] += np.deg2rad(turn_deg)
    return changed
