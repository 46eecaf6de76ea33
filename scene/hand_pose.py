"""What changes with every frame: 26 degrees of freedom, and where they put joints, bones and flesh.

Six are the hand's rigid motion, four to a finger its angles: abduction and flexion at the base joint, flexion at the
middle one, flexion at the last. Positive flexion curls to the palm, positive abduction turns a finger towards the thumb
and the thumb out of the palm's plane.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from scene.arrays import Floats, Integers
from scene.errors import InputError
from scene.hand_shape import FINGER_NAMES, HandShape
from scene.transforms import apply

ANGLE_NAMES = tuple(
    f"{finger}_{motion}"
    for finger in FINGER_NAMES
    for motion in ("abduction", "base_flexion", "middle_flexion", "last_flexion")
)
JOINT_NAMES = (
    "wrist",
    *(f"{finger}_{joint}" for finger in FINGER_NAMES for joint in ("base", "middle", "last", "tip")),
)
PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""joint -> the joint that its bone comes from; -1 for the wrist"""

ANGLE_LIMITS_DEG = (
    ((-25, 50), (-25, 45), (-10, 60), (-15, 80)),
    ((-15, 15), (-15, 90), (0, 110), (-5, 90)),
    ((-15, 15), (-15, 90), (0, 110), (-5, 90)),
    ((-15, 15), (-15, 90), (0, 110), (-5, 90)),
    ((-20, 20), (-15, 90), (0, 110), (-5, 90)),
)
"""(finger, motion) (lowest, highest). Fingers: the static constraints of Lin, Wu and Huang, "Modeling the Constraints
of Human Hand Motion", Workshop on Human Motion 2000, with 15 degrees of backward bending at the knuckle and 5 at the
last joint that passive motion allows. Thumb: the ranges of normal motion of the American Academy of Orthopaedic
Surgeons, about our rest direction."""
ANGLE_LIMITS: Floats = np.deg2rad(np.array(ANGLE_LIMITS_DEG, float).reshape(20, 2))
"""(20, 2) radians"""

BONE_COUNT = 16
"""palm, then three to a finger"""


@dataclass(frozen=True)
class HandPose:
    """Where a hand is and how its fingers are bent."""

    camera_from_hand: Floats
    """(4, 4)"""
    angles: Floats
    """(20,) radians, as ANGLE_NAMES"""

    def __post_init__(self) -> None:
        """Refuses wrong shapes."""
        if self.camera_from_hand.shape != (4, 4) or self.angles.shape != (20,):
            given = f"{self.camera_from_hand.shape} and {self.angles.shape}"
            raise InputError(f"a hand pose must be a (4, 4) transform and (20,) angles, got {given}")


def rest_angles() -> Floats:
    """(20,) radians of a relaxed, slightly curled hand."""
    curl = np.deg2rad([[10, 5, 10, 10]] + [[0, 20, 25, 15]] * 4)
    return np.asarray(curl).reshape(20)


def bones(shape: HandShape, angles: Floats) -> Floats:
    """(20,) radians -> (16, 4, 4) hand_from_bone: the palm, then three phalanges to a finger, x along each."""
    frames = np.tile(np.eye(4), (BONE_COUNT, 1, 1))
    place_bones(
        shape.base_offsets,
        shape.base_rotations,
        shape.phalanx_lengths,
        shape.abduction_sign,
        np.asarray(angles, float),
        frames,
    )
    return frames


