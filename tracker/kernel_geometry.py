"""Geometry inside the objective's kernel, compiled: rotations, the distance field, the hand's capsules, pixels.

Vectors are laid out as tracker/hypothesis.py says; `models` and `evidence` are those of tracker/objective.py.
"""

from __future__ import annotations

import numba
import numpy as np

from scene.hand_pose import place_bones


@numba.njit(cache=True, inline="always")
def bounded(x):  # type: ignore[no-untyped-def]
    """rho(x) = x / sqrt(1 + x^2)."""
    return x / np.sqrt(1.0 + x * x)


@numba.njit(cache=True)
def field_distance(field, origin, spacing, x, y, z):  # type: ignore[no-untyped-def]
    """Signed distance at a point of the object frame, linear between nodes; outside the box, plus the way to it."""
    u = (x - origin[0]) / spacing
    v = (y - origin[1]) / spacing
    w = (z - origin[2]) / spacing
    cu = min(max(u, 0.0), field.shape[0] - 1.001)
    cv = min(max(v, 0.0), field.shape[1] - 1.001)
    cw = min(max(w, 0.0), field.shape[2] - 1.001)
    i, j, k = int(cu), int(cv), int(cw)
    a, b, c = cu - i, cv - j, cw - k
    near = (field[i, j, k] * (1 - c) + field[i, j, k + 1] * c) * (1 - b)
    near += (field[i, j + 1, k] * (1 - c) + field[i, j + 1, k + 1] * c) * b
    far = (field[i + 1, j, k] * (1 - c) + field[i + 1, j, k + 1] * c) * (1 - b)
    far += (field[i + 1, j + 1, k] * (1 - c) + field[i + 1, j + 1, k + 1] * c) * b
    outside = (u - cu) ** 2 + (v - cv) ** 2 + (w - cw) ** 2
    return near * (1 - a) + far * a + spacing * np.sqrt(outside)


@numba.njit(cache=True)
def object_distance(pose, x, y, z, models):  # type: ignore[no-untyped-def]
    """Signed distance to the object's surface at (x, y, z) from its origin in camera axes; pose (3, 3) turns it."""
    u = pose[0, 0] * x + pose[1, 0] * y + pose[2, 0] * z
    v = pose[0, 1] * x + pose[1, 1] * y + pose[2, 1] * z
    w = pose[0, 2] * x + pose[1, 2] * y + pose[2, 2] * z
    return field_distance(models.field, models.field_origin, models.field_spacing, u, v, w)


@numba.njit(cache=True)
def rotation_of(x, y, z, reference, out):  # type: ignore[no-untyped-def]
    """Exp of the rotation vector (x, y, z), times `reference`, into out[:, :3]."""
    angle = np.sqrt(x * x + y * y + z * z)
    first = np.sin(angle) / angle if angle > 1e-9 else 1.0
    second = (1 - np.cos(angle)) / (angle * angle) if angle > 1e-9 else 0.5
    turn = np.empty((3, 3))
    turn[0, 0] = 1 - second * (y * y + z * z)
    turn[0, 1] = -first * z + second * x * y
    turn[0, 2] = first * y + second * x * z
    turn[1, 0] = first * z + second * x * y
    turn[1, 1] = 1 - second * (x * x + z * z)
    turn[1, 2] = -first * x + second * y * z
    turn[2, 0] = -first * y + second * x * z
    turn[2, 1] = first * x + second * y * z
    turn[2, 2] = 1 - second * (x * x + y * y)
    for i in range(3):
        for j in range(3):
            out[i, j] = turn[i, 0] * reference[0, j] + turn[i, 1] * reference[1, j] + turn[i, 2] * reference[2, j]


