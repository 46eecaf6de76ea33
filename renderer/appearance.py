"""Light and skin of a recording, fitted simply: the gains and the colour by which drawings look like its frames.

Compared are pixels where the drawn object, or hand, is what the camera measured: there drawing and frame show the same
surface, and the ratio of their colours is the gain of the recording's light.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from renderer.hands import HandLook
from renderer.scenery import Configuration, Scenery
from renderer.visibility import TOLERANCE
from scene.arrays import Booleans, Bytes, Floats
from scene.crop import CropView
from scene.drawing import HAND, OBJECT, Drawer, Drawing
from scene.frame import RgbdFrame

GAIN_LIMITS = (0.3, 3.0)
"""of a channel; beyond, the mesh's colours are not the recorded object's and a gain does not mend that"""
FEWEST_PIXELS = 200
"""with fewer pixels of the object, or of the hand, nothing is fitted"""
DARKEST, BRIGHTEST = 5, 250
"""levels of the frame that are compared: what is black or saturated has lost its colour"""


@dataclass(frozen=True)
class Sight:
    """A tracked frame, where its crop lies, and what was tracked."""

    frame: RgbdFrame
    crop: CropView
    configuration: Configuration


def fitted_to(scenery: Scenery, sights: Iterable[Sight], drawer: Drawer) -> Scenery:
    """The scenery in the recording's light and with its skin.

    Args:
        scenery: under any light; its lamp's direction is kept.
        sights: some frames of the recording.
        drawer: any back-end.
    """
    white = replace(scenery, look=HandLook((255, 255, 255)))
    drawn, seen, labels = [], [], []
    for sight in sights:
        drawing = drawer.draw(white.bodies(sight.configuration), sight.crop.camera, scenery.light)
        same = _same_surface(drawing, sight.frame)
        drawn.append(drawing.color[same].astype(float))
        seen.append(sight.frame.color[same].astype(float))
        labels.append(drawing.labels[same])
    if not drawn:
        return scenery
    return _fitted(scenery, np.concatenate(drawn), np.concatenate(seen), np.concatenate(labels))


def _fitted(scenery: Scenery, drawn: Floats, seen: Floats, labels: Bytes) -> Scenery:
    """From (P, 3) drawn and seen colours of the same places: gains of the object's pixels, then the skin's colour."""
    light, look = scenery.light, scenery.look
    thing, hand = labels == OBJECT, labels == HAND
    gain = np.ones(3)
    if np.count_nonzero(thing) >= FEWEST_PIXELS:
        gain = np.clip(seen[thing].mean(axis=0) / np.maximum(drawn[thing].mean(axis=0), 1), *GAIN_LIMITS)
        light = replace(light, color=light.color * gain)
    if np.count_nonzero(hand) >= FEWEST_PIXELS:
        # the hand was drawn white, so that its drawn colour is the light that falls on it
        albedo = 255 * np.median(seen[hand] / np.maximum(drawn[hand] * gain, 1), axis=0)
        red, green, blue = np.clip(np.rint(albedo), 0, 255).astype(int).tolist()
        look = HandLook((red, green, blue))
    return replace(scenery, light=light, look=look)


def _same_surface(drawing: Drawing, frame: RgbdFrame) -> Booleans:
    agrees = (drawing.labels > 0) & (frame.depth > 0) & (np.abs(frame.depth - drawing.depth) < TOLERANCE)
    level = frame.color.max(axis=-1)
    usable: Booleans = agrees & (level > DARKEST) & (level < BRIGHTEST)
    return usable
