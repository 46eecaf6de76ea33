"""New views of a tracked grasp: turned about the object, elsewhere in the image, in another hand, in other light.

A recording shows an object from few sides; a regressor wants all of them. What is known of a frame is the whole of hand
and object, so it can be drawn from where no camera stood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renderer.scenery import Configuration, Scenery
from scene.arrays import Floats
from scene.camera import Camera
from scene.crop import CropView, camera_from_view, crop_about
from scene.drawing import Light
from scene.hand_pose import HandPose
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import inverse, rigid

DISTANCE_SPREAD = 1.15
"""views are drawn from this much nearer than the nearest to this much farther than the farthest tracked frame"""
LIGHT_TURN, LIGHT_GAIN = 0.3, 0.15
"""standard deviation of the lamp's direction, as parts of its length, and greatest change of its strength"""


@dataclass(frozen=True)
class Stand:
    """Where a view may be taken from."""

    camera: Camera
    nearest: float
    """metres to the object's centre"""
    farthest: float
    """metres to the object's centre"""

    @staticmethod
    def around(camera: Camera, distances: Floats) -> Stand:
        """From the (N,) distances of the tracked frames."""
        near, far = float(distances.min()) / DISTANCE_SPREAD, float(distances.max()) * DISTANCE_SPREAD
        return Stand(camera, near, far)


def random_turn(largest_angle: float, rng: np.random.Generator) -> Floats:
    """(3, 3) about a random axis, uniform in angle: so views are denser near what the recording shows."""
    axis = rng.normal(size=3)
    return matrix_from_rotation_vector(axis / np.linalg.norm(axis) * rng.uniform(0, largest_angle))


def seen_rotation(scenery: Scenery, camera_from_object: Floats) -> Floats:
    """(3, 3) view_from_object: how the object is turned against the line of sight to its centre."""
    rotation: Floats = camera_from_view(scenery.center_camera(camera_from_object)).T @ camera_from_object[:3, :3]
    return rotation


def turned(
    scenery: Scenery, tracked: Configuration, turn: Floats, stand: Stand, size: int, rng: np.random.Generator
) -> tuple[Configuration, CropView]:
    """The tracked configuration, turned against the line of sight, at a random place where its crop lies in the image.

    Args:
        scenery: of the recording.
        tracked: hand and object.
        turn: (3, 3) new view from old view; the identity shows the same wherever the object then stands.
        stand: where views may be taken from.
        size: pixels of the crop.
        rng: chooses the place.
    """
    center = _place(scenery, stand, size, rng)
    before = scenery.center_camera(tracked.camera_from_object)
    rotation = camera_from_view(center) @ turn @ camera_from_view(before).T
    new_from_old = rigid(rotation, center - rotation @ before)
    hand = tracked.hand
    moved = None if hand is None else HandPose(new_from_old @ hand.camera_from_hand, hand.angles)
    view = Configuration(new_from_old @ tracked.camera_from_object, moved)
    return view, crop_about(stand.camera, center, scenery.model.diameter, size)


def regrasped(tracked: Configuration, other: Configuration) -> Configuration:
    """The object of one configuration held as in another."""
    if other.hand is None:
        return tracked
    here_from_there = tracked.camera_from_object @ inverse(other.camera_from_object)
    hand = HandPose(here_from_there @ other.hand.camera_from_hand, other.hand.angles)
    return Configuration(tracked.camera_from_object, hand)


def varied_light(light: Light, rng: np.random.Generator) -> Light:
    """The recording's lamp moved a little."""
    direction = light.direction_camera + LIGHT_TURN * rng.normal(size=3)
    gain = 1 + LIGHT_GAIN * rng.uniform(-1, 1)
    return Light(direction / np.linalg.norm(direction), light.ambient, light.diffuse, light.color * gain)


def _place(scenery: Scenery, stand: Stand, size: int, rng: np.random.Generator) -> Floats:
    """(3,) metres: uniform in distance, then in the part of the image where the crop is whole."""
    camera, z = stand.camera, rng.uniform(stand.nearest, stand.farthest)
    half = crop_about(camera, np.array([0, 0, z]), scenery.model.diameter, size).side / 2
    u, v = (
        rng.uniform(half, length - half) if length > 2 * half else length / 2
        for length in (camera.width, camera.height)
    )
    return np.array([(u - 0.5 - camera.cx) / camera.fx, (v - 0.5 - camera.cy) / camera.fy, 1]) * z
