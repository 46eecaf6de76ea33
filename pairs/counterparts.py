"""Clean counterparts of posed images that others made: the object alone on black, drawn at the pose they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pairs.format import Crop, Pair, center_of, stored_depth
from scene.arrays import Booleans, Bytes, Floats
from scene.camera import Camera
from scene.crop import camera_from_view
from scene.drawing import OBJECT, Drawer, rigid_body
from scene.object_model import ObjectModel
from scene.rotations import quaternion_from_matrix
from scene.transforms import apply


@dataclass(frozen=True)
class Posed:
    """A square image of an object with its pose."""

    color: Bytes
    """(size, size, 3) RGB"""
    depth: Floats
    """(size, size) metres, 0 = no measurement"""
    camera: Camera
    """of this image"""
    camera_from_object: Floats
    """(4, 4)"""
    crop_box: Floats
    """(4,) left, top, right, bottom edge in pixels of the image it was cut from"""
    inside: Booleans
    """(size, size) where it lies in that image"""
    visible: Booleans | None
    """(size, size) what of the object it shows; None = all that lies inside"""


@dataclass(frozen=True)
class Place:
    """Where a row belongs."""

    frame: int
    split: int
    origin: int
    recording: int = 0
    timestamp_s: float = 0.0


def paired(posed: Posed, model: ObjectModel, drawer: Drawer, place: Place) -> Pair | None:
    """The image beside its counterpart; None where the object covers no pixel of it.

    No hand is known: `rendered` is the object alone too, and what is not visible counts as lost to the hand.
    """
    pose = posed.camera_from_object
    body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT).placed(pose)
    drawing = drawer.draw([body], posed.camera)
    amodal = drawing.labels == OBJECT
    whole = int(np.count_nonzero(amodal))
    if whole == 0:
        return None
    visible = amodal & posed.inside if posed.visible is None else amodal & posed.inside & posed.visible
    center = apply(pose, center_of(model)[None])[0]
    clean = Crop(drawing.color, stored_depth(drawing.depth, center[2], model.diameter))
    fraction = int(np.count_nonzero(visible)) / whole
    truncation = int(np.count_nonzero(amodal & ~posed.inside)) / whole
    return Pair(
        occluded=Crop(posed.color, stored_depth(posed.depth, center[2], model.diameter)),
        rendered=clean,
        clean=clean,
        mask_amodal=amodal,
        mask_visible=visible,
        quaternion_wxyz=quaternion_from_matrix(pose[:3, :3]),
        camera_from_object=pose,
        camera_from_view=camera_from_view(center),
        crop_matrix=posed.camera.matrix,
        crop_box=posed.crop_box,
        visibility=fraction,
        visibility_lost_hand=1 - fraction - truncation,
        visibility_lost_self=0.0,
        visibility_lost_truncation=truncation,
        visibility_lost_other=0.0,
        confidence=1.0,
        frame_index=place.frame,
        hand_frame=-1,
        timestamp_s=place.timestamp_s,
        split=place.split,
        origin=place.origin,
        recording=place.recording,
    )
