"""How large the hand is: sizes tried on hands that are vouched for, more than once, as each size tells poses better.

A hand that is a tenth too small fits its points nearly as well, bent otherwise; but over a few frames the objective is
lowest near the right size even where the pose is a centimetre off, and from there the next poses are nearer. Palm and
fingers have a factor each. In: frames with a hand that is vouched for. Out: the hand in the size that is likeliest, by
what they cost and by how much the hands of adults differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import RectBivariateSpline

from scene.arrays import Floats
from scene.hand_shape import proportioned
from tracker.hypothesis import HandObjectPose, Layout
from tracker.models import with_hand_shape
from tracker.objective import Evidence
from tracker.refine import HAND_NUMBERS, Problem, refined
from tracker.scene_knowledge import SceneKnowledge
from tracker.threads import shared

PALMS: Floats = np.log([0.88, 0.94, 1.0, 1.06, 1.12])
FINGERS: Floats = np.log([0.93, 1.0, 1.07])
"""logarithms of the sizes tried, against the present one: of the palm, and of the fingers on top of that"""
FRAMES, ROUNDS = 4, 3
"""hands by which a size is told, and sizes told one after the other, each on hands that were followed in the last"""
EVERY = 3
"""frames from one that is looked at to the next: neighbours tell the same"""
ITERATIONS = 8
OVERALL, PROPORTION = 0.06, 0.03
"""deviations among adults, of logarithms: of hands' lengths, and of fingers against their palm"""
EVIDENCE = 80.0
"""what a logarithm of the objective counts, as one of likelihood: frames in a row err alike"""
FINE = 49
"""sizes along each of the two, of which the likeliest is taken, between those tried"""


def problem_of(evidence: Evidence, pose: HandObjectPose, known: SceneKnowledge) -> Problem:
    """What sizes are tried on: a frame in which the hand is vouched for."""
    fixed = known.models, known.weights, Layout.about(pose), pose.hand.angles
    return Problem(evidence, *fixed, use_hand=True, use_object=False)


@dataclass(frozen=True)
class HandSizes:
    """What the hands seen so far say of each size."""

    objectives: Floats
    """(palms, fingers) summed over the frames since a size was told last"""
    frames: int
    left: int
    """sizes to be told before the last one stays"""
    size: Floats
    """(2,) logarithms of the present palm and fingers against those of the average hand"""

    @staticmethod
    def unknown() -> HandSizes:
        """Before a hand is seen."""
        return HandSizes(np.zeros((len(PALMS), len(FINGERS))), 0, ROUNDS, np.zeros(2))

    @property
    def known(self) -> bool:
        """Whether enough was seen."""
        return self.left == 0

    def rehearsed(self) -> HandSizes:
        """Once frames are tracked: a size that was told stays, as all of a track should be of one hand."""
        return replace(self, left=0 if self.left < ROUNDS else 1)

    def asks(self, index: int) -> bool:
        """Whether to look at the frame `index`, if a hand is vouched for in it."""
        return not self.known and index % EVERY == 0

    def learned(
        self, problem: Problem, pose: HandObjectPose, knowledge: SceneKnowledge
    ) -> tuple[HandSizes, SceneKnowledge]:
        """With one more hand, and what is known by then: the hand in another size once enough was seen to tell one.

        Args:
            problem: of its frame.
            pose: that is vouched for.
            knowledge: with the present hand.
        """
        objectives = self.objectives + objectives_of_sizes(problem, pose, knowledge)
        if self.frames + 1 < FRAMES:
            return replace(self, objectives=objectives, frames=self.frames + 1), knowledge
        change = likeliest_change(objectives, self.size)
        told = HandSizes(np.zeros_like(objectives), 0, self.left - 1, self.size + change)
        return told, knowledge.with_shape(proportioned(knowledge.shape, *np.exp(change)))


def objectives_of_sizes(problem: Problem, pose: HandObjectPose, knowledge: SceneKnowledge) -> Floats:
    """(palms, fingers) what the hand of a pose costs in each size, the pose refined.

    From the present size outwards, each from where the one before it ended: from afar least squares do not get there.
    """
    middle = len(PALMS) // 2, len(FINGERS) // 2
    ends: dict[tuple[int, int], tuple[Floats, float]] = {}

    def tried(palm: int, fingers: int, start: Floats) -> None:
        sizes = np.exp([PALMS[palm], PALMS[palm] + FINGERS[fingers]])
        models = with_hand_shape(knowledge.models, proportioned(knowledge.shape, *sizes))
        ends[palm, fingers] = refined(replace(problem, models=models), start, HAND_NUMBERS, ITERATIONS)

    def outwards(way: range) -> None:
        for palm in way:
            tried(palm, middle[1], ends[palm - way.step, middle[1]][0])

    def aside(palm: int) -> None:
        for fingers in set(range(len(FINGERS))) - {middle[1]}:
            tried(palm, fingers, ends[palm, middle[1]][0])

    tried(*middle, problem.layout.vector(pose))
    shared(outwards, [range(middle[0] + 1, len(PALMS)), range(middle[0] - 1, -1, -1)])
    shared(aside, range(len(PALMS)))
    return np.array([[ends[palm, fingers][1] for fingers in range(len(FINGERS))] for palm in range(len(PALMS))])


def likeliest_change(objectives: Floats, size: Floats) -> Floats:
    """(2,) logarithms by which palm and fingers should change, for the summed `objectives` of the sizes tried.

    Args:
        objectives: (palms, fingers).
        size: (2,) logarithms of the present size against the average one.
    """
    palms, fingers = np.linspace(PALMS[0], PALMS[-1], FINE), np.linspace(FINGERS[0], FINGERS[-1], FINE)
    tried = RectBivariateSpline(PALMS, FINGERS, np.log(np.maximum(objectives, 1e-6)), kx=2, ky=2)
    changes = np.stack(np.broadcast_arrays(palms[:, None], palms[:, None] + fingers), axis=-1)
    overall, proportion = (size + changes).mean(axis=-1), np.diff(size + changes)[..., 0]
    unlikely = (overall / OVERALL) ** 2 / 2 + (proportion / PROPORTION) ** 2 / 2
    best = np.argmin(EVIDENCE * tried(palms, fingers) + unlikely)
    change: Floats = changes.reshape(-1, 2)[best]
    return change
