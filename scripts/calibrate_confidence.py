"""Fits the confidence of object poses (tracker/quality.py) to recordings with truth, and says how well it does.

    python scripts/calibrate_confidence.py SESSION.h5 SESSION.h5 ...

Each recording is seen as by a worse camera (worse_camera.py). Poses are judged as the tracker meets them: found anew in
frames spread over it, right ones and wrong ones, and followed from there, with what would be learned from them and
without. The coefficients to put into tracker/quality.py are printed, and for every recording what a model fitted to all
the others is worth on it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from scipy.optimize import minimize
from worse_camera import WorseCamera

from recorder.session import Session, open_session
from scene.arrays import Booleans, Floats
from scene.metrics import rotation_error_deg
from scene.progress import track as shown
from scene.transforms import inverse
from tracker.anew import objects_found
from tracker.beginning import frames_ahead, knowledge_of
from tracker.config import RunConfig
from tracker.following import Last, object_followed
from tracker.judgement import Estimate
from tracker.quality import FEATURES, GEOMETRY, SIGNS
from tracker.scene_knowledge import SceneKnowledge
from tracker.seen_colors import with_seen_colors
from tracker.sequence import FIRST_LEARNING_RATE, SequenceTracker
from tracker.swarm import SwarmSettings

NEAR_DEG, NEAR = 10.0, 0.010
"""degrees and metres within which a pose is right"""
FOLLOWED, FRAMES = 3, 12
"""right and wrong poses of each recording that are followed, and for how long"""
LEAST_RIGHT = 0.25
"""share of right poses in a recording, below which the search failed there and it says nothing of what right ones look
like"""
SHRINKAGE = 1e-3


@dataclass(frozen=True)
class Case:
    """A judged pose and whether it is right."""

    session: str
    features: Floats
    right: bool


def main() -> None:
    """Judges, fits, prints."""
    paths = [Path(argument) for argument in sys.argv[1:]]
    if not paths:
        sys.exit("give recordings with truth: calibrate_confidence.py SESSION.h5 ...")
    of_each = [list(judged_poses(path)) for path in shown(paths, "judging")]
    cases = [case for cases in of_each if np.mean([case.right for case in cases]) >= LEAST_RIGHT for case in cases]
    features, right = of_all(cases)
    report_left_out(cases, SIGNS)
    typical = np.round(np.median(features[right], axis=0), 2)
    print("FEATURES", FEATURES, "TYPICAL", typical.tolist())
    for name, columns in (("all features", slice(None)), ("geometry", GEOMETRY)):
        chosen = (features - typical)[:, columns]
        coefficients, bias = fitted(chosen, right)
        report(f"all recordings, by themselves, {name}", chances(chosen, coefficients, bias), right)
        print("COEFFICIENTS", coefficients.round(2).tolist(), "BIAS", round(bias, 2))
    print("RIGHT_AMONG_JUDGED", round(float(right.mean()), 2))


def of_all(cases: Sequence[Case]) -> tuple[Floats, Booleans]:
    """N cases -> (N, K) features and (N,) whether right."""
    return np.array([case.features for case in cases]), np.array([case.right for case in cases])


def report_left_out(cases: Sequence[Case], signs: Sequence[int]) -> None:
    """For every recording, what a model fitted to all the others is worth on it; `signs` as `fitted`."""
    features, right = of_all(cases)
    sessions = np.array([case.session for case in cases])
    for name in sorted(set(sessions)):
        rest = sessions != name
        if right[rest].any() and not right[rest].all():
            report(name, chances(features[~rest], *fitted(features[rest], right[rest], signs)), right[~rest])


def judged_poses(path: Path) -> Iterator[Case]:
    """Poses found and followed in one recording."""
    with open_session(path) as session:
        config, truth = RunConfig((path,)), session.truth
        if truth is None:
            sys.exit(f"{path} holds no truth to calibrate against; give simulated recordings")
        camera = WorseCamera.drawn(np.random.default_rng(crc32(path.stem.encode())))
        ahead = [camera.taken(frame) for frame in frames_ahead(session)]
        knowledge = knowledge_of(session, ahead, config)
        if not knowledge.colored:
            knowledge = with_seen_colors(ahead, knowledge, lambda known: SequenceTracker(known, config))
        found: list[tuple[int, Estimate]] = []
        for frame in ahead:
            rng = np.random.default_rng([config.seed, frame.index])
            estimates = objects_found(knowledge.observed(frame), knowledge, rng, None)
            found += [(frame.index, estimate) for estimate in estimates]
        for index, estimate in found:
            yield case(path, estimate, truth.camera_from_object[index])
        found.sort(key=lambda pair: -pair[1].evidence)
        for wanted in (True, False):
            starts = [pair for pair in found if is_right(pair[1], truth.camera_from_object[pair[0]]) == wanted]
            for number, (index, estimate) in enumerate(starts[:FOLLOWED]):
                yield from followed(session, camera, knowledge, config, index, estimate, learning=number % 2 == 0)


def followed(
    session: Session,
    camera: WorseCamera,
    knowledge: SceneKnowledge,
    config: RunConfig,
    index: int,
    estimate: Estimate,
    *,
    learning: bool,
) -> Iterator[Case]:
    """The same object in the frames after (in the recording's second half: before) one in which it was found."""
    assert session.truth is not None
    if learning:
        observation = knowledge.observed(camera.taken(session.frame(index)))
        knowledge = knowledge.learned(observation, estimate.pose, estimate.quality, FIRST_LEARNING_RATE)
    last, onwards = Last(estimate, np.eye(4)), 1 if 2 * index < len(session) else -1
    settings, sizes = SwarmSettings(generations=config.generations), (config.particles, config.points)
    for at in range(index + onwards, index + onwards * (FRAMES + 1), onwards):
        if not 0 <= at < len(session):
            return
        rng = np.random.default_rng([config.seed, at])
        observation = knowledge.observed(camera.taken(session.frame(at)))
        here = object_followed(observation, last, knowledge, settings, sizes, rng)
        if here is None:
            return
        yield case(session.path, here, session.truth.camera_from_object[at])
        last = Last(here, here.pose.camera_from_object @ inverse(last.estimate.pose.camera_from_object))


def case(path: Path, estimate: Estimate, truth: Floats) -> Case:
    """One judged pose beside the truth (4, 4)."""
    return Case(path.stem, estimate.quality.features(), is_right(estimate, truth))


def is_right(estimate: Estimate, truth: Floats) -> bool:
    """Whether a pose is near the truth (4, 4); never where there is none."""
    pose = estimate.pose.camera_from_object
    near = np.linalg.norm(pose[:3, 3] - truth[:3, 3]) < NEAR
    return bool(near and rotation_error_deg(pose[:3, :3], truth[:3, :3]) < NEAR_DEG)


def fitted(features: Floats, right: Booleans, signs: Sequence[int] = SIGNS) -> tuple[Floats, float]:
    """Logistic regression with a little shrinkage, each coefficient kept to its sign.

    Args:
        features: (N, K).
        right: (N,).
        signs: (K,) or more, of which the first K count: +1 where a feature may only speak for a pose, -1 against it.

    Returns:
        (K,) coefficients and the bias.
    """
    scale = features.std(axis=0) + 1e-9
    columns = np.column_stack([features / scale, np.ones(len(features))])
    side = np.where(right, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = side * (columns @ weights)
        slope = -(columns * (side / (1 + np.exp(np.minimum(margin, 500))))[:, None]).mean(axis=0)
        shrunk = np.append(weights[:-1], 0.0)
        return float(np.logaddexp(0, -margin).mean() + SHRINKAGE * shrunk @ shrunk), slope + 2 * SHRINKAGE * shrunk

    bounds = [(0, None) if sign > 0 else (None, 0) for sign in signs[: features.shape[1]]]
    weights = minimize(loss, np.zeros(columns.shape[1]), jac=True, bounds=[*bounds, (None, None)]).x
    return weights[:-1] / scale, float(weights[-1])


def chances(features: Floats, coefficients: Floats, bias: float) -> Floats:
    """(N, K) -> (N,) chance of being right."""
    chance: Floats = 1.0 / (1.0 + np.exp(-(features @ coefficients + bias)))
    return chance


def report(name: str, chance: Floats, right: Booleans) -> None:
    """One line: how many of the poses that would be called TRACKED are right, and of the right ones are so called."""
    called = chance > 0.5
    precision = f"{100 * right[called].mean():.1f} %" if called.any() else "-"
    recall = f"{100 * called[right].mean():.1f} %" if right.any() else "-"
    seen = f"{len(right)} poses, {int(right.sum())} right"
    print(f"{name}: {seen}; called TRACKED {recall} of the right ones, and {precision} of those so called are right")


if __name__ == "__main__":
    main()
