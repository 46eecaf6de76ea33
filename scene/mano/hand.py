"""The hand of a MANO model in this project's terms, so that it is the one that is tracked.

Joints come from the model; the flesh is that of capsules through its vertices. Two things stay those of the average
hand: the directions of straight fingers, from which the angles of joints and their limits count, and how capsules make
up the palm. Our finger tips lie inside the skin by the radius there, MANO's on it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from scene.arrays import Floats
from scene.errors import InputError
from scene.hand_pose import bones, distance_to_segments, joints_of_bones
from scene.hand_shape import HandShape, Side, average_hand
from scene.mano.model import BETAS, ManoModel, ManoPoses, joints
from scene.transforms import apply, inverse, rigid

BASES, KNUCKLES = [1, 5, 9, 13, 17], [5, 9, 13, 17]
"""of the 21 joints, those at which fingers begin, and without the thumb's"""
LEAST_BEND = 0.005
"""metres by which the mean pose moves finger tips to the palm, on average, if it is one"""
USUAL, SEEN = 0.004, 0.002
"""metres, standard deviations: of a radius from the scaled average hand's, of the skin from the capsules"""
PLACED = 0.002
"""metres, standard deviation of distances between a person's joints and those of the MANO hand with the same shape"""
THINNEST = 0.001
"""metres, least radius"""


def side_of(model: ManoModel) -> Side:
    """Which hand it is, which the file does not say: that to whose palm the mean pose bends the fingers."""
    none, flat = np.zeros(BETAS), ManoPoses.flat()
    mean = replace(flat, hand_pose=model.hands_mean[None])
    at_rest, bent = joints(model, none, flat)[0], joints(model, none, mean)[0]
    hand_from_mano = inverse(mano_from_hand(at_rest, average_hand("right")))
    towards_back = float((hand_from_mano[:3, :3] @ (bent - at_rest)[8::4].T)[1].mean())
    if abs(towards_back) < LEAST_BEND:
        raise InputError(
            "hands_mean of a MANO model must bend the fingers to the palm, and this one does not; give MANO_RIGHT.pkl "
            "or MANO_LEFT.pkl as published"
        )
    return "right" if towards_back < 0 else "left"


def mano_from_hand(at_rest: Floats, shape: HandShape) -> Floats:
    """(4, 4) our hand frame in a flat MANO hand: wrist on wrist, and turned so that knuckles are nearest to knuckles.

    Args:
        at_rest: (21, 3) metres, joints of the flat MANO hand.
        shape: ours.
    """
    rotation, _ = Rotation.align_vectors(at_rest[KNUCKLES] - at_rest[0], shape.base_offsets[1:])
    return rigid(rotation.as_matrix(), at_rest[0])


def hand_shape_of(model: ManoModel, betas: Floats) -> HandShape:
    """Our hand shape with the joints and the flesh of the MANO hand of shape (10,) `betas`."""
    average = average_hand(side_of(model))
    flat = joints(model, betas, ManoPoses.flat())[0]
    hand_from_mano = inverse(mano_from_hand(flat, average))
    at_rest, skin = apply(hand_from_mano, flat), apply(hand_from_mano, model.shaped(betas))
    fleshed = _fleshed(_like(average, at_rest), at_rest, skin)
    return replace(fleshed, phalanx_lengths=_bone_lengths(drawn_in(at_rest, fleshed.radii[:, 3])))


def drawn_in(joints_on_skin: Floats, tip_radii: Floats) -> Floats:
    """(..., 21, 3) joints whose tips are on the skin, (5,) metres -> the same with tips so far inside, as ours are."""
    inside = joints_on_skin.copy()
    last = joints_on_skin[..., 4::4, :] - joints_on_skin[..., 3::4, :]
    inside[..., 4::4, :] -= tip_radii[:, None] * last / np.linalg.norm(last, axis=-1, keepdims=True)
    return inside


