"""The answer of a tracker for one frame."""

from __future__ import annotations

from dataclasses import dataclass

from scene.arrays import Floats
from tracker.hypothesis import HandObjectPose
from tracker.track import TrackStatus


@dataclass(frozen=True)
class TrackedFrame:
    """Of object and hand: whether they are TRACKED, where they are, and what speaks for it."""

    status: TrackStatus
    hand_status: TrackStatus
    pose: HandObjectPose
    """the best hypothesis, whether it passed or not"""
    confidence: float
    hand_confidence: float
    terms: Floats
    """(6,) of the objective"""
    residual: float
    visibility: float
    spread_translation: float
    spread_rotation: float
    hand_residual: float