@numba.njit(cache=True, error_model="numpy")
def place_bones(base_offsets, base_rotations, phalanx_lengths, abduction_sign, angles, frames):  # type: ignore[no-untyped-def]
    """Writes the 15 phalanx frames into frames[1:, :3]; frames[0] is the palm's and stays as given.

    Compiled, so that the tracker's kernel and everybody else share one forward kinematics.
    """
    rotation = np.empty((3, 3))
    for finger in range(5):
        cosine = np.cos(abduction_sign * angles[4 * finger])
        sine = np.sin(abduction_sign * angles[4 * finger])
        for row in range(3):  # times the turn about y
            x, y, z = base_rotations[finger, row, 0], base_rotations[finger, row, 1], base_rotations[finger, row, 2]
            rotation[row, 0] = x * cosine - z * sine
            rotation[row, 1] = y
            rotation[row, 2] = x * sine + z * cosine
        x0, y0, z0 = base_offsets[finger, 0], base_offsets[finger, 1], base_offsets[finger, 2]
        for bone in range(3):
            at, flexion = 1 + 3 * finger + bone, angles[4 * finger + 1 + bone]
            cosine, sine = np.cos(flexion), np.sin(flexion)
            for row in range(3):  # times the turn by -flexion about z
                x, y = rotation[row, 0], rotation[row, 1]
                rotation[row, 0] = x * cosine - y * sine
                rotation[row, 1] = x * sine + y * cosine
                for column in range(3):
                    frames[at, row, column] = rotation[row, column]
            frames[at, 0, 3], frames[at, 1, 3], frames[at, 2, 3] = x0, y0, z0
            x0 += phalanx_lengths[finger, bone] * rotation[0, 0]
            y0 += phalanx_lengths[finger, bone] * rotation[1, 0]
            z0 += phalanx_lengths[finger, bone] * rotation[2, 0]


def joints(shape: HandShape, pose: HandPose) -> Floats:
    """(21, 3) joints_camera in metres, as JOINT_NAMES."""
    return apply(pose.camera_from_hand, joints_of_bones(shape, bones(shape, pose.angles)))


def joints_of_bones(shape: HandShape, hand_from_bone: Floats) -> Floats:
    """(16, 4, 4) -> (21, 3) metres, hand frame."""
    starts = hand_from_bone[1:, :3, 3].reshape(5, 3, 3)
    last = hand_from_bone[3::3]
    tips = last[:, :3, 3] + shape.phalanx_lengths[:, 2:] * last[:, :3, 0]
    return np.concatenate([np.zeros((1, 3)), np.concatenate([starts, tips[:, None]], axis=1).reshape(20, 3)])


def segments(shape: HandShape, angles: Floats) -> tuple[Floats, Floats, Integers]:
    """The flesh: tapered capsules in the hand frame.

    Returns:
        (S, 2, 3) end points in metres, (S, 2) radii in metres, (S,) index of the bone each belongs to.
    """
    fingers = joints_of_bones(shape, bones(shape, angles))[1:].reshape(5, 4, 3)
    phalanges = np.stack([fingers[:, :3], fingers[:, 1:]], axis=2).reshape(15, 2, 3)
    radii = np.stack([shape.radii[:, :3], shape.radii[:, 1:]], axis=2).reshape(15, 2)
    owner = np.concatenate([np.zeros(len(shape.palm_segments), int), np.arange(1, BONE_COUNT)])
    return np.concatenate([shape.palm_segments, phalanges]), np.concatenate([shape.palm_radii, radii]), owner


def distance_to_segments(points: Floats, ends: Floats, radii: Floats) -> Floats:
    """(N, 3) points, (S, 2, 3) ends, (S, 2) radii, all metres -> (N, S) signed distance to each tapered capsule.

    The radius is that at the nearest point of the axis: exact for a plain capsule, and for our slight tapers within
    1 - cos(taper), less than one percent of the distance.
    """
    axis = ends[:, 1] - ends[:, 0]
    along = ((points[:, None] - ends[:, 0]) * axis).sum(-1) / np.maximum((axis**2).sum(-1), 1e-12)
    along = np.clip(along, 0.0, 1.0)
    nearest = ends[:, 0] + along[..., None] * axis
    radius = radii[:, 0] + along * (radii[:, 1] - radii[:, 0])
    distance: Floats = np.linalg.norm(points[:, None] - nearest, axis=-1) - radius
    return distance
