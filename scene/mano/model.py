"""MANO's hand: vertices and joints of a shape and a pose, in metres, by linear blend skinning.

Romero, Tzionas and Black, "Embodied Hands: Modeling and Capturing Hands and Bodies Together", SIGGRAPH Asia 2017, with
the equations of Loper et al., "SMPL", SIGGRAPH Asia 2015. 16 joints in MANO's order: wrist, then three each of index,
middle, little finger, ring finger and thumb. A pose is a rotation of each joint against its parent, zero for the flat
hand of the template; the wrist's, `global_orient`, turns the hand about the wrist, not about the origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Floats, Integers
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid

BONES, BETAS = 16, 10
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
"""joint -> the joint that it is turned against"""
FINGER_STARTS = (13, 1, 4, 10, 7)
"""first of MANO's three joints of each of our fingers: thumb, index, middle, ring, little"""
TIP_VERTICES = (744, 320, 443, 554, 671)
"""of our fingers' tips: the vertices that the authors' package smplx takes. manopth takes neighbouring ones."""
OUR_JOINTS = (
    0,
    *(place for finger, start in enumerate(FINGER_STARTS) for place in (*range(start, start + 3), 16 + finger)),
)
"""places of our 21 joints among MANO's 16 with the five tips behind them"""


@dataclass(frozen=True)
class ManoModel:
    """The arrays of a model's file."""

    template: Floats
    """(778, 3) metres, flat hand"""
    shape_directions: Floats
    """(778, 3, 10) metres to one unit of each shape coefficient"""
    pose_directions: Floats
    """(778, 3, 135) metres to one unit of each entry of the 15 rotations, less the identity"""
    joint_regressor: Floats
    """(16, 778) joints of vertices"""
    weights: Floats
    """(778, 16) of each joint in a vertex, rows sum to 1"""
    hands_mean: Floats
    """(45,) rotation vectors of the mean pose: what a layer with `flat_hand_mean=False` adds to a pose"""

    def shaped(self, betas: Floats) -> Floats:
        """(10,) -> (778, 3) metres: the flat hand of that shape (SMPL, equation 8)."""
        shaped: Floats = self.template + self.shape_directions @ betas
        return shaped


@dataclass(frozen=True)
class ManoPoses:
    """N poses, in the parameters of the usual MANO layers with `flat_hand_mean=True` and `use_pca=False`."""

    global_orient: Floats
    """(N, 3) rotation vectors of the hand about its wrist"""
    hand_pose: Floats
    """(N, 45) rotation vectors of joints 1 to 15 in MANO's order"""
    transl: Floats
    """(N, 3) metres, added after all rotations"""

    def __len__(self) -> int:
        """N."""
        return len(self.transl)

    @staticmethod
    def flat() -> ManoPoses:
        """One, as the template."""
        return ManoPoses(np.zeros((1, 3)), np.zeros((1, 45)), np.zeros((1, 3)))


def skinned(
    model: ManoModel, betas: Floats, poses: ManoPoses, vertices: Integers | slice = slice(None)
) -> tuple[Floats, Floats]:
    """Joints and vertices of N poses.

    Args:
        model: whose.
        betas: (10,) of the shape.
        poses: N of them.
        vertices: (V,) indices of those wanted; all where not given.

    Returns:
        (N, 16, 3) joints and (N, V, 3) vertices in metres, in the frame that `transl` is in.
    """
    shaped = model.shaped(betas)
    at_rest = model.joint_regressor @ shaped
    vectors = np.concatenate([poses.global_orient, poses.hand_pose], axis=1).reshape(-1, BONES, 3)
    rotations = matrix_from_rotation_vector(vectors)
    frames = _chained(rotations, at_rest)
    # SMPL, equation 9: what bending does to the skin
    bends = (rotations[:, 1:] - np.eye(3)).reshape(-1, 9 * (BONES - 1))
    resting = shaped[vertices] + np.einsum("vij,nj->nvi", model.pose_directions[vertices], bends)
    # SMPL, equations 2 to 4: each joint moves its vertices from where they rest, and those of several are between
    moved = frames.copy()
    moved[..., :3, 3] -= np.einsum("nbij,bj->nbi", frames[..., :3, :3], at_rest)
    blended = np.einsum("vb,nbij->nvij", model.weights[vertices], moved[..., :3, :])
    skin = np.einsum("nvij,nvj->nvi", blended[..., :3], resting) + blended[..., 3]
    return frames[..., :3, 3] + poses.transl[:, None], skin + poses.transl[:, None]


def joints(model: ManoModel, betas: Floats, poses: ManoPoses) -> Floats:
    """(N, 21, 3) metres, as scene.hand_pose.JOINT_NAMES; tips are on the skin, at TIP_VERTICES."""
    inner, tips = skinned(model, betas, poses, np.array(TIP_VERTICES))
    return np.concatenate([inner, tips], axis=1)[:, list(OUR_JOINTS)]


def _chained(rotations: Floats, at_rest: Floats) -> Floats:
    """(N, 16, 3, 3) against parents, (16, 3) -> (N, 16, 4, 4) each joint's frame."""
    frames = rigid(rotations, at_rest - np.where(np.array(PARENTS)[:, None] < 0, 0.0, at_rest[list(PARENTS)]))
    for joint in range(1, BONES):
        frames[:, joint] = frames[:, PARENTS[joint]] @ frames[:, joint]
    return frames
