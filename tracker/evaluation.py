"""The objective of many hypotheses, and the slopes of one's residuals: what a swarm and least squares ask for."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from tracker.hypothesis import HAND_ANGLES, HAND_TRANSLATION
from tracker.objective import (
    FINGER_PAIRS,
    HAND_STATIONS,
    WHOLE_HAND,
    Evidence,
    Models,
    distances_beside_fingers,
    object_squares,
    residuals,
)

_object_squares: Any = object_squares  # numba's own types say nothing of arguments
_residuals: Any = residuals
_distances_beside_fingers: Any = distances_beside_fingers
FIRST_OF_HAND: int = HAND_TRANSLATION.start
"""numbers of a hypothesis before it move the object"""
FIRST_ANGLE: int = HAND_ANGLES.start
"""numbers from it on move one finger each, four of them the same"""
LARGEST_SHARE, LARGEST_HAND_SHARE = 0.6, 0.4
"""of what a residual of the object and of the hand can be, beyond which its change is no slope"""


def residual_count(evidence: Evidence, models: Models, use_object: bool) -> int:
    """Length of the residual vector; those of an object that is held still are not in it."""
    capsules, of_object = len(models.palm_segments) + 15, 2 * len(models.samples) if use_object else 0
    return len(evidence.points) + 1 + of_object + capsules * (3 * HAND_STATIONS + 3) + FINGER_PAIRS + 26


@numba.njit(cache=True, error_model="numpy", nogil=True)
def residuals_of(vector, object_reference, others, out, counts):  # type: ignore[no-untyped-def]
    """Those of one hypothesis, into out and counts; `others` as below."""
    count = others[4].points.shape[0]
    to_object, nothing = np.empty(count), np.full(count, np.inf, np.float32)
    _object_squares(vector, object_reference, others[3], others[4], others[5], others[6], to_object)
    _residuals(vector, object_reference, to_object, WHOLE_HAND, nothing, *others, out, counts)


@numba.njit(cache=True, error_model="numpy", nogil=True)
def objective_of_particles(vectors, object_references, others, size, out):  # type: ignore[no-untyped-def]
    """(N, 32) -> out (N,) objective of each; lets go of Python's lock, so that threads can share the particles.

    `object_references` (N or 1, 3, 3): a reference orientation for each, or one for all; `others` are the arguments of
    `residuals` from the hand's reference to the weights, `size` is residual_count.
    """
    use_object, use_hand, evidence, models = others[2], others[3], others[4], others[5]
    count = evidence.points.shape[0]
    buffer, counts, to_object, nothing = (
        np.zeros(size),
        np.zeros(6),
        np.empty(count),
        np.full(count, np.inf, np.float32),
    )
    for i in range(vectors.shape[0]):
        reference = object_references[min(i, object_references.shape[0] - 1)]
        if use_object or i == 0:  # else it stands still
            _object_squares(vectors[i], reference, use_hand, evidence, models, others[6], to_object)
        _residuals(vectors[i], reference, to_object, WHOLE_HAND, nothing, *others, buffer, counts)
        total = counts.sum()
        out[i] = total if total == total else np.inf


@numba.njit(cache=True, error_model="numpy", nogil=True)
def slope_limits(use_object, evidence, models, weights, size):  # type: ignore[no-untyped-def]
    """(size,) by how much each residual may differ from one side of a step to the other, if that is a slope."""
    limits, first = np.full(size, np.inf), evidence.points.shape[0] + 1
    samples = 2 * models.samples.shape[0] if use_object else 0
    limits[first : first + samples] = LARGEST_SHARE * np.sqrt(weights.object / models.samples.shape[0])
    hand = (models.palm_segments.shape[0] + 15) * HAND_STATIONS * 3
    limits[first + samples : first + samples + hand] = LARGEST_HAND_SHARE * np.sqrt(weights.hand / hand)
    return limits


@numba.njit(cache=True, error_model="numpy", nogil=True)
def jacobian(vector, active, steps, object_reference, others, base, out):  # type: ignore[no-untyped-def]
    """Derivative of the residuals by the A active numbers of `vector`, by central differences, into out (A, R).

    A sample that crosses a pixel's edge sees another depth: its residual jumps, and a jump is no slope. Differences
    above a share of a residual's possible size are such jumps and count as none. `others` as above.

    An angle moves one finger: what that does not change is not asked for.
    """
    use_object, use_hand, evidence, models, weights = others[2], others[3], others[4], others[5], others[6]
    counts, size, count = np.zeros(6), base.shape[0], evidence.points.shape[0]
    limits = slope_limits(use_object, evidence, models, weights, size)
    moved, sides = vector.copy(), np.zeros((2, size))
    still, to_object = np.empty(count), np.empty(count)
    nothing, beside = np.full(count, np.inf, np.float32), np.empty((5, count), np.float32)
    _object_squares(vector, object_reference, use_hand, evidence, models, weights, still)
    if use_hand and active.max() >= FIRST_ANGLE:
        _distances_beside_fingers(vector, others[0], evidence.points, models, beside)
    for k in range(active.shape[0]):
        index = active[k]
        one_finger = use_hand and index >= FIRST_ANGLE
        finger = (index - FIRST_ANGLE) // 4 if one_finger else WHOLE_HAND
        to_rest = beside[finger] if one_finger else nothing
        for side in range(2):
            moved[index] = vector[index] + (steps[index] if side == 0 else -steps[index])
            squares = still
            if index < FIRST_OF_HAND:
                squares = to_object
                _object_squares(moved, object_reference, use_hand, evidence, models, weights, squares)
            _residuals(moved, object_reference, squares, finger, to_rest, *others, sides[side], counts)
        moved[index] = vector[index]
        _slopes(sides[0], sides[1], 2.0 * steps[index], limits, out[k])


@numba.njit(cache=True, error_model="numpy", nogil=True)
def _slopes(above, below, apart, limits, out):  # type: ignore[no-untyped-def]
    for r in range(out.shape[0]):
        difference = above[r] - below[r]
        slope = difference / apart
        out[r] = slope if abs(difference) <= limits[r] else 0.0
