"""Speed and accuracy of following a hand and an object, against the obvious way to do it, in one run.

The obvious way: pyswarms' GlobalBestPSO over all 32 numbers, and for each particle a depth image by pyrender, here of
160 x 120 pixels, compared with the sensor's. Usage: track_speed.py [SESSION.h5] [--plot FILE.svg]; without a session
one is simulated. Seconds of the wall clock say what a user waits; seconds of the processor are told beside them, as
other programs on the machine do not change these.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recorder.session import Session, open_session
from scene.arrays import Floats, Integers
from scene.camera import Camera
from scene.drawing import HAND, OBJECT, SKIN_COLOR, Drawer, open_drawer, painted, rigid_body
from scene.frame import RgbdFrame
from scene.hand_pose import HandPose, joints
from scene.hand_surface import HandSurface
from scene.memory import keep_freed_memory
from scene.metrics import rotation_error_deg
from scene.pages import new_figure
from tracker.anew import object_at
from tracker.beginning import begun, ways_from
from tracker.config import RunConfig
from tracker.following import SCALES, Last, hand_followed, object_followed
from tracker.grasp_views import GraspViews
from tracker.hypothesis import HandObjectPose, Layout, clamp_angles
from tracker.nearby import about_hand_and_object
from tracker.refine import Problem
from tracker.scene_knowledge import SceneKnowledge
from tracker.sequence import SequenceTracker
from tracker.swarm import GENERATIONS, PARTICLES, SwarmSettings, minimise
from tracker.unfinished import RunState

POINTS = 320
OBVIOUS_WIDTH, OBVIOUS_HEIGHT = 160, 120
CUT = 0.04
"""metres at which the obvious objective stops counting a pixel's difference"""
FOLLOWED = 6
"""pairs of frames, spread over the recording, at which both follow from the truth of the frame before"""
WELL_VISIBLE = 0.4
"""of the object, in both frames of a pair: what is out of view cannot be followed"""
TIMED_FRAMES = 24
VARIED = {
    "particles": (16, 32, 64, 128, 256),
    "generations": (10, 20, 40, 80, 160),
    "points": (80, 160, 320, 640, 1280),
}


@dataclass(frozen=True)
class Seconds:
    """What some work took."""

    wall: float
    processor: float


def seconds(work: Callable[[], object], repeats: int = 3) -> Seconds:
    """The least of a few runs, after one to warm up."""
    work()
    taken = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - wall, time.process_time() - processor))
    return Seconds(min(one[0] for one in taken), min(one[1] for one in taken))


