"""New views of a tracked grasp: turned about the object, elsewhere, before backgrounds of the recording.

A recording shows an object from few sides; a regressor wants all of them. What is known of a frame is the whole of hand
and object, so it can be drawn from where no camera stood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renderer.scenery import Configuration, DrawnView, Scenery
from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.crop import CropView, camera_from_view, crop_about
from scene.drawing import Drawing, Light
from scene.frame import RgbdFrame
from scene.hand_pose import HandPose
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import inverse, rigid

DISTANCE_SPREAD = 1.15
"""views are drawn from this much nearer than the nearest to this much farther than the farthest tracked frame"""
LIGHT_TURN, LIGHT_GAIN = 0.3, 0.15
"""standard deviation of the lamp's direction, as parts of its length, and greatest change of its strength"""
BACKGROUND_TRIES = 20


@dataclass(frozen=True)
class Stand:
    """Where a view may be taken from."""

    camera: Camera
    nearest: float
    """metres to the object's centre"""
    farthest: float
    """metres to the object's centre"""
    largest_angle: float
    """radians by which a view is turned against the tracked frame, at most"""

    @staticmethod
    def around(camera: Camera, distances: Floats, largest_angle: float) -> Stand:
        """From the (N,) distances of the tracked frames."""
        near, far = float(distances.min()) / DISTANCE_SPREAD, float(distances.max()) * DISTANCE_SPREAD
        return Stand(camera, near, far, largest_angle)


def turned(
    scenery: Scenery, tracked: Configuration, stand: Stand, size: int, rng: np.random.Generator
) -> tuple[Configuration, CropView]:
    """The tracked configuration from a random viewpoint whose crop lies in the image.

    The angle is uniform up to stand.largest_angle, so that views are denser near what the recording shows.
    """
    center = _place(scenery, stand, size, rng)
    axis = rng.normal(size=3)
    turn = matrix_from_rotation_vector(axis / np.linalg.norm(axis) * rng.uniform(0, stand.largest_angle))
    before = scenery.center_camera(tracked.camera_from_object)
    # against the ray through the object's centre, so that a turn of 0 shows the same wherever the object stands
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


def before_background(view: DrawnView, frame: RgbdFrame, avoid: CropView, rng: np.random.Generator) -> Drawing:
    """The drawn hand and object with a piece of a recorded frame behind them.

    Args:
        view: what is drawn.
        frame: of the recording.
        avoid: where the object itself is in that frame; no piece is taken there.
        rng: chooses the piece.

    Returns:
        Colour and depth of view.crop.window; unchanged where the frame has no room for a piece.
    """
    corner = _free_corner(view.crop.window, avoid, rng)
    if corner is None:
        return view.noisy_together
    left, top = corner
    rows, columns = slice(top, top + view.crop.window.height), slice(left, left + view.crop.window.width)
    return _over(view.noisy_together, frame.color[rows, columns], _pushed_back(frame.depth[rows, columns], view))


def _place(scenery: Scenery, stand: Stand, size: int, rng: np.random.Generator) -> Floats:
    """(3,) metres: uniform in distance, then in the part of the image where the crop is whole."""
    camera, z = stand.camera, rng.uniform(stand.nearest, stand.farthest)
    half = crop_about(camera, np.array([0, 0, z]), scenery.model.diameter, size).side / 2
    u, v = (
        rng.uniform(half, length - half) if length > 2 * half else length / 2
        for length in (camera.width, camera.height)
    )
    return np.array([(u - 0.5 - camera.cx) / camera.fx, (v - 0.5 - camera.cy) / camera.fy, 1]) * z


def _free_corner(window: Camera, avoid: CropView, rng: np.random.Generator) -> tuple[int, int] | None:
    """Left and top pixel of a piece as large as `window` that does not touch the square `avoid`."""
    across, down = avoid.camera.width - window.width, avoid.camera.height - window.height
    if across < 0 or down < 0:
        return None
    for _ in range(BACKGROUND_TRIES):
        left, top = int(rng.integers(across + 1)), int(rng.integers(down + 1))
        beside = left >= avoid.left + avoid.side or left + window.width <= avoid.left
        if beside or top >= avoid.top + avoid.side or top + window.height <= avoid.top:
            return left, top
    return None


def _pushed_back(depth: Floats, view: DrawnView) -> Floats:
    """Recorded depth moved away as a whole until it lies behind the object."""
    measured = depth[depth > 0]
    if len(measured) == 0:
        return depth
    behind = view.center_z + view.diameter / 2
    pushed: Floats = np.where(depth > 0, depth + max(0.0, behind - float(np.percentile(measured, 5))), 0)
    return pushed.astype(np.float32)


def _over(near: Drawing, color: Bytes, depth: Floats) -> Drawing:
    shown = near.labels > 0
    return Drawing(np.where(shown[..., None], near.color, color), np.where(shown, near.depth, depth), near.labels)
