"""Files of pairs in, a file of pairs out: merged, or divided anew. Images move as they are packed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from pairs.check import from_other_frames
from pairs.config import MergeConfig, SplitAgainConfig
from pairs.format import PairsFile, PairsWriter, new_pairs, open_pairs
from scene.arrays import Integers
from scene.errors import InputError
from scene.files import stamp_provenance
from scene.splits import GAP, TEST, TRAIN, VALIDATION, SplitConfig, split_of_frames

KEPT_ATTRIBUTES = ("noise", "drawer")


def merge(config: MergeConfig) -> int:
    """Runs `pairs merge`; the number of rows.

    Raises:
        InputError: the files are of different objects or sizes.
    """
    with ExitStack() as files:
        opened = [files.enter_context(open_pairs(path)) for path in config.pairs]
        first = opened[0]
        for other in opened[1:]:
            _refuse_different(first, other)
        with new_pairs(config.output, first.object_model, first.size, overwrite=config.overwrite) as writer:
            writer.symmetries = first.symmetries
            for pairs in opened:
                _append_merged(writer, pairs)
            _stamp(writer, config, config.pairs, {name: _joined(opened, name) for name in KEPT_ATTRIBUTES})
            return writer.count


def _append_merged(writer: PairsWriter, pairs: PairsFile) -> None:
    """All rows; a recording that came with an earlier file keeps its number."""
    numbers = []
    for recording in pairs.recordings:
        if recording.sha256 == "" or recording not in writer.recordings:
            writer.recordings.append(recording)
        numbers.append(len(writer.recordings) - 1 - writer.recordings[::-1].index(recording))
    rows = np.arange(len(pairs))
    writer.append_stored(pairs.file, rows, {"recording": np.array(numbers)[pairs.column("recording")]})
    for frame, reason in pairs.left_out:
        writer.leave_out(frame, reason)


def _refuse_different(first: PairsFile, other: PairsFile) -> None:
    one, two = first.object_model, other.object_model
    if one.vertices.shape != two.vertices.shape or not np.array_equal(one.vertices, two.vertices):
        raise InputError(
            f"merged files must be of one object, {first.path} is of {one.name} and {other.path} of another "
            f"{two.name}; keep a file for each object"
        )
    if first.size != other.size:
        raise InputError(
            f"merged crops must be of one size, {first.path} has {first.size} px and {other.path} {other.size}; make "
            f"one of them again with --size {first.size}"
        )


def _joined(opened: Sequence[PairsFile], name: str) -> str:
    return ", ".join(dict.fromkeys(pairs.attribute(name) or "unknown" for pairs in opened))


def split_again(config: SplitAgainConfig) -> tuple[int, dict[str, int]]:
    """Runs `pairs split`.

    Returns:
        The number of rows kept, and how many were left out for each reason.

    Raises:
        InputError: there are too few recordings to divide.
    """
    with open_pairs(config.pairs) as pairs:
        split = by_recording(pairs, config.splits) if config.by == "recording" else by_time(pairs, config.splits)
        borrowed = (split != GAP) & from_other_frames(pairs, split)
        rows = np.flatnonzero((split != GAP) & ~borrowed)
        with new_pairs(config.output, pairs.object_model, pairs.size, overwrite=config.overwrite) as writer:
            writer.append_stored(pairs.file, rows, {"split": split[rows]})
            writer.recordings, writer.symmetries = list(pairs.recordings), pairs.symmetries
            for frame, reason in pairs.left_out:
                writer.leave_out(frame, reason)
            _stamp(writer, config, (config.pairs,), {name: pairs.attribute(name) for name in KEPT_ATTRIBUTES})
        reasons = {
            "near another split in time": int(np.count_nonzero(split == GAP)),
            "hand or background from a frame that is now in another split": int(np.count_nonzero(borrowed)),
        }
        return len(rows), {reason: count for reason, count in reasons.items() if count}


def by_recording(pairs: PairsFile, config: SplitConfig) -> Integers:
    """(N,) split of each row: whole recordings, the last ones tested, those before them for validation."""
    recording = pairs.column("recording")
    counts = np.bincount(recording, minlength=len(pairs.recordings))
    wanted = 1 + (config.test > 0) + (config.validation > 0)
    if np.count_nonzero(counts) < wanted:
        raise InputError(
            f"{pairs.path} must have rows of at least {wanted} recordings to be split by them, has "
            f"{np.count_nonzero(counts)}; give --by time, or merge more"
        )
    split, rest = np.full(len(counts), TRAIN), np.flatnonzero(counts).tolist()
    for code, part, kept_for_others in ((TEST, config.test, wanted - 1), (VALIDATION, config.validation, 1)):
        gathered = 0.0
        while gathered < part and len(rest) > kept_for_others:
            number = rest.pop()
            split[number] = code
            gathered += counts[number] / len(recording)
    chosen: Integers = split[recording]
    return chosen


def by_time(pairs: PairsFile, config: SplitConfig) -> Integers:
    """(N,) split of each row, GAP where its frame is too near to another split: blocks of time in each recording."""
    recording, frames, times = (pairs.column(name) for name in ("recording", "frame_index", "timestamp_s"))
    split = np.full(len(pairs), GAP)
    for number in np.unique(recording):
        mine = np.flatnonzero(recording == number)
        kinds, first, inverse = np.unique(frames[mine], return_index=True, return_inverse=True)
        order = np.argsort(times[mine][first], kind="stable")
        of_frame = np.empty(len(kinds), np.int64)
        of_frame[order] = split_of_frames(times[mine][first][order], config)
        split[mine] = of_frame[inverse]
    return split


def _stamp(writer: PairsWriter, config: object, sources: Sequence[Path], attributes: dict[str, str]) -> None:
    named = {f"pairs {at}": path for at, path in enumerate(sources)}
    stamp_provenance(writer.file, configuration=config, seed=None, sources=named)
    for name, value in attributes.items():
        writer.file.attrs[name] = value