@numba.njit(cache=True)
def place_capsules(vector, hand_reference, models, capsules):  # type: ignore[no-untyped-def]
    """Writes the hand's S capsules in the camera frame, in the order of scene.hand_pose.segments, into (9, S).

    A column is a start (0 to 2), the axis from there to the end (3 to 5), the radius at the start and by how much it is
    greater at the end (6, 7), and one by the axis' squared length (8).
    """
    pose = np.zeros((3, 4))
    rotation_of(vector[9], vector[10], vector[11], hand_reference, pose)
    frames = np.zeros((16, 4, 4))
    place_bones(
        models.base_offsets,
        models.base_rotations,
        models.phalanx_lengths,
        models.abduction_sign,
        vector[12:],
        frames,
    )
    palm = models.palm_segments.shape[0]
    for s in range(palm + 15):
        if s < palm:
            a0, a1, a2 = models.palm_segments[s, 0, 0], models.palm_segments[s, 0, 1], models.palm_segments[s, 0, 2]
            b0, b1, b2 = models.palm_segments[s, 1, 0], models.palm_segments[s, 1, 1], models.palm_segments[s, 1, 2]
            start_radius, end_radius = models.palm_radii[s, 0], models.palm_radii[s, 1]
        else:
            finger, bone = (s - palm) // 3, (s - palm) % 3
            frame, length = frames[1 + s - palm], models.phalanx_lengths[finger, bone]
            a0, a1, a2 = frame[0, 3], frame[1, 3], frame[2, 3]
            b0, b1, b2 = a0 + length * frame[0, 0], a1 + length * frame[1, 0], a2 + length * frame[2, 0]
            start_radius, end_radius = models.radii[finger, bone], models.radii[finger, bone + 1]
        squared = 1e-12
        for i in range(3):
            capsules[i, s] = pose[i, 0] * a0 + pose[i, 1] * a1 + pose[i, 2] * a2 + vector[6 + i]
            capsules[3 + i, s] = pose[i, 0] * (b0 - a0) + pose[i, 1] * (b1 - a1) + pose[i, 2] * (b2 - a2)
            squared += capsules[3 + i, s] ** 2
        capsules[6, s], capsules[7, s], capsules[8, s] = start_radius, end_radius - start_radius, 1.0 / squared


@numba.njit(cache=True)
def pixel_of(x, y, z, evidence):  # type: ignore[no-untyped-def]
    """(row, column) of a camera point, or (-1, -1) outside the image."""
    if z < 0.05:
        return -1, -1
    column = int(np.floor(evidence.intrinsics[0] * x / z + evidence.intrinsics[2] + 0.5))
    row = int(np.floor(evidence.intrinsics[1] * y / z + evidence.intrinsics[3] + 0.5))
    if row < 0 or column < 0 or row >= evidence.depth.shape[0] or column >= evidence.depth.shape[1]:
        return -1, -1
    return row, column


@numba.njit(cache=True, fastmath=True)
def capsules_distance(x, y, z, capsules):  # type: ignore[no-untyped-def]
    """Signed distance of a camera point to the nearest of the hand's tapered capsules, (9, S).

    Most of the tracker's time is spent here: the loop has no branches and its numbers lie side by side, so that the
    compiler takes several capsules at once.
    """
    nearest = 1e9
    for s in range(capsules.shape[1]):
        ax, ay, az = capsules[3, s], capsules[4, s], capsules[5, s]
        px, py, pz = x - capsules[0, s], y - capsules[1, s], z - capsules[2, s]
        along = (px * ax + py * ay + pz * az) * capsules[8, s]
        along = 0.0 if along < 0.0 else along
        along = 1.0 if along > 1.0 else along
        px, py, pz = px - along * ax, py - along * ay, pz - along * az
        distance = np.sqrt(px * px + py * py + pz * pz) - (capsules[6, s] + along * capsules[7, s])
        nearest = distance if distance < nearest else nearest
    return nearest


@numba.njit(cache=True)
def placed_sample(pose, vector, sample, normal):  # type: ignore[no-untyped-def]
    """(x, y, z) of an object's surface sample in the camera frame, and the cosine at which it faces the camera."""
    x = pose[0, 0] * sample[0] + pose[0, 1] * sample[1] + pose[0, 2] * sample[2] + vector[0]
    y = pose[1, 0] * sample[0] + pose[1, 1] * sample[1] + pose[1, 2] * sample[2] + vector[1]
    z = pose[2, 0] * sample[0] + pose[2, 1] * sample[1] + pose[2, 2] * sample[2] + vector[2]
    nx = pose[0, 0] * normal[0] + pose[0, 1] * normal[1] + pose[0, 2] * normal[2]
    ny = pose[1, 0] * normal[0] + pose[1, 1] * normal[1] + pose[1, 2] * normal[2]
    nz = pose[2, 0] * normal[0] + pose[2, 1] * normal[1] + pose[2, 2] * normal[2]
    return x, y, z, -(nx * x + ny * y + nz * z) / np.sqrt(x * x + y * y + z * z)
