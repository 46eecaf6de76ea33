"""Geometry inside the objective's kernel, compiled: rotations, the distance field, the hand's capsules, pixels.

Vectors are laid out as tracker/hypothesis.py says; `models` and `evidence` are those of tracker/objective.py.
"""

from __future__ import annotations

import numba
import numpy as np

from scene.hand_pose import place_bones

compiled = numba.njit(cache=True, error_model="numpy", fastmath={"nsz"})
"""For the kernel: divisions are not asked about zero; NaN stays NaN. Sums keep their order and products are not fused
with them: that would save some 5 % of the time, but the first run, which compiles, and those after it, which load what
it compiled, would then round differently, and hands would differ by millimetres in the end."""


@compiled
def bounded(x):  # type: ignore[no-untyped-def]
    """rho(x) = x / sqrt(1 + x^2)."""
    return x / np.sqrt(1.0 + x * x)


@compiled
def field_distance(field, origin, spacing, x, y, z):  # type: ignore[no-untyped-def]
    """Signed distance at a point of the object frame, linear between nodes; outside the box, plus the way to it."""
    by_spacing = 1.0 / spacing
    u, v, w = (x - origin[0]) * by_spacing, (y - origin[1]) * by_spacing, (z - origin[2]) * by_spacing
    cu = min(max(u, 0.0), field.shape[0] - 1.001)
    cv = min(max(v, 0.0), field.shape[1] - 1.001)
    cw = min(max(w, 0.0), field.shape[2] - 1.001)
    # without a sign no index is asked whether it counts from the end
    i, j, k, one = np.uint64(int(cu)), np.uint64(int(cv)), np.uint64(int(cw)), np.uint64(1)
    a, b, c = cu - int(cu), cv - int(cv), cw - int(cw)
    near = (field[i, j, k] * (1 - c) + field[i, j, k + one] * c) * (1 - b)
    near += (field[i, j + one, k] * (1 - c) + field[i, j + one, k + one] * c) * b
    i += one
    far = (field[i, j, k] * (1 - c) + field[i, j, k + one] * c) * (1 - b)
    far += (field[i, j + one, k] * (1 - c) + field[i, j + one, k + one] * c) * b
    inside, outside = near + (far - near) * a, (u - cu) ** 2 + (v - cv) ** 2 + (w - cw) ** 2
    return inside if outside == 0.0 else inside + spacing * np.sqrt(outside)


@compiled
def object_distance(pose, x, y, z, models):  # type: ignore[no-untyped-def]
    """Signed distance to the object's surface at (x, y, z) from its origin in camera axes; pose (3, 3) turns it."""
    u = pose[0, 0] * x + pose[1, 0] * y + pose[2, 0] * z
    v = pose[0, 1] * x + pose[1, 1] * y + pose[2, 1] * z
    w = pose[0, 2] * x + pose[1, 2] * y + pose[2, 2] * z
    return field_distance(models.field, models.field_origin, models.field_spacing, u, v, w)


@compiled
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


@compiled
def place_capsules(vector, hand, models, capsules):  # type: ignore[no-untyped-def]
    """Writes the hand's S capsules in the camera frame, in the order of scene.hand_pose.segments, into (S, 9).

    `hand` (3, 3) is the hand's rotation.

    A row is a start (0 to 2), the axis from there to the end (3 to 5), the radius at the start and by how much it is
    greater at the end (6, 7), and one by the axis' squared length (8).
    """
    frames = np.empty((16, 3, 4))
    place_bones(
        models.base_offsets,
        models.base_rotations,
        models.phalanx_lengths,
        models.abduction_sign,
        vector[12:],
        frames,
    )
    palm, ends, radii = models.palm_segments.shape[0], models.palm_segments, models.radii
    for s in range(palm):
        for i in range(3):
            capsules[s, i], capsules[s, 3 + i] = ends[s, 0, i], ends[s, 1, i] - ends[s, 0, i]
        capsules[s, 6], capsules[s, 7] = models.palm_radii[s, 0], models.palm_radii[s, 1] - models.palm_radii[s, 0]
    for bone in range(15):
        s, finger, phalanx = palm + bone, bone // 3, bone % 3
        for i in range(3):
            capsules[s, i] = frames[1 + bone, i, 3]
            capsules[s, 3 + i] = models.phalanx_lengths[finger, phalanx] * frames[1 + bone, i, 0]
        capsules[s, 6], capsules[s, 7] = radii[finger, phalanx], radii[finger, phalanx + 1] - radii[finger, phalanx]
    for s in range(palm + 15):
        for part in (0, 3):
            x, y, z = capsules[s, part], capsules[s, part + 1], capsules[s, part + 2]
            for i in range(3):
                capsules[s, part + i] = hand[i, 0] * x + hand[i, 1] * y + hand[i, 2] * z
        for i in range(3):
            capsules[s, i] += vector[6 + i]
        capsules[s, 8] = 1.0 / (capsules[s, 3] ** 2 + capsules[s, 4] ** 2 + capsules[s, 5] ** 2 + 1e-12)


