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
from scene.hand_pose import distance_to_segments
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
    at_rest = joints(model, betas, ManoPoses.flat())[0]
    hand_from_mano = inverse(mano_from_hand(at_rest, average))
    fingers = apply(hand_from_mano, at_rest)[1:].reshape(5, 4, 3)
    lengths = np.linalg.norm(np.diff(fingers, axis=1), axis=2)
    bare = _like(average, fingers[:, 0], lengths)
    fleshed = _fleshed(bare, fingers, apply(hand_from_mano, model.shaped(betas)))
    return replace(fleshed, phalanx_lengths=lengths - _last_only(fleshed.radii[:, 3]))


def fitted_betas(model: ManoModel, shape: HandShape) -> Floats:
    """(10,) the likeliest shape of a MANO hand with our hand's distances between joints.

    Betas are independent and of unit deviation in the population that MANO was made from.
    """
    wanted = _distances(np.concatenate([np.zeros((1, 3)), shape.base_offsets]), shape.phalanx_lengths)

    def residuals(betas: Floats) -> Floats:
        at_rest = joints(model, betas, ManoPoses.flat())[0]
        lengths = np.linalg.norm(np.diff(at_rest[1:].reshape(5, 4, 3), axis=1), axis=2)
        found = _distances(at_rest[[0, *BASES]], lengths - _last_only(shape.radii[:, 3]))
        return np.concatenate([(found - wanted) / PLACED, betas])

    found: Floats = least_squares(residuals, np.zeros(BETAS)).x
    return found


def _distances(palm: Floats, lengths: Floats) -> Floats:
    """(6, 3) wrist and bases, (5, 3) bones -> (30,) all that does not change when a hand moves."""
    pairs = np.array(list(combinations(range(len(palm)), 2)))
    return np.concatenate([np.linalg.norm(palm[pairs[:, 0]] - palm[pairs[:, 1]], axis=1), lengths.ravel()])


def _last_only(values: Floats) -> Floats:
    """(5,) -> (5, 3) in the last column."""
    zeros = np.zeros(len(values))
    return np.stack([zeros, zeros, values], axis=1)


def _like(average: HandShape, bases: Floats, lengths: Floats) -> HandShape:
    """The average hand with these joints; its flesh grows with them."""
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


def _fleshed(shape: HandShape, fingers: Floats, skin: Floats) -> HandShape:
    """The shape with radii, and heights of the palm's segments, by which its surface goes through the skin.

    Args:
        shape: near to it.
        fingers: (5, 4, 3) metres, hand frame: its joints in the pose that the skin is in, tips on the skin.
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
            radii=np.maximum(radii, 1e-3).reshape(5, 4),
            palm_radii=np.maximum(palm_radii, 1e-3).reshape(shape.palm_radii.shape),
            palm_segments=segments,
        )

    def residuals(numbers: Floats) -> Floats:
        capsules = _capsules(with_numbers(numbers), fingers)
        off = distance_to_segments(skin, *capsules).min(axis=1)
        return np.concatenate([off / SEEN, (numbers - start) / USUAL])

    return with_numbers(least_squares(residuals, start, loss="soft_l1", max_nfev=20).x)


def _capsules(shape: HandShape, fingers: Floats) -> tuple[Floats, Floats]:
    """(S, 2, 3) ends and (S, 2) radii of palm and phalanges at these joints, the tips drawn in by their radius."""
    last = fingers[:, 3] - fingers[:, 2]
    drawn_in = fingers.copy()
    drawn_in[:, 3] -= shape.radii[:, 3:] * last / np.linalg.norm(last, axis=1, keepdims=True)
    bones = np.stack([drawn_in[:, :3], drawn_in[:, 1:]], axis=2).reshape(15, 2, 3)
    radii = np.stack([shape.radii[:, :3], shape.radii[:, 1:]], axis=2).reshape(15, 2)
    return np.concatenate([shape.palm_segments, bones]), np.concatenate([shape.palm_radii, radii])
