"""Least squares of an object in a hand: it explains what is seen and is turned about as the hand has it.

What is left to see of a mug behind a hand would turn it by 20 degrees for next to nothing. In: the problem of the
object alone, and where the hand has it. Out: its place, and its turn as far as what is seen tells that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats, Integers
from scene.transforms import rigid
from tracker.anew import ITERATIONS
from tracker.hypothesis import OBJECT_ROTATION, HandObjectPose
from tracker.refine import OBJECT_NUMBERS, Problem, refined_each

STIFFNESS = 1.6
"""per radian: a turn by 5 degrees from where the hand has it costs 0.02, one by 10 degrees 0.08"""


@dataclass(frozen=True)
class HeldProblem:
    """The problem of an object whose turn from its layout's reference, as the hand has it, costs something, too."""

    problem: Problem

    def residuals(self, vector: Floats) -> tuple[Floats, Floats]:
        """As Problem, with three more residuals and one more term."""
        residuals, terms = self.problem.residuals(vector)
        turn = STIFFNESS * vector[OBJECT_ROTATION]
        return np.concatenate([residuals, turn]), np.append(terms, turn @ turn)

    def jacobian(self, vector: Floats, active: Integers, base: Floats) -> Floats:
        """As Problem."""
        slope = self.problem.jacobian(vector, active, base[:-3])
        return np.concatenate([slope, STIFFNESS * (active == OBJECT_NUMBERS[OBJECT_ROTATION, None])])


def as_held(problem: Problem, pose: HandObjectPose, predicted: HandObjectPose) -> Floats:
    """The object about as the hand has it, refined.

    A hand that is centimetres long tells a turn better than a place: it is begun at both, where the hand has the object
    and, turned as the hand has it, where the object was found.

    Args:
        problem: of the object alone; its layout's reference is how `predicted` is turned.
        pose: where the object was found.
        predicted: where the hand has it.

    Returns:
        (32,) the better of both ends.
    """
    turn, centre = problem.layout.object_reference, problem.models.samples.mean(axis=0)
    middle = pose.camera_from_object[:3, :3] @ centre + pose.camera_from_object[:3, 3]
    in_place = replace(pose, camera_from_object=rigid(turn, middle - turn @ centre))
    starts = [problem.layout.vector(start) for start in (predicted, in_place)]
    return min(refined_each(HeldProblem(problem), starts, OBJECT_NUMBERS, ITERATIONS), key=lambda end: end[1])[0]
