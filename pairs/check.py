"""Looks for what should not be in a file of pairs: damage, rows at odds with themselves, and leaks between splits.

A leak is what makes a test easier than life: a frame in two splits, a hand or a background that a drawn view has from a
frame of another split, and near-duplicates, crops of different splits that look the same at nearly the same pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pairs.config import CheckConfig
from pairs.format import IMAGE_FIELDS, TRAIN, PairsFile, center_of
from scene.arrays import Booleans, Floats, Integers
from scene.rotations import geodesic_angle
from scene.splits import SPLIT_NAMES

ROWS_AT_A_TIME = 256
THUMBNAIL = 8
"""pixels along a side"""
USED_FRAMES = ("hand_frame", "background_frame")
CENTER_TOLERANCE_PX = 1.5
VISIBILITY_TOLERANCE = 0.02


@dataclass(frozen=True)
class Finding:
    """What one check came to."""

    question: str
    """that a good file answers with no"""
    rows: tuple[int, ...]
    """for which the answer is yes"""


def check_pairs(pairs: PairsFile, config: CheckConfig) -> list[Finding]:
    """All findings, those without rows too.

    Raises:
        SchemaError: a row's images cannot be unpacked.
    """
    masks, thumbnails = _read_everything(pairs)
    where = {
        "does the visible mask leave the amodal one, or differ from the visibility that is stored": masks,
        "does the object's centre lie away from the crop's": _off_centre(pairs),
        "is a frame in two splits": frames_in_two_splits(pairs),
        "is a hand from a frame of another split": from_another_split(pairs, pairs.split, pairs.column("hand_frame")),
        "is a background from a frame of another split": from_another_split(
            pairs, pairs.split, pairs.column("background_frame")
        ),
        "is there a near-duplicate of it in the train split": near_duplicates(pairs, thumbnails, config),
    }
    return [Finding(question, tuple(np.flatnonzero(rows).tolist())) for question, rows in where.items()]


def _read_everything(pairs: PairsFile) -> tuple[Booleans, Floats]:
    """(N,) rows whose masks are wrong, and (N, THUMBNAIL^2 * 3) thumbnails of the occluded crops."""
    wrong = np.zeros(len(pairs), bool)
    thumbnails = np.zeros((len(pairs), THUMBNAIL * THUMBNAIL * 3), np.float32)
    for start in range(0, len(pairs), ROWS_AT_A_TIME):
        rows = np.arange(start, min(start + ROWS_AT_A_TIME, len(pairs)))
        images = {field.name: pairs.read_rows(field.name, rows) for field in IMAGE_FIELDS}
        wrong[rows] = _wrong_masks(images["mask_amodal"], images["mask_visible"], pairs.visibility[rows])
        thumbnails[rows] = _thumbnails(images["occluded/color"])
    return wrong, thumbnails


def _wrong_masks(amodal: Booleans, visible: Booleans, stored: Floats) -> Booleans:
    whole = np.maximum(amodal.sum(axis=(1, 2)), 1)
    outside = (visible & ~amodal).any(axis=(1, 2))
    wrong: Booleans = outside | (np.abs(visible.sum(axis=(1, 2)) / whole - stored) > VISIBILITY_TOLERANCE)
    return wrong


def _thumbnails(color: Integers) -> Floats:
    """(N, size, size, 3) -> (N, THUMBNAIL^2 * 3) means of its cells."""
    side = color.shape[1] // THUMBNAIL * THUMBNAIL
    cells = color[:, :side, :side].reshape(len(color), THUMBNAIL, side // THUMBNAIL, THUMBNAIL, side // THUMBNAIL, 3)
    means: Floats = cells.mean(axis=(2, 4), dtype=np.float32).reshape(len(color), -1)
    return means


def _off_centre(pairs: PairsFile) -> Booleans:
    """A crop is the square about the projection of the object's centre."""
    center = pairs.camera_from_object @ np.array([*center_of(pairs.object_model), 1.0])
    projected = (pairs.column("crop_matrix") @ center[:, :3, None])[..., 0]
    pixels = projected[:, :2] / projected[:, 2:]
    off: Booleans = np.abs(pixels - (pairs.size - 1) / 2).max(axis=1, initial=0) > CENTER_TOLERANCE_PX
    return off


def _frames(pairs: PairsFile, frames: Integers) -> Integers:
    """(N,) one number for a frame of a recording."""
    numbers: Integers = pairs.column("recording") * (1 << 32) + frames
    return numbers


def frames_in_two_splits(pairs: PairsFile) -> Booleans:
    """(N,) rows of frames that also have rows in another split."""
    frames = _frames(pairs, pairs.column("frame_index"))
    kinds = np.unique(np.stack([frames, pairs.split], axis=1), axis=0)
    numbers, counts = np.unique(kinds[:, 0], return_counts=True)
    return np.isin(frames, numbers[counts > 1])


def from_another_split(pairs: PairsFile, split: Integers, used: Integers) -> Booleans:
    """(N,) rows that use a frame (-1 = none) which has rows of another split and none of theirs.

    Args:
        pairs: open file.
        split: (N,) of each row, the file's or another.
        used: (N,) frames.
    """
    frames, wanted = _frames(pairs, pairs.column("frame_index")), _frames(pairs, used)
    wrong = np.zeros(len(pairs), bool)
    for code in range(len(SPLIT_NAMES)):
        mine = split == code
        others = np.setdiff1d(frames[~mine], frames[mine])
        wrong |= mine & (used >= 0) & np.isin(wanted, others)
    return wrong


def from_other_frames(pairs: PairsFile, split: Integers) -> Booleans:
    """(N,) rows whose hand or background is from a frame of another split."""
    return np.logical_or(*(from_another_split(pairs, split, pairs.column(name)) for name in USED_FRAMES))


def near_duplicates(pairs: PairsFile, thumbnails: Floats, config: CheckConfig) -> Booleans:
    """(N,) rows outside of the train split that look like a row in it, at nearly the same pose."""
    train, wrong = np.flatnonzero(pairs.split == TRAIN), np.zeros(len(pairs), bool)
    if len(train) == 0:
        return wrong
    gallery, rotation = thumbnails[train], pairs.camera_from_object[:, :3, :3]
    squares = (gallery**2).sum(axis=1)
    for row in np.flatnonzero(pairs.split != TRAIN):
        mean_square = (squares - 2 * gallery @ thumbnails[row] + (thumbnails[row] ** 2).sum()) / thumbnails.shape[1]
        alike = train[mean_square < config.duplicate_levels**2]
        wrong[row] = bool((geodesic_angle(rotation[alike], rotation[row]) < np.deg2rad(config.duplicate_deg)).any())
    return wrong
