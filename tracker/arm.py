"""Where the arm enters the view, and so which hand-coloured points are the hand's and which way it points.

A hand is the far end of an arm, and the arm comes from outside the image: without this a hand model, which has nothing
to say about forearms, finds a bare one as good a place as the hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from scene.arrays import Booleans, Floats

HAND_LENGTH = 0.20
"""metres from the wrist to the tip of a straight hand, at most"""
BORDER_PX = 4
"""pixels from the image's edge within which a thing is taken to go on outside"""
END_SHARE = 0.03
"""of an arm's points that are its far end"""
FEWEST = 60
"""pixels of hand colour, or on the border, from which a statement is made"""


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
    components, _ = label(foreground, structure=np.ones((3, 3)))
    of_point = components[foreground]
    counts = np.bincount(of_point[hand_like], minlength=components.max() + 1)
    mine = of_point == counts.argmax()
    rows, columns = np.nonzero(foreground)
    height, width = foreground.shape
    edge = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns)) < BORDER_PX
    crossing, hand = points[mine & edge], points[mine & hand_like]
    if len(crossing) < FEWEST // 4 or len(hand) < FEWEST:
        return None
    return _arm_from(np.median(crossing, axis=0), hand)


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
