"""A frame with what was tracked in it: the object's outline, the hand's skeleton, and the status in words."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation

from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.depth_picture import depth_picture, depth_range
from scene.drawing.body import OBJECT, Body, Drawer, rigid_body
from scene.frame import RgbdFrame
from scene.hand_pose import PARENTS
from scene.object_model import ObjectModel
from tracker.track import Track, TrackStatus

OUTLINE, SKELETON, SKELETON_EDGE = (60, 230, 90), (255, 220, 60), (40, 30, 60)
STATUS_COLORS = {
    TrackStatus.TRACKED: (60, 230, 90),
    TrackStatus.LOST: (255, 80, 60),
    TrackStatus.ABSENT: (160, 160, 160),
}
LETTERS_PX = 18


def overlay(frame: RgbdFrame, track: Track, model: ObjectModel | None, camera: Camera, drawer: Drawer) -> Bytes:
    """(H, W, 3) the frame with its part of the track drawn in."""
    picture, index = shown_frame(frame), frame.index
    if model is not None and track.status[index] == TrackStatus.TRACKED:
        picture[outline(object_body(model), track.camera_from_object[index], camera, drawer)] = OUTLINE
    if track.hand_status[index] == TrackStatus.TRACKED:
        picture = with_skeleton(picture, camera.project(track.joints_camera[index]))
    return with_status(picture, track, index)


def shown_frame(frame: RgbdFrame) -> Bytes:
    """(H, W, 3) its colour; where it has none its depth, near things light."""
    return frame.color.copy() if frame.colored else depth_picture(frame.depth, depth_range(frame.depth))


def object_body(model: ObjectModel) -> Body:
    """The object ready to be drawn."""
    return rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)


def outline(body: Body, camera_from_object: Floats, camera: Camera, drawer: Drawer) -> Bytes:
    """(height, width) bool: the two pixels about the object's silhouette, its hidden part included."""
    silhouette = drawer.draw([body.placed(camera_from_object)], camera).labels == OBJECT
    around: Bytes = binary_dilation(silhouette, iterations=2) & ~silhouette
    return around


def with_skeleton(picture: Bytes, joints_px: Floats) -> Bytes:
    """Lines along the bones, with an edge that shows on bright hands; joints_px is (21, 2) pixels as JOINT_NAMES."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    bones = [joints_px[[joint, parent]] for joint, parent in enumerate(PARENTS) if parent >= 0]
    for color, width in ((SKELETON_EDGE, 4), (SKELETON, 2)):
        for ends in bones:
            if np.isfinite(ends).all():
                draw.line([tuple(end) for end in ends.tolist()], fill=color, width=width)
    return np.asarray(image)


def with_status(picture: Bytes, track: Track, index: int) -> Bytes:
    """Frame number, statuses and confidences in the upper left corner."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    draw.text((8, 6), f"frame {index}", fill=(255, 255, 255), font_size=LETTERS_PX)
    rows = (("object", track.status, track.confidence), ("hand", track.hand_status, track.hand_confidence))
    for line, (name, statuses, confidences) in enumerate(rows):
        status = TrackStatus(int(statuses[index]))
        text = f"{name} {status.name}" + ("" if np.isnan(confidences[index]) else f" {confidences[index]:.2f}")
        draw.text((8, 6 + (LETTERS_PX + 4) * (line + 1)), text, fill=STATUS_COLORS[status], font_size=LETTERS_PX)
    return np.asarray(image)
