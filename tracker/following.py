"""From one frame to the next: a swarm about where the object should be by now, then one about the hand.

The object is followed on its own evidence: in one joint swarm over 32 numbers a wrong hand takes the object's points
and drags it away (docs/tracking.md). The hand then has to fit what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from scene.rotations import geodesic_angle, rotation_vector_from_matrix
from scene.transforms import inverse
from tracker.anew import FINE_POINTS, ITERATIONS, estimated, with_hand
from tracker.grasp_views import GraspViews
from tracker.grasps import carried
from tracker.hypothesis import HandObjectPose, Layout, clamp_angles
from tracker.judgement import KNOWN, Estimate, with_told
from tracker.models import thinned
from tracker.nearby import about_hand_and_object, about_object
from tracker.observation import Observation
from tracker.quality import followed_confidence
from tracker.refine import HAND_NUMBERS, OBJECT_NUMBERS, Problem, refined
from tracker.scene_knowledge import SceneKnowledge
from tracker.swarm import SwarmSettings, minimise
from tracker.turns import settled
from tracker.weights import fine

SCALES: Floats = np.concatenate([[0.006] * 3, [0.10] * 3, [0.006] * 3, [0.10] * 3, [0.15] * 20])
"""(32,) metres and radians: how far the swarm searches about a prediction when nothing moves"""
OBJECT, HAND = slice(0, 6), slice(6, 32)
TRANSLATIONS, ROTATIONS = [0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]
ALONG_MOTION, LONGEST_STEP, WIDEST_TURN = 0.4, 0.05, 0.6
"""share of the last motion by which the swarm spreads farther, and the metres and radians that count at most"""
WIDER_WHEN_LOST = 0.3
"""share by which the swarm about a lost object widens with every frame"""
CLOUD = 0.7
"""deviation of the first particles about a prediction, of the scales"""
OBJECT_POINTS = 2
"""times as many points for an object alone as with a hand: it is asked for millimetres"""
HALF_FINE = 0.5
"""of the way to the fine weights of the last step, while the swarm still has to find the place"""
FEW_SAMPLES = 0.5
"""share of the object's samples that its swarm looks at"""
JUMPED = np.deg2rad(20.0)
"""from where an object was, and would be by its motion: a turn by more is none that was followed"""
FEWEST_POINTS = 50
"""observed points about a prediction, below which nothing is there to be followed"""


@dataclass(frozen=True)
class Last:
    """Where things were, and how they moved."""

    estimate: Estimate
    motion: Floats
    """(4, 4) of the object from the frame before to that one, in camera coordinates"""
    lost_for: int = 0
    """frames since"""

    def scales(self, active: slice) -> Floats:
        """(32,) how far to search: farther along what moved before; 0 for what is not active."""
        scales = np.zeros(len(SCALES))
        scales[active] = SCALES[active]
        before = self.estimate.pose.camera_from_object
        step = float(np.linalg.norm((self.motion @ before - before)[:3, 3]))
        turn = float(np.linalg.norm(rotation_vector_from_matrix(self.motion[:3, :3])))
        scales[TRANSLATIONS] += (scales[TRANSLATIONS] > 0) * ALONG_MOTION * min(step, LONGEST_STEP)
        scales[ROTATIONS] += (scales[ROTATIONS] > 0) * ALONG_MOTION * min(turn, WIDEST_TURN)
        return scales


