"""Object and hand found anew in a frame, each judged: where nothing is known of them, or what is known is in doubt.

The object is looked for in the whole view (tracker/initialisation.py), the hand beside it (tracker/hand_search.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from scene.arrays import Booleans, Floats
from scene.hand_pose import HandPose, rest_angles
from tracker.explanation import point_distances
from tracker.grasp_views import GraspViews, SameGrasp
from tracker.hand_proposals import proposed_hands
from tracker.hand_quality import hand_quality
from tracker.hand_rivals import chance_told
from tracker.hand_search import find_hand
from tracker.hypothesis import HandObjectPose, Layout
from tracker.initialisation import find_object, pose_without_hand, searching
from tracker.judgement import Estimate, judged, with_told
from tracker.nearby import about_object, pick, within
from tracker.objective import Evidence
from tracker.observation import Observation
from tracker.refine import OBJECT_NUMBERS, Problem, refined
from tracker.scene_knowledge import SceneKnowledge
from tracker.threads import shared
from tracker.turns import Settled, far_turn, near_turn, settled
from tracker.weights import Weights, fine

CANDIDATES = 8
"""of those found, judged to the end"""
ITERATIONS = 15
FINE_POINTS = 3000
"""observed points by which a pose that was found is refined"""
NEAR_OBJECT, HAND_SPAN = 0.30, 0.25
"""metres from the object within which its hand is, and from the middle of the hand within which all of it is"""
TOUCHING = 0.008
"""metres from the object within which a point may as well be the object's"""
FEWEST_PLACES, FEWEST_POINTS = 50, 100
"""hand-coloured points beside the object, and in all, below which no hand is looked for"""
MOST_PLACES = 2000


def objects_found(
    observation: Observation, knowledge: SceneKnowledge, rng: np.random.Generator, near: Floats | None
) -> list[Estimate]:
    """The object searched for everywhere: what was found, the best first; `near` as in find_object.

    Of the best alone it is asked how much the frame tells of it.
    """
    found = find_object(observation, knowledge.models, knowledge.weights, rng, colored=knowledge.colored, near=near)
    starts = [_start(observation, pose.camera_from_object, knowledge, rng) for pose in found[:CANDIDATES]]
    placed = shared(lambda start: _placed(*start, knowledge.weights), starts)
    judged_too = [(estimated(observation, *one, knowledge, rng), *one) for one in placed]
    judged_too.sort(key=lambda candidate: -candidate[0].evidence)
    best = [_settled(observation, problem, vector, knowledge, rng) for _, problem, vector in judged_too[:1]]
    return best + [estimate for estimate, *_ in judged_too[1:]]


def object_at(
    observation: Observation, camera_from_object: Floats, knowledge: SceneKnowledge, rng: np.random.Generator
) -> Estimate:
    """The object near a pose (4, 4) which was found or given: refined and judged, without a hand."""
    problem, vector = _placed(*_start(observation, camera_from_object, knowledge, rng), knowledge.weights)
    estimate = estimated(observation, problem, vector, knowledge, rng)
    near, far = (turn(problem, vector, knowledge.symmetries).cost for turn in (near_turn, far_turn))
    return with_told(estimate, Settled(vector, near, far), colored=knowledge.colored)


def _start(
    observation: Observation, camera_from_object: Floats, knowledge: SceneKnowledge, rng: np.random.Generator
) -> tuple[Problem, Floats]:
    """The problem of the object near a pose, and that pose as a hypothesis (32,)."""
    pose = pose_without_hand(camera_from_object)
    problem = fine_problem(observation, [pose], knowledge, rng)
    return problem, problem.layout.vector(pose)


def _placed(problem: Problem, start: Floats, coarse: Weights) -> tuple[Problem, Floats]:
    """The problem, and its hypothesis (32,), refined: first coarsely, and so that what is found is seen."""
    vector, _ = refined(replace(problem, weights=searching(coarse)), start, OBJECT_NUMBERS, ITERATIONS)
    return problem, refined(problem, vector, OBJECT_NUMBERS, ITERATIONS)[0]


def fine_problem(
    observation: Observation, poses: list[HandObjectPose], knowledge: SceneKnowledge, rng: np.random.Generator
) -> Problem:
    """The last step's problem of the object alone, of what is seen about any of the poses, the first its reference."""
    evidence = about_object(observation, poses, knowledge.models.object_reach, FINE_POINTS, rng)
    fixed = fine(knowledge.weights), Layout.about(poses[0]), rest_angles()
    return Problem(evidence, knowledge.models, *fixed, use_hand=False)


def _settled(
    observation: Observation, problem: Problem, vector: Floats, knowledge: SceneKnowledge, rng: np.random.Generator
) -> Estimate:
    """The object turned to where it costs least, judged, with how much the frame tells of it."""
    pose = settled(problem, vector, knowledge.symmetries, known=False)
    estimate = estimated(observation, problem, pose.vector, knowledge, rng)
    return with_told(estimate, pose, colored=knowledge.colored)


def estimated(
    observation: Observation, problem: Problem, vector: Floats, knowledge: SceneKnowledge, rng: np.random.Generator
) -> Estimate:
    """The hypothesis (32,), judged by what is known of the scene."""
    return judged(observation, problem, vector, knowledge.usual, rng, colored=knowledge.colored)


