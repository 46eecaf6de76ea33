"""How much is told of a hand: what the others that a search came to would cost, where they are elsewhere.

Behind a camera larger than itself a hand may be seen nowhere, and another one, laid on the bare forearm, then explains
all that looks like a hand. How well that one fits says nothing of whether it is right, but the true one explains the
frame as well. In: the hand that was settled on, and those that the search ended in. Out: the chance that it is told.
"""

from __future__ import annotations

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import joints
from scene.hand_shape import HandShape
from tracker.grasp_views import SameGrasp
from tracker.turns import rising

OTHER_HAND = 0.03
"""metres between joints, on average, from which two hands are not one"""
TELLING = 0.05
"""by how much less than any other hand one has to cost, in this frame and its views on average, to be as likely the
only one that explains them as not"""


def chance_told(same: SameGrasp, hand: Floats, found: Floats, shape: HandShape) -> float:
    """Chance, 0 to 1, that a hand which fits is not one of several that fit as well.

    Args:
        same: the problem of this frame and of the views that the hand explains.
        hand: (32,) that was settled on.
        found: (N, 32) hands that a search ended in, it or others.
        shape: of the hand.
    """
    layout = same.now.layout
    mine, others = (np.array([joints(shape, layout.pose(one).hand) for one in hands]) for hands in (hand[None], found))
    rivals = found[np.linalg.norm(others - mine, axis=2).mean(axis=1) > OTHER_HAND]
    if not len(rivals):
        return 1.0
    cost = (same.objectives(rivals).min() - same.objectives(hand[None])[0]) / (1 + len(same.views))
    return rising(float(cost) / TELLING)
