"""How near following comes to the object's pose, and what two choices are worth: object_accuracy.py [SESSION.h5 ...].

Recordings with truth may be given; otherwise three are simulated. In frames spread over each, in which enough of the
object is seen, it is followed from its true pose, displaced at random: as the tracker does, with the weights of a
search throughout, with fine ones from the start, and with edges as the sensor has them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from find_object import simulated

from recorder.session import Session, open_session
from scene.arrays import Floats
from scene.metrics import rotation_error_deg
from scene.rotations import matrix_from_rotation_vector
from tracker.anew import object_at
from tracker.beginning import knowledge_of
from tracker.config import RunConfig
from tracker.following import Last, object_followed
from tracker.initialisation import pose_without_hand
from tracker.scene_knowledge import SceneKnowledge
from tracker.swarm import SwarmSettings

FRAMES = 10
LEAST_VISIBLE = 0.4
DISPLACED, TURNED = 0.008, 0.14
"""metres and radians, deviations along each axis"""
VARIANTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "as it is": nullcontext,
    "weights of a search": lambda: patch("tracker.following.fine", lambda weights, by=1.0: weights),
    "fine ones at once": lambda: patch("tracker.following.HALF_FINE", 1.0),
    "edges as measured": lambda: patch("tracker.observation.widened", lambda depth, where: depth),
}


def main() -> None:
    """Prints a line for every recording and variant, and one for all recordings."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(argument) for argument in sys.argv[1:]] or list(simulated(Path(folder)))
        for name, variant in VARIANTS.items():
            with variant():
                errors = [followed(path, name) for path in paths]
            print_line(f"all, {name}", np.concatenate(errors))


def followed(path: Path, name: str) -> Floats:
    """(N, 2) degrees and metres by which each frame's pose is off."""
    with open_session(path) as session:
        assert session.truth is not None, f"{path} holds no truth"
        seen = np.flatnonzero(session.truth.object_visibility >= LEAST_VISIBLE)
        chosen = seen[np.linspace(0, len(seen) - 1, min(FRAMES, len(seen))).round().astype(int)]
        frames = [session.frame(int(index)) for index in chosen]
        knowledge = knowledge_of(session, frames, RunConfig((path,)))
        errors = np.array([followed_in(session, int(index), knowledge) for index in chosen])
    print_line(f"{path.stem}, {name}", errors)
    return errors


def followed_in(session: Session, index: int, knowledge: SceneKnowledge) -> tuple[float, float]:
    """Degrees and metres in one frame."""
    assert session.truth is not None
    rng, config = np.random.default_rng(index), RunConfig((session.path,))
    frame, true = session.frame(index), session.truth.camera_from_object[index]
    knowledge = knowledge.with_planes_of(frame)
    observation = knowledge.observed(frame)
    start = true.copy()
    start[:3, :3] = matrix_from_rotation_vector(rng.normal(size=3) * TURNED) @ true[:3, :3]
    start[:3, 3] += rng.normal(size=3) * DISPLACED
    before = replace(object_at(observation, true, knowledge, rng), pose=pose_without_hand(start))
    sizes = config.particles, config.points
    estimate = object_followed(
        observation, Last(before, np.eye(4)), knowledge, SwarmSettings(config.generations), sizes, rng
    )
    assert estimate is not None
    pose = estimate.pose.camera_from_object
    degrees = rotation_error_deg(pose[:3, :3], true[:3, :3])
    return float(degrees), float(np.linalg.norm(pose[:3, 3] - true[:3, 3]))


def print_line(name: str, errors: Floats) -> None:
    """One line of the table."""
    degrees, mm = errors[:, 0], 1000 * errors[:, 1]
    print(
        f"{name}: {np.median(degrees):.1f} deg and {np.median(mm):.2f} mm off in the median of {len(errors)} frames, "
        f"{degrees.mean():.1f} deg and {mm.mean():.2f} mm in the mean, {int((degrees > 10).sum())} by more than 10 deg"
    )


if __name__ == "__main__":
    main()
