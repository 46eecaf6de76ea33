"""Lamp, colours and skin of a recording, fitted: what makes a drawing look like its frames.

Compared are pixels where the drawn object, or hand, is what the camera measured: there drawing and frame show the same
surface. A pixel is taken to be

    seen = paint * gain * (ambient + diffuse * max(0, normal . direction)),    ambient + diffuse = 1

with the mesh's colour ** tone as the object's paint, and one colour as the hand's. The tone is 1 where mesh and camera
encode colours alike, and about 1/2.2 where a scan's colours are proportional to light, as many programs write them.
Lamp and tone are found together by robust least squares, on hand and object at once, as one lamp shines on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from renderer.hands import HandLook
from renderer.scenery import Configuration, Scenery
from renderer.visibility import TOLERANCE
from scene.arrays import Booleans, Bytes, Floats, Integers
from scene.crop import CropView
from scene.drawing import HAND, Body, Drawer, Drawing, Light
from scene.frame import RgbdFrame

FEWEST_PIXELS = 200
"""with fewer pixels of the object, or of the hand, its colours stay as they are"""
MOST_PIXELS = 4000
"""of each that are compared; more tell no more"""
DARKEST, BRIGHTEST = 5, 250
"""levels of the frame that are compared: what is black or saturated has lost its colour"""
GAIN_LIMITS = (0.1, 4.0)
"""of a channel; beyond, the mesh's colours are not the recorded object's and a gain does not mend that"""
TONE_LIMITS = (0.3, 2.0)
MOST_DIFFUSE = 0.8
"""there is no scene without any light from around"""
TYPICAL_ERROR = 10 / 255
"""of a pixel's colour; larger ones, as of a highlight or a wrong pose, count less than by their square"""
PRIOR_WEIGHT = 5.0
"""of tone 1 and the default lamp, in typical errors: decides where pixels do not, as on a wall of one colour"""


@dataclass(frozen=True)
class Sight:
    """A tracked frame, where its crop lies, and what was tracked."""

    frame: RgbdFrame
    crop: CropView
    configuration: Configuration


@dataclass(frozen=True)
class Surface:
    """Places of hand and object that a camera saw and a drawing shows."""

    color: Floats
    """(P, 3) 0..1 of the mesh; 1 on the hand"""
    normal: Floats
    """(P, 3) camera frame; unit at the vertices and blended between them, as their light is"""
    seen: Floats
    """(P, 3) 0..1 of the frame"""
    is_hand: Booleans
    """(P,)"""

    @property
    def shows_object(self) -> bool:
        """Whether enough of it is seen."""
        return bool(np.count_nonzero(~self.is_hand) >= FEWEST_PIXELS)

    @property
    def shows_hand(self) -> bool:
        """Whether enough of it is seen."""
        return bool(np.count_nonzero(self.is_hand) >= FEWEST_PIXELS)


@dataclass(frozen=True)
class Appearance:
    """The model of a pixel, in the order in which its numbers lie in the fitted vector."""

    gain: Floats
    """(3,) of the object's paint"""
    skin: Floats
    """(3,) of the hand"""
    lamp: Floats
    """(3,) diffuse * direction, camera frame"""
    tone: float

    @staticmethod
    def plain() -> Appearance:
        """Where nothing is known: the default lamp, the mesh's own colours."""
        light = Light.default()
        diffuse = light.diffuse / (light.ambient + light.diffuse)
        return Appearance(np.ones(3), np.full(3, 0.6), diffuse * light.direction_camera, 1.0)

    @staticmethod
    def unpacked(vector: Floats) -> Appearance:
        """From (10,) numbers."""
        lamp = vector[6:9]
        lamp = lamp * min(1.0, MOST_DIFFUSE / max(float(np.linalg.norm(lamp)), 1e-9))
        return Appearance(vector[:3], vector[3:6], lamp, float(vector[9]))

    @property
    def packed(self) -> Floats:
        """(10,)."""
        return np.concatenate([self.gain, self.skin, self.lamp, [self.tone]])

    @property
    def light(self) -> Light:
        """The lamp, white."""
        diffuse = float(np.linalg.norm(self.lamp))
        direction = self.lamp / diffuse if diffuse > 1e-6 else Light.default().direction_camera
        return Light(direction, 1 - diffuse, diffuse, np.ones(3))

    def expected(self, surface: Surface) -> Floats:
        """(P, 3) colours 0..1 of the places."""
        shade = 1 - np.linalg.norm(self.lamp) + np.clip(surface.normal @ self.lamp, 0, None)
        paint = np.where(surface.is_hand[:, None], self.skin, surface.color**self.tone * self.gain)
        colors: Floats = np.clip(paint * shade[:, None], 0, 1)
        return colors


