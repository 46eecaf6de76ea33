"""Whether an estimate can be vouched for: the chance that it is right, from how the frame agrees with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.explanation import SampleView


@dataclass(frozen=True)
class ObjectQuality:
    """What speaks for and against an object pose."""

    view: SampleView
    residual: float
    """metres, median distance to its surface of the points near it that are not the hand's"""
    explained: float
    """share of the object-coloured points about it that lie on it"""
    discolored: float
    """0 to 1: how badly the colours where it is seen fit it, the objective's term `color` for what is visible"""


def object_confidence(quality: ObjectQuality, *, colors_known: float) -> float:
    """Chance, 0 to 1, that the pose is within 10 degrees and 10 mm.

    A logistic model of what is seen where it should be, what was seen through, how the colours agree and how well the
    points lie on the surface. Its coefficients were set by hand on recordings with truth, see
    docs/tracking.md.

    Args:
        quality: of the estimate.
        colors_known: how far the colours can be trusted, 0 (an object without any) to 1 (learned from this recording).
    """
    view = quality.view
    score = 2.0
    score += 10.0 * (min(view.support, 0.5) - 0.35)
    score -= 14.0 * max(view.violation - 0.06, 0.0)
    score -= 900.0 * max(quality.residual - 0.003, 0.0)
    score -= colors_known * 9.0 * (quality.discolored - 0.25)
    score += colors_known * 6.0 * (quality.explained - 0.8)
    return float(1.0 / (1.0 + np.exp(-score)))


def hand_confidence(residual: float, explained: float, seen_through: float) -> float:
    """Chance, 0 to 1, that the hand's visible joints are within 2 cm.

    Args:
        residual: metres, median distance of the hand-coloured points to the hand's surface.
        explained: share of the hand-coloured points that lie on it.
        seen_through: the objective's term `hand`, 0 where nothing of the hand stands before what was measured.
    """
    score = 2.0 - 400.0 * max(residual - 0.004, 0.0) + 5.0 * (explained - 0.6) - 8.0 * max(seen_through - 0.1, 0.0)
    return float(1.0 / (1.0 + np.exp(-score)))
