"""Whether an estimate can be vouched for: the chance that it is right, from how the frame agrees with it.

A logistic model, fitted to simulated recordings with truth by `scripts/calibrate_confidence.py`, in which each thing
that speaks for a pose may only raise the chance and each that speaks against it may only lower it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Floats
from tracker.explanation import SampleView

FEATURES = ("support", "violation", "residual", "explained", "discolored")
SIGNS = (1, -1, -1, 1, -1)
"""whether each may speak for a pose or against it"""
GEOMETRY = slice(0, 3)
"""those that mean something for an object whose mesh has no colours, too"""
TYPICAL: Floats = np.array([0.74, 0.0, -0.31, 0.99, -2.46])
"""(5,) median of right poses, from which the features count"""
COEFFICIENTS: Floats = np.array([1.41, -33.56, -7.82, 15.79, -4.42])
BIAS = 4.83
BARE_COEFFICIENTS: Floats = np.array([4.22, -35.94, -3.73])
BARE_BIAS = 1.27
"""of the geometry alone; what the calibration prints differs from run to run of the tracker: docs/tracking.md"""
ACCUSTOMED: Floats = np.array([0.0, 0.0, 0.5, 0.0, 0.5])
"""share of its difference from a typical one that a right pose's residual and colours owe to the recording"""
RIGHT_AMONG_JUDGED = 0.43
"""share of right poses among those that the model was fitted to"""
STAYS_RIGHT, BECOMES_RIGHT = 0.97, 0.02
"""chances from one frame to the next"""
MOST_FROM_BEFORE = 0.85
"""how sure the frames before may make of a pose"""
NOISE, NOISE_GROWTH, NOISE_FROM = 0.0012, 0.0019, 0.4
"""metres, per metre, metres: deviation of structured-light depth (Nguyen, Izadi and Lovell 2012), axial"""
MESH_ERROR = 0.005
"""of the object's extent: what a good mesh is off"""


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
    depth: float
    """metres from the camera"""
    extent: float
    """metres, twice the object's reach"""

    def features(self) -> Floats:
        """(5,) FEATURES; residual (by what noise and mesh leave of a right pose) and miscolouring as logarithms."""
        noise = NOISE + NOISE_GROWTH * (self.depth - NOISE_FROM) ** 2
        fair = float(np.hypot(noise, MESH_ERROR * self.extent))
        residual = np.log(0.1 + self.residual / fair)
        discolored = np.log(0.05 + self.discolored)
        return np.array([self.view.support, self.view.violation, residual, self.explained, discolored])


def object_evidence(quality: ObjectQuality, usual: Floats, *, colored: bool) -> float:
    """Log odds that the pose is within 10 degrees and 10 mm, by its frame alone.

    Args:
        quality: of the estimate.
        usual: (5,) features of right poses in this recording, TYPICAL where nothing is known of it.
        colored: whether the object's colours are known.
    """
    features = quality.features() - usual
    if colored:
        return float(features @ COEFFICIENTS + BIAS)
    return float(features[GEOMETRY] @ BARE_COEFFICIENTS + BARE_BIAS)


def accustomed(usual: Floats, quality: ObjectQuality, rate: float) -> Floats:
    """What right poses look like in this recording, after one that is vouched for.

    A mesh that is a few percent off, or colours that a camera shows otherwise, make every right pose of a recording
    look worse. Half of how such a pose differs from the typical one is therefore taken to be the recording's way.

    Args:
        usual: (5,) before.
        quality: of the pose.
        rate: how far to move, 0 to 1.
    """
    seen = TYPICAL + ACCUSTOMED * (quality.features() - TYPICAL)
    return (1 - rate) * usual + rate * seen


def followed_confidence(evidence: float, before: float) -> float:
    """Chance that a followed pose is right, given also that the one it came from was with chance `before`.

    One step of a two-state filter: a right pose mostly stays right, a wrong one rarely becomes so by itself. What the
    frames before say is bounded, because a pose that is wrong in one frame looks as right in the next.

    Args:
        evidence: log odds by this frame alone, as object_evidence has it.
        before: of the frame before.
    """
    prior = min(max(STAYS_RIGHT * before + BECOMES_RIGHT * (1.0 - before), 1.0 - MOST_FROM_BEFORE), MOST_FROM_BEFORE)
    return chance(evidence - log_odds(RIGHT_AMONG_JUDGED) + log_odds(prior))


def chance(score: float) -> float:
    """Log odds -> chance, 0 to 1: what log_odds undoes."""
    return float(1.0 / (1.0 + np.exp(-score)))


def log_odds(confidence: float) -> float:
    """Chance, 0 to 1 -> logarithm of the chance for by the chance against, finite."""
    kept = min(max(confidence, 1e-9), 1 - 1e-9)
    return float(np.log(kept / (1 - kept)))
