"""`tracker evaluate`: a track against the session's ground truth where it has one, and against its images anyway."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from recorder.session import Session, open_session
from scene.arrays import Floats
from scene.drawing import open_drawer
from scene.errors import InputError
from scene.files import new_path, refuse_existing, sha256
from scene.object_model import ObjectModel
from scene.symmetry import declared_symmetries
from tracker.agreement import Agreement, agreement
from tracker.figures import ErrorRow, SelfKnowledge, error_rows, recovery_frames, self_knowledge
from tracker.frame_errors import MM, frame_errors
from tracker.track import Track, TrackStatus, open_track, session_and_track

OBJECT_COLUMNS = {
    "visibility": "object visible",
    "frames": "frames",
    "tracked": "TRACKED",
    "median_rotation_deg": "median deg",
    "median_translation_mm": "median mm",
    "right": "precision",
    "recall": "recall",
    "add_mm": "ADD mm",
    "add_auc": "AUC",
    "adds_mm": "ADD-S mm",
    "adds_auc": "AUC",
    "median_mssd_mm": "MSSD mm",
}
HAND_COLUMNS = {
    "visibility": "object visible",
    "frames": "frames",
    "hand_tracked": "hand TRACKED",
    "hand_right": "precision",
    "hand_recall": "recall",
    "hand_joint_mm": "joints mm",
    "hand_visible_joint_mm": "in sight mm",
    "hand_hidden_joint_mm": "hidden mm",
}
SLIPPED = 0.4
"""overlap below which an outline is off the object; where fingers of its colours cover it, right ones have 0.6"""


@dataclass(frozen=True)
class EvaluateConfig:
    """Compare a track with the session's ground truth, where it has one, and with its images."""

    VERB: ClassVar[str] = "evaluate"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """recording"""
    track: Path | None = None
    """its track; SESSION.track.h5 where not given"""
    symmetry: tuple[str, ...] = ()
    """of the object, in place of the track's: axis and number of positions as z2 or zinf, or a JSON file as BOP's"""
    images: bool = True
    """compare with the images; without, only with the truth"""
    json: Path | None = None
    """file to write the figures to as well"""
    drawer: Literal["auto", "egl", "osmesa", "rays"] = "auto"
    """off-screen back-end"""
    overwrite: bool = False
    """replace an existing JSON file"""


@dataclass(frozen=True)
class ImageFigures:
    """What the images say of the frames called TRACKED; None where there is nothing to tell."""

    frames: int
    median_residual_mm: float | None
    median_overlap: float | None
    """of the drawn silhouette with what looks like the object, intersection by union"""
    slipped: list[int]
    """frames whose overlap is below SLIPPED"""
    mean_seen_through: float | None
    """share of the object's drawn pixels that violate free space"""
    mean_hand_seen_through: float | None
    hand_frames: int
    """whose hand is TRACKED"""
    median_hand_residual_mm: float | None
    """of each frame's median distance of the hand's points to its surface"""
    worst_hand_residual_mm: float | None


@dataclass(frozen=True)
class Evaluation:
    """All figures of one track."""

    symmetries: str
    """of the object; "" where there is none"""
    rows: list[ErrorRow]
    """empty without truth"""
    recovery_frames: list[int | None]
    self_knowledge: SelfKnowledge | None
    images: ImageFigures | None


def evaluate(session_path: Path, track_path: Path, symmetry: tuple[str, ...] = ()) -> list[ErrorRow]:
    """Against the truth: one row over all frames, then one for each range of visibility.

    Raises:
        InputError: the track is another session's, or the session has no ground truth.
    """
    config = EvaluateConfig(session_path, track_path, symmetry, images=False)
    return evaluation(config).rows


def evaluation(config: EvaluateConfig) -> Evaluation:
    """All that is asked for.

    Raises:
        InputError: the track is another session's, or there is nothing to compare it with.
    """
    session_path, track_path = session_and_track(config.session, config.track)
    track = open_track(track_path)
    if config.symmetry:
        track = replace(track, symmetries=declared_symmetries(config.symmetry))
    with open_session(session_path) as session:
        symmetries = "" if session.object_model is None else str(track.symmetries)
        if track.session_sha256 != sha256(session_path):
            raise InputError(f"{track_path} was not made from {session_path}; track that session again")
        if session.truth is None and not config.images:
            raise InputError(
                f"only a session with ground truth can be evaluated with --no-images, {session_path} has none"
            )
        images = image_figures(track, session, session.object_model, config) if config.images else None
        if session.truth is None:
            return Evaluation(symmetries, [], [], None, images)
        truth = session.truth
        errors = frame_errors(track, truth, session.object_model)
    rows = error_rows(errors, truth.object_visibility, truth.hand_visibility)
    waits = recovery_frames(errors, truth.object_visibility)
    return Evaluation(symmetries, rows, waits, self_knowledge(track, errors), images)


