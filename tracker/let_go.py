"""A hand that is away from the object does not move it: one that is followed there while it moves is not the hand.

Behind a large object a hand may be seen nowhere; what is then found on the bare forearm fits all that is seen of skin.
But things do not move by themselves. In: where hand and object are, frame by frame. Out: whether that can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import joints
from tracker.explanation import point_distances
from tracker.hypothesis import HandObjectPose, Layout
from tracker.scene_knowledge import SceneKnowledge

AWAY = 0.025
"""metres from the middle lines of the fingers to the object, from which they do not touch it: they are half as thick,
and either may be off by as much again"""
MOVED, TURNED = 0.01, 0.17
"""metres and radians, either of which is more than an object's pose is off"""
RECENTLY = 15
"""frames for which it counts that the object moved"""


@dataclass(frozen=True)
class LetGo:
    """Since when the hand that is followed has been away from the object, and whether that moved since."""

    camera_from_object: Floats | None = None
    """(4, 4) when it was away at first, or when the object had moved last; None while the hand touches it"""
    moved: int | None = None
    """frame in which the object had moved last; None if it did not"""

    def seen(self, index: int, pose: HandObjectPose, knowledge: SceneKnowledge) -> LetGo:
        """With one more frame, and where hand and object are in it; where the camera moves nothing is seen to."""
        if not is_off(pose, knowledge):
            return self.elsewhere()
        before, here = self.camera_from_object, pose.camera_from_object
        if before is None or not knowledge.surroundings.still:
            return LetGo(here, self.moved)
        return self if knowledge.symmetries.alike(before, here, MOVED, TURNED) else LetGo(here, index)

    def elsewhere(self) -> LetGo:
        """Where the hand is not known to be away: when an object moved, something held it, whatever is followed now."""
        return LetGo(None, self.moved)

    @property
    def is_away(self) -> bool:
        """Whether the hand does not touch the object: then this is no grasp."""
        return self.camera_from_object is not None

    def is_contradicted(self, index: int) -> bool:
        """Whether the object moved, not long before or after, while what was followed did not touch it."""
        return self.moved is not None and abs(index - self.moved) <= RECENTLY


def is_off(pose: HandObjectPose, knowledge: SceneKnowledge) -> bool:
    """Whether no finger is at the object."""
    chains = joints(knowledge.shape, pose.hand)[1:].reshape(5, 4, 3)
    places = np.concatenate([chains, (chains[:, 1:] + chains[:, :-1]) / 2], axis=1).reshape(-1, 3)
    layout = Layout.about(pose)
    distances, _ = point_distances(layout.vector(pose), layout, places, knowledge.models, False)
    return bool(distances.min() > AWAY)
