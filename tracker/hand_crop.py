"""A small picture of what may be a hand: by a camera that looks at it, turned so that the arm comes from below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scene.arrays import Booleans, Bytes, Floats, Integers
from tracker.observation import Observation

SIDE_PX = 48
WIDTH = 0.24
"""metres at the centre's distance that the picture is wide"""
DEEP = 0.13
"""metres before and behind the centre that it tells apart"""
FAR = 255
"""of a pixel at which nothing is"""


@dataclass(frozen=True)
class HandCrop:
    """A picture and where it was taken."""

    picture: Bytes
    """(2, SIDE_PX, SIDE_PX) as `encoded` has it"""
    camera_from_crop: Floats
    """(3, 3) rotation of the camera that looks at the centre"""
    centre: Floats
    """(3,) metres, camera frame"""

    def to_camera(self, points: Floats) -> Floats:
        """(N, 3) metres from the centre, crop frame -> points_camera."""
        return np.asarray(points @ self.camera_from_crop.T + self.centre)


@dataclass(frozen=True)
class Croppable:
    """An observation from which pictures are taken."""

    observation: Observation
    numbers: Integers
    """(H, W) of each pixel's point among the observation's, -1 where it has none"""

    @staticmethod
    def of(observation: Observation) -> Croppable:
        """Numbers the points once for all pictures."""
        numbers = np.full(observation.foreground.shape, -1)
        numbers[observation.foreground] = np.arange(len(observation.points))
        return Croppable(observation, numbers)

    def taken(self, centre: Floats, up: Floats) -> HandCrop:
        """The picture about `centre` (3,), metres, camera frame, on which the direction `up` (3,) points up."""
        camera, turn, distance = self.observation.camera, looking_at(centre, up), float(np.linalg.norm(centre))
        places = (np.arange(SIDE_PX) - (SIDE_PX - 1) / 2) / focal_px(distance)
        rays = np.stack(np.broadcast_arrays(places[None], places[:, None], 1.0), axis=-1) @ turn.T
        ahead = np.maximum(rays[..., 2], 1e-6)
        columns = np.rint(rays[..., 0] / ahead * camera.fx + camera.cx)
        rows = np.rint(rays[..., 1] / ahead * camera.fy + camera.cy)
        inside = (rows >= 0) & (rows < camera.height) & (columns >= 0) & (columns < camera.width) & (rays[..., 2] > 0)
        number = np.where(inside, self.numbers[_whole(rows, inside), _whole(columns, inside)], -1)
        behind = np.where(number >= 0, self.observation.points[number] @ turn[:, 2] - distance, np.nan)
        hand_like = self.observation.hand_like[number]
        return HandCrop(encoded(np.where(hand_like, behind, np.nan), np.where(hand_like, np.nan, behind)), turn, centre)


def focal_px(distance: float) -> float:
    """Pixels, of the camera that looks from so many metres."""
    return SIDE_PX * distance / WIDTH


def looking_at(centre: Floats, up: Floats) -> Floats:
    """(3, 3) rotation of a camera whose z axis goes through (3,) and whose y axis points against `up` (3,)."""
    z = centre / np.linalg.norm(centre)
    y = z * (up @ z) - up
    length = np.linalg.norm(y)
    y = y / length if length > 1e-6 else np.cross(z, [1.0, 0.0, 0.0]) / np.linalg.norm(np.cross(z, [1.0, 0.0, 0.0]))
    return np.stack([np.cross(y, z), y, z], axis=1)


def encoded(hand: Floats, other: Floats) -> Bytes:
    """(H, W) metres behind the centre, NaN = nothing, of what looks like a hand and of all else -> (2, H, W) uint8."""
    deep = np.stack([hand, other])
    near = np.isfinite(deep) & (deep < DEEP)
    steps = np.rint((np.clip(np.where(near, deep, 0.0), -DEEP, DEEP) + DEEP) / (2 * DEEP) * (FAR - 1))
    return np.where(near, steps, FAR).astype(np.uint8)


def _whole(places: Floats, inside: Booleans) -> Integers:
    return np.where(inside, places, 0).astype(int)
