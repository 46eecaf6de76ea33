"""What particles, generations and points are worth once least squares follow. Usage: swarm_effort.py [SESSION.h5 ...].

In each frame of a recording (three are simulated where none is given) object and hand are followed from the frame
before with swarms of several sizes, and what the objective comes to is compared with that of the first size: on
average, and how often it is clearly higher or lower. The first size is there twice, with other random numbers: what
differs by no more than that is chance.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from find_object import simulated

from recorder.session import Session, open_session
from scene.arrays import Floats
from scene.frame import RgbdFrame
from tracker.beginning import begun, ways_from
from tracker.config import RunConfig
from tracker.following import hand_followed, object_followed
from tracker.sequence import SequenceTracker
from tracker.swarm import GENERATIONS, PARTICLES, SwarmSettings
from tracker.tracker_state import TrackerState

FRAMES, POINTS = 30, RunConfig().points
"""of each recording; the usual observed points"""
USUAL = "64 x 40"
EFFORTS = {
    USUAL: (PARTICLES, GENERATIONS, POINTS, 0),
    "64 x 40, other numbers": (PARTICLES, GENERATIONS, POINTS, 1),
    "64 x 40, 80 points": (PARTICLES, GENERATIONS, 80, 0),
    "64 x 40, 1280 points": (PARTICLES, GENERATIONS, 1280, 0),
    "32 x 40": (32, 40, POINTS, 0),
    "16 x 40": (16, 40, POINTS, 0),
    "64 x 20": (64, 20, POINTS, 0),
    "64 x 10": (64, 10, POINTS, 0),
    "128 x 80": (128, 80, POINTS, 0),
}
"""particles and generations of the hand's swarm, its points, and what is added to seeds; the object's has half the
generations, and twice the points, which least squares do not look at"""
CLEARLY = 0.02
"""share by which an objective is clearly another"""

Ends = dict[str, list[tuple[float, float]]]
"""for each effort, of each frame the objective and seconds of the processor"""


def main() -> None:
    """Prints a line for each effort, of objects and of hands."""
    ends: dict[str, Ends] = {"object": defaultdict(list), "hand": defaultdict(list)}
    with tempfile.TemporaryDirectory() as folder:
        for path in [Path(argument) for argument in sys.argv[1:]] or simulated(Path(folder)):
            with open_session(path) as session:
                follow(session, RunConfig((path,)), ends)
    for body, of_body in ends.items():
        for name in EFFORTS:
            print_line(f"{body}, {name}", np.array(of_body[name]), np.array(of_body[USUAL]))


def follow(session: Session, config: RunConfig, ends: dict[str, Ends]) -> None:
    """Tracks the first frames, and beside that follows into each with every effort."""
    state = begun(session, config)
    assert isinstance(state.tracker, TrackerState), "the recording must have an object's mesh"
    tracker = SequenceTracker.resumed(state.tracker, config)
    for at, way in enumerate(ways_from(state.anchor, len(session))):
        if at:
            tracker.return_to_anchor()
        for index in way[: FRAMES // 2]:
            frame = session.frame(index)
            try_efforts(frame, tracker.state, config, ends)
            tracker.track(frame)


def try_efforts(frame: RgbdFrame, state: TrackerState, config: RunConfig, ends: dict[str, Ends]) -> None:
    """Follows object and hand into a frame with every effort."""
    if state.last is None:
        return
    observation = state.knowledge.observed(frame)
    for name, (particles, generations, points, seed) in EFFORTS.items():
        settings, sizes = SwarmSettings(generations=generations), (particles, points)
        known, began = (state.last, state.knowledge, settings, sizes), time.process_time()
        estimate = object_followed(observation, *known, np.random.default_rng([seed, frame.index]))
        if estimate is None:
            return
        ends["object"][name].append((float(estimate.terms.sum()), time.process_time() - began))
        if name == USUAL:
            beside = estimate
        hand_known = state.last.estimate.hand_confidence >= config.confidence  # NaN where none was looked for
        if not hand_known or points != POINTS:  # a hand's objective is of these very points
            continue
        began, rng = time.process_time(), np.random.default_rng([seed, frame.index])
        hand, _ = hand_followed(observation, beside, *known, state.hand.grasp, rng)
        ends["hand"][name].append((float(hand.terms.sum()), time.process_time() - began))


def print_line(name: str, ends: Floats, usual: Floats) -> None:
    """One effort beside the first."""
    if len(ends) == 0:
        print(f"{name}: nothing was followed")
        return
    (objective, seconds), ratio = ends.mean(axis=0), ends[:, 0] / usual[:, 0]
    higher, lower = (ratio > 1 + CLEARLY).mean(), (ratio < 1 - CLEARLY).mean()
    print(
        f"{name:30s} {len(ends):4d} frames, objective {objective:.4f} ({objective / usual[:, 0].mean() - 1:+.1%}), "
        f"clearly higher in {higher:.0%} and lower in {lower:.0%} of them, {1000 * seconds:.0f} ms of the processor"
    )


if __name__ == "__main__":
    main()
