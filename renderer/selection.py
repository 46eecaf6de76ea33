"""Which frames of a track become pairs, and why the others do not: a frame is either kept or listed with a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from scene.arrays import Booleans, Floats, Integers
from scene.errors import InputError
from scene.rotations import geodesic_angle
from scene.splits import GAP, SplitConfig, split_of_frames
from tracker.track import Track, TrackStatus


@dataclass(frozen=True)
class SelectionConfig:
    """What a frame must fulfil."""

    confidence: float = 0.3
    """the least confidence of the tracker in the object's pose, 0..1"""
    residual: float = 0.01
    """metres that the object's visible points lie off its surface at most, in the median; unknown is kept"""
    visibility: float = 0.1
    """the least part of the object that the camera must see; where it is unknown the frame is kept"""
    inside: float = 0.75
    """the least part of the crop that must lie in the image"""
    duplicate_deg: float = 0.5
    """degrees by which a frame's object must be turned against the kept frame before it, or the object or the hand
    moved, or else the frame is left out as nearly the same picture; 0 keeps all"""
    duplicate: float = 0.001
    """metres by which object or hand must have moved, or else the object been turned"""

    def __post_init__(self) -> None:
        """Refuses parts that are none."""
        for name, part in (("confidence", self.confidence), ("visibility", self.visibility), ("inside", self.inside)):
            if not 0 <= part <= 1:
                raise InputError(f"the least {name} of a frame must lie in 0..1, got {part}")
        if not self.residual > 0:
            raise InputError(f"--selection.residual must be positive metres, got {self.residual}")
        if self.duplicate_deg < 0 or self.duplicate < 0:
            given = f"{self.duplicate_deg} degrees and {self.duplicate} m"
            raise InputError(f"near-duplicates must be told by no negative angle and distance, got {given}")


@dataclass(frozen=True)
class Selection:
    """Frames sorted into kept and left out."""

    frames: Integers
    """(K,) that become pairs, rising"""
    split: Integers
    """(K,) TRAIN, VALIDATION or TEST of each"""
    left_out: tuple[tuple[int, str], ...]
    """(frame, reason) of all others, rising"""

    def of_split(self, code: int) -> Integers:
        """The kept frames of a split."""
        frames: Integers = self.frames[self.split == code]
        return frames

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
    same = near_duplicates(track, np.flatnonzero(reason == ""), config)
    reason[same] = f"within {config.duplicate_deg:g} deg and {config.duplicate * 1000:g} mm of a kept frame"
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
        (track.residual > config.residual, f"residual above {config.residual * 1000:g} mm"),
        (track.visibility < config.visibility, f"visibility below {config.visibility:g}"),
        (crop_inside < config.inside, f"less than {config.inside:.0%} of the crop in the image"),
    ]


def near_duplicates(track: Track, frames: Integers, config: SelectionConfig) -> Integers:
    """Of rising frames, those whose object and hand stand as in the last kept one: they would show the same again.

    Compared are the object's rotation and place, and the places of the hand's joints where both frames have them.
    """
    same, last = [], -1
    for frame in frames.tolist():
        if last >= 0 and _stands_as(track, frame, last, config):
            same.append(frame)
        else:
            last = frame
    return np.array(same, np.int64)


def _stands_as(track: Track, frame: int, other: int, config: SelectionConfig) -> bool:
    one, two = track.camera_from_object[frame], track.camera_from_object[other]
    moved = np.linalg.norm(one[:3, 3] - two[:3, 3])
    hands = np.linalg.norm(track.joints_camera[frame] - track.joints_camera[other], axis=1)
    if np.isfinite(hands).all():
        moved = max(moved, hands.max())
    turned = np.rad2deg(geodesic_angle(one[:3, :3], two[:3, :3]))
    return bool(turned < config.duplicate_deg and moved < config.duplicate)
