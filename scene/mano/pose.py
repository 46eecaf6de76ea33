"""Our hand's poses as those of a MANO hand: rotations of its joints in closed form.

Each MANO bone is taken to be fixed to ours. At rest ours is turned, by the shortest way from the straight finger, to
where MANO's flat hand has it; from there it has come to where it is now by a rotation, which is MANO's. Bones then
point as ours do; what is left are other bone lengths and another palm.
"""

from __future__ import annotations

import numpy as np

from scene.arrays import Floats
from scene.hand_pose import bones
from scene.hand_shape import HandShape
from scene.mano.hand import mano_from_hand
from scene.mano.model import BONES, FINGER_STARTS, PARENTS, ManoModel, ManoPoses, joints
from scene.rotations import matrix_from_rotation_vector, rotation_vector_from_matrix

MANO_BONES = [start + bone for start in FINGER_STARTS for bone in range(3)]
"""of our 15 phalanges, MANO's joints at which they begin"""


def mano_poses(
    model: ManoModel, betas: Floats, shape: HandShape, camera_from_hand: Floats, angles: Floats
) -> ManoPoses:
    """N poses of our hand as those of the MANO hand of shape (10,) `betas`, in camera coordinates.

    Args:
        model: of the same side.
        betas: its shape.
        shape: of our hand.
        camera_from_hand: (N, 4, 4) metres.
        angles: (N, 20) radians.
    """
    at_rest = joints(model, betas, ManoPoses.flat())[0]
    hand_from_mano = mano_from_hand(at_rest, shape)[:3, :3].T
    hand_from_bone = np.array([bones(shape, one)[1:, :3, :3] for one in angles]).reshape(-1, 15, 3, 3)
    came = hand_from_bone @ np.swapaxes(_resting(shape, at_rest, hand_from_mano), -1, -2)
    turned = np.tile(np.eye(3), (len(angles), BONES, 1, 1))  # each of MANO's bones against the palm
    turned[:, MANO_BONES] = hand_from_mano.T @ came @ hand_from_mano
    against_parent = np.swapaxes(turned[:, list(PARENTS[1:])], -1, -2) @ turned[:, 1:]
    return ManoPoses(
        global_orient=rotation_vector_from_matrix(camera_from_hand[:, :3, :3] @ hand_from_mano),
        hand_pose=rotation_vector_from_matrix(against_parent).reshape(-1, 45),
        transl=camera_from_hand[:, :3, 3] - at_rest[0],
    )


def _resting(shape: HandShape, at_rest: Floats, hand_from_mano: Floats) -> Floats:
    """(15, 3, 3) hand_from_bone of our phalanges as the flat MANO hand has them."""
    straight = bones(shape, np.zeros(20))[1:, :3, :3]
    along = np.diff(at_rest[1:].reshape(5, 4, 3), axis=1).reshape(15, 3) @ hand_from_mano.T
    return shortest_turns(straight[:, :, 0], along) @ straight


def shortest_turns(source: Floats, target: Floats) -> Floats:
    """(N, 3), (N, 3) directions of any length -> (N, 3, 3) rotations from the one to the other by the least angle."""
    cross = np.cross(source, target)
    sine = np.linalg.norm(cross, axis=1, keepdims=True)
    angle = np.arctan2(sine, (source * target).sum(axis=1, keepdims=True))
    return matrix_from_rotation_vector(angle * cross / np.maximum(sine, 1e-12))
