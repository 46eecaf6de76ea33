"""Which split a frame belongs to: by blocks of time with a gap between, never by shuffling frames.

Neighbouring frames of a video are nearly the same picture: shuffled, the test set would be in the training set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Floats, Integers
from scene.errors import InputError

TRAIN, VALIDATION, TEST = 0, 1, 2
"""the splits, as files number them"""
SPLIT_NAMES = ("train", "validation", "test")
GAP = -1
"""of a frame too near to another split to be in one"""


@dataclass(frozen=True)
class SplitConfig:
    """How the frames of a recording are divided."""

    validation: float = 0.15
    """part of the frames that is held back to watch the training"""
    test: float = 0.2
    """part of the frames that is held back to measure"""
    cycles: int = 2
    """how often train, validation and test follow each other in a recording: more cycles put more of its scenes into
    each split, and lose more frames to gaps"""
    gap_s: float = 0.1
    """seconds that lie at least between frames of different splits; frames within are left out"""

    def __post_init__(self) -> None:
        """Refuses what leaves nothing to train on."""
        if min(self.validation, self.test) < 0 or self.validation + self.test >= 1:
            given = f"{self.validation} and {self.test}"
            raise InputError(f"the validation and test parts must not be negative and leave some to train, got {given}")
        if self.cycles < 1 or self.gap_s < 0:
            raise InputError(f"there must be a cycle and no negative gap, got {self.cycles} and {self.gap_s} s")


def split_of_frames(timestamps_s: Floats, config: SplitConfig) -> Integers:
    """Divides frames in time.

    Args:
        timestamps_s: (N,) seconds, rising.
        config: parts, cycles and gap.

    Returns:
        (N,) TRAIN, VALIDATION, TEST, or GAP where a frame lies within half a gap of a border between splits.
    """
    times = np.asarray(timestamps_s, float)
    if (np.diff(times) < 0).any():
        raise InputError("frames must be in the order of time to be split; sort the recording's timestamps")
    phase = (np.arange(len(times)) + 0.5) / max(len(times), 1) * config.cycles % 1
    split = np.where(
        phase >= 1 - config.test, TEST, np.where(phase >= 1 - config.test - config.validation, VALIDATION, TRAIN)
    )
    divided = split.copy()
    for before in np.flatnonzero(np.diff(split)):
        border = (times[before] + times[before + 1]) / 2
        divided[np.abs(times - border) < config.gap_s / 2] = GAP
    return divided