def fitted_to(scenery: Scenery, sights: Iterable[Sight], drawer: Drawer) -> Scenery:
    """The scenery in the recording's light, with its colours and its skin.

    Args:
        scenery: under any light.
        sights: some frames of the recording.
        drawer: any back-end.
    """
    seen = [surface_seen(scenery, sight, drawer) for sight in sights]
    if not seen:
        return scenery
    surface = _some(_joined(seen))
    if not (surface.shows_object or surface.shows_hand):
        return scenery
    return in_appearance(scenery, fitted(surface), surface)


def surface_seen(scenery: Scenery, sight: Sight, drawer: Drawer) -> Surface:
    """The pixels of a frame in which the camera measured what is drawn."""
    bodies = scenery.bodies(sight.configuration)
    flat = Light(np.array([0.0, 0.0, -1.0]), 1.0, 0.0, np.ones(3))
    drawing = drawer.draw(bodies, sight.crop.camera, flat)
    normals = drawer.draw([_painted_with_normals(body) for body in bodies], sight.crop.camera, flat)
    same = _same_surface(drawing, sight.frame)
    is_hand = drawing.labels[same] == HAND
    color = np.where(is_hand[:, None], 1.0, np.maximum(drawing.color[same], 1) / 255)
    return Surface(color, normals.color[same] / 127.5 - 1, sight.frame.color[same] / 255, is_hand)


def fitted(surface: Surface) -> Appearance:
    """The appearance that explains the places best."""
    plain = Appearance.plain()

    def residuals(vector: Floats) -> Floats:
        error = (Appearance.unpacked(vector).expected(surface) - surface.seen).ravel() / TYPICAL_ERROR
        prior = PRIOR_WEIGHT * (vector - plain.packed)[6:]
        return np.concatenate([error, prior])

    limits = np.array([GAIN_LIMITS] * 3 + [(0.02, 1.0)] * 3 + [(-1.0, 1.0)] * 3 + [TONE_LIMITS]).T
    found = least_squares(residuals, plain.packed, loss="soft_l1", bounds=limits, max_nfev=100)
    return Appearance.unpacked(found.x)


def in_appearance(scenery: Scenery, appearance: Appearance, surface: Surface) -> Scenery:
    """The scenery painted and lit as fitted; what the surface does not show keeps its colours.

    Light and paint are known as a product only. The light takes the object's gain, so that other people's skin is drawn
    in the recording's light, but as much less as keeps the palest skin from being white, and as much more as the
    recording's own hand needs: the paint takes the rest.
    """
    gain = appearance.gain if surface.shows_object else np.ones(3)
    share = min(1.0, 1 / float(gain.max()))
    if surface.shows_hand:
        share = max(share, float((appearance.skin / gain).max()))
    light = replace(appearance.light, color=gain * share)
    body = scenery.object_body
    if surface.shows_object:
        paint = (body.vertex_colors / 255) ** appearance.tone / share
        body = replace(body, vertex_colors=np.rint(255 * np.clip(paint, 0, 1)).astype(np.uint8))
    look = scenery.look
    if surface.shows_hand:
        red, green, blue = np.rint(255 * appearance.skin / light.color).astype(int).tolist()
        look = HandLook((red, green, blue))
    return replace(scenery, object_body=body, light=light, look=look)


def _painted_with_normals(body: Body) -> Body:
    """The body in colours that tell its normals in the camera's frame: (normal + 1) * 127.5."""
    assert body.normals is not None  # bodies of a scenery have them
    normals = body.normals @ body.camera_from_body[:3, :3].T
    colors: Bytes = np.rint((normals + 1) * 127.5).astype(np.uint8)
    return replace(body, vertex_colors=colors)


def _same_surface(drawing: Drawing, frame: RgbdFrame) -> Booleans:
    agrees = (drawing.labels > 0) & (frame.depth > 0) & (np.abs(frame.depth - drawing.depth) < TOLERANCE)
    level = frame.color.max(axis=-1)
    usable: Booleans = agrees & (level > DARKEST) & (level < BRIGHTEST)
    return usable


def _joined(surfaces: Sequence[Surface]) -> Surface:
    columns = ([getattr(one, name) for one in surfaces] for name in ("color", "normal", "seen", "is_hand"))
    return Surface(*(np.concatenate(column) for column in columns))


def _some(surface: Surface) -> Surface:
    """Evenly picked places, as many of the object as of the hand where there are enough."""
    places = (np.flatnonzero(surface.is_hand == hand) for hand in (False, True))
    picked: Integers = np.concatenate([place[:: max(1, len(place) // MOST_PIXELS)] for place in places])
    return Surface(surface.color[picked], surface.normal[picked], surface.seen[picked], surface.is_hand[picked])