@compiled
def pixel_of(x, y, z, intrinsics, height, width):  # type: ignore[no-untyped-def]
    """(row, column) of a camera point, or (-1, -1) outside the image of `height` times `width` pixels."""
    if z < 0.05:
        return -1, -1
    by_depth = 1.0 / z
    # in front of the image's corner a truncated number is a floor
    column, row = intrinsics[0] * x * by_depth + intrinsics[2] + 0.5, intrinsics[1] * y * by_depth + intrinsics[3] + 0.5
    if row < 0 or column < 0 or row >= height or column >= width:
        return -1, -1
    return int(row), int(column)


@compiled
def capsules_distance(points, capsules, nearest):  # type: ignore[no-untyped-def]
    """Signed distance of (K, 3) camera points to the nearest of the hand's tapered capsules (S, 9).

    `nearest` (K,) float32 receives it where it is less than what stands there.

    Most of the tracker's arithmetic is here. The inner loop runs over the points, has no branches, and its numbers lie
    side by side in single precision (a ten-thousandth of a millimetre), so that eight points are taken at once; and two
    capsules, which halves what is loaded and stored.
    """
    count, last, rows = points.shape[0], capsules.shape[0] - 1, capsules.astype(np.float32)
    xs, ys, zs = np.empty(count, np.float32), np.empty(count, np.float32), np.empty(count, np.float32)
    before = np.empty(count, np.float32)
    for i in range(count):
        xs[i], ys[i], zs[i] = points[i, 0], points[i, 1], points[i, 2]
    for s in range(0, last + 1, 2):
        one, other = _row(rows, s), _row(rows, min(s + 1, last))
        before[:] = nearest  # read from one array, written to another: a store that depends on itself is a slow one
        for i in range(count):
            nearer = min(_to_capsule(xs[i], ys[i], zs[i], one), _to_capsule(xs[i], ys[i], zs[i], other))
            nearest[i] = min(before[i], nearer)


@compiled
def _row(rows, s):  # type: ignore[no-untyped-def]
    """As numbers, which no store to an array can change."""
    return (rows[s, 0], rows[s, 1], rows[s, 2], rows[s, 3], rows[s, 4], rows[s, 5], rows[s, 6], rows[s, 7], rows[s, 8])


@compiled
def _to_capsule(x, y, z, row):  # type: ignore[no-untyped-def]
    """Signed distance of a point to one capsule, all in single precision."""
    x, y, z = x - row[0], y - row[1], z - row[2]
    along = min(max((x * row[3] + y * row[4] + z * row[5]) * row[8], np.float32(0)), np.float32(1))
    x, y, z = x - along * row[3], y - along * row[4], z - along * row[5]
    return np.sqrt(x * x + y * y + z * z) - (row[6] + along * row[7])


@compiled
def place_samples(pose, vector, samples, normals, placed):  # type: ignore[no-untyped-def]
    """The object's (M, 3) surface samples in the camera frame, and the cosine at which each faces it, into (4, M)."""
    r00, r01, r02 = pose[0, 0], pose[0, 1], pose[0, 2]
    r10, r11, r12 = pose[1, 0], pose[1, 1], pose[1, 2]
    r20, r21, r22 = pose[2, 0], pose[2, 1], pose[2, 2]
    t0, t1, t2 = vector[0], vector[1], vector[2]
    for i in range(samples.shape[0]):
        a, b, c = samples[i, 0], samples[i, 1], samples[i, 2]
        x, y, z = r00 * a + r01 * b + r02 * c + t0, r10 * a + r11 * b + r12 * c + t1, r20 * a + r21 * b + r22 * c + t2
        placed[0, i], placed[1, i], placed[2, i] = x, y, z
        a, b, c = normals[i, 0], normals[i, 1], normals[i, 2]
        a, b, c = r00 * a + r01 * b + r02 * c, r10 * a + r11 * b + r12 * c, r20 * a + r21 * b + r22 * c
        placed[3, i] = -(a * x + b * y + c * z) / np.sqrt(x * x + y * y + z * z)
