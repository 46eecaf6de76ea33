"""Session and track in, pairs out: each kept frame beside its clean counterpart, and drawn views of the same grasp.

Select frames, fit light and skin, plan parts, make those that are missing, put them together.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pairs.format import REAL, PairsWriter, Recording, new_pairs
from recorder.session import open_session
from renderer.cluster import make_on_cluster
from renderer.config import MakePairsConfig
from renderer.pair_maker import Recipe
from renderer.parts import Part, inputs_hash, make_parts, missing_parts, prepare_folder, put_together
from renderer.plan import planned
from renderer.selection import Selection, select_frames
from renderer.tracked import matched
from scene.drawing import open_drawer
from scene.errors import InputError
from scene.files import refuse_existing, sha256, stamp_provenance
from scene.progress import track as progress
from tracker.track import track_path_of

BYTES_A_PIXEL = 12
"""of a pair on disk; measured are 7 to 9"""


@dataclass(frozen=True)
class Made:
    """What a run wrote."""

    rows: int
    real: int
    resumed: int
    """parts that an interrupted run had left"""
    views_left_out: int
    """drawn views in which the hand hides the object from wherever it was tried"""
    left_out: dict[str, int]
    """reason -> number of frames"""


def make_pairs(config: MakePairsConfig) -> Made:
    """Runs the command.

    Raises:
        InputError: the track is not this session's, the session has no object, no frame gives a pair, or there is no
            room for the file.
    """
    refuse_existing(config.output, overwrite=config.overwrite)
    track_path = config.track or track_path_of(config.session)
    with open_session(config.session) as session:
        tracked = matched(session, track_path, config.size)
        selection = select_frames(tracked.track, tracked.crop_inside, config.selection, config.splits)
        _refuse_nothing(selection, track_path)
        parts = planned(selection, config)
        _refuse_no_room(config, len(selection.frames) * (1 + config.views_per_frame))
        drawer = open_drawer(config.drawer)
        recipe = Recipe.fitted(tracked, selection, drawer, config)
        hashes = (tracked.track.session_sha256, sha256(track_path))
        folder = prepare_folder(config.output, inputs_hash(config, hashes, drawer.name))
        missing = missing_parts(parts, folder)
        resumed, rows = len(parts) - len(missing), sum(_rows(parts[index]) for index in missing)
        if config.cluster and missing:
            done = make_on_cluster(recipe, parts, folder, config.cluster)
        else:
            done = make_parts(recipe, parts, folder, session, drawer)
        for _ in progress(_each(done), "pairs", rows):
            pass
        drawer.close()
    with new_pairs(config.output, recipe.scenery.model, config.size, overwrite=config.overwrite) as writer:
        writer.recordings, writer.symmetries = [Recording(config.session.name, hashes[0])], recipe.track.symmetries
        for frame, reason in selection.left_out:
            writer.leave_out(frame, reason)
        hidden = put_together(writer, folder, len(parts))
        sources = {"session": config.session, "track": track_path}
        stamp_provenance(writer.file, configuration=config, seed=config.seed, sources=sources)
        writer.file.attrs["noise"], writer.file.attrs["drawer"] = config.noise, drawer.name
        writer.file.attrs["views_left_out"] = hidden
        made = _made(writer, resumed, hidden)
    shutil.rmtree(folder)
    return made


def _made(writer: PairsWriter, resumed: int, hidden: int) -> Made:
    real = int(np.count_nonzero(writer.file["origin"][:] == REAL))
    reasons = [reason for _, reason in writer.left_out]
    return Made(
        writer.count, real, resumed, hidden, {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    )


def _refuse_nothing(selection: Selection, track_path: Path) -> None:
    if len(selection.frames) == 0:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in selection.reasons.items())
        raise InputError(
            f"at least one frame of {track_path} must give a pair and none does: {reasons}; track the session better, "
            "or ask less with the --selection options"
        )


def _refuse_no_room(config: MakePairsConfig, rows: int) -> None:
    """The parts and the file that is put together from them lie side by side for a moment."""
    needed, free = 2 * rows * config.size**2 * BYTES_A_PIXEL, shutil.disk_usage(config.output.absolute().parent).free
    if needed > free:
        raise InputError(
            f"{rows} pairs of {config.size} px may need {needed / 1e9:.1f} GB while they are made, {free / 1e9:.1f} GB "
            f"are free beside {config.output}; free some space, give another --output or fewer --views-per-frame"
        )


def _rows(part: Part) -> int:
    return sum(task.views + (task.first == 0) for task in part)


def _each(counts: Iterator[int]) -> Iterator[None]:
    """One item for each row of parts that are done, so that a bar counts rows."""
    for count in counts:
        yield from [None] * count