def image_figures(track: Track, session: Session, model: ObjectModel | None, config: EvaluateConfig) -> ImageFigures:
    """Of the frames called TRACKED."""
    drawer = open_drawer(config.drawer)
    try:
        found: Agreement = agreement(track, session, model, drawer)
    finally:
        drawer.close()
    tracked, hand_tracked = (status == TrackStatus.TRACKED for status in (track.status, track.hand_status))
    hand_residuals = MM * track.hand_residual[hand_tracked]
    return ImageFigures(
        frames=int(tracked.sum()),
        median_residual_mm=_known(np.median, MM * track.residual[tracked]),
        median_overlap=_known(np.median, found.overlap),
        slipped=[int(index) for index in np.flatnonzero(found.overlap < SLIPPED)],
        mean_seen_through=_known(np.mean, found.seen_through),
        mean_hand_seen_through=_known(np.mean, found.hand_seen_through),
        hand_frames=int(hand_tracked.sum()),
        median_hand_residual_mm=_known(np.median, hand_residuals),
        worst_hand_residual_mm=_known(np.max, hand_residuals),
    )


def run_evaluate(config: EvaluateConfig) -> None:
    """Prints the tables and, where asked, writes all figures as JSON."""
    if config.json is not None:
        refuse_existing(config.json, overwrite=config.overwrite)
    found = evaluation(config)
    print_evaluation(found)
    if config.json is not None:
        with new_path(config.json, overwrite=config.overwrite) as partial:
            partial.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")


def print_evaluation(found: Evaluation) -> None:
    """As tables, and sentences below them."""
    console = Console(width=130)
    if found.rows and found.symmetries:
        _print_table(console, f"Object against ground truth ({found.symmetries})", OBJECT_COLUMNS, found.rows)
    if found.rows:
        _print_table(console, "Hand against ground truth", HAND_COLUMNS, found.rows)
    for line in _sentences(found):
        print(line)


def _sentences(found: Evaluation) -> list[str]:
    lines = []
    if found.recovery_frames:
        waits = ", ".join("never" if wait is None else str(wait) for wait in found.recovery_frames)
        lines.append(f"frames from the object's return until TRACKED and right: {waits}")
    if found.self_knowledge is not None and found.symmetries:
        known = found.self_knowledge
        lines.append(
            f"confidence {_cell(known.mean_confidence)} on average where {_cell(known.right)} are right, "
            f"Brier score {_cell(known.brier)}; error {_cell(known.error_by_spread)} times the swarm's spread, "
            f"rank correlation {_cell(known.spread_of_error)}"
        )
    if found.self_knowledge is not None and found.self_knowledge.hand_right is not None:
        known = found.self_knowledge
        lines.append(
            f"hand: confidence {_cell(known.hand_mean_confidence)} on average where {_cell(known.hand_right)} are "
            f"right, Brier score {_cell(known.hand_brier)}"
        )
    if found.images is not None:
        lines += _of_images(found.images, has_object=bool(found.symmetries))
    return lines


def _of_images(seen: ImageFigures, *, has_object: bool) -> list[str]:
    of_object = (
        f"object: {seen.frames} frames TRACKED, median residual {_cell(seen.median_residual_mm)} mm, silhouette "
        f"overlap {_cell(seen.median_overlap)}, below {SLIPPED} in {len(seen.slipped)} frames, seen through: "
        f"{_cell(seen.mean_seen_through)}"
    )
    of_hand = (
        f"hand: {seen.hand_frames} frames TRACKED, median residual {_cell(seen.median_hand_residual_mm)} mm, in the "
        f"worst frame {_cell(seen.worst_hand_residual_mm)} mm, seen through: {_cell(seen.mean_hand_seen_through)}"
    )
    return [of_object, of_hand] if has_object else [of_hand]


def _print_table(console: Console, title: str, columns: dict[str, str], rows: list[ErrorRow]) -> None:
    table = Table(title=title)
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(_cell(getattr(row, name)) for name in columns))
    console.print(table)


def _known(statistic: Any, values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(statistic(known)) if len(known) else None


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
