"""A frame made ready for the objective: the table taken out, points of what stands before it, colours as evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scene.arrays import Booleans, Floats, Integers
from scene.camera import Camera
from scene.errors import require
from scene.frame import RgbdFrame
from scene.object_model import OPEN3D_SYSTEM
from tracker.arm import Arm, find_arm, find_lone_arm, find_near_arm
from tracker.background import tolerance
from tracker.colors import ColorLikelihoods, color_features
from tracker.objective import Evidence
from tracker.threads import both

FARTHEST = 1.6
"""metres: what a hand holds before a camera is nearer"""
PLANE_TOLERANCE = 0.008
"""metres about the table that count as table"""
PLANE_SHARE, SMALL_PLANE_SHARE = 0.12, 0.04
"""share of the measured points that a plane must hold to be taken for table or wall; and the same where nothing else
says what stands behind: a wall may only show its foot"""
SOLID = 0.5
"""share of its extent that a small plane must cover: things here and there may lie in one, too"""
LEAST_AREA = 0.10
"""square metres that a plane must measure: a forearm, or an arm and what it holds, may be as flat as a table"""
LARGEST_PLANES = 3
PLANE_POINTS, PLANE_TRIALS = 4000, 500
"""measured points among which planes are looked for, and triples of them that are tried for each"""
EDGE_STEP = 0.012
"""metres that make an edge of a difference between neighbours"""
TABLE_RECESS = 0.010
"""metres by which table pixels are moved away: a hypothesis that lies in the table's surface was seen through"""


@dataclass(frozen=True)
class Observation:
    """One frame, prepared once; `evidence` then takes the points of the region that matters."""

    camera: Camera
    depth: Floats
    """(H, W) float32 metres, smoothed, with the table moved away, 0 = no measurement or too far"""
    features: Floats
    """(H, W, 3) colour features"""
    object_chance: Floats
    """(H, W)"""
    hand_chance: Floats
    """(H, W)"""
    foreground: Booleans
    """(H, W) measured, near, and not table"""
    points: Floats
    """(F, 3) points_camera of the foreground pixels, metres"""
    plane: Floats | None
    """(4,) n, d with n . p + d = metres above the table; None where none was found"""
    missing: Booleans | None = None
    """(H, W) pixels at which nothing is measured, though table, wall or background would be"""
    lone: bool = False
    """whether the foreground is one arm with its hand and nothing else"""

    @cached_property
    def _pixels(self) -> tuple[Integers, Integers]:
        """(F,) rows and (F,) columns of the foreground."""
        rows, columns = np.nonzero(self.foreground)
        return rows, columns

    @cached_property
    def hand_like(self) -> Booleans:
        """(F,) which points are coloured like a hand rather than like anything else."""
        chance = self.hand_chance[self.foreground]
        return np.asarray((chance > 0.3) & (chance > self.object_chance[self.foreground]))

    @cached_property
    def object_rather_than_hand(self) -> Floats:
        """(F,) how much likelier each point's colour is on the object than on the hand, 0 to 1."""
        on_object, on_hand = self.object_chance[self.foreground], self.hand_chance[self.foreground]
        return np.asarray(on_object / (on_object + on_hand + 0.1), float)

    @cached_property
    def arm(self) -> Arm | None:
        """Where the arm comes from."""
        if self.lone:
            return find_lone_arm(self.foreground, self.points, self.hand_like)
        seen = self.foreground, self.points, self.hand_like
        arm = find_arm(*seen)
        if arm is None and self.missing is not None:
            arm = find_near_arm(*seen, self.missing, self.camera)
        return arm

    @cached_property
    def hand_points(self) -> Booleans:
        """(F,) which points are hand-coloured and not the forearm's."""
        return self.hand_like if self.arm is None else self.hand_like & self.arm.beyond_wrist(self.points)

    def area(self, chosen: Booleans) -> float:
        """Square metres that the chosen (F,) points cover, seen from the front."""
        return float((self.points[chosen, 2] ** 2).sum() / (self.camera.fx * self.camera.fy))

    def mask(self, chosen: Booleans) -> Booleans:
        """(F,) some of the points -> (H, W) their pixels."""
        pixels = np.zeros(self.foreground.shape, bool)
        pixels[self.foreground] = chosen
        return pixels

    def features_of(self, chosen: Integers) -> Floats:
        """(K,) indices of foreground points -> (K, 3) their colour features."""
        rows, columns = self._pixels
        features: Floats = self.features[rows[chosen], columns[chosen]]
        return features

    def evidence(self, chosen: Integers) -> Evidence:
        """With the foreground points of the indices `chosen` (K,) as the points to be explained."""
        rows, columns = self._pixels
        on_object, on_hand = (
            chance[rows[chosen], columns[chosen]] for chance in (self.object_chance, self.hand_chance)
        )
        camera, arm = self.camera, self.arm
        return Evidence(
            depth=self.depth,
            features=self.features,
            object_chance=self.object_chance,
            hand_chance=self.hand_chance,
            intrinsics=np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
            points=self.points[chosen],
            point_object_chance=on_object.astype(float),
            point_hand_chance=on_hand.astype(float),
            point_weight=(on_object + on_hand).astype(float),
            point_may_be_forearm=np.ones(len(chosen), bool) if arm is None else ~arm.ends_with(self.points[chosen]),
            arm=np.zeros(3) if arm is None else arm.direction,
            table=np.array([0, 0, 0, 1.0]) if self.plane is None else self.plane,
        )


