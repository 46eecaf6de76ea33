"""Damped least squares on the objective's own residuals, by numerical derivatives: the last millimetre after a search.

Levenberg and Marquardt's rule: a step that lowers the objective is taken and the damping eased, another is refused and
the damping raised. The residuals are those of tracker/objective.py, so nothing else is minimised than what the swarm
minimises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scene.arrays import Floats, Integers
from tracker.evaluation import jacobian, objective_of_particles, residual_count, residuals_of
from tracker.hypothesis import VECTOR_SIZE, Layout, clamp_angles
from tracker.objective import TERMS, Evidence, Models
from tracker.threads import shared, slices
from tracker.weights import Weights

STEPS: Floats = np.concatenate([[8e-4] * 3, [8e-3] * 3, [8e-4] * 3, [8e-3] * 3, [1e-2] * 20])
"""(32,) metres and radians to each side by which derivatives are measured: about a pixel, so that steps average out"""
OBJECT_NUMBERS: Integers = np.arange(6)
HAND_NUMBERS: Integers = np.arange(6, VECTOR_SIZE)
ALL_NUMBERS: Integers = np.arange(VECTOR_SIZE)
WORTH_SHARING = 10_000
"""derivatives from which threads share them: below, it costs more to tell them than to do it"""


_residuals: Any = residuals_of  # numba's own type says nothing of arguments
_jacobian: Any = jacobian


@dataclass(frozen=True)
class Problem:
    """What is minimised in one frame."""

    evidence: Evidence
    models: Models
    weights: Weights
    layout: Layout
    prediction: Floats
    """(20,) joint angles of the prior"""
    use_hand: bool
    """False: the object alone"""
    use_object: bool = True
    """False: the object is held still, so that its own terms, which then are the same for all, are left out"""

    @property
    def size(self) -> int:
        """Number of residuals."""
        return residual_count(self.evidence, self.models, self.use_object)

    def residuals(self, vector: Floats) -> tuple[Floats, Floats]:
        """(32,) -> (R,) weighted residuals and (6,) the terms, which add up to the objective."""
        out, terms = np.zeros(self.size), np.zeros(len(TERMS))
        _residuals(vector, self.layout.object_reference, self._others, out, terms)
        return out, terms

    def objectives(self, vectors: Floats, object_references: Floats | None = None) -> Floats:
        """(N, 32) -> (N,) objective of each, the same for any number of threads.

        `object_references` (N, 3, 3) replaces the layout's for each vector.
        """
        layout, size = self.layout, self.size
        references = layout.object_reference[None] if object_references is None else object_references
        vectors, values = clamp_angles(vectors), np.zeros(len(vectors))

        def evaluate(part: slice) -> None:
            own = references if object_references is None else references[part]
            objective_of_particles(vectors[part], own, self._others, size, values[part])

        shared(evaluate, slices(len(vectors)))
        return values

    def jacobian(self, vector: Floats, active: Integers, base: Floats) -> Floats:
        """(R, A) derivative by the numbers `active` (A,) at the residuals `base` (R,)."""
        rows = np.zeros((len(active), len(base)))

        def differentiate(part: slice) -> None:
            _jacobian(vector, active[part], STEPS, self.layout.object_reference, self._others, base, rows[part])

        if rows.size < WORTH_SHARING:
            differentiate(slice(None))
        else:
            shared(differentiate, slices(len(active)))
        return rows.T

    @property
    def _others(self) -> tuple[Any, ...]:
        """What the kernel is given besides the vector and the object's reference."""
        what = (self.use_object, self.use_hand, self.evidence, self.models, self.weights)
        return (self.layout.hand_reference, self.prediction, *what)


class LeastSquares(Protocol):
    """What can be refined: a Problem, or several with the same unknowns."""

    def residuals(self, vector: Floats) -> tuple[Floats, Floats]:
        """(32,) -> (R,) residuals and the terms, which add up to the sum of their squares."""

    def jacobian(self, vector: Floats, active: Integers, base: Floats) -> Floats:
        """(R, A) derivative by the numbers `active` (A,) at the residuals `base` (R,)."""


def refined(problem: LeastSquares, start: Floats, active: Integers, iterations: int = 12) -> tuple[Floats, float]:
    """Refines `start` (32,) in the numbers `active`.

    Returns:
        (32,) and its objective, never above that of `start`.
    """
    best = clamp_angles(start)
    base, terms = problem.residuals(best)
    objective, damping = float(terms.sum()), 1e-2
    for _ in range(iterations):
        slope = problem.jacobian(best, active, base)
        normal, gradient = slope.T @ slope, slope.T @ base
        improved = False
        for _ in range(6):
            damped = normal + damping * np.diag(np.diag(normal) + 1e-6)
            candidate = best.copy()
            candidate[active] -= np.linalg.solve(damped, gradient)
            candidate = clamp_angles(candidate)
            moved, terms = problem.residuals(candidate)
            if terms.sum() < objective:
                improved = terms.sum() < objective * (1 - 1e-4)
                best, base, objective, damping = candidate, moved, float(terms.sum()), damping * 0.3
                break
            damping *= 5.0
        if not improved:
            break
    return best, objective


def refined_each(
    problem: LeastSquares, starts: Iterable[Floats], active: Integers, iterations: int
) -> list[tuple[Floats, float]]:
    """Each start (32,) refined by itself, as `refined`, several at a time."""
    return shared(lambda start: refined(problem, start, active, iterations), starts)
