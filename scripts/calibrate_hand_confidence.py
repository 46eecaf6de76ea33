"""Fits the certainty of hands (tracker/hand_quality.py) to recordings with truth, and says how well it does.

    python scripts/calibrate_hand_confidence.py SESSION.h5 SESSION.h5 ...

Each recording is tracked from the frame in which its object is seen best to the end, and the hand that is followed is
judged in every frame. As few of those are wrong, hands are also searched for beside the true object in frames spread
over each recording, and all that the search ends in are judged. The coefficients to put into tracker/hand_quality.py
are printed, and for every recording what a model fitted to all the others is worth on it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
from calibrate_confidence import Case, chances, fitted, of_all, report, report_left_out

from recorder.session import Session, open_session
from scene.hand_pose import HandPose, joints
from scene.hand_shape import HandShape
from scene.progress import track as shown
from tracker.anew import hands_found, object_at
from tracker.beginning import begun, frames_ahead, knowledge_of
from tracker.config import RunConfig
from tracker.frame_errors import MM, RIGHT_JOINT_MM
from tracker.grasp_views import GraspViews
from tracker.hand_quality import FEATURES, SIGNS, HandQuality, hand_quality
from tracker.hypothesis import Layout
from tracker.sequence import SequenceTracker

Judged = tuple[int, HandShape, HandPose, HandQuality | None]
"""A hand in a frame, and what speaks for and against it."""


def main() -> None:
    """Tracks, fits, prints."""
    paths = [Path(argument) for argument in sys.argv[1:]]
    if not paths:
        sys.exit("give recordings with truth: calibrate_hand_confidence.py SESSION.h5 ...")
    cases = [case for path in paths for case in judged_hands(path)]
    report_left_out(cases, SIGNS)
    features, right = of_all(cases)
    coefficients, bias = fitted(features, right, SIGNS)
    report("all recordings, by themselves", chances(features, coefficients, bias), right)
    print("FEATURES", FEATURES, "COEFFICIENTS", coefficients.round(2).tolist(), "BIAS", round(bias, 2))


def judged_hands(path: Path) -> Iterator[Case]:
    """Hands that are followed, and hands that are found, in one recording."""
    with open_session(path) as session:
        config, truth = RunConfig((path,)), session.truth
        if truth is None:
            sys.exit(f"{path} holds no truth to calibrate against; give simulated recordings")
        for index, shape, hand, quality in chain(followed(session, config), found(session, config)):
            off_mm = MM * np.linalg.norm(joints(shape, hand) - truth.joints_camera[index], axis=1).mean()
            if quality is not None and np.isfinite(off_mm):
                yield Case(path.stem, quality.features(), bool(off_mm < RIGHT_JOINT_MM))


def followed(session: Session, config: RunConfig) -> Iterator[Judged]:
    """By the tracker, from where it begins to the end."""
    state = begun(session, config)
    assert state.tracker is not None, f"{session.path} has no object"
    tracker = SequenceTracker.resumed(state.tracker, config)
    for index in shown(range(state.anchor, len(session)), session.path.stem):
        tracker.track(session.frame(index))
        last = tracker.state.last
        if last is not None and last.lost_for == 0:
            yield index, tracker.state.knowledge.shape, last.estimate.pose.hand, last.estimate.hand_quality


def found(session: Session, config: RunConfig) -> Iterator[Judged]:
    """By searching beside the true object."""
    frames = frames_ahead(session)
    knowledge = knowledge_of(session, frames, config)
    assert session.truth is not None
    for frame in shown(frames, session.path.stem):
        rng = np.random.default_rng([config.seed, frame.index])
        knowledge = knowledge.with_planes_of(frame)
        observation = knowledge.observed(frame)
        if not np.isfinite(session.truth.camera_from_object[frame.index]).all():
            continue
        alone = object_at(observation, session.truth.camera_from_object[frame.index], knowledge, rng)
        searched = hands_found(observation, alone, knowledge, (), GraspViews(), config.points, rng)
        if searched is None:
            continue
        problem, poses = searched
        for pose in poses:
            here = replace(problem, layout=Layout.about(pose))
            vector = here.layout.vector(pose)
            quality = hand_quality(observation, here, vector, here.residuals(vector)[1], 0.0, rng)
            yield frame.index, knowledge.shape, pose.hand, quality


if __name__ == "__main__":
    main()
