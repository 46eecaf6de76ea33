"""How large the hand is: sizes tried on the first hands that are vouched for; the best one is kept for the rest.

A hand that is a tenth too small fits its points nearly as well, bent otherwise. In one frame that can hardly be told;
over some frames the objective is lowest at the right size. Palm and fingers have a factor each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from scene.arrays import Floats
from scene.hand_shape import HandShape, proportioned
from tracker.grasp_views import SameGrasp, View
from tracker.hypothesis import HandObjectPose, Layout
from tracker.models import with_hand_shape
from tracker.objective import Evidence
from tracker.refine import HAND_NUMBERS, Problem, refined
from tracker.scene_knowledge import SceneKnowledge
from tracker.threads import shared

PALMS, FINGERS = (0.88, 0.94, 1.0, 1.06, 1.12), (0.93, 1.0, 1.07)
"""factors of the palm, and of the fingers on top of that"""
SIZES: Floats = np.array([(palm, palm * fingers) for palm, fingers in product(PALMS, FINGERS)])
"""(S, 2) of palm and fingers"""
FRAMES = 8
"""hands that are looked at"""
ITERATIONS = 8
UNUSUAL = 6.0
"""by how much less a size twice the average one would have to cost, as a share: hands of adults differ by 5 to 7 % (one
deviation), and hands in slightly wrong poses fit a size that is slightly wrong some 2 % better"""


def problem_of(evidence: Evidence, pose: HandObjectPose, views: tuple[View, ...], known: SceneKnowledge) -> SameGrasp:
    """What sizes are tried on: a frame in which the hand is vouched for, and views of the same grasp."""
    fixed = known.models, known.weights, Layout.about(pose), pose.hand.angles
    now = Problem(evidence, *fixed, use_hand=True, use_object=False)
    return SameGrasp(now, pose.camera_from_object, views)


@dataclass(frozen=True)
class HandSizes:
    """What the hands seen so far say of each size."""

    objectives: Floats
    """(S,) summed over the frames"""
    frames: int

    @staticmethod
    def unknown() -> HandSizes:
        """Before a hand is seen."""
        return HandSizes(np.zeros(len(SIZES)), 0)

    @property
    def known(self) -> bool:
        """Whether enough was seen."""
        return self.frames >= FRAMES

    def seen(self, problem: SameGrasp, pose: HandObjectPose, knowledge: SceneKnowledge) -> HandSizes:
        """With one more hand, whose pose is refined at each size.

        Args:
            problem: of its frame, and of further views where there are some.
            pose: that is vouched for.
            knowledge: whose hand is the average one.
        """
        start = problem.now.layout.vector(pose)

        def objective(size: Floats) -> float:
            models = with_hand_shape(knowledge.models, proportioned(knowledge.shape, *size))
            return refined(replace(problem, now=replace(problem.now, models=models)), start, HAND_NUMBERS, ITERATIONS)[
                1
            ]

        return HandSizes(self.objectives + shared(objective, SIZES), self.frames + 1 + len(problem.views))

    def learned(
        self, problem: SameGrasp, pose: HandObjectPose, knowledge: SceneKnowledge
    ) -> tuple[HandSizes, SceneKnowledge]:
        """With one more hand, as `seen`, and what is known by then: the hand in the best size once enough was seen."""
        sizes = self.seen(problem, pose, knowledge)
        return sizes, knowledge.with_shape(sizes.fitted(knowledge.shape)) if sizes.known else knowledge

    def fitted(self, average: HandShape) -> HandShape:
        """The average hand in the size that explains best what was seen."""
        unusual = 1.0 + UNUSUAL * ((SIZES - 1.0) ** 2).sum(axis=1)
        return proportioned(average, *SIZES[np.argmin(np.maximum(self.objectives, 1e-6) * unusual)])
