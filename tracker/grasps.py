"""The grasps seen so far: where hands were on the object, as starts for finding one again.

A person holds an object in few ways and carries it along in each. A hand that was found in one frame is therefore the
best guess for another frame, however far apart the two are, once it is carried along with the object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import HandPose
from scene.rotations import geodesic_angle
from scene.transforms import inverse
from tracker.hypothesis import HandObjectPose

MOST = 6
"""grasps that are kept, the latest first"""
SAME_TURN, SAME_PLACE = 0.3, 0.025
"""radians and metres between two hands, on the object, that are one grasp"""


@dataclass(frozen=True)
class Grasps:
    """Different grasps, the latest first."""

    on_object: tuple[HandPose, ...] = ()
    """hands in the object's frame: object_from_hand in place of camera_from_hand"""

    def remembered(self, pose: HandObjectPose) -> Grasps:
        """With the grasp of `pose` in place of the one that it is near to, or of the oldest."""
        hand = on_object(pose)
        others = [grasp for grasp in self.on_object if not _same(grasp, hand)]
        return replace(self, on_object=(hand, *others)[:MOST])

    def hands(self, camera_from_object: Floats) -> list[HandPose]:
        """Each grasp on an object that stands at (4, 4)."""
        return [carried(grasp, camera_from_object) for grasp in self.on_object]


def on_object(pose: HandObjectPose) -> HandPose:
    """The hand in the object's frame: object_from_hand in place of camera_from_hand."""
    return carried(pose.hand, inverse(pose.camera_from_object))


def carried(hand: HandPose, target_from_source: Floats) -> HandPose:
    """The hand in another frame, or after a motion: (4, 4)."""
    return replace(hand, camera_from_hand=target_from_source @ hand.camera_from_hand)


def _same(one: HandPose, other: HandPose) -> bool:
    here, there = one.camera_from_hand, other.camera_from_hand
    near = np.linalg.norm(here[:3, 3] - there[:3, 3]) < SAME_PLACE
    return bool(near and geodesic_angle(here[:3, :3], there[:3, :3]) < SAME_TURN)
