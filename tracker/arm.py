"""Where the arm enters the view, and so which hand-coloured points are the hand's and which way it points.

A hand is the far end of an arm, and the arm comes from outside the image: without this a hand model, which has nothing
to say about forearms, finds a bare one as good a place as the hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label
from scipy.spatial import cKDTree

from scene.arrays import Booleans, Floats
from scene.camera import Camera

HAND_LENGTH = 0.20
"""metres from the wrist to the tip of a straight hand, at most"""
SURELY_HAND = 0.07
"""metres at an arm's end that no forearm reaches into, be the hand a fist"""
JUMP, BESIDE = 0.02, 0.10
"""metres between two neighbouring pixels that are not of one surface; and from a hand within which what looks like one
belongs to it, as fingers do that are seen beyond what they hold"""
EMPTY = 100.0
"""metres: depth of a pixel in which nothing stands"""
MOST_POINTS = 1500
"""of a hand, by which its arm is judged"""
BORDER_PX = 4
"""pixels from the image's edge within which a thing is taken to go on outside"""
END_SHARE = 0.03
"""of an arm's points that are its far end"""
FEWEST = 60
"""pixels of hand colour, or on the border, from which a statement is made"""
THIN_PX = 9
"""pixels: unmeasured gaps beside things are thinner than this, an arm that is too near to be measured is not"""
NEAREST_SHARE = 0.05
"""of a hand's points, the nearest, at whose depth an arm is taken to be that is not measured"""


@dataclass(frozen=True)
class Arm:
    """An arm that enters the view."""

    entry: Floats
    """(3,) points_camera, metres: the middle of where it crosses the image's edge"""
    direction: Floats
    """(3,) unit, camera frame: from the entry to the hand"""
    reach: float
    """metres from the entry to the finger tips"""

    def beyond_wrist(self, points: Floats) -> Booleans:
        """(N, 3) points_camera -> (N,) which are far enough from the entry to be the hand's and not the forearm's."""
        beyond: Booleans = np.linalg.norm(points - self.entry, axis=-1) > self.reach - HAND_LENGTH
        return beyond

    def ends_with(self, points: Floats) -> Booleans:
        """(N, 3) points_camera -> (N,) which are so far from the entry that they are the hand's, be it a fist."""
        end: Booleans = np.linalg.norm(points - self.entry, axis=-1) > self.reach - SURELY_HAND
        return end


def find_arm(foreground: Booleans, points: Floats, hand_like: Booleans) -> Arm | None:
    """The arm whose end is hand-coloured.

    Args:
        foreground: (H, W) pixels of what stands before the table.
        points: (F, 3) points_camera of those pixels.
        hand_like: (F,) which are coloured like a hand.

    Returns:
        The arm; None where nothing that holds hand-coloured pixels touches the image's edge.
    """
    if hand_like.sum() < FEWEST:
        return None
    # things seen behind an arm touch it in the image; but what is held may part the hand's surface from the arm's
    for thing in (parted(foreground, points), foreground):
        mine = _component(thing, foreground, hand_like)
        crossing, hand = points[_at_edge(mine)[foreground]], _hand_of(mine, foreground, points, hand_like)
        if len(crossing) >= FEWEST // 4 and len(hand) >= FEWEST:
            return _arm_from(np.median(crossing, axis=0), hand)
    return None


