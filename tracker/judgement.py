"""A hypothesis with its judgement: how all of the frame about it agrees, not only the points that it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from tracker.explanation import ON_BODY, point_distances, view_samples
from tracker.hand_quality import HandQuality
from tracker.hypothesis import HandObjectPose
from tracker.nearby import pick, within
from tracker.objective import COLOR
from tracker.observation import Observation
from tracker.quality import ObjectQuality, chance, object_evidence
from tracker.refine import Problem
from tracker.turns import Settled, chance_told

ABOUT = 1.2
"""of the object's reach: as far about it points are asked whether it explains them"""
JUDGING_POINTS = 1500
FEWEST_OWN = 20
"""points near the object, below which its residual is not known"""
NEAR_OBJECT = 0.02
"""metres from the object beyond which a point is no miss of it but something else"""
STAYS_TOLD, KNOWN = 0.85, 0.5
"""share of what was told of an orientation that holds for the next frame, in which it has hardly changed; and how much
to hold for it to be known still"""
LEARNING = 0.9
"""certainty from which a frame teaches colours, and how the object is held"""


@dataclass(frozen=True)
class Estimate:
    """A hypothesis with its judgement."""

    pose: HandObjectPose
    confidence: float
    """chance that the object is within 10 degrees and 10 mm, if the frame tells that at all"""
    evidence: float
    """log odds for it by this frame alone: higher is the better of two poses"""
    terms: Floats
    """(6,) of the objective"""
    quality: ObjectQuality
    told: float = 0.0
    """chance that no other turn of the object explains the frame as well; 0 before that is asked"""
    told_here: float = 0.0
    """the same of small turns, by this frame alone"""
    hand_confidence: float = float("nan")
    """how well the hand fits, 0 to 1, by which it is followed; NaN where none was looked for, 0 where it is not seen"""
    hand_quality: HandQuality | None = None
    """None where no hand was looked for, or too little of one is seen to tell"""
    hand_told: float = 1.0
    """chance, by the last search for it, that no other hand explains what is seen as well (tracker/hand_rivals.py)"""
    spread: tuple[float, float] = (float("nan"), float("nan"))
    """metres and radians: deviation of the object over the better half of the swarm"""

    @property
    def certainty(self) -> float:
        """Chance that the pose is right: that it fits, and that no other fits as well.

        A pose of which the frame tells too little is still followed, since by moving on it may be told again.
        """
        return self.confidence * self.told

    @property
    def hand_certainty(self) -> float:
        """Chance that the hand is right, as `certainty`; NaN where none was looked for."""
        return self.hand_quality.certainty * self.hand_told if self.hand_quality else self.hand_confidence

    @property
    def hand_residual(self) -> float:
        """Metres, median distance of the hand's points to its surface."""
        return self.hand_quality.residual if self.hand_quality else float("nan")


def judged(
    observation: Observation,
    problem: Problem,
    vector: Floats,
    usual: Floats,
    rng: np.random.Generator,
    *,
    colored: bool,
) -> Estimate:
    """The hypothesis (32,) with its confidence, no hand yet; `usual` as in object_evidence."""
    _, terms = problem.residuals(vector)
    quality = object_quality(observation, problem, vector, terms, rng)
    evidence = object_evidence(quality, usual, colored=colored)
    return Estimate(problem.layout.pose(vector), chance(evidence), evidence, terms, quality)


def with_told(estimate: Estimate, pose: Settled, before: float = 0.0, *, colored: bool) -> Estimate:
    """The estimate with the chance that no other turn explains the frame as well.

    A hidden handle lets an orientation drift, but not jump: as long as it is known from the frames before, small turns
    alone are asked about. Once it is not, it has to be found among all of them again.

    Args:
        estimate: of the pose.
        pose: with what turns of it would cost.
        before: what was told in the frame before, 0 where the object was not followed from there.
        colored: whether the mesh has colours.
    """
    visible = estimate.quality.view.support
    here = chance_told(pose.near, visible, colored=colored)
    told = max(here, STAYS_TOLD * before)
    if before < KNOWN:
        told = min(here, chance_told(pose.far, visible, colored=colored))
    return replace(estimate, told=told, told_here=here)


def object_quality(
    observation: Observation, problem: Problem, vector: Floats, terms: Floats, rng: np.random.Generator
) -> ObjectQuality:
    """What all points about the object say."""
    view = view_samples(vector, problem.layout, problem.evidence, problem.models, problem.weights)
    reach = problem.models.object_reach
    near = within(observation.points, vector[:3], ABOUT * reach)
    evidence = observation.evidence(pick(near, JUDGING_POINTS, rng))
    distance, _ = point_distances(vector, problem.layout, evidence.points, problem.models, False)
    on_object, on_hand = evidence.point_object_chance, evidence.point_hand_chance
    like_object = on_object > np.maximum(on_hand, 0.4)
    own = distance[(on_object >= on_hand) & (distance < NEAR_OBJECT)]
    discolored = float(terms[COLOR]) / problem.weights.color / max(view.support, 0.05)
    return ObjectQuality(
        view,
        residual=float(np.median(own)) if len(own) > FEWEST_OWN else NEAR_OBJECT,
        explained=float((distance[like_object] < ON_BODY).sum() / max(like_object.sum(), 1)),
        discolored=min(discolored, 1.0),
        depth=float(vector[2]),
        extent=2 * reach,
    )
