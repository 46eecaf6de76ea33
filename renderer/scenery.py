"""Hand and object as they can be drawn, and one view of them drawn twice: with the hand and without.

Both drawings get the same light and, from the same random numbers, the same noise: only the hand differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pairs.format import Crop, center_of, stored_depth
from renderer.hands import DrawableHand, HandLook
from renderer.visibility import hidden_by_itself
from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.crop import CropView, cut_color, cut_nearest
from scene.drawing import OBJECT, SKIN_COLOR, Body, Drawer, Drawing, Light, over, rigid_body
from scene.hand_pose import HandPose
from scene.hand_shape import HandShape
from scene.noise import NoiseName, noisy_color, noisy_depth
from scene.object_model import ObjectModel
from scene.transforms import apply


@dataclass(frozen=True)
class Configuration:
    """One hand and one object before the camera."""

    camera_from_object: Floats
    """(4, 4)"""
    hand: HandPose | None
    """None where no hand is drawn"""


@dataclass(frozen=True)
class Scenery:
    """What does not change with the frames: the object, the person's hand, their look."""

    model: ObjectModel
    object_body: Body
    hand: DrawableHand
    light: Light
    look: HandLook
    """of the hand"""
    center_object: Floats
    """(3,) metres, about which crops and depth are taken"""

    @staticmethod
    def build(model: ObjectModel, hand_shape: HandShape) -> Scenery:
        """Under the default light, with a default skin."""
        body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
        return Scenery(
            model, body, DrawableHand.build(hand_shape), Light.default(), HandLook(SKIN_COLOR), center_of(model)
        )

    def center_camera(self, camera_from_object: Floats) -> Floats:
        """(3,) metres of the object's centre."""
        center: Floats = apply(camera_from_object, self.center_object[None])[0]
        return center

    def bodies(self, configuration: Configuration) -> list[Body]:
        """The object, and the hand where there is one."""
        thing = self.object_body.placed(configuration.camera_from_object)
        if configuration.hand is None:
            return [thing]
        return [thing, self.hand.body(configuration.hand, self.look)]


@dataclass(frozen=True)
class Sensor:
    """What the recording's sensor makes of what stands before it."""

    noise: NoiseName
    depth_unit: float
    """metres that its depth is counted in"""

    def measured(self, drawing: Drawing, camera: Camera, seed: int) -> Drawing:
        """Noise, holes and steps of depth, noise of colour; black stays black, as nothing is there."""
        if self.noise == "none":
            return drawing
        depth_rng, color_rng = np.random.default_rng(seed).spawn(2)
        depth = noisy_depth(drawing.depth, camera, depth_rng, self.noise)
        counted = (np.rint(depth / self.depth_unit) * self.depth_unit).astype(np.float32)
        color = np.where(drawing.labels[..., None] > 0, noisy_color(drawing.color, color_rng), 0).astype(np.uint8)
        return replace(drawing, color=color, depth=counted)


@dataclass(frozen=True)
class DrawnView:
    """One configuration drawn in the window of a crop."""

    crop: CropView
    center_z: float
    """metres, of the object's centre"""
    diameter: float
    """metres, of the object"""
    together: Drawing
    """hand and object, ideal"""
    alone: Drawing
    """the object, ideal"""
    noisy_together: Drawing
    noisy_alone: Drawing
    hidden_by_itself: float
    """part of the object's surface facing the camera, behind the object's own nearer parts"""

    @property
    def rendered(self) -> Crop:
        """Hand and object on black."""
        return self.cut(self.noisy_together.color, self.noisy_together.depth)

    @property
    def clean(self) -> Crop:
        """The object on black."""
        return self.cut(self.noisy_alone.color, self.noisy_alone.depth)

    def cut(self, color: Bytes, depth: Floats) -> Crop:
        """The crop of images of the window."""
        window = self.crop.window
        metres = cut_nearest(depth, window, self.crop)
        return Crop(cut_color(color, window, self.crop), stored_depth(metres, self.center_z, self.diameter))


def draw_view(
    scenery: Scenery,
    configuration: Configuration,
    crop: CropView,
    drawer: Drawer,
    sensor: Sensor,
    rng: np.random.Generator,
) -> DrawnView:
    """Draws a configuration with and without its hand in the window of `crop`."""
    thing, *hand = scenery.bodies(configuration)
    alone = drawer.draw([thing], crop.window, scenery.light)
    together = over(drawer.draw(hand, crop.window, scenery.light), alone) if hand else alone
    seed = int(rng.integers(1 << 62))
    return DrawnView(
        crop=crop,
        center_z=float(scenery.center_camera(configuration.camera_from_object)[2]),
        diameter=scenery.model.diameter,
        together=together,
        alone=alone,
        noisy_together=sensor.measured(together, crop.window, seed),
        noisy_alone=sensor.measured(alone, crop.window, seed),
        hidden_by_itself=hidden_by_itself(thing, alone, crop.window),
    )
