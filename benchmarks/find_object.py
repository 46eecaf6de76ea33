"""How often the object is found without a start. Usage: find_object.py [SESSION.h5 ...].

Recordings with truth may be given; otherwise three are simulated. Frames spread over each, in which enough of the
object is seen, are searched by themselves, with nothing learned from others.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recorder.session import open_session
from scene.metrics import rotation_error_deg
from tracker.beginning import frames_ahead, knowledge_of
from tracker.config import RunConfig
from tracker.initialisation import find_object

NEAR_DEG, NEAR = 20.0, 0.015
"""degrees and metres from which following gets to the pose by itself"""
LEAST_VISIBLE = 0.3
SEEDS, FRAMES = (0, 1, 2), "36"


def main() -> None:
    """Prints a line for every recording and one for all."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(argument) for argument in sys.argv[1:]] or list(simulated(Path(folder)))
        outcomes = [searched(path) for path in paths]
    print_line("all", [each for outcome in outcomes for each in outcome])


def simulated(folder: Path) -> Iterator[Path]:
    """Recordings of the built-in belt, each of another hand, grasp and motion."""
    for seed in SEEDS:
        path = folder / f"seed-{seed}.h5"
        options = ["--sensor", "simulated", "--frames", FRAMES, "--seed", str(seed), "--output", str(path)]
        recorder = Path(sys.executable).with_name("recorder")
        subprocess.run([recorder, "capture", *options], check=True, capture_output=True)
        yield path


def searched(path: Path) -> list[tuple[int, float]]:
    """For each frame the rank of the right pose among those found, -1 for none, and the seconds it took."""
    outcomes = []
    with open_session(path) as session:
        assert session.truth is not None, f"{path} holds no truth"
        ahead = frames_ahead(session)
        known = knowledge_of(session, ahead, RunConfig((path,)))
        for frame in ahead:
            if session.truth.object_visibility[frame.index] < LEAST_VISIBLE:
                continue
            begun = time.perf_counter()
            found = find_object(
                known.with_planes_of(frame).observed(frame),
                known.models,
                known.weights,
                np.random.default_rng(frame.index),
                colored=known.colored,
            )
            truth = session.truth.camera_from_object[frame.index]
            right = [
                bool(rotation_error_deg(pose[:3, :3], truth[:3, :3]) < NEAR_DEG)
                and bool(np.linalg.norm(pose[:3, 3] - truth[:3, 3]) < NEAR)
                for pose in (candidate.camera_from_object for candidate in found)
            ]
            outcomes.append((right.index(True) if any(right) else -1, time.perf_counter() - begun))
    print_line(path.stem, outcomes)
    return outcomes


def print_line(name: str, outcomes: list[tuple[int, float]]) -> None:
    """How many were found."""
    ranks, seconds = [rank for rank, _ in outcomes], [spent for _, spent in outcomes]
    first, among = sum(rank == 0 for rank in ranks), sum(rank >= 0 for rank in ranks)
    spent = f"{np.median(seconds):.1f} s each"
    print(f"{name}: of {len(ranks)} frames {first} have the right pose first, {among} among those found; {spent}")


if __name__ == "__main__":
    main()
