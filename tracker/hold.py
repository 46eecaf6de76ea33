"""How the hand holds the object: it tells how that is turned where the object itself does not.

A mug whose handle is hidden fits in many orientations, and followed from frame to frame it drifts from one to the next.
The hand that holds it is seen far better, and turns with it. In: an object and a hand that are estimated, each from its
own evidence, and how the one held the other before. Out: the object as the hand holds it, where that explains the frame
as well. Then the hand tells how it is turned, as surely as it is itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from scene.rotations import geodesic_angle, matrix_from_rotation_vector, rotation_vector_from_matrix
from scene.transforms import inverse, rigid
from tracker.anew import estimated, fine_problem
from tracker.hypothesis import HandObjectPose
from tracker.in_hand import placed_as_held, turned_as_held
from tracker.judgement import Estimate, with_told
from tracker.observation import Observation
from tracker.quality import followed_confidence
from tracker.refine import Problem
from tracker.scene_knowledge import SceneKnowledge
from tracker.turns import Settled, near_turn, rising

TURNED = np.deg2rad(5.0)
"""between the object and where the hand would have it: below, they agree"""
LOOSE = 0.05
"""by how much more the object costs where the hand has it, at which it is as likely held otherwise by now as not, if
the frame tells how it is turned"""
PATIENCE = 6
"""frames in a row that must show the object to be held otherwise by now: a single one errs as far"""
SLIPS = 0.05
"""share of what is seen now by which a hold changes with every frame that tells how the object is turned"""


@dataclass(frozen=True)
class Hold:
    """The object in the hand."""

    hand_from_object: Floats
    """(4, 4)"""
    against: int = 0
    """frames in a row, up to now, that show it to be held otherwise"""

    @staticmethod
    def of(pose: HandObjectPose) -> Hold:
        """As it is in this pose."""
        return Hold(inverse(pose.hand.camera_from_hand) @ pose.camera_from_object)

    def in_hand(self, pose: HandObjectPose) -> HandObjectPose:
        """With the object where the hand has it."""
        return replace(pose, camera_from_object=pose.hand.camera_from_hand @ self.hand_from_object)

    def slipped(self, pose: HandObjectPose, told: float) -> Hold:
        """A little towards how it is in this pose, of which the frame tells so much, 0 to 1."""
        now, share = Hold.of(pose).hand_from_object, SLIPS * told
        turn = matrix_from_rotation_vector(
            share * rotation_vector_from_matrix(now[:3, :3] @ self.hand_from_object[:3, :3].T)
        )
        shift = share * (now - self.hand_from_object)[:3, 3]
        return Hold(rigid(turn @ self.hand_from_object[:3, :3], self.hand_from_object[:3, 3] + shift))


def held(
    observation: Observation,
    estimate: Estimate,
    hold: Hold,
    before: float,
    knowledge: SceneKnowledge,
    rng: np.random.Generator,
) -> tuple[Estimate, Hold]:
    """The object as the hand holds it, if that explains the frame about as well as where it was found to be.

    Args:
        observation: of the frame.
        estimate: of object and hand.
        hold: how the object was held before.
        before: confidence in the object in the frame before.
        knowledge: of the scene.
        rng: of all randomness.

    Returns:
        The estimate, and how the object is held now.
    """
    pose = estimate.pose
    predicted = hold.in_hand(pose)
    if _turn_between(pose, predicted) < TURNED:
        return _told_by_hand(estimate), hold.slipped(pose, estimate.told_here)
    problem = fine_problem(observation, [predicted, pose], knowledge, rng)
    here = float(problem.residuals(problem.layout.vector(pose))[1].sum())
    vector = turned_as_held(problem, pose, predicted)
    if _turn_between(pose, problem.layout.pose(vector)) < TURNED:
        return _told_by_hand(estimate), hold.slipped(pose, estimate.told_here)
    held_otherwise = estimate.told_here * rising((float(problem.residuals(vector)[1].sum()) - here) / LOOSE)
    if held_otherwise > 0.5:
        against = hold.against + 1
        # what the frames before told of its turn they told of one that was held as before
        doubted = replace(estimate, told=min(estimate.told, held_otherwise))
        return doubted, Hold.of(pose) if against >= PATIENCE else replace(hold, against=against)
    return _judged(observation, problem, vector, estimate, before, knowledge, rng), replace(hold, against=0)


def put_in_hand(
    observation: Observation,
    estimate: Estimate,
    hold: Hold,
    before: float,
    knowledge: SceneKnowledge,
    rng: np.random.Generator,
) -> Estimate:
    """An object that was not found about where the hand has it, whatever that costs; args as `held`."""
    predicted = hold.in_hand(estimate.pose)
    problem = fine_problem(observation, [predicted], knowledge, rng)
    return _judged(observation, problem, placed_as_held(problem, predicted), estimate, before, knowledge, rng)


def _judged(
    observation: Observation,
    problem: Problem,
    vector: Floats,
    estimate: Estimate,
    before: float,
    knowledge: SceneKnowledge,
    rng: np.random.Generator,
) -> Estimate:
    """The estimate with the object of the hypothesis (32,), which is as the hand has it."""
    found = estimated(observation, problem, vector, knowledge, rng)
    near = near_turn(problem, vector, knowledge.symmetries).cost
    # which of the far turns it is the hand tells, so that none is asked about
    found = with_told(found, Settled(vector, near, np.inf), estimate.told, colored=knowledge.colored)
    found = replace(found, confidence=followed_confidence(found.evidence, before))
    return _told_by_hand(_beside_the_hand(estimate, found))


def _told_by_hand(estimate: Estimate) -> Estimate:
    """An object that is turned as the hand holds it: that is told as surely as the hand is right."""
    return replace(estimate, told=max(estimate.told, estimate.hand_certainty))


def _beside_the_hand(estimate: Estimate, found: Estimate) -> Estimate:
    """The estimate with another one of the object, its hand as it is."""
    return replace(
        found,
        pose=replace(estimate.pose, camera_from_object=found.pose.camera_from_object),
        hand_confidence=estimate.hand_confidence,
        hand_quality=estimate.hand_quality,
        hand_told=estimate.hand_told,
        spread=estimate.spread,
    )


def _turn_between(one: HandObjectPose, other: HandObjectPose) -> float:
    """Radians."""
    return float(geodesic_angle(one.camera_from_object[:3, :3], other.camera_from_object[:3, :3]))
