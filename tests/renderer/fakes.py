"""A tiny session and track with known truth: a wedge before a wall, a hand before the wedge, and a lamp."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recorder.session import SensorFrame, SessionHeader, SessionWriter
from scene.arrays import Floats
from scene.camera import Camera
from scene.drawing import HAND, OBJECT, Body, Drawing, Light, open_drawer, painted, rigid_body
from scene.files import sha256, stamp_provenance
from scene.hand_pose import HandPose, joints, rest_angles
from scene.hand_shape import average_hand
from scene.hand_surface import HandSurface
from scene.object_model import ObjectModel
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.pairs.samples import wedge
from tracker.track import Track, TrackStatus, new_track, track_path_of

CAMERA = Camera(width=160, height=120, fx=150.0, fy=150.0, cx=79.5, cy=59.5)
LIGHT = replace(Light.default(), color=np.array([0.9, 0.7, 0.8]))
SKIN = (190, 140, 110)
FRAMES = 20
WALL = 0.9
"""metres"""
TRACKED, LOST, ABSENT = int(TrackStatus.TRACKED), int(TrackStatus.LOST), int(TrackStatus.ABSENT)


def camera_from_object(frame: int) -> Floats:
    """The wedge turns and goes to the right."""
    turn = matrix_from_rotation_vector(np.array([0.4, 0.1 * frame, 0.2]))
    return rigid(turn, np.array([-0.05 + 0.004 * frame, -0.01, 0.4]))


def hand_pose(frame: int) -> HandPose:
    """Fingers before the lower half of the wedge; x of the hand is to the right, its back towards the camera."""
    rotation = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
    return HandPose(rigid(rotation, np.array([-0.13 + 0.004 * frame, 0.03, 0.34])), rest_angles())


def write_session(path: Path, *, model: ObjectModel | None = None, frames: int = FRAMES, light: Light = LIGHT) -> Path:
    """The recording, ideal but for its light."""
    model = model or wedge()
    drawer, surface = open_drawer("rays"), HandSurface.build(average_hand(), spacing=0.006)
    body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
    with SessionWriter(path, SessionHeader(CAMERA, 0.0005, "fake", object_model=model)) as writer:
        for frame in range(frames):
            hand = painted(surface.posed(hand_pose(frame)), surface.faces, SKIN, HAND)
            writer.append(_frame(drawer.draw([body.placed(camera_from_object(frame)), hand], CAMERA, light), frame))
    return path


def _frame(drawing: Drawing, frame: int) -> SensorFrame:
    nothing = drawing.labels == 0
    color = np.where(nothing[..., None], np.array([60, 90, 120], np.uint8), drawing.color)
    depth = np.where(nothing, WALL, drawing.depth)
    return SensorFrame(color.astype(np.uint8), np.rint(depth / 0.0005).astype(np.uint16), frame / 10)


def a_track(session: Path, *, frames: int = FRAMES, **changed: object) -> Track:
    """The truth as a track, with fields replaced."""
    hands = [hand_pose(frame) for frame in range(frames)]
    shape = average_hand()
    fields: dict[str, object] = {
        "status": np.full(frames, TRACKED),
        "hand_status": np.full(frames, TRACKED),
        "timestamp_s": np.arange(frames) / 10,
        "camera_from_object": np.stack([camera_from_object(frame) for frame in range(frames)]),
        "camera_from_hand": np.stack([hand.camera_from_hand for hand in hands]),
        "hand_angles": np.stack([hand.angles for hand in hands]),
        "joints_camera": np.stack([joints(shape, hand) for hand in hands]),
        "confidence": np.full(frames, 0.9),
        "hand_confidence": np.full(frames, 0.8),
        "objective": np.zeros(frames),
        "objective_terms": np.zeros((frames, 1)),
        "residual": np.full(frames, 0.001),
        "hand_residual": np.full(frames, 0.002),
        "visibility": np.full(frames, 0.6),
        "spread_translation": np.zeros(frames),
        "spread_rotation": np.zeros(frames),
        "hand_shape": shape,
        "terms": ("depth",),
        "session_name": session.name,
        "session_sha256": sha256(session),
    }
    return Track(**{**fields, **changed})


def write_track(session: Path, **changed: object) -> Path:
    """That track in its default place."""
    path = track_path_of(session)
    with new_track(path, a_track(session, **changed), overwrite=True) as file:
        stamp_provenance(file, configuration={}, seed=0)
    return path


def plain_body(model: ObjectModel) -> Body:
    """The object as a rigid body."""
    return rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
