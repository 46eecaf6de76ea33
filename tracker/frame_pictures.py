"""Pictures of one tracked frame beside the overlay: from the side, and where depth and drawing differ."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw

from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.drawing import HAND, SKIN_COLOR, Body, Drawer, Drawing, painted
from scene.frame import RgbdFrame
from scene.hand_pose import PARENTS, HandPose
from scene.hand_surface import HandSurface
from scene.transforms import apply
from tracker.overlay import OUTLINE, SKELETON, shown_frame
from tracker.track import Track, TrackStatus

SIDE_SIZE = 320
"""pixels of the side view, each way"""
SIDE_REACH = 0.16
"""metres about the object that the side view shows, each way"""
FARTHEST_OFF = 0.020
"""metres of difference at which the heat map ends"""
MARGIN = 0.2
"""of the size of what is drawn, about it"""
SEEN_THROUGH, HIDDEN = (255, 0, 255), (110, 110, 110)


def bodies_of(track: Track, index: int, body: Body | None, surface: HandSurface) -> list[Body]:
    """Object and hand as far as they are TRACKED in a frame."""
    bodies = []
    if body is not None and track.status[index] == TrackStatus.TRACKED:
        bodies.append(body.placed(track.camera_from_object[index]))
    if track.hand_status[index] == TrackStatus.TRACKED:
        pose = HandPose(track.camera_from_hand[index], track.hand_angles[index])
        bodies.append(painted(surface.posed(pose), surface.faces, SKIN_COLOR, HAND))
    return bodies


def about(bodies: list[Body], camera: Camera, drawer: Drawer) -> tuple[slice, slice]:
    """Rows and columns of the window about what is drawn; all of the image where nothing is."""
    v, u = np.nonzero(drawer.draw(bodies, camera).labels)
    if len(v) == 0:
        return slice(None), slice(None)
    margin = int(MARGIN * max(np.ptp(v), np.ptp(u))) + 4
    rows, columns = (slice(max(int(at.min()) - margin, 0), int(at.max()) + margin + 1) for at in (v, u))
    return rows, columns


def heat_map(frame: RgbdFrame, bodies: list[Body], camera: Camera, drawer: Drawer) -> Bytes:
    """(H, W, 3) how far the sensor's depth is from the drawn one, over the darkened frame.

    Dark blue is no difference, yellow FARTHEST_OFF in front or behind; magenta was seen through, grey is hidden behind
    something nearer.
    """
    picture = np.repeat((shown_frame(frame).mean(axis=2, keepdims=True) * 0.35).astype(np.uint8), 3, axis=2)
    if not bodies:
        return picture
    drawing: Drawing = drawer.draw(bodies, camera)
    drawn = (drawing.labels > 0) & (frame.depth > 0)
    off = np.where(drawn, frame.depth - drawing.depth, 0.0)
    shades = colormaps["plasma"](np.clip(np.abs(off) / FARTHEST_OFF, 0, 1))[..., :3]
    picture[drawn] = (255 * shades[drawn]).astype(np.uint8)
    picture[drawn & (off > FARTHEST_OFF)] = SEEN_THROUGH
    picture[drawn & (off < -FARTHEST_OFF)] = HIDDEN
    return picture


def side_view(frame: RgbdFrame, track: Track, samples_object: Floats, camera: Camera) -> Bytes:
    """(SIDE_SIZE, SIDE_SIZE, 3) as seen from the right of the camera: away from it to the right, up is up.

    Args:
        frame: whose measured points are shown in their colours.
        track: object samples in green, bones in yellow, where TRACKED.
        samples_object: (N, 3) on the object's surface, metres.
        camera: of the recording.
    """
    index = frame.index
    image = Image.new("RGB", (SIDE_SIZE, SIDE_SIZE), (15, 15, 20))
    picture = np.array(image)
    tracked = track.status[index] == TrackStatus.TRACKED
    hand_tracked = track.hand_status[index] == TrackStatus.TRACKED
    if not (tracked or hand_tracked):
        return picture
    center = track.camera_from_object[index, :3, 3] if tracked else track.camera_from_hand[index, :3, 3]
    points = camera.back_project(frame.depth)[frame.depth > 0]
    near = (np.abs(points - center) < SIDE_REACH).all(axis=1)
    _put(picture, points[near], center, shown_frame(frame)[frame.depth > 0][near])
    if tracked:
        samples = apply(track.camera_from_object[index], samples_object)
        _put(picture, samples, center, np.tile(np.array(OUTLINE, np.uint8), (len(samples), 1)))
    if hand_tracked:
        image = Image.fromarray(picture)
        draw, joints_px = ImageDraw.Draw(image), _from_the_side(track.joints_camera[index], center)
        for joint, parent in enumerate(PARENTS):
            if parent >= 0:
                draw.line([tuple(end) for end in joints_px[[parent, joint]].tolist()], fill=SKELETON, width=2)
        picture = np.array(image)
    return picture


def _from_the_side(points_camera: Floats, center: Floats) -> Floats:
    """(N, 3) metres -> (N, 2) pixels of the side view."""
    offsets: Floats = (points_camera - center)[:, [2, 1]] / SIDE_REACH
    return (offsets + 1) / 2 * (SIDE_SIZE - 1)


def _put(picture: Bytes, points_camera: Floats, center: Floats, colors: Bytes) -> None:
    at = np.rint(_from_the_side(points_camera, center)).astype(int)
    inside = ((at >= 0) & (at < SIDE_SIZE)).all(axis=1)
    picture[at[inside, 1], at[inside, 0]] = colors[inside]
