"""Tracks the generated recordings that have truth beside them, and prints errors by visibility.

In: folders `generated/NAME` below $UNOCCLUDE_DATA or ../shared/data, each with rgb/, depth/, cam_K.txt, mesh.ply and
truth.npz. The truth scores; the tracker does not see it. Usage: track_generated.py [NAME ...]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from scene.metrics import rotation_error_deg
from tracker.track import Track, TrackStatus, open_track

NAMES = ("camera-fast", "cat-reentry")
BINS = ((0.0, 0.15), (0.15, 0.4), (0.4, 1.01))
DATA = Path(os.environ.get("UNOCCLUDE_DATA", Path(__file__).parents[2] / "shared" / "data"))


def tracked(source: Path) -> Track:
    """Through the two commands, as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        session, mesh = Path(folder) / "session.h5", source / "mesh.ply"
        capture: list[str | Path] = ["recorder", "capture", "--sensor", "folder", "--source", source, "--object", mesh]
        subprocess.run([*capture, "--output", session], check=True)
        subprocess.run(["tracker", "run", session], check=True)
        return open_track(session.with_suffix(".track.h5"))


def report(track: Track, truth_path: Path) -> None:
    """One line for each range of visibility, one for the hand."""
    with np.load(truth_path) as truth:
        true, visible = truth["camera_from_object"], truth["object_visible_fraction"]
        joints, in_sight = truth["joints_camera"], truth["joint_visible"].astype(bool)
        in_view = truth["object_in_view"].astype(bool)
    called = track.status == TrackStatus.TRACKED
    for low, high in BINS:
        here = (visible >= low) & (visible < high)
        chosen = here & called
        estimated = track.camera_from_object[chosen]
        degrees = rotation_error_deg(estimated[:, :3, :3], true[chosen, :3, :3])
        mm = 1000 * np.linalg.norm(estimated[:, :3, 3] - true[chosen, :3, 3], axis=1)
        line = f"{low:.0%} to {min(high, 1):.0%} visible: {int((here & in_view).sum())} in view, {chosen.sum()} TRACKED"
        if chosen.any():
            right = ((degrees < 10) & (mm < 10)).mean()
            line += f", median {np.median(degrees):.2f} deg {np.median(mm):.2f} mm, {right:.0%} within 10 deg and 10 mm"
        print(line)
    hand = track.hand_status == TrackStatus.TRACKED
    if hand.any():
        error_mm = 1000 * np.linalg.norm(track.joints_camera - joints, axis=2)
        sight_mm, all_mm = np.nanmean(error_mm[hand][in_sight[hand]]), np.nanmean(error_mm[hand])
        print(f"hand: {hand.sum()} TRACKED, joints {sight_mm:.1f} mm in sight, {all_mm:.1f} mm all")


def main() -> None:
    """Every recording that is there."""
    for name in sys.argv[1:] or NAMES:
        source = DATA / "generated" / name
        if not source.is_dir():
            print(f"{name}: skipped, {source} is not there")
            continue
        print(f"{name}:")
        report(tracked(source), source / "truth.npz")


if __name__ == "__main__":
    main()
