"""Tracks ten simulated recordings of five objects, slow and fast, and prints errors by visibility over all of them.

The hands that are simulated have another surface than the tracker's, other sizes and grasps of their own. Of the
objects belt and mug are built in; ape, cat and drill are meshes of LINEMOD below $UNOCCLUDE_DATA or ../shared/data.
Usage: track_simulated.py [FOLDER [FRAMES]]. Recordings and tracks stay in FOLDER, and what is there is not made anew.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from track_generated import DATA

from recorder.session import open_session
from scene.arrays import Floats
from tracker.evaluate import Evaluation, print_evaluation
from tracker.figures import error_rows, recovery_frames
from tracker.frame_errors import FrameErrors, frame_errors
from tracker.track import open_track, track_path_of

FRAMES = 300
MESHES = {"ape": "obj_01.ply", "cat": "obj_06.ply", "drill": "obj_08.ply"}
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Recording:
    """What is simulated; the seed decides about hand, grasp, motion and clutter."""

    thing: str
    speed: str
    seed: int
    motion: str = "random"

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.thing}-{self.speed}"

    @property
    def options(self) -> list[str]:
        """Of `recorder capture`."""
        thing = [self.thing]
        if self.thing in MESHES:
            thing = [str(DATA / "linemod-meshes" / MESHES[self.thing]), "--object-units", "mm"]
        return ["--object", *thing, "--speed", self.speed, "--motion", self.motion, "--seed", str(self.seed)]


RECORDINGS = (
    Recording("belt", "slow", 11),
    Recording("belt", "fast", 12, "leave-and-return"),
    Recording("mug", "slow", 13, "leave-and-return"),
    Recording("mug", "fast", 14),
    Recording("ape", "slow", 15),
    Recording("ape", "fast", 16, "leave-and-return"),
    Recording("cat", "slow", 17, "leave-and-return"),
    Recording("cat", "fast", 18),
    Recording("drill", "slow", 19),
    Recording("drill", "fast", 20),
)


@dataclass(frozen=True)
class Outcome:
    """Of one recording."""

    errors: FrameErrors
    object_visibility: Floats
    hand_visibility: Floats


def main() -> None:
    """One table for each recording, one for all frames of all of them."""
    frames = int(sys.argv[2]) if len(sys.argv) > 2 else FRAMES
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = []
        for recording in RECORDINGS:
            outcomes.append(tracked(recording, folder, frames))
            report(recording.name, outcomes[-1:])
        report("all", outcomes)


def tracked(recording: Recording, folder: Path, frames: int) -> Outcome:
    """Through the two commands, as a user would; in silence."""
    path = folder / f"{recording.name}.h5"
    if not path.exists():
        capture: list[str | Path] = [PROGRAMS / "recorder", "capture", "--sensor", "simulated"]
        capture += ["--frames", str(frames)]
        subprocess.run([*capture, *recording.options, "--output", path], check=True, capture_output=True)
    if not track_path_of(path).exists():
        subprocess.run([PROGRAMS / "tracker", "run", path], check=True, capture_output=True)
    with open_session(path) as session:
        truth = session.truth
        assert truth is not None
        errors = frame_errors(open_track(track_path_of(path)), truth, session.object_model)
    return Outcome(errors, truth.object_visibility, truth.hand_visibility)


def report(name: str, outcomes: list[Outcome]) -> None:
    """The tables of `tracker evaluate`, over the frames of all recordings given."""
    pooled = {
        field.name: np.concatenate([getattr(outcome.errors, field.name) for outcome in outcomes])
        for field in fields(FrameErrors)
    }
    object_visibility = np.concatenate([outcome.object_visibility for outcome in outcomes])
    hand_visibility = np.concatenate([outcome.hand_visibility for outcome in outcomes])
    rows = error_rows(FrameErrors(**pooled), object_visibility, hand_visibility)
    waits = [wait for outcome in outcomes for wait in recovery_frames(outcome.errors, outcome.object_visibility)]
    print(f"\n{name}")
    print_evaluation(Evaluation("as each track says", rows, waits, None, None))


if __name__ == "__main__":
    main()
