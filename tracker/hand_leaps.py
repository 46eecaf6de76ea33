"""A hand that was seen surely is not elsewhere on its object a frame later: what leaps there is something else.

Where a hand turns behind the object that it holds, a sleeve of its colour may explain more than what is left of it in
sight. In: where the hand was seen surely last, and one that was found. Out: whether the one can have become the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.hand_pose import HandPose, joints
from scene.hand_shape import HandShape
from tracker.grasps import on_object
from tracker.hypothesis import HandObjectPose

OFF, STEP = 0.03, 0.03
"""metres between joints, on average: by which two hands that are one may be off together, and that a hand moves at
most against an object in each frame; one that grasps anew quickly moves half as far"""


@dataclass(frozen=True)
class Sighting:
    """A hand that was TRACKED."""

    index: int
    """of the frame"""
    on_object: HandPose
    """object_from_hand in place of camera_from_hand"""

    @staticmethod
    def of(index: int, pose: HandObjectPose) -> Sighting:
        """In a frame."""
        return Sighting(index, on_object(pose))

    def may_become(self, index: int, pose: HandObjectPose, shape: HandShape) -> bool:
        """Whether the hand of a pose in another frame is no farther than it can have moved on the object by then."""
        before, here = (joints(shape, hand) for hand in (self.on_object, on_object(pose)))
        moved = float(np.linalg.norm(here - before, axis=1).mean())
        return moved <= OFF + STEP * abs(index - self.index)
