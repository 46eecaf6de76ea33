"""Rotations in three dimensions, over any leading batch shape.

Quaternions are wxyz (scalar first), unit, and q and -q are the same rotation. Angles are radians.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from scene.arrays import Floats


def matrix_from_rotation_vector(rotation_vector: Floats) -> Floats:
    """(..., 3) axis times angle in radians -> (..., 3, 3)."""
    vectors = np.asarray(rotation_vector, float)
    matrices: Floats = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()
    return matrices.reshape(*vectors.shape[:-1], 3, 3)


def rotation_vector_from_matrix(rotation: Floats) -> Floats:
    """(..., 3, 3) -> (..., 3) axis times angle in radians, angle in [0, pi]."""
    matrices = np.asarray(rotation, float)
    vectors: Floats = Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_rotvec()
    return vectors.reshape(*matrices.shape[:-2], 3)


def matrix_from_quaternion(quaternion_wxyz: Floats) -> Floats:
    """(..., 4) wxyz of any positive norm -> (..., 3, 3)."""
    quaternions = np.asarray(quaternion_wxyz, float)
    flat = quaternions.reshape(-1, 4)
    matrices: Floats = Rotation.from_quat(flat, scalar_first=True).as_matrix()
    return matrices.reshape(*quaternions.shape[:-1], 3, 3)


def quaternion_from_matrix(rotation: Floats) -> Floats:
    """(..., 3, 3) -> (..., 4) wxyz on the canonical hemisphere."""
    matrices = np.asarray(rotation, float)
    flat = Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_quat(scalar_first=True)
    return canonical_quaternion(flat.reshape(*matrices.shape[:-2], 4))


def canonical_quaternion(quaternion_wxyz: Floats) -> Floats:
    """(..., 4) -> the one of q and -q whose first component that is not zero is positive.

    On the hemisphere's border (w = 0) the sign is taken from x, then y, then z, so that the choice is always unique;
    neighbours across the border still differ by a sign, which is why distances take the nearer of q and -q.
    """
    quaternions = np.asarray(quaternion_wxyz, float)
    nonzero = quaternions != 0
    first = np.argmax(nonzero, axis=-1)
    leading = np.take_along_axis(quaternions, first[..., None], axis=-1)
    return np.where(leading < 0, -quaternions, quaternions)


def geodesic_angle(rotation_a: Floats, rotation_b: Floats) -> Floats:
    """(..., 3, 3), (..., 3, 3) -> (...) angle in radians of the relative rotation, exact near 0 and near pi.

    By atan2 of the skew part against the trace: arccos of the trace alone loses half the digits near 0.
    """
    relative = np.swapaxes(np.asarray(rotation_a, float), -1, -2) @ np.asarray(rotation_b, float)
    skew = np.stack(
        [
            relative[..., 2, 1] - relative[..., 1, 2],
            relative[..., 0, 2] - relative[..., 2, 0],
            relative[..., 1, 0] - relative[..., 0, 1],
        ],
        axis=-1,
    )
    trace = np.trace(relative, axis1=-2, axis2=-1)
    angle: Floats = np.arctan2(np.linalg.norm(skew, axis=-1), trace - 1.0)
    return angle


def random_rotations(count: int, rng: np.random.Generator) -> Floats:
    """(count, 3, 3) rotations, uniform over SO(3)."""
    return matrix_from_quaternion(rng.normal(size=(count, 4)))


def covering_rotations(count: int) -> Floats:
    """(count, 3, 3) rotations spread evenly over SO(3), the same at every call.

    Alexa, "Super-Fibonacci Spirals: Fast, Low-Discrepancy Sampling of SO(3)", CVPR 2022.
    """
    phi = np.sqrt(2.0)
    psi = 1.533751168755204288118041  # the positive root of psi^4 = psi + 4
    sample = np.arange(count) + 0.5
    fraction = sample / count
    alpha, beta = 2 * np.pi * sample / phi, 2 * np.pi * sample / psi
    radius, complement = np.sqrt(fraction), np.sqrt(1 - fraction)
    parts = (radius * np.sin(alpha), radius * np.cos(alpha), complement * np.sin(beta), complement * np.cos(beta))
    return matrix_from_quaternion(np.stack(parts, axis=-1))
