"""Least squares of an object in a hand: it explains what is seen and is about where the hand has it.

What is left to see of a mug behind a hand would turn it by 20 degrees for next to nothing. In: the problem of the
object alone, and where the hand has it. Out: where it is, as far as what is seen tells that, and else as it is held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats, Integers
from scene.transforms import rigid
from tracker.anew import ITERATIONS
from tracker.hypothesis import HandObjectPose
from tracker.refine import OBJECT_NUMBERS, Problem, refined, refined_each

TURNS, PLACES = 1.6, 28.0
"""per radian and per metre: 5 degrees, and 5 mm, from where the hand has it cost 0.02 each, twice as far 0.08"""


@dataclass(frozen=True)
class HeldProblem:
    """The problem of an object that is to be about where the hand has it, by how far it is from there, too."""

    problem: Problem
    there: Floats
    """(6,) numbers of the object where the hand has it"""
    stiffness: Floats
    """(6,) per metre and radian"""

    def residuals(self, vector: Floats) -> tuple[Floats, Floats]:
        """As Problem, with six more residuals and one more term."""
        residuals, terms = self.problem.residuals(vector)
        away = self.stiffness * (vector[OBJECT_NUMBERS] - self.there)
        return np.concatenate([residuals, away]), np.append(terms, away @ away)

    def jacobian(self, vector: Floats, active: Integers, base: Floats) -> Floats:
        """As Problem."""
        slope = self.problem.jacobian(vector, active, base[: -len(OBJECT_NUMBERS)])
        return np.concatenate([slope, self.stiffness[:, None] * (active == OBJECT_NUMBERS[:, None])])


def turned_as_held(problem: Problem, pose: HandObjectPose, predicted: HandObjectPose) -> Floats:
    """The object turned about as the hand has it, refined.

    A hand that is centimetres long tells a turn better than a place: it is begun at both, where the hand has the object
    and, turned as the hand has it, where the object was found.

    Args:
        problem: of the object alone.
        pose: where the object was found.
        predicted: where the hand has it.

    Returns:
        (32,) the better of both ends.
    """
    turn, centre = predicted.camera_from_object[:3, :3], problem.models.samples.mean(axis=0)
    middle = pose.camera_from_object[:3, :3] @ centre + pose.camera_from_object[:3, 3]
    in_place = replace(pose, camera_from_object=rigid(turn, middle - turn @ centre))
    starts = [problem.layout.vector(start) for start in (predicted, in_place)]
    held = HeldProblem(problem, starts[0][OBJECT_NUMBERS], np.repeat([0.0, TURNS], 3))
    return min(refined_each(held, starts, OBJECT_NUMBERS, ITERATIONS), key=lambda end: end[1])[0]


def placed_as_held(problem: Problem, predicted: HandObjectPose) -> Floats:
    """(32,) the object about where the hand has it, `predicted`, refined: what is not seen of it stays there."""
    start = problem.layout.vector(predicted)
    held = HeldProblem(problem, start[OBJECT_NUMBERS], np.repeat([PLACES, TURNS], 3))
    return refined(held, start, OBJECT_NUMBERS, ITERATIONS)[0]
