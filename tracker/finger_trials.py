"""Fingers that ended in a neighbour's place, or wrongly bent: tried otherwise, alone and together, and spread.

A finger in the place of its neighbour explains that neighbour's points, and nothing pulls it to where its own are: a
local minimum that neither a swarm nor least squares leaves. In: a hypothesis. Out: one that is no worse.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import ANGLE_LIMITS
from tracker.hand_guesses import CLOSED_DEG, MOST_CLOSED
from tracker.hypothesis import HAND_ANGLES
from tracker.refine import HAND_NUMBERS, Problem, refined, refined_each

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
ROUNDS, GAIN = 3, 0.01
"""at most, and the share of the objective from which another one is worth its time"""


def with_fingers_tried(problem: Problem, vector: Floats) -> Floats:
    """The best of a hypothesis (32,) and of those with fingers bent otherwise or turned aside, refined."""
    best, cost = refined(problem, vector, HAND_NUMBERS, ITERATIONS)
    for _ in range(ROUNDS):
        ends = refined_each(problem, _promising(problem, best), HAND_NUMBERS, ITERATIONS)
        found, lowest = min(ends, key=lambda end: end[1])
        worthwhile = lowest < (1 - GAIN) * cost
        if lowest < cost:
            best, cost = found, lowest
        if not worthwhile:
            break
    return best


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
        chosen += list(variants[np.argsort(problem.objectives(variants), kind="stable")[:TRIED]])
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
