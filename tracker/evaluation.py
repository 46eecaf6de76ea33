"""The objective of many hypotheses, and the slopes of one's residuals: what a swarm and least squares ask for."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from tracker.objective import FINGER_PAIRS, HAND_STATIONS, Evidence, Models, residuals

residuals_of: Any = residuals  # numba's own type says nothing of arguments
LARGEST_SHARE = 0.6
"""of what a residual can be, beyond which its change is no slope"""


def residual_count(evidence: Evidence, models: Models) -> int:
    """Length of the residual vector."""
    capsules = len(models.palm_segments) + 15
    return len(evidence.points) + 1 + 2 * len(models.samples) + capsules * (3 * HAND_STATIONS + 3) + FINGER_PAIRS + 26


@numba.njit(cache=True, error_model="numpy", nogil=True)
def objective_of_particles(vectors, object_references, others, size, out):  # type: ignore[no-untyped-def]
    """(N, 32) -> out (N,) objective of each; lets go of Python's lock, so that threads can share the particles.

    `object_references` (N or 1, 3, 3): a reference orientation for each, or one for all; `others` are the arguments of
    `residuals` from the hand's reference to the weights, `size` is residual_count.
    """
    buffer, counts = np.zeros(size), np.zeros(6)
    for i in range(vectors.shape[0]):
        reference = object_references[min(i, object_references.shape[0] - 1)]
        residuals_of(vectors[i], reference, *others, buffer, counts)
        total = counts.sum()
        out[i] = total if total == total else np.inf


@numba.njit(cache=True, error_model="numpy", nogil=True)
def jacobian(vector, active, steps, object_reference, others, base, out):  # type: ignore[no-untyped-def]
    """Derivative of the residuals by the A active numbers of `vector`, by central differences, into out (A, R).

    A sample that crosses a pixel's edge sees another depth: its residual jumps, and a jump is no slope. Differences
    above LARGEST_SHARE of a residual's possible size are such jumps and count as none. `others` as above.
    """
    evidence, models, weights = others[4], others[5], others[6]
    counts, size = np.zeros(6), base.shape[0]
    moved, ahead, behind = vector.copy(), np.zeros(size), np.zeros(size)
    fixed_points = evidence.points.shape[0] + 1
    limit = LARGEST_SHARE * np.sqrt(weights.object / models.samples.shape[0])
    for k in range(active.shape[0]):
        index = active[k]
        moved[index] = vector[index] + steps[index]
        residuals_of(moved, object_reference, *others, ahead, counts)
        moved[index] = vector[index] - steps[index]
        residuals_of(moved, object_reference, *others, behind, counts)
        moved[index] = vector[index]
        for r in range(size):
            difference = ahead[r] - behind[r]
            if fixed_points <= r < fixed_points + 2 * models.samples.shape[0] and abs(difference) > limit:
                difference = 0.0
            out[k, r] = difference / (2.0 * steps[index])
