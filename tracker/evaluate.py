"""`tracker evaluate`: the track against the session's ground truth, in millimetres and degrees, by visibility.

Errors count only over frames called TRACKED; how many those are of all is told beside them, so that a tracker cannot
look better by giving up.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from recorder.session import Truth, open_session
from scene.arrays import Booleans, Floats
from scene.errors import InputError
from scene.files import refuse_existing, sha256
from scene.metrics import rotation_error_deg
from tracker.track import Track, TrackStatus, open_track, track_path_of

BINS = ((0.0, 0.15), (0.15, 0.4), (0.4, 1.01))
"""ranges of the object's visible fraction"""
RIGHT_DEG, RIGHT_MM = 10.0, 10.0
"""a frame called TRACKED is right within these"""


@dataclass(frozen=True)
class EvaluateConfig:
    """Compare a track with the session's ground truth."""

    VERB: ClassVar[str] = "evaluate"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """recording with ground truth"""
    track: Path | None = None
    """its track; SESSION.track.h5 where not given"""
    json: Path | None = None
    """file to write the figures to as well"""
    overwrite: bool = False
    """replace an existing JSON file"""


@dataclass(frozen=True)
class ErrorRow:
    """Errors over the frames of one range of visibility; None where no frame is in it."""

    visibility: str
    frames: int
    tracked: int
    """frames called TRACKED"""
    median_rotation_deg: float | None
    median_translation_mm: float | None
    right: float | None
    """share of the frames called TRACKED that are within 10 degrees and 10 mm"""
    hand_tracked: int
    hand_joint_mm: float | None
    """mean distance of all 21 joints over the frames whose hand is called TRACKED"""
    hand_visible_joint_mm: float | None
    """the same over the joints in sight"""


def evaluate(session_path: Path, track_path: Path) -> list[ErrorRow]:
    """One row over all frames, then one for each range of visibility.

    Raises:
        InputError: the track is another session's, or the session has no ground truth.
    """
    track = open_track(track_path)
    with open_session(session_path) as session:
        truth = session.truth
    if truth is None:
        raise InputError(f"only a session with ground truth can be evaluated, {session_path} has none; simulate one")
    if track.session_sha256 != sha256(session_path):
        raise InputError(f"{track_path} was not made from {session_path}; track that session again")
    visibility = np.nan_to_num(truth.object_visibility, nan=0.0)
    rows = [_row("all", np.ones(len(track), bool), track, truth)]
    for low, high in BINS:
        chosen = (visibility >= low) & (visibility < high)
        rows.append(_row(f"{low:.0%} to {min(high, 1.0):.0%}", chosen, track, truth))
    return rows


def _row(name: str, chosen: Booleans, track: Track, truth: Truth) -> ErrorRow:
    tracked = chosen & (track.status == TrackStatus.TRACKED)
    rotation_deg, translation_mm = np.full(len(track), np.nan), np.full(len(track), np.nan)
    estimated, true = track.camera_from_object[tracked], truth.camera_from_object[tracked]
    rotation_deg[tracked] = rotation_error_deg(estimated[:, :3, :3], true[:, :3, :3])
    translation_mm[tracked] = 1000 * np.linalg.norm(estimated[:, :3, 3] - true[:, :3, 3], axis=1)
    right = (rotation_deg[tracked] < RIGHT_DEG) & (translation_mm[tracked] < RIGHT_MM)
    hand = chosen & (track.hand_status == TrackStatus.TRACKED)
    joint_mm = 1000 * np.linalg.norm(track.joints_camera[hand] - truth.joints_camera[hand], axis=2)
    return ErrorRow(
        visibility=name,
        frames=int(chosen.sum()),
        tracked=int(tracked.sum()),
        median_rotation_deg=_median(rotation_deg[tracked]),
        median_translation_mm=_median(translation_mm[tracked]),
        right=float(right.mean()) if len(right) else None,
        hand_tracked=int(hand.sum()),
        hand_joint_mm=_mean(joint_mm),
        hand_visible_joint_mm=_mean(joint_mm[truth.joint_visible[hand]]),
    )


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def run_evaluate(config: EvaluateConfig) -> None:
    """Prints the table and, where asked, writes it as JSON."""
    if config.json is not None:
        refuse_existing(config.json, overwrite=config.overwrite)
    rows = evaluate(config.session, config.track or track_path_of(config.session))
    table = Table(title="Track against ground truth")
    headings = (
        "object visible",
        "frames",
        "TRACKED",
        "median deg",
        "median mm",
        "right",
        "hand TRACKED",
        "joints mm",
        "in sight mm",
    )
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(_cell(value) for value in asdict(row).values()))
    Console(width=120).print(table)
    if config.json is not None:
        config.json.write_text(json.dumps({"rows": [asdict(row) for row in rows]}, indent=1))


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
