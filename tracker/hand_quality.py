"""Whether a hand can be vouched for: how well it fits, by which it is followed, and the chance that it is right.

Points on the surface say little of the second: fingers that are hidden, or bent into the palm, lie on no wrong points.
What tells right hands from wrong ones is how much of the fingers is seen where they should be, how much that looks like
a hand is nobody's, and how much of them is seen in the views of the grasp that agree. A logistic model of that, fitted
to simulated recordings with truth by `scripts/calibrate_hand_confidence.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Booleans, Floats
from scene.transforms import apply, inverse
from tracker.explanation import point_distances, view_fingers
from tracker.nearby import BEHIND_WRIST, pick, within
from tracker.objective import HAND
from tracker.observation import Observation
from tracker.quality import chance
from tracker.refine import Problem

FEATURES = ("seen", "seen_through", "unexplained", "seen_in_views")
SIGNS = (1, -1, -1, 1)
"""whether each may speak for a hand or against it"""
COEFFICIENTS: Floats = np.array([2.94, -9.84, -20.47, 3.25])
BIAS = 0.39
POINTS, FEWEST_POINTS = 800, 40
"""that are asked about, and below which nothing is known"""
HAND_SPAN = 0.3
"""metres from the wrist within which all of a hand is"""
OFF_OBJECT = 0.006
"""metres from the object beyond which a hand-coloured point is the hand's"""
ON_HAND, NOBODYS = 0.010, 0.015
"""metres from the hand within which a point is explained by it, and from hand and object beyond which it is nobody's"""
NARROW = 0.5
"""cosine about the way back from the wrist, beyond which a point may be the forearm's"""


@dataclass(frozen=True)
class HandQuality:
    """What speaks for and against a hand."""

    residual: float
    """metres, median distance of the hand-coloured points to its surface"""
    explained: float
    """share of them that lie on it"""
    before_depth: float
    """the objective's term `hand`, not weighted: 0 where nothing of it stands before what was measured"""
    seen: float
    """share of the fingers' camera side that is where the sensor measured a surface"""
    seen_through: float
    """share of it that stands before what was measured"""
    unexplained: float
    """share of the hand-coloured points beyond the wrist that are neither on the hand nor on the object"""
    seen_in_views: float
    """the share `seen` in each view of the grasp that it explains beside the frame, summed: views in which nothing is
    seen of it, as behind a large object, say nothing"""

    def features(self) -> Floats:
        """(4,) FEATURES."""
        return np.array([self.seen, self.seen_through, self.unexplained, self.seen_in_views])

    @property
    def fit(self) -> float:
        """How well it fits, 0 to 1, by which it is followed; the coefficients were set by hand."""
        score = 2.0 - 400.0 * max(self.residual - 0.004, 0.0) + 5.0 * (self.explained - 0.6)
        return chance(score - 8.0 * max(self.before_depth - 0.1, 0.0))

    @property
    def certainty(self) -> float:
        """Chance that its 21 joints are within 20 mm of the true ones on average."""
        return chance(float(self.features() @ COEFFICIENTS + BIAS))


def hand_quality(
    observation: Observation,
    problem: Problem,
    vector: Floats,
    terms: Floats,
    seen_in_views: float,
    rng: np.random.Generator,
) -> HandQuality | None:
    """What the frame says of the hand of a hypothesis; None where too little of one is seen to tell.

    Args:
        observation: of the frame.
        problem: of hand and object.
        vector: (32,) the hypothesis.
        terms: (6,) of the objective there.
        seen_in_views: as of HandQuality.
        rng: picks the points that are asked about.
    """
    camera_from_hand = problem.layout.pose(vector).hand.camera_from_hand
    near = within(observation.points, camera_from_hand[:3, 3], HAND_SPAN)
    points = observation.points[pick(observation.hand_points & near, POINTS, rng)]
    to_object, to_hand = point_distances(vector, problem.layout, points, problem.models, True)
    to_hand = np.abs(to_hand)
    mine = to_hand[to_object > OFF_OBJECT]
    if len(mine) < FEWEST_POINTS:
        return None
    own = _beyond_wrist(observation, camera_from_hand, points)
    nobodys = own & (np.minimum(to_object, to_hand) > NOBODYS)
    seen, seen_through = view_fingers(vector, problem.layout, problem.evidence, problem.models)
    return HandQuality(
        residual=float(np.median(mine)),
        explained=float((mine < ON_HAND).mean()),
        before_depth=float(terms[HAND]) / problem.weights.hand,
        seen=seen,
        seen_through=seen_through,
        unexplained=float(nobodys.sum() / max(own.sum(), 1)),
        seen_in_views=seen_in_views,
    )


def _beyond_wrist(observation: Observation, camera_from_hand: Floats, points: Floats) -> Booleans:
    """(N,) whether points are no forearm's."""
    points_hand = apply(inverse(camera_from_hand), points)
    behind = -points_hand[:, 0]
    beyond: Booleans = (behind < BEHIND_WRIST) & (behind < NARROW * np.linalg.norm(points_hand, axis=1))
    return beyond if observation.arm is None else beyond & observation.arm.beyond_wrist(points)
