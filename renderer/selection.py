"""Which frames of a track become pairs, and why the others do not: a frame is either kept or listed with a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from scene.arrays import Booleans, Floats, Integers
from scene.errors import InputError
from scene.splits import GAP, SplitConfig, split_of_frames
from tracker.track import Track, TrackStatus


@dataclass(frozen=True)
class SelectionConfig:
    """What a frame must fulfil."""

    confidence: float = 0.3
    """the least confidence of the tracker in the object's pose, 0..1"""
    visibility: float = 0.1
    """the least part of the object that the camera must see; where it is unknown the frame is kept"""
    inside: float = 0.75
    """the least part of the crop that must lie in the image"""

    def __post_init__(self) -> None:
        """Refuses parts that are none."""
        for name, part in (("confidence", self.confidence), ("visibility", self.visibility), ("inside", self.inside)):
            if not 0 <= part <= 1:
                raise InputError(f"the least {name} of a frame must lie in 0..1, got {part}")


@dataclass(frozen=True)
class Selection:
    """Frames sorted into kept and left out."""

    frames: Integers
    """(K,) that become pairs, rising"""
    split: Integers
    """(K,) TRAIN, VALIDATION or TEST of each"""
    left_out: tuple[tuple[int, str], ...]
    """(frame, reason) of all others, rising"""

    @property
    def reasons(self) -> dict[str, int]:
        """How many frames each reason left out, the commonest first."""
        return dict(Counter(reason for _, reason in self.left_out).most_common())


def select_frames(track: Track, crop_inside: Floats, config: SelectionConfig, splits: SplitConfig) -> Selection:
    """Sorts all frames of a track.

    Args:
        track: of the session.
        crop_inside: (N,) part of each frame's crop that lies in the image; anything where not TRACKED.
        config: what a kept frame fulfils.
        splits: how the kept frames are divided in time.
    """
    reason = np.full(len(track), "", dtype=object)
    for test, text in _tests(track, crop_inside, config):
        reason[test & (reason == "")] = text
    kept = np.flatnonzero(reason == "")
    split = split_of_frames(track.timestamp_s[kept], splits)
    reason[kept[split == GAP]] = f"within {splits.gap_s / 2:g} s of another split"
    left_out = tuple((int(frame), str(reason[frame])) for frame in np.flatnonzero(reason != ""))
    return Selection(kept[split != GAP], split[split != GAP], left_out)


def _tests(track: Track, crop_inside: Floats, config: SelectionConfig) -> list[tuple[Booleans, str]]:
    """(frames that fail, why) in the order in which a reason is given."""
    return [
        (track.status == TrackStatus.ABSENT, "the object is ABSENT"),
        (track.status == TrackStatus.LOST, "the object is LOST"),
        (track.confidence < config.confidence, f"confidence below {config.confidence:g}"),
        (track.visibility < config.visibility, f"visibility below {config.visibility:g}"),
        (crop_inside < config.inside, f"less than {config.inside:.0%} of the crop in the image"),
    ]