@dataclass(frozen=True)
class Surroundings:
    """What is known not to be hand or object."""

    planes: Floats
    """(P, 4) as find_planes gives them; the first is the table"""
    background: Floats | None = None
    """(H, W) metres as tracker/background.py gives it"""

    @property
    def still(self) -> bool:
        """Whether anything is known to stand still, and so the camera does."""
        return self.background is not None

    def measurable(self, camera: Camera) -> Booleans:
        """(H, W) pixels at which, with nothing before them, table, wall or background would be measured."""
        columns = ((np.arange(camera.width) - camera.cx) / camera.fx)[None]
        rows = ((np.arange(camera.height) - camera.cy) / camera.fy)[:, None]
        seen = np.zeros((camera.height, camera.width), bool)
        for x, y, z, offset in self.planes:
            towards = -(columns * x + rows * y + z)  # of a ray with depth 1
            seen |= towards * FARTHEST > offset
        return seen if self.background is None else seen | np.isfinite(self.background)


def observe(frame: RgbdFrame, camera: Camera, likelihoods: ColorLikelihoods, surroundings: Surroundings) -> Observation:
    """Prepares a frame, given its camera, the likelihoods of colours and what stands around."""
    (depth, foreground, points), (features, on_object, on_hand) = both(
        lambda: _standing(frame, camera, surroundings), lambda: _looking_like(frame, likelihoods)
    )
    table = surroundings.planes[0] if len(surroundings.planes) else None
    missing = (frame.depth == 0) & surroundings.measurable(camera)
    return Observation(camera, depth, features, on_object, on_hand, foreground, points, table, missing)


def _looking_like(frame: RgbdFrame, likelihoods: ColorLikelihoods) -> tuple[Floats, Floats, Floats]:
    """Features, and chances of object and hand."""
    features = color_features(frame.color)
    return features, *likelihoods.chances(features)


def _standing(frame: RgbdFrame, camera: Camera, surroundings: Surroundings) -> tuple[Floats, Booleans, Floats]:
    """Depth as samples are compared with it, foreground and its points."""
    depth = np.where(frame.depth < FARTHEST, frame.depth, 0).astype(np.float32)
    foreground = depth > 0
    flat = np.zeros_like(foreground)
    for plane in surroundings.planes:
        height = camera.heights_above(plane, depth)
        flat |= foreground & (np.abs(height) < PLANE_TOLERANCE)
        foreground &= height >= PLANE_TOLERANCE
    if surroundings.background is not None:
        behind = foreground & (depth > surroundings.background - tolerance(depth))
        flat |= behind
        foreground &= ~behind
    rows, columns = np.nonzero(foreground)
    points = camera.points_at(rows, columns, depth[foreground])
    depth = widened(np.where(flat, depth + np.float32(TABLE_RECESS), smoothed(depth, foreground)), foreground)
    return depth, foreground, points


def smoothed(depth: Floats, where: Booleans) -> Floats:
    """(H, W) float32 metres -> the median about each measured pixel of `where`; what is unmeasured, 0, stays so.

    Noise makes what is rightly seen cost more than what is hidden, and so draws poses behind the hand.
    """
    window, smooth = _about(where), depth.copy()
    median = median_of_nine(depth[window])
    replaced = where[window] & (depth[window] > 0) & (median > 0)
    smooth[window] = np.where(replaced, median, depth[window])
    return smooth


def median_of_nine(depth: Floats) -> Floats:
    """(H, W) -> the median of each pixel and its eight neighbours, 0 beyond the edge.

    Of columns sorted by themselves it is that of the greatest least, the median of medians and the least greatest: a
    quarter of the time of scipy's, which sorts every window anew.
    """
    above, here, below = (np.pad(depth, 1)[row : row + len(depth)] for row in range(3))
    lower, upper = np.minimum(above, here), np.maximum(above, here)
    least, greatest = np.minimum(lower, below), np.maximum(upper, below)
    middle = np.maximum(lower, np.minimum(upper, below))
    highest_least = np.maximum(np.maximum(least[:, :-2], least[:, 1:-1]), least[:, 2:])
    lowest_greatest = np.minimum(np.minimum(greatest[:, :-2], greatest[:, 1:-1]), greatest[:, 2:])
    middles = _median_of_three(middle[:, :-2], middle[:, 1:-1], middle[:, 2:])
    return _median_of_three(highest_least, middles, lowest_greatest)


