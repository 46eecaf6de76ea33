"""How much a frame tells of an object's orientation: what turning it would cost.

A plain mug whose handle is hidden looks the same however it is turned about its axis. Each such pose fits as well as
the right one, so that how well it fits says nothing of whether it is right.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scene.arrays import Floats
from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import turn_about
from tracker.refine import OBJECT_NUMBERS, Problem, refined

TURN = np.deg2rad(10.0)
"""as far as a pose may be off and still be called right"""
ITERATIONS = 3
TELLING, LITTLE, STEEPNESS = 0.008, 0.12, 4.0
"""cost of such a turn, and visible share of the object, at which a pose that fits is as likely right as not, and how
steeply its chance rises with the logarithm of either"""
SAME_AXIS = 0.9
"""cosine between two axes that are one"""


def cost_of_turn(problem: Problem, vector: Floats, alike: Floats) -> float:
    """By how much the objective rises at least if the object turns by 10 degrees, its place fitted anew.

    Turns about the object's principal axes are tried, near which the axis lies about which a thing looks most alike.

    Args:
        problem: of the object, whose objective is lowest at `vector`.
        vector: (32,) hypothesis.
        alike: (C, 3) axes in the object's frame about which any turn looks alike, so that none of them counts.

    Returns:
        The rise, 0 or more; infinite for an object that looks alike in all orientations.
    """
    objective = float(problem.residuals(vector)[1].sum())
    pose = problem.layout.pose(vector)
    samples = problem.models.samples
    middle, axes = samples.mean(axis=0), np.linalg.eigh(np.cov(samples.T))[1].T
    rises = [np.inf]
    for axis in axes[(np.abs(axes @ alike.T) < SAME_AXIS).all(axis=1)]:
        for angle in (TURN, -TURN):
            turn = turn_about(matrix_from_rotation_vector(angle * axis), middle)
            turned = problem.layout.vector(replace(pose, camera_from_object=pose.camera_from_object @ turn))
            rises.append(refined(problem, turned, OBJECT_NUMBERS[:3], ITERATIONS)[1] - objective)
    return max(min(rises), 0.0)


def chance_told(cost: float, visible: float) -> float:
    """Chance, 0 to 1, that a pose which fits is not one of many that fit as well.

    Args:
        cost: as cost_of_turn has it.
        visible: share of the object's camera-facing samples that are seen where they should be.
    """
    return _chance(cost / TELLING) * _chance(visible / LITTLE)


def _chance(ratio: float) -> float:
    return float(1.0 / (1.0 + max(ratio, 1e-6) ** -STEEPNESS))
