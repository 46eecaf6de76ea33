"""How near the hand is found beside the true object. Usage: find_hand.py [SESSION.h5 ...].

Recordings with truth may be given; otherwise three are simulated. In frames spread over each, in which a hand is seen,
it is searched for by itself, with nothing learned from other frames, no guesses, and the object where it truly is.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from find_object import simulated

from recorder.session import open_session
from scene.hand_pose import joints
from tracker.anew import object_at, with_hand_found
from tracker.beginning import frames_ahead, knowledge_of
from tracker.config import RunConfig
from tracker.grasp_views import GraspViews

NEAR = 0.020
"""metres a joint, on average"""


def main() -> None:
    """Prints a line for every recording and one for all."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(argument) for argument in sys.argv[1:]] or list(simulated(Path(folder)))
        outcomes = [searched(path) for path in paths]
    print_line("all", [each for outcome in outcomes for each in outcome])


def searched(path: Path) -> list[tuple[float, float]]:
    """For each frame the mean error of the 21 joints, metres, and the seconds it took."""
    outcomes = []
    with open_session(path) as session:
        truth, config, ahead = session.truth, RunConfig((path,)), frames_ahead(session)
        assert truth is not None, f"{path} holds no truth"
        knowledge = knowledge_of(session, ahead, config)
        for frame in ahead:
            rng = np.random.default_rng(frame.index)
            knowledge = knowledge.with_planes_of(frame)
            observation = knowledge.observed(frame)
            alone = object_at(observation, truth.camera_from_object[frame.index], knowledge, rng)
            begun = time.perf_counter()
            found, _ = with_hand_found(observation, alone, knowledge, (), GraspViews(), config.points, rng)
            seconds = time.perf_counter() - begun
            off = joints(knowledge.shape, found.pose.hand) - truth.joints_camera[frame.index]
            if np.isfinite(off).all() and np.isfinite(found.hand_confidence):
                outcomes.append((float(np.linalg.norm(off, axis=1).mean()), seconds))
    print_line(path.stem, outcomes)
    return outcomes


def print_line(name: str, outcomes: list[tuple[float, float]]) -> None:
    """One line of the table."""
    errors, seconds = np.array(outcomes).reshape(-1, 2).T
    print(
        f"{name}: in {len(errors)} frames joints are {1000 * np.mean(errors):.0f} mm off on average, "
        f"{int((errors < NEAR).sum())} hands by less than {1000 * NEAR:.0f} mm; {seconds.mean():.1f} s each"
    )


if __name__ == "__main__":
    main()