@dataclass(frozen=True)
class Bench:
    """A recording with truth, and what is known of its scene."""

    session: Session
    knowledge: SceneKnowledge

    def true_pose(self, index: int) -> HandObjectPose:
        """Of object and hand, by the recording's truth."""
        truth = self.session.truth
        assert truth is not None, "the session must hold truth"
        hand = HandPose(truth.camera_from_hand[index], truth.hand_angles[index])
        return HandObjectPose(truth.camera_from_object[index], hand)

    def well_visible(self, count: int) -> Integers:
        """(count,) frames, spread over those that show much of the object and come after one that does."""
        assert self.session.truth is not None
        shown = self.session.truth.object_visibility >= WELL_VISIBLE
        frames = 1 + np.flatnonzero(shown[1:] & shown[:-1])
        chosen: Integers = frames[np.linspace(len(frames) // 8, len(frames) - 1, count).round().astype(int)]
        return chosen

    def problem(self, index: int, points: int = POINTS) -> Problem:
        """Hand and object at the true pose's place in a frame."""
        pose, observation = self.true_pose(index), self.knowledge.observed(self.session.frame(index))
        reach, rng = self.knowledge.models.object_reach, np.random.default_rng(0)
        evidence = about_hand_and_object(observation, [pose], reach, self.knowledge.shape, points, rng)
        fixed = (self.knowledge.models, self.knowledge.weights, Layout.about(pose), pose.hand.angles)
        return Problem(evidence, *fixed, use_hand=True)


class Obvious:
    """A depth image for each particle."""

    def __init__(self, bench: Bench) -> None:
        """Readies both meshes, once."""
        model = bench.session.object_model
        assert model is not None
        self.drawer: Drawer = open_drawer("auto")
        self.camera: Camera = bench.session.camera.resized(OBVIOUS_WIDTH, OBVIOUS_HEIGHT)
        self._body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
        self._surface = HandSurface.build(bench.knowledge.shape, spacing=0.005)

    def observed(self, frame: RgbdFrame) -> Floats:
        """The sensor's depth at the pixels that are drawn."""
        rows = np.linspace(0, frame.depth.shape[0] - 1, OBVIOUS_HEIGHT).round().astype(int)
        columns = np.linspace(0, frame.depth.shape[1] - 1, OBVIOUS_WIDTH).round().astype(int)
        depth: Floats = frame.depth[np.ix_(rows, columns)]
        return depth

    def objectives(self, vectors: Floats, layout: Layout, depth: Floats) -> Floats:
        """(N, 32) -> (N,) mean difference of depth over the drawn and measured pixels, cut."""
        values = np.zeros(len(vectors))
        for at, vector in enumerate(clamp_angles(vectors)):
            pose = layout.pose(vector)
            hand = painted(self._surface.posed(pose.hand), self._surface.faces, SKIN_COLOR, HAND)
            drawing = self.drawer.draw([self._body.placed(pose.camera_from_object), hand], self.camera)
            counted = (drawing.labels > 0) & (depth > 0)
            off = np.minimum(np.abs(drawing.depth - depth)[counted], CUT)
            values[at] = off.mean() if counted.any() else CUT
        return values

    def followed(self, layout: Layout, start: Floats, depth: Floats, generations: int) -> HandObjectPose:
        """By GlobalBestPSO with its usual options, about the pose in the frame before."""
        swarms = _pyswarms()
        reach = 3 * SCALES
        options = {"c1": 2.05, "c2": 2.05, "w": 0.73}
        np.random.seed(0)  # noqa: NPY002 - pyswarms draws from the global state
        swarm = swarms.GlobalBestPSO(PARTICLES, len(start), options, bounds=(start - reach, start + reach))
        _, best = swarm.optimize(lambda v: self.objectives(v, layout, depth), generations, verbose=False)
        return layout.pose(np.asarray(best))


def _pyswarms() -> Any:
    """It writes a log file into the working directory as it is imported."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        from pyswarms import single
    logging.disable(logging.INFO)
    return single


def ours_followed(bench: Bench, index: int) -> HandObjectPose:
    """From the truth of the frame before, as the tracker does."""
    rng = np.random.default_rng(0)
    before = bench.true_pose(index - 1)
    knowledge, settings, sizes = bench.knowledge, SwarmSettings(generations=GENERATIONS), (PARTICLES, POINTS)
    first = object_at(knowledge.observed(bench.session.frame(index - 1)), before.camera_from_object, knowledge, rng)
    last = Last(replace(first, pose=before, confidence=0.9, hand_confidence=0.9), np.eye(4))
    observation = knowledge.observed(bench.session.frame(index))
    estimate = object_followed(observation, last, knowledge, settings, sizes, rng)
    assert estimate is not None
    with_hand, _ = hand_followed(observation, estimate, last, knowledge, settings, sizes, GraspViews(), rng)
    return with_hand.pose


def compare_evaluations(bench: Bench, obvious: Obvious, index: int) -> None:
    """Evaluations a second of 64 particles."""
    problem, layout = bench.problem(index), Layout.about(bench.true_pose(index))
    vectors = layout.vector(bench.true_pose(index)) + SCALES * np.random.default_rng(0).normal(size=(PARTICLES, 32))
    depth = obvious.observed(bench.session.frame(index))
    ours = seconds(lambda: problem.objectives(vectors), repeats=20)
    theirs = seconds(lambda: obvious.objectives(vectors, layout, depth), repeats=2)
    for name, taken in (("ours", ours), (f"a depth image by {obvious.drawer.name} each", theirs)):
        rates = f"{PARTICLES / taken.wall:,.0f} evaluations/s, {PARTICLES / taken.processor:,.0f} a processor second"
        print(f"{name}: {rates}")
    by_wall, by_processor = theirs.wall / ours.wall, theirs.processor / ours.processor
    print(f"ratio: {by_wall:.0f} by the wall clock, {by_processor:.0f} by the processor")


def compare_accuracy(bench: Bench, obvious: Obvious) -> None:
    """Errors after following by one frame from the truth: same particles and generations, and same time."""
    indices = bench.well_visible(FOLLOWED)
    errors: dict[str, list[tuple[float, float, float]]] = {}
    taken: dict[str, list[float]] = {}

    def follow(name: str, index: int, work: Callable[[], HandObjectPose]) -> float:
        began = time.process_time()
        pose = work()
        taken.setdefault(name, []).append(time.process_time() - began)
        errors.setdefault(name, []).append(errors_of(bench, index, pose))
        return taken[name][-1]

    ours_followed(bench, int(indices[0]))  # compiles
    for index in (int(each) for each in indices):
        layout = Layout.about(bench.true_pose(index - 1))
        start, depth = layout.vector(bench.true_pose(index - 1)), obvious.observed(bench.session.frame(index))
        errors.setdefault("left where it was", []).append(errors_of(bench, index, bench.true_pose(index - 1)))
        budget = follow("ours", index, partial(ours_followed, bench, index))
        same = f"GlobalBestPSO, {PARTICLES} x {GENERATIONS}"
        theirs = partial(obvious.followed, layout, start, depth)
        whole = follow(same, index, partial(theirs, GENERATIONS))
        generations = max(1, round(GENERATIONS * budget / whole))
        follow("GlobalBestPSO, as long as ours", index, partial(theirs, generations))
    for name, rows in errors.items():
        degrees, mm, joint_mm = np.median(rows, axis=0)
        cost = f", {np.median(taken[name]):.2f} s of the processor a frame" if name in taken else ""
        medians = f"object {degrees:.1f} deg {mm:.1f} mm, hand {joint_mm:.1f} mm a joint"
        print(f"{name}: {medians}, medians of {len(rows)}{cost}")


def errors_of(bench: Bench, index: int, pose: HandObjectPose) -> tuple[float, float, float]:
    """Degrees and millimetres of the object, millimetres of the hand's joints."""
    truth, true = bench.session.truth, bench.true_pose(index)
    assert truth is not None
    off = rotation_error_deg(pose.camera_from_object[:3, :3], true.camera_from_object[:3, :3])
    apart = np.linalg.norm(pose.camera_from_object[:3, 3] - true.camera_from_object[:3, 3])
    found = joints(bench.knowledge.shape, pose.hand)
    return (
        float(off),
        1000 * float(apart),
        1000 * float(np.linalg.norm(found - truth.joints_camera[index], axis=1).mean()),
    )


def time_tracking(bench: Bench, state: RunState, config: RunConfig) -> None:
    """Frames a second inside the tracking loop: reading, observing, following, searching, judging."""
    assert state.tracker is not None
    keep_freed_memory()  # as `tracker run` does
    tracker = SequenceTracker.resumed(state.tracker, config)
    forth, back = ways_from(state.anchor, len(bench.session))
    frames = [*forth, *back][:TIMED_FRAMES]
    tracker.track(bench.session.frame(frames[0]))  # compiles
    wall, processor = [], []
    for index in frames[1:]:
        if index == state.anchor - 1:
            tracker.return_to_anchor()
        began, began_processor = time.perf_counter(), time.process_time()
        tracker.track(bench.session.frame(index))
        wall.append(time.perf_counter() - began)
        processor.append(time.process_time() - began_processor)
    print(
        f"tracking loop, {PARTICLES} x {GENERATIONS}, {POINTS} points: {1 / np.mean(wall):.2f} frames/s by the wall "
        f"clock, {np.mean(processor):.2f} s of the processor a frame (median {np.median(processor):.2f})"
    )


def cost_of(bench: Bench, index: int) -> dict[str, list[float]]:
    """Processor seconds of one swarm over hand and object, each of its sizes varied alone."""
    found: dict[str, list[float]] = {}
    layout = Layout.about(bench.true_pose(index))
    for name, values in VARIED.items():
        for value in values:
            sizes = {"particles": PARTICLES, "generations": GENERATIONS, "points": POINTS, name: value}
            problem, rng = bench.problem(index, sizes["points"]), np.random.default_rng(0)
            start = layout.vector(bench.true_pose(index)) + SCALES * rng.normal(size=(sizes["particles"], 32))
            settings = SwarmSettings(generations=sizes["generations"])
            taken = seconds(partial(minimise, problem.objectives, start, SCALES, settings, rng), repeats=2)
            found.setdefault(name, []).append(taken.processor)
    return found


def print_costs(costs: dict[str, list[float]]) -> None:
    """With the line through them: what is fixed, what each adds, and how far the cost is from it at most."""
    for name, taken in costs.items():
        each, fixed = _line(VARIED[name], taken)
        off = np.abs(np.polyval([each, fixed], VARIED[name]) / taken - 1).max()
        line = ", ".join(f"{value}: {1000 * cost:.0f} ms" for value, cost in zip(VARIED[name], taken, strict=True))
        print(f"cost by {name}: {line}; {1000 * fixed:.0f} + {1000 * each:.2f} ms each, off by at most {off:.0%}")


def _line(values: Sequence[int] | Integers, taken: Sequence[float]) -> Floats:
    """Slope and intercept by least squares of the relative deviations."""
    fitted: Floats = np.polyfit(values, taken, 1, w=1 / np.asarray(taken))
    return fitted


def plot_costs(costs: dict[str, list[float]], path: Path) -> None:
    """Each about its default."""
    figure, axes = new_figure(5.0, 3.2)
    defaults = {"particles": PARTICLES, "generations": GENERATIONS, "points": POINTS}
    for name, taken in costs.items():
        values = np.array(VARIED[name])
        line = axes.plot(values / defaults[name], np.array(taken), "o", markersize=4, label=name)[0]
        axes.plot(values / defaults[name], np.polyval(_line(values, taken), values), color=line.get_color())
    axes.set(
        xlabel="times the default of 64, 40, 320", ylabel="seconds of the processor", xlim=(0, None), ylim=(0, None)
    )
    axes.legend(loc="upper left")
    figure.savefig(path, metadata={"Date": None})
    print(path)


def main() -> None:
    """Prints everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("session", nargs="?", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.session or simulated(Path(folder))
        config = RunConfig((path,))
        with open_session(path) as session:
            assert session.truth is not None, "the session must hold truth"
            state = begun(session, config)
            assert state.tracker is not None
            bench = Bench(session, state.tracker.knowledge)
            index = int(np.nanargmax(session.truth.object_visibility[1:])) + 1
            print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
            costs = cost_of(bench, index)
            print_costs(costs)
            if arguments.plot is not None:
                plot_costs(costs, arguments.plot)
            time_tracking(bench, state, config)
            obvious = Obvious(bench)
            compare_evaluations(bench, obvious, index)
            compare_accuracy(bench, obvious)
            obvious.drawer.close()


def simulated(folder: Path) -> Path:
    """A recording of the built-in object."""
    path = folder / "session.h5"
    recorder = Path(sys.executable).with_name("recorder")
    options = ["--sensor", "simulated", "--frames", "40", "--seed", "0", "--output", str(path)]
    subprocess.run([recorder, "capture", *options], check=True, capture_output=True)
    return path


if __name__ == "__main__":
    main()