def with_hand_found(
    observation: Observation,
    estimate: Estimate,
    knowledge: SceneKnowledge,
    guesses: Sequence[HandPose],
    grasp: GraspViews,
    points: int,
    rng: np.random.Generator,
    may_be: Callable[[HandObjectPose], bool] = lambda _: True,
) -> tuple[Estimate, GraspViews]:
    """The same object with a hand beside it, where enough is seen that looks like one; args as hands_found.

    `may_be`: whether a pose can be the hand's, by what the frames before told; one that cannot is taken only where no
    other was found.

    Also returns the views of `grasp` that are of that hand, as GraspViews.settle.
    """
    found = hands_found(observation, estimate, knowledge, guesses, grasp, points, rng)
    if found is None:
        return estimate, grasp
    problem, poses = found
    poses = [pose for pose in poses if may_be(pose)] or poses
    layout = Layout.about(poses[0])
    problem = replace(problem, layout=layout, prediction=poses[0].hand.angles, use_object=False)
    hands = np.array([layout.vector(pose) for pose in poses])
    object_pose = estimate.pose.camera_from_object
    hand, grasp = grasp.settle(problem, object_pose, hands, 4)
    told = chance_told(SameGrasp(problem, object_pose, grasp.views), hand, hands, knowledge.shape)
    estimate = replace(estimate, hand_told=told)
    return with_hand(observation, estimate, replace(problem, use_object=True), hand, grasp, rng), grasp


def hands_found(
    observation: Observation,
    estimate: Estimate,
    knowledge: SceneKnowledge,
    guesses: Sequence[HandPose],
    grasp: GraspViews,
    points: int,
    rng: np.random.Generator,
) -> tuple[Problem, list[HandObjectPose]] | None:
    """The hands that a search beside the object comes to, and the problem that they solve.

    Args:
        observation: of the frame.
        estimate: of the object, which is held still.
        knowledge: of the scene.
        guesses: hands that may be the one, as in find_hand.
        grasp: views that the hand may have to explain, too.
        points: observed points that it has to explain.
        rng: of all randomness.

    Returns:
        As find_hand; None where too little looks like a hand.
    """
    object_pose = estimate.pose.camera_from_object
    seen = hand_evidence(observation, estimate, knowledge, points, rng)
    if seen is None:
        return None
    evidence, places = seen
    layout = Layout.about(estimate.pose)
    problem = Problem(evidence, knowledge.models, knowledge.weights, layout, np.zeros(20), use_hand=True)
    proposals = proposed_hands(observation, places, object_pose[None, :3, 3], knowledge.shape)
    return problem, find_hand(problem, object_pose, places, guesses, rng, grasp, proposals)


def hand_evidence(
    observation: Observation, estimate: Estimate, knowledge: SceneKnowledge, points: int, rng: np.random.Generator
) -> tuple[Evidence, Floats] | None:
    """What is seen about the object and of what looks like a hand beside it, and (N, 3) places of that.

    None where too little looks so.
    """
    object_pose = estimate.pose.camera_from_object
    off_object, hand_like = _beside(observation, estimate.pose, knowledge)
    places = observation.points[pick(off_object, MOST_PLACES, rng)]
    centre = places.mean(axis=0) if len(places) else np.zeros(3)
    hand = np.nonzero(hand_like & within(observation.points, centre, HAND_SPAN))[0]
    if len(places) < FEWEST_PLACES or len(hand) < FEWEST_POINTS:
        return None
    reach = knowledge.models.object_reach
    around = np.nonzero(within(observation.points, object_pose[:3, 3], reach))[0]
    halves = [rng.choice(hand, points // 2), rng.choice(around, points // 2) if len(around) else hand[:0]]
    return observation.evidence(np.concatenate(halves)), places


def with_hand(
    observation: Observation,
    estimate: Estimate,
    problem: Problem,
    vector: Floats,
    grasp: GraspViews,
    rng: np.random.Generator,
) -> Estimate:
    """The same object with the hand of the hypothesis (32,), and what speaks for that; `grasp` are the views of it."""
    terms = problem.residuals(vector)[1]
    seen_in_views = SameGrasp(problem, estimate.pose.camera_from_object, grasp.views).seen_in_views(vector)
    quality = hand_quality(observation, problem, vector, terms, seen_in_views, rng)
    return replace(
        estimate,
        pose=problem.layout.pose(vector),
        terms=terms,
        hand_confidence=0.0 if quality is None else quality.fit,
        hand_quality=quality,
    )


def _beside(observation: Observation, pose: HandObjectPose, knowledge: SceneKnowledge) -> tuple[Booleans, Booleans]:
    """(F,) hand-coloured points about the object that are surely not on it, and all of them."""
    hand_like = observation.hand_points & within(observation.points, pose.camera_from_object[:3, 3], NEAR_OBJECT)
    layout = Layout.about(pose)
    distance, _ = point_distances(layout.vector(pose), layout, observation.points, knowledge.models, False)
    return hand_like & (distance > TOUCHING), hand_like
