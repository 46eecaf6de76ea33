"""One candidate pose of hand and object, and the 32 numbers by which a particle holds it.

Rotations are stored relative to a reference orientation as rotation vectors: near the reference, where a swarm
searches, these are free of singularities and each of the 32 numbers is one degree of freedom (6 object + 26 hand).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import ANGLE_LIMITS, HandPose
from scene.rotations import matrix_from_rotation_vector, rotation_vector_from_matrix
from scene.transforms import rigid

VECTOR_SIZE = 32
OBJECT_TRANSLATION, OBJECT_ROTATION = slice(0, 3), slice(3, 6)
HAND_TRANSLATION, HAND_ROTATION, HAND_ANGLES = slice(6, 9), slice(9, 12), slice(12, 32)


@dataclass(frozen=True)
class HandObjectPose:
    """One candidate."""

    camera_from_object: Floats
    """(4, 4)"""
    hand: HandPose


@dataclass(frozen=True)
class Layout:
    """How vectors relate to poses: the reference orientations about which rotation vectors are counted."""

    object_reference: Floats
    """(3, 3) rotation of camera_from_object at rotation vector zero"""
    hand_reference: Floats
    """(3, 3) rotation of camera_from_hand at rotation vector zero"""

    @staticmethod
    def about(pose: HandObjectPose) -> Layout:
        """The layout in which `pose` has both rotation vectors zero."""
        return Layout(pose.camera_from_object[:3, :3].copy(), pose.hand.camera_from_hand[:3, :3].copy())

    def vector(self, pose: HandObjectPose) -> Floats:
        """Pose -> (32,) metres and radians."""
        vector = np.zeros(VECTOR_SIZE)
        object_rotation, hand_rotation = pose.camera_from_object[:3, :3], pose.hand.camera_from_hand[:3, :3]
        vector[OBJECT_TRANSLATION] = pose.camera_from_object[:3, 3]
        vector[OBJECT_ROTATION] = rotation_vector_from_matrix(object_rotation @ self.object_reference.T)
        vector[HAND_TRANSLATION] = pose.hand.camera_from_hand[:3, 3]
        vector[HAND_ROTATION] = rotation_vector_from_matrix(hand_rotation @ self.hand_reference.T)
        vector[HAND_ANGLES] = pose.hand.angles
        return vector

    def pose(self, vector: Floats) -> HandObjectPose:
        """(32,) -> pose."""
        object_rotation = matrix_from_rotation_vector(vector[OBJECT_ROTATION]) @ self.object_reference
        hand_rotation = matrix_from_rotation_vector(vector[HAND_ROTATION]) @ self.hand_reference
        return HandObjectPose(
            rigid(object_rotation, vector[OBJECT_TRANSLATION]),
            HandPose(rigid(hand_rotation, vector[HAND_TRANSLATION]), np.asarray(vector[HAND_ANGLES], float)),
        )

    def hand_rotations(self, vectors: Floats) -> Floats:
        """(..., 32) -> (..., 3, 3) rotations of camera_from_hand."""
        rotations: Floats = matrix_from_rotation_vector(vectors[..., HAND_ROTATION]) @ self.hand_reference
        return rotations


def clamp_angles(vectors: Floats) -> Floats:
    """(..., 32) -> the same with every joint angle inside its limits."""
    clamped = np.array(vectors, float)
    clamped[..., HAND_ANGLES] = np.clip(clamped[..., HAND_ANGLES], ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
    return clamped