def fitted_betas(model: ManoModel, shape: HandShape) -> Floats:
    """(10,) the likeliest shape of a MANO hand with our hand's distances between joints.

    Betas are independent and of unit deviation in the population that MANO was made from.
    """
    wanted = _distances(joints_of_bones(shape, bones(shape, np.zeros(20))))

    def residuals(betas: Floats) -> Floats:
        flat = joints(model, betas, ManoPoses.flat())[0]
        return np.concatenate([(_distances(drawn_in(flat, shape.radii[:, 3])) - wanted) / PLACED, betas])

    found: Floats = least_squares(residuals, np.zeros(BETAS)).x
    return found


def _distances(places: Floats) -> Floats:
    """(21, 3) joints -> (30,) distances between those that do not change when a hand moves."""
    palm = np.array(list(combinations([0, *BASES], 2)))
    across = np.linalg.norm(places[palm[:, 0]] - places[palm[:, 1]], axis=1)
    return np.concatenate([across, _bone_lengths(places).ravel()])


def _bone_lengths(places: Floats) -> Floats:
    """(21, 3) joints -> (5, 3) from the palm outwards."""
    lengths: Floats = np.linalg.norm(np.diff(places[1:].reshape(5, 4, 3), axis=1), axis=2)
    return lengths


def _like(average: HandShape, at_rest: Floats) -> HandShape:
    """The average hand with these (21, 3) joints, hand frame; its flesh grows with them."""
    bases, lengths = at_rest[BASES], _bone_lengths(at_rest)
    stretch = np.ones(3)  # along and across the palm
    stretch[0] = bases[1:, 0].mean() / average.base_offsets[1:, 0].mean()
    stretch[2] = (bases[4] - bases[1])[2] / (average.base_offsets[4] - average.base_offsets[1])[2]
    girth = lengths.sum() / (average.phalanx_lengths.sum() + average.radii[:, 3].sum())
    return replace(
        average,
        base_offsets=bases,
        phalanx_lengths=lengths,
        radii=average.radii * girth,
        palm_segments=average.palm_segments * stretch,
        palm_radii=average.palm_radii * girth,
    )


def _fleshed(shape: HandShape, at_rest: Floats, skin: Floats) -> HandShape:
    """The shape with radii, and heights of the palm's segments, by which its surface goes through the skin.

    Args:
        shape: near to it.
        at_rest: (21, 3) metres, hand frame: its joints in the pose that the skin is in, tips on the skin.
        skin: (V, 3) metres, hand frame.
    """
    sizes = [shape.radii.size, shape.palm_radii.size, shape.palm_radii.size]
    start = np.concatenate([shape.radii.ravel(), shape.palm_radii.ravel(), shape.palm_segments[..., 1].ravel()])

    def with_numbers(numbers: Floats) -> HandShape:
        radii, palm_radii, heights = np.split(numbers, np.cumsum(sizes)[:-1])
        segments = shape.palm_segments.copy()
        segments[..., 1] = heights.reshape(shape.palm_radii.shape)
        return replace(
            shape,
            radii=np.maximum(radii, THINNEST).reshape(5, 4),
            palm_radii=np.maximum(palm_radii, THINNEST).reshape(shape.palm_radii.shape),
            palm_segments=segments,
        )

    def residuals(numbers: Floats) -> Floats:
        off = distance_to_segments(skin, *_capsules(with_numbers(numbers), at_rest)).min(axis=1)
        return np.concatenate([off / SEEN, (numbers - start) / USUAL])

    return with_numbers(least_squares(residuals, start, loss="soft_l1", max_nfev=20).x)


def _capsules(shape: HandShape, at_rest: Floats) -> tuple[Floats, Floats]:
    """(S, 2, 3) ends and (S, 2) radii of palm and phalanges at these joints."""
    fingers = drawn_in(at_rest, shape.radii[:, 3])[1:].reshape(5, 4, 3)
    phalanges = np.stack([fingers[:, :3], fingers[:, 1:]], axis=2).reshape(15, 2, 3)
    radii = np.stack([shape.radii[:, :3], shape.radii[:, 1:]], axis=2).reshape(15, 2)
    return np.concatenate([shape.palm_segments, phalanges]), np.concatenate([shape.palm_radii, radii])