def _median_of_three(one: Floats, other: Floats, third: Floats) -> Floats:
    return np.maximum(np.minimum(one, other), np.minimum(np.maximum(one, other), third))


def widened(depth: Floats, where: Booleans) -> Floats:
    """(H, W) float32 metres -> the same with all of `where` that stands before something a pixel wider.

    A sensor knows the place of an edge to about a pixel and rather takes of the nearer surface than adds to it: samples
    of a right pose are then seen through all along its outline, and a tilted one, which is narrower, fits better.
    """
    window, wide = _about(where), depth.copy()
    measured = np.where(depth[window] > 0, depth[window], np.inf)
    nearest = _nearest_of_nine(measured)
    before = nearest < measured - EDGE_STEP
    wide[window] = np.where(before, nearest, depth[window])
    return wide


def _nearest_of_nine(depth: Floats) -> Floats:
    """(H, W) -> the least of each pixel and its eight neighbours: rows, then columns."""
    rows = np.pad(depth, 1, constant_values=np.inf)
    rows = np.minimum(np.minimum(rows[:-2], rows[1:-1]), rows[2:])
    return np.minimum(np.minimum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])


def _about(where: Booleans) -> tuple[slice, slice]:
    """The window about all that is True, with its nearest neighbours."""
    rows, columns = np.nonzero(where.any(axis=1))[0], np.nonzero(where.any(axis=0))[0]
    if len(rows) == 0:
        return slice(0, 1), slice(0, 1)
    return slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)


def find_planes(
    frame: RgbdFrame,
    camera: Camera,
    seed: int,
    least_width: float = 0.0,
    held: tuple[Floats, float] | None = None,
    least_share: float = PLANE_SHARE,
) -> Floats:
    """The planes on and before which things stand: table, wall; by open3d's RANSAC.

    Args:
        frame: to look at.
        camera: of the recording.
        seed: of the sampling.
        least_width: metres that a plane must measure both ways, lest a palm or a chest be taken for a table.
        held: (3,) place of an object, camera frame, and the metres about it within which it lies: a carton has planes
            of its own, which are not asked for.
        least_share: of the measured points that a plane must hold.

    Returns:
        (P, 4), the largest first, P <= 3: unit normal towards the camera and offset, n . p + d = metres before it.
    """
    open3d: Any = require("open3d", system=OPEN3D_SYSTEM)
    rows, columns = np.nonzero((frame.depth > 0) & (frame.depth < FARTHEST))
    pixels_for_each = max(len(rows) / PLANE_POINTS, 1.0)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:PLANE_POINTS])
    rows, columns = rows[chosen], columns[chosen]
    points = camera.points_at(rows, columns, frame.depth[rows, columns])
    total = len(points)
    if held is not None:
        points = points[np.linalg.norm(points - held[0], axis=1) > held[1]]
    planes: list[Floats] = []
    open3d.utility.random.seed(seed)
    while len(planes) < LARGEST_PLANES and len(points) > least_share * total + 100:
        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
        # all trials are made: which come before an early end depends on how many processors share them
        plane, inliers = cloud.segment_plane(PLANE_TOLERANCE, 3, PLANE_TRIALS, probability=1.0)
        if len(inliers) < least_share * total:
            break
        plane = np.asarray(plane) / np.linalg.norm(plane[:3])
        width, length = _extents(points[inliers])
        covered = pixels_for_each * _covered(points[inliers], plane, camera)
        scattered = len(inliers) < PLANE_SHARE * total and covered < SOLID * width * length
        if width < least_width or width * length < LEAST_AREA or scattered:
            points = np.delete(points, inliers, axis=0)
            continue
        planes.append(plane if plane[3] > 0 else -plane)  # the camera, at the origin, is before it
        points = points[points @ planes[-1][:3] + planes[-1][3] > PLANE_TOLERANCE]
    return np.array(planes).reshape(-1, 4)


def _covered(points: Floats, plane: Floats, camera: Camera) -> float:
    """Square metres of a plane (4,) that the pixels of its points (N, 3) show: more of a slanted one in each."""
    return float((points[:, 2] ** 3).sum() / (camera.fx * camera.fy * max(abs(plane[3]), 1e-6)))


def _extents(points: Floats) -> tuple[float, float]:
    """(N, 3) metres -> width and length of an even rectangle that varies as they do."""
    _, width, length = np.sqrt(12 * np.maximum(np.linalg.eigvalsh(np.cov(points.T)), 0))
    return float(width), float(length)
