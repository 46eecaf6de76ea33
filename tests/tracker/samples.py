"""A drawn scene whose truth is known: the belt buckle before a wall and a hand beside it, without any noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth
from recorder.simulation.belt import belt
from scene.arrays import Floats
from scene.camera import Camera
from scene.distance_field import build_distance_field
from scene.drawing import HAND, OBJECT, open_drawer, painted, rigid_body
from scene.files import sha256
from scene.frame import RgbdFrame
from scene.hand_pose import HandPose, joints, rest_angles
from scene.hand_shape import average_hand
from scene.hand_surface import HandSurface
from scene.object_model import ObjectModel
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tracker.colors import ColorLikelihoods, color_features, initial_likelihoods
from tracker.hypothesis import HandObjectPose, Layout
from tracker.models import prepare_models
from tracker.objective import TERMS, Models
from tracker.observation import Observation, Surroundings, observe
from tracker.refine import Problem
from tracker.track import Track, TrackStatus
from tracker.weights import weights_for

CAMERA = Camera(width=320, height=240, fx=280.0, fy=280.0, cx=159.5, cy=119.5)
SMALL = CAMERA.resized(160, 120)
WALL = 0.7
"""metres"""
WALL_PLANE = np.array([[0.0, 0.0, -1.0, WALL]])
SKIN, PAINT = (205, 160, 135), (90, 120, 90)
TRACKED, LOST, ABSENT = int(TrackStatus.TRACKED), int(TrackStatus.LOST), int(TrackStatus.ABSENT)


def true_pose(frame: int = 0) -> HandObjectPose:
    """The buckle turns and goes right; the hand follows at its left, fingers to the right, its back to the camera."""
    right = np.array([0.003 * frame, 0, 0])
    turn = matrix_from_rotation_vector(np.array([0.5, -0.3, 0.3 + 0.05 * frame]))
    facing = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    hand = HandPose(rigid(facing, np.array([-0.19, 0.0, 0.45]) + right), rest_angles())
    return HandObjectPose(rigid(turn, np.array([0.04, 0.0, 0.45]) + right), hand)


@cache
def hand_surface() -> HandSurface:
    return HandSurface.build(average_hand(), spacing=0.005)


def draw(pose: HandObjectPose, camera: Camera = CAMERA, *, hand: bool = True, index: int = 0) -> RgbdFrame:
    """What an ideal camera sees."""
    model, surface = belt(), hand_surface()
    bodies = [rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT).placed(pose.camera_from_object)]
    if hand:
        bodies.append(painted(surface.posed(pose.hand), surface.faces, SKIN, HAND))
    drawing = open_drawer("rays").draw(bodies, camera)
    nothing = drawing.labels == 0
    color = np.where(nothing[..., None], np.array(PAINT, np.uint8), drawing.color)
    return RgbdFrame(index, index / 30, color, np.where(nothing, WALL, drawing.depth).astype(np.float32))


@cache
def models() -> Models:
    return prepare_models(belt(), build_distance_field(belt(), nodes=60), average_hand(), np.random.default_rng(0))


def likelihoods(frame: RgbdFrame) -> ColorLikelihoods:
    return initial_likelihoods(belt(), color_features(frame.color))


@dataclass(frozen=True)
class DrawnScene:
    """A frame, its truth, and what the tracker makes of it."""

    pose: HandObjectPose
    frame: RgbdFrame
    observation: Observation
    problem: Problem
    truth: Floats
    """(32,) the true pose as a vector"""


@cache
def drawn(use_hand: bool = True, points: int = 400) -> DrawnScene:
    """The first frame; layout about the truth."""
    pose = true_pose()
    frame = draw(pose, hand=use_hand)
    observation = observe(frame, CAMERA, likelihoods(frame), Surroundings(WALL_PLANE))
    count = len(observation.points)
    chosen = np.random.default_rng(0).choice(count, min(points, count), replace=False)
    weights, layout = weights_for(belt().diameter, colored=True), Layout.about(pose)
    problem = Problem(observation.evidence(chosen), models(), weights, layout, pose.hand.angles, use_hand=use_hand)
    return DrawnScene(pose, frame, observation, problem, layout.vector(pose))


def write_session(path: Path, *, frames: int = 3, truth: bool = True, model: ObjectModel | None = None) -> Path:
    """A recording of the scene, 160 x 120."""
    with SessionWriter(path, SessionHeader(SMALL, 0.0005, "drawn", object_model=model)) as writer:
        for index in range(frames):
            frame = draw(true_pose(index), SMALL, index=index)
            counts = np.rint(frame.depth / 0.0005).astype(np.uint16)
            known = truth_of(index) if truth else None
            writer.append(SensorFrame(frame.color, counts, frame.timestamp_s, truth=known))
    return path


def truth_of(index: int, object_visibility: float = 1.0) -> Truth:
    pose = true_pose(index)
    return Truth(
        camera_from_object=pose.camera_from_object,
        joints_camera=joints(average_hand(), pose.hand),
        joint_visible=np.arange(21) < 10,
        camera_from_hand=pose.hand.camera_from_hand,
        hand_angles=pose.hand.angles,
        object_visibility=np.asarray(object_visibility),
        hand_visibility=np.asarray(1.0),
    )


def a_track(session: Path, *, frames: int = 3, **changed: object) -> Track:
    """The truth of `write_session` as a track, with fields replaced."""
    poses, shape = [true_pose(index) for index in range(frames)], average_hand()
    fields: dict[str, object] = {
        "status": np.full(frames, TRACKED, np.int8),
        "hand_status": np.full(frames, TRACKED, np.int8),
        "timestamp_s": np.arange(frames) / 30,
        "camera_from_object": np.stack([pose.camera_from_object for pose in poses]),
        "camera_from_hand": np.stack([pose.hand.camera_from_hand for pose in poses]),
        "hand_angles": np.stack([pose.hand.angles for pose in poses]),
        "joints_camera": np.stack([joints(shape, pose.hand) for pose in poses]),
        "confidence": np.full(frames, 0.9),
        "hand_confidence": np.full(frames, 0.8),
        "objective": np.full(frames, 0.3),
        "objective_terms": np.full((frames, len(TERMS)), 0.05),
        "residual": np.full(frames, 0.001),
        "hand_residual": np.full(frames, 0.002),
        "visibility": np.full(frames, 0.6),
        "spread_translation": np.full(frames, 0.002),
        "spread_rotation": np.full(frames, 0.05),
        "hand_shape": shape,
        "terms": TERMS,
        "session_name": session.name,
        "session_sha256": sha256(session),
    }
    return Track(**{**fields, **changed})  # type: ignore[arg-type]