def find_near_arm(
    foreground: Booleans, points: Floats, hand_like: Booleans, missing: Booleans, camera: Camera
) -> Arm | None:
    """The arm whose hand is measured, and the rest of it too near to the sensor to be.

    Args:
        foreground: as in find_arm.
        points: as in find_arm.
        hand_like: as in find_arm.
        missing: (H, W) pixels at which nothing is measured, though what stands behind would be.
        camera: of the image.

    Returns:
        The arm, its entry taken to be as near as the nearest of the hand; None where what is missing beside the
        hand-coloured pixels does not reach the image's edge.
    """
    if hand_like.sum() < FEWEST:
        return None
    near = opened(missing, THIN_PX)
    mine = _component(parted(foreground, points) | near, foreground, hand_like)
    rows, columns = np.nonzero(_at_edge(mine & near))
    hand = _hand_of(mine, foreground, points, hand_like)
    if len(rows) < FEWEST // 4 or len(hand) < FEWEST:
        return None
    column, row = np.median(columns), np.median(rows)
    ray = np.array([(column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy, 1.0])
    return _arm_from(ray * np.quantile(hand[:, 2], NEAREST_SHARE), hand)


def opened(thing: Booleans, size: int) -> Booleans:
    """(H, W) -> all of a thing that lies in squares of `size` pixels which lie in it: without its thin parts.

    By doubling runs of pixels, rows and then columns, which is far sooner done than by scipy's filters.
    """
    return _runs_from(_runs_from(_runs_of(_runs_of(thing, size).T, size), size).T, size)


def _runs_of(thing: Booleans, size: int) -> Booleans:
    """(H, W) where `size` rows begin all of which are of the thing."""
    runs, length = thing.copy(), 1
    while length < size:
        step = min(length, size - length)
        runs[:-step] &= runs[step:]
        runs[-step:] = False
        length += step
    return runs


def _runs_from(begun: Booleans, size: int) -> Booleans:
    """(H, W) the `size` rows from all where they begin."""
    runs, length = begun.copy(), 1
    while length < size:
        step = min(length, size - length)
        runs[step:] |= runs[:-step]
        length += step
    return runs


def _component(thing: Booleans, foreground: Booleans, hand_like: Booleans) -> Booleans:
    """(H, W) the part of a thing that holds most of the hand-coloured pixels, (F,) of the foreground."""
    components, _ = label(thing)
    counts = np.bincount(components[foreground][hand_like], minlength=components.max() + 1)
    counts[0] = 0
    return np.asarray(components == counts.argmax())


def parted(foreground: Booleans, points: Floats) -> Booleans:
    """(H, W) foreground and its (F, 3) points -> (H, W) without the pixels at which another surface begins behind.

    So no neighbours, above or beside each other, are of two surfaces.
    """
    depth = np.full(foreground.shape, EMPTY, np.float32)
    depth[foreground] = points[:, 2]
    nearest = depth.copy()
    for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
        np.minimum(nearest[here], depth[there], out=nearest[here])
        np.minimum(nearest[:, here], depth[:, there], out=nearest[:, here])
    one_surface: Booleans = foreground & (depth - nearest <= JUMP)
    return one_surface


def _hand_of(mine: Booleans, foreground: Booleans, points: Floats, hand_like: Booleans) -> Floats:
    """(N, 3) some of the hand-coloured points of an arm (H, W), and some beside them."""
    own = mine[foreground] & hand_like
    hand, others = (_some(points[which]) for which in (own, hand_like & ~own))
    if len(hand) == 0 or len(others) == 0:
        return hand
    beside = np.isfinite(cKDTree(hand).query(others, distance_upper_bound=BESIDE)[0])
    return np.concatenate([hand, others[beside]])


def _some(points: Floats) -> Floats:
    """(N, 3) -> (M, 3) evenly many of them, at most MOST_POINTS."""
    return points[:: max(-(-len(points) // MOST_POINTS), 1)]


def _at_edge(thing: Booleans) -> Booleans:
    """(H, W) what of a thing is at the image's edge."""
    edge = thing.copy()
    edge[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = False
    return edge


def find_lone_arm(foreground: Booleans, points: Floats, hand_like: Booleans) -> Arm | None:
    """The arm that is all of the foreground, which may end inside of the view: as a sleeve that is not measured does.

    Where it does not cross the image's edge it is taken to come from its far end, as arms of who faces the camera do.

    Args:
        foreground: (H, W) pixels of the arm and its hand.
        points: (F, 3) points_camera of those pixels.
        hand_like: (F,) which are coloured like a hand.

    Returns:
        The arm; None where too little is coloured like a hand, or it has no length.
    """
    arm = find_arm(foreground, points, hand_like)
    if arm is not None or hand_like.sum() < FEWEST:
        return arm
    farthest = points[:, 2] >= np.quantile(points[:, 2], 1 - END_SHARE)
    return _arm_from(np.median(points[farthest], axis=0), points[hand_like])


def _arm_from(entry: Floats, hand: Floats) -> Arm | None:
    distance = np.linalg.norm(hand - entry, axis=1)
    reach = float(np.quantile(distance, 0.97))
    end = hand[distance > reach - HAND_LENGTH].mean(axis=0)
    length = float(np.linalg.norm(end - entry))
    return Arm(entry, (end - entry) / length, reach) if length > 0.02 else None
