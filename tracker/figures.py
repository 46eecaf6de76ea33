"""Figures of a track out of its frames' errors: by visibility, after re-entry, and of what it says about itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from scene.arrays import Booleans, Floats
from scene.metrics import area_under_curve
from tracker.frame_errors import MM, FrameErrors
from tracker.track import Track

BINS = ((0.0, 0.15), (0.15, 0.4), (0.4, 1.01))
"""ranges of the object's visible fraction"""
TRACKABLE = 0.15
"""visible fraction of object or hand from which a frame should be TRACKED"""
GONE, BACK, GONE_FOR = 0.05, 0.4, 3
"""visible fractions at which the object is gone and back, and for how many frames it must have been gone"""


@dataclass(frozen=True)
class ErrorRow:
    """Errors over the frames of one range of visibility; None where there is nothing to tell.

    Errors are over the frames called TRACKED whose truth is known; how many those are stands beside them, so that a
    tracker cannot look better by giving up.
    """

    visibility: str
    frames: int
    tracked: int
    """frames called TRACKED"""
    median_rotation_deg: float | None
    median_translation_mm: float | None
    right: float | None
    """precision: share of the frames called TRACKED that are within 10 degrees and 10 mm"""
    recall: float | None
    """share of the frames with at least 15% visible that are called TRACKED and right"""
    add_mm: float | None
    """mean; AUC is to 100 mm"""
    add_auc: float | None
    """a frame that is not TRACKED counts as missed, where at least 15% are visible"""
    adds_mm: float | None
    adds_auc: float | None
    median_mssd_mm: float | None
    hand_tracked: int
    hand_right: float | None
    """precision: share of the hands called TRACKED whose joints are within 20 mm on average"""
    hand_recall: float | None
    """share of the frames with at least 15% of the hand visible whose hand is called TRACKED and right"""
    hand_joint_mm: float | None
    """mean distance of all 21 joints over the frames whose hand is called TRACKED"""
    hand_visible_joint_mm: float | None
    """the same over the joints in sight"""
    hand_hidden_joint_mm: float | None
    """and over the others"""


def error_rows(errors: FrameErrors, object_visibility: Floats, hand_visibility: Floats) -> list[ErrorRow]:
    """One row over all frames, then one for each range of visibility of the object."""
    visible, hand_visible = (np.nan_to_num(values, nan=0.0) for values in (object_visibility, hand_visibility))
    trackable = (visible >= TRACKABLE, hand_visible >= TRACKABLE)
    rows = [_row("all", np.ones(len(visible), bool), errors, *trackable)]
    for low, high in BINS:
        chosen = (visible >= low) & (visible < high)
        rows.append(_row(f"{low:.0%} to {min(high, 1.0):.0%}", chosen, errors, *trackable))
    return rows


def _row(name: str, chosen: Booleans, errors: FrameErrors, trackable: Booleans, hand_trackable: Booleans) -> ErrorRow:
    expected, hand_expected = chosen & errors.known & trackable, chosen & errors.hand_known & hand_trackable
    joint_mm, in_sight = errors.joint_mm[chosen], errors.joint_visible[chosen]
    return ErrorRow(
        visibility=name,
        frames=int(chosen.sum()),
        tracked=int((chosen & errors.called).sum()),
        median_rotation_deg=_median(errors.rotation_deg[chosen]),
        median_translation_mm=_median(errors.translation_mm[chosen]),
        right=_share(errors.right, chosen & errors.called & errors.known),
        recall=_share(errors.right, expected),
        add_mm=_mean(errors.add_mm[chosen]),
        add_auc=_auc(errors.add_mm, expected),
        adds_mm=_mean(errors.adds_mm[chosen]),
        adds_auc=_auc(errors.adds_mm, expected),
        median_mssd_mm=_median(errors.mssd_mm[chosen]),
        hand_tracked=int((chosen & errors.hand_called).sum()),
        hand_right=_share(errors.hand_right, chosen & errors.hand_called & errors.hand_known),
        hand_recall=_share(errors.hand_right, hand_expected),
        hand_joint_mm=_mean(joint_mm),
        hand_visible_joint_mm=_mean(joint_mm[in_sight]),
        hand_hidden_joint_mm=_mean(joint_mm[~in_sight]),
    )


def recovery_frames(errors: FrameErrors, object_visibility: Floats) -> list[int | None]:
    """After each time that the object was gone: frames from its return to the first that is TRACKED and right.

    None where it was gone again, or the recording over, before that.
    """
    visible = np.nan_to_num(object_visibility, nan=0.0)
    waits: list[int | None] = []
    gone_for, since = 0, None
    for index, fraction in enumerate(visible):
        if fraction < GONE:
            gone_for += 1
            if since is not None:
                waits.append(None)
            since = None
        elif since is None and gone_for >= GONE_FOR and fraction >= BACK:
            since = index
        if since is not None and errors.right[index]:
            waits.append(index - since)
            since = None
        if fraction >= BACK:
            gone_for = 0
    return waits if since is None else [*waits, None]


@dataclass(frozen=True)
class SelfKnowledge:
    """Whether confidence and uncertainty mean what they say, over the frames called TRACKED whose truth is known."""

    mean_confidence: float | None
    right: float | None
    """the share that is right; a calibrated confidence has this mean"""
    brier: float | None
    """mean squared difference between confidence and being right"""
    spread_of_error: float | None
    """Spearman's rank correlation of the swarm's spread with the translation error"""
    error_by_spread: float | None
    """median of translation error by spread"""
    hand_mean_confidence: float | None
    """of the frames whose hand is called TRACKED"""
    hand_right: float | None
    """share of those in which it is"""
    hand_brier: float | None


def self_knowledge(track: Track, errors: FrameErrors) -> SelfKnowledge:
    """Of object and hand."""
    chosen = errors.called & errors.known & np.isfinite(track.confidence)
    confidence, right = track.confidence[chosen], errors.right[chosen]
    spread_mm, error_mm = MM * track.spread_translation, errors.translation_mm
    both = chosen & np.isfinite(spread_mm) & (spread_mm > 0)
    of_hand = errors.hand_called & errors.hand_known
    hand_confidence, hand_right = track.hand_confidence[of_hand], errors.hand_right[of_hand]
    varied = both.sum() > 2 and np.ptp(spread_mm[both]) > 0 and np.ptp(error_mm[both]) > 0
    return SelfKnowledge(
        _mean(confidence),
        _mean(right.astype(float)),
        _mean((confidence - right) ** 2),
        float(spearmanr(spread_mm[both], error_mm[both]).statistic) if varied else None,
        _median(error_mm[both] / spread_mm[both]),
        _mean(hand_confidence),
        _mean(hand_right.astype(float)),
        _mean((hand_confidence - hand_right) ** 2),
    )


def _auc(errors_mm: Floats, expected: Booleans) -> float | None:
    missed_as_far = np.nan_to_num(errors_mm[expected], nan=np.inf)
    return area_under_curve(missed_as_far / MM) if len(missed_as_far) else None


def _share(right: Booleans, among: Booleans) -> float | None:
    return float(right[among].mean()) if among.any() else None


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
