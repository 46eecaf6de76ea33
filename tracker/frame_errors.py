"""How far each frame of a track is from the truth. In: a Track and a session's Truth. Out: numbers a frame.

NaN stands where none can be told: the object or hand is not TRACKED, or its truth is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recorder.session import Truth
from scene.arrays import Booleans, Floats
from scene.metrics import (
    average_distance,
    average_distance_symmetric,
    nearest_symmetric,
    rotation_error_deg,
    surface_distance,
)
from scene.object_model import ObjectModel
from tracker.track import Track, TrackStatus

POINTS = 800
"""of the mesh's vertices that are compared"""
MM = 1000.0
RIGHT_DEG, RIGHT_MM = 10.0, 10.0
"""an object called TRACKED is right within these"""
RIGHT_JOINT_MM = 20.0
"""a hand called TRACKED is right where its joints are within this on average"""


@dataclass(frozen=True)
class FrameErrors:
    """One number a frame; all but add_mm and adds_mm from the nearest of the truths that look alike."""

    called: Booleans
    """(N,) the object is called TRACKED"""
    known: Booleans
    """(N,) its truth is known"""
    rotation_deg: Floats
    translation_mm: Floats
    add_mm: Floats
    """(N,) mean distance of the same points"""
    adds_mm: Floats
    """(N,) mean distance of nearest points"""
    mssd_mm: Floats
    """(N,) largest distance of the same points"""
    hand_called: Booleans
    hand_known: Booleans
    joint_mm: Floats
    """(N, 21)"""
    joint_visible: Booleans
    """(N, 21)"""

    @property
    def right(self) -> Booleans:
        """(N,) called TRACKED, and within 10 degrees and 10 mm."""
        return (self.rotation_deg < RIGHT_DEG) & (self.translation_mm < RIGHT_MM)

    @property
    def hand_right(self) -> Booleans:
        """(N,) called TRACKED, and its joints within 20 mm on average."""
        right: Booleans = self.joint_mm.mean(axis=1) < RIGHT_JOINT_MM
        return right


def frame_errors(track: Track, truth: Truth, model: ObjectModel | None) -> FrameErrors:
    """Of every frame; without an object nothing is known of it."""
    called, hand_called = (status == TrackStatus.TRACKED for status in (track.status, track.hand_status))
    known = np.asarray(np.isfinite(truth.camera_from_object).all(axis=(1, 2)))
    hand_known = np.asarray(np.isfinite(truth.joints_camera).all(axis=(1, 2)))
    chosen, hand_chosen = called & known, hand_called & hand_known
    estimated, true = track.camera_from_object[chosen], truth.camera_from_object[chosen]
    vertices = np.zeros((1, 3)) if model is None else model.vertices
    points = np.random.default_rng(0).permutation(vertices)[:POINTS]
    alike = nearest_symmetric(estimated, true, track.symmetries.transforms, points)

    def spread(values: Floats, where: Booleans) -> Floats:
        everywhere = np.full((len(track), *values.shape[1:]), np.nan)
        everywhere[where] = values
        return everywhere

    return FrameErrors(
        called=called,
        known=known,
        rotation_deg=spread(rotation_error_deg(estimated[:, :3, :3], alike[:, :3, :3]), chosen),
        translation_mm=spread(MM * np.linalg.norm(estimated[:, :3, 3] - alike[:, :3, 3], axis=1), chosen),
        add_mm=spread(MM * average_distance(estimated, true, points), chosen),
        adds_mm=spread(MM * average_distance_symmetric(estimated, true, points), chosen),
        mssd_mm=spread(MM * surface_distance(estimated, alike, points), chosen),
        hand_called=hand_called,
        hand_known=hand_known,
        joint_mm=spread(
            MM * np.linalg.norm(track.joints_camera[hand_chosen] - truth.joints_camera[hand_chosen], axis=2),
            hand_chosen,
        ),
        joint_visible=np.asarray(truth.joint_visible, bool),
    )