def object_followed(
    observation: Observation,
    last: Last,
    knowledge: SceneKnowledge,
    settings: SwarmSettings,
    sizes: tuple[int, int],
    rng: np.random.Generator,
) -> Estimate | None:
    """The object by a swarm over its 6 numbers, refined by least squares.

    Args:
        observation: of the frame.
        last: where it was.
        knowledge: of the scene.
        settings: of the swarm.
        sizes: particles and observed points.
        rng: of all randomness.

    Returns:
        The estimate, its hand where it was; None where nothing is about the prediction.
    """
    pose = last.estimate.pose
    poses = [pose, moved(pose, last.motion)]
    evidence = about_object(observation, poses, knowledge.models.object_reach, OBJECT_POINTS * sizes[1], rng)
    if len(evidence.points) < FEWEST_POINTS:
        return None
    layout = Layout.about(pose)
    fixed = fine(knowledge.weights, HALF_FINE), layout, pose.hand.angles
    problem = Problem(evidence, thinned(knowledge.models, FEW_SAMPLES), *fixed, use_hand=False)
    scales = last.scales(OBJECT) * (1.0 + WIDER_WHEN_LOST * last.lost_for)
    settings = replace(settings, generations=-(-settings.generations // 2))  # 6 numbers need fewer than a hand's 26
    result = minimise(problem.objectives, spread_starts(layout, poses, scales, sizes[0], rng), scales, settings, rng)
    # a swarm of thousands of evaluations can afford few points and samples, its last step many: noise averages out
    evidence = about_object(observation, [layout.pose(result.best)], knowledge.models.object_reach, FINE_POINTS, rng)
    problem = replace(problem, evidence=evidence, models=knowledge.models, weights=fine(knowledge.weights))
    best, _ = refined(problem, result.best, OBJECT_NUMBERS, ITERATIONS)
    told = last.estimate.told
    turned = settled(problem, best, knowledge.symmetries, known=told >= KNOWN)
    if told >= KNOWN and has_jumped(layout.pose(turned.vector), last):
        # a hidden handle lets a turn drift, but not jump: of this one the frames before tell nothing
        told, turned = 0.0, settled(problem, turned.vector, knowledge.symmetries, known=False)
    estimate = estimated(observation, problem, turned.vector, knowledge, rng)
    estimate = with_told(estimate, turned, told, colored=knowledge.colored)
    confidence = followed_confidence(estimate.evidence, last.estimate.confidence)
    spread = _spread(result.personal_bests, result.personal_objectives)
    return replace(estimate, confidence=confidence, spread=spread)


def hand_followed(
    observation: Observation,
    estimate: Estimate,
    last: Last,
    knowledge: SceneKnowledge,
    settings: SwarmSettings,
    sizes: tuple[int, int],
    grasp: GraspViews,
    rng: np.random.Generator,
) -> tuple[Estimate, GraspViews]:
    """The hand by a swarm over its 26 numbers, about where it was and where the object would have carried it.

    Args as object_followed, with the object's `estimate` in this frame, which is held still.
    Also returns the views of `grasp` that are of that hand, as GraspViews.settle.
    """
    before = last.estimate.pose
    carried = estimate.pose.camera_from_object @ inverse(before.camera_from_object)
    poses = [replace(estimate.pose, hand=hand) for hand in (before.hand, moved(before, carried).hand)]
    reach = knowledge.models.object_reach
    evidence = about_hand_and_object(observation, poses, reach, knowledge.shape, sizes[1], rng)
    if len(evidence.points) < FEWEST_POINTS:
        return estimate, grasp
    layout, scales = Layout.about(poses[0]), last.scales(HAND)
    problem = Problem(evidence, knowledge.models, knowledge.weights, layout, before.hand.angles, use_hand=True)
    still = replace(problem, use_object=False)
    result = minimise(still.objectives, spread_starts(layout, poses, scales, sizes[0], rng), scales, settings, rng)
    best, _ = refined(still, result.best, HAND_NUMBERS, ITERATIONS)
    hands = np.stack([best, *(layout.vector(pose) for pose in poses)])
    hand, grasp = grasp.settle(still, estimate.pose.camera_from_object, hands)
    estimate = replace(estimate, hand_told=last.estimate.hand_told)
    return with_hand(observation, estimate, problem, hand, grasp, rng), grasp


def moved(pose: HandObjectPose, camera_from_before: Floats) -> HandObjectPose:
    """Hand and object after a motion (4, 4) of both, in camera coordinates."""
    return HandObjectPose(camera_from_before @ pose.camera_from_object, carried(pose.hand, camera_from_before))


def spread_starts(
    layout: Layout, poses: list[HandObjectPose], scales: Floats, count: int, rng: np.random.Generator
) -> Floats:
    """(count, 32): each of the poses, and clouds about them, in what has a scale."""
    centres = np.stack([layout.vector(pose) for pose in poses])
    centres[:, scales == 0] = centres[0, scales == 0]
    starts = centres[np.arange(count) % len(centres)]
    starts = starts + rng.normal(size=starts.shape) * scales * CLOUD
    starts[: len(centres)] = centres
    return clamp_angles(starts)


def has_jumped(pose: HandObjectPose, last: Last) -> bool:
    """Whether the object is turned by far from where it was, and from where its motion would have brought it."""
    turn, before = pose.camera_from_object[:3, :3], last.estimate.pose
    expected = before, moved(before, last.motion)
    return all(geodesic_angle(turn, other.camera_from_object[:3, :3]) > JUMPED for other in expected)


def _spread(vectors: Floats, objectives: Floats) -> tuple[float, float]:
    """Standard deviation, metres and radians, of the object over the better half of the swarm's personal bests."""
    good = vectors[np.argsort(objectives)[: max(len(vectors) // 2, 2)]]
    return float(np.sqrt(good[:, :3].var(axis=0).sum())), float(np.sqrt(good[:, 3:6].var(axis=0).sum()))
