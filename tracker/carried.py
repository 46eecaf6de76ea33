"""An object that is no longer found, carried along by the hand that held it: both move as one.

What a hand hides wholly is still in it, and the hand is followed as well as before. In: where both were, and how the
hand held the object. Out: where both are by what is seen of them; of the object no more is claimed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scene.arrays import Floats
from tracker.anew import estimated
from tracker.following import FEWEST_POINTS, HAND, Last, moved, spread_starts
from tracker.hold import Hold
from tracker.hypothesis import HAND_TRANSLATION, OBJECT_ROTATION, OBJECT_TRANSLATION, Layout
from tracker.judgement import Estimate
from tracker.nearby import about_hand_and_object
from tracker.observation import Observation
from tracker.refine import Problem
from tracker.scene_knowledge import SceneKnowledge
from tracker.swarm import SwarmSettings, minimise


def object_carried(
    observation: Observation,
    last: Last,
    hold: Hold,
    knowledge: SceneKnowledge,
    settings: SwarmSettings,
    sizes: tuple[int, int],
    rng: np.random.Generator,
) -> Estimate | None:
    """Hand and object by a swarm over the hand's 26 numbers, the object where each of its hands would hold it.

    Args:
        observation: of the frame.
        last: where both were.
        hold: how the hand holds the object.
        knowledge: of the scene.
        settings: of the swarm.
        sizes: particles and observed points.
        rng: of all randomness.

    Returns:
        The object with its hand, of whose turn the frame tells nothing; None where nothing is about the prediction.
    """
    poses = [hold.in_hand(pose) for pose in (last.estimate.pose, moved(last.estimate.pose, last.motion))]
    reach = knowledge.models.object_reach
    evidence = about_hand_and_object(observation, poses, reach, knowledge.shape, sizes[1], rng)
    if len(evidence.points) < FEWEST_POINTS:
        return None
    layout, scales = Layout.about(poses[0]), last.scales(HAND)
    problem = Problem(
        evidence, knowledge.models, knowledge.weights, layout, last.estimate.pose.hand.angles, use_hand=True
    )

    def objectives(vectors: Floats) -> Floats:
        return problem.objectives(*in_hand(vectors, layout, hold))

    result = minimise(objectives, spread_starts(layout, poses, scales, sizes[0], rng), scales, settings, rng)
    pose = hold.in_hand(layout.pose(result.best))
    alone = replace(problem, layout=Layout.about(pose), use_hand=False)
    return estimated(observation, alone, alone.layout.vector(pose), knowledge, rng)


def in_hand(vectors: Floats, layout: Layout, hold: Hold) -> tuple[Floats, Floats]:
    """(N, 32) -> the same with the object where each one's hand holds it, and (N, 3, 3) how it is turned there."""
    rotations, placed = layout.hand_rotations(vectors), vectors.copy()
    placed[:, OBJECT_TRANSLATION] = vectors[:, HAND_TRANSLATION] + rotations @ hold.hand_from_object[:3, 3]
    placed[:, OBJECT_ROTATION] = 0.0
    return placed, rotations @ hold.hand_from_object[:3, :3]
