"""A session with its track: what was where in each frame, and which part of the image its crop is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from recorder.session import Session
from renderer.appearance import Sight
from renderer.scenery import Configuration, Scenery
from scene.arrays import Floats
from scene.crop import CropView, crop_about
from scene.errors import InputError
from scene.files import sha256
from scene.hand_pose import HandPose
from scene.object_model import ObjectModel
from tracker.track import Track, TrackStatus, open_track


@dataclass(frozen=True)
class TrackedSession:
    """Poses and crops of a session's frames."""

    session: Session
    track: Track
    model: ObjectModel
    scenery: Scenery
    """under any light"""
    size: int
    """pixels of the crops"""

    def configuration(self, frame: int) -> Configuration:
        """What was tracked in a frame in which the object was; without a hand where that was not."""
        hand = None
        if self.track.hand_status[frame] == TrackStatus.TRACKED:
            hand = HandPose(self.track.camera_from_hand[frame], self.track.hand_angles[frame])
        return Configuration(self.track.camera_from_object[frame], hand)

    def crop(self, frame: int) -> CropView:
        """The crop about the object in such a frame."""
        center = self.scenery.center_camera(self.track.camera_from_object[frame])
        return crop_about(self.session.camera, center, self.model.diameter, self.size)

    def sight(self, frame: int) -> Sight:
        """The frame with both."""
        return Sight(self.session.frame(frame), self.crop(frame), self.configuration(frame))

    @cached_property
    def crop_inside(self) -> Floats:
        """(N,) part of each frame's crop that lies in the image; 0 where the object was not tracked."""
        inside = np.zeros(len(self.track))
        for frame in np.flatnonzero(self.track.status == TrackStatus.TRACKED):
            inside[frame] = self.crop(int(frame)).inside.mean()
        return inside


def matched(session: Session, track_path: Path, size: int) -> TrackedSession:
    """The session with its track.

    Raises:
        InputError: the session has no object, or the track is not this session's.
    """
    track, model = open_track(track_path), session.object_model
    if model is None:
        raise InputError(f"{session.path} must hold the object's mesh and has none; capture it again with --object")
    if track.session_sha256 != sha256(session.path) or len(track) != len(session):
        raise InputError(
            f"{track_path} must be the track of {session.path} and was made from another {track.session_name}; "
            f"run: tracker run {session.path}"
        )
    return TrackedSession(session, track, model, Scenery.build(model, track.hand_shape), size)
