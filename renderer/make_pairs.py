"""Session and track in, pairs out: each kept frame beside its clean counterpart, and drawn views of the same grasp.

For a kept frame `occluded` is the recording's crop; its drawn views are in the same split, take their backgrounds from
frames of that split and their hands from frames of that split, so that nothing of one split shows in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairs.format import REAL, RENDERED, Crop, Pair, PairsWriter, new_pairs, stored_depth
from recorder.session import Session, open_session
from renderer.appearance import Sight, fitted_to
from renderer.config import MakePairsConfig
from renderer.scenery import Configuration, DrawnView, Scenery, draw_view
from renderer.selection import Selection, select_frames
from renderer.views import Stand, before_background, regrasped, turned, varied_light
from renderer.visibility import Visibility, real_visibility, rendered_visibility
from scene.arrays import Floats, Integers
from scene.crop import CropView, camera_from_view, crop_about, cut_color, cut_nearest
from scene.drawing import Drawer, open_drawer
from scene.errors import InputError
from scene.files import refuse_existing, sha256, stamp_provenance
from scene.hand_pose import HandPose
from scene.object_model import ObjectModel
from scene.progress import track as progress
from scene.rotations import quaternion_from_matrix
from tracker.track import Track, TrackStatus, open_track, track_path_of

FITTED_FRAMES = 12
"""frames to which light and skin are fitted"""
VIEW_TRIES = 5
"""viewpoints that are tried for a drawn view from which the hand does not hide the object"""
LEAST_VISIBILITY = 0.01
"""of a drawn view, also where frames are kept that show nothing: an image of a hand alone teaches no pose"""


@dataclass(frozen=True)
class Made:
    """What a run wrote."""

    rows: int
    real: int
    left_out: dict[str, int]
    """reason -> number of frames"""


@dataclass(frozen=True)
class TrackedSession:
    """A session with its track; poses and crops of its frames."""

    session: Session
    track: Track
    model: ObjectModel
    scenery: Scenery
    size: int

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


def make_pairs(config: MakePairsConfig) -> Made:
    """Runs the command.

    Raises:
        InputError: the track is not this session's, the session has no object, or no frame gives a pair.
    """
    refuse_existing(config.output, overwrite=config.overwrite)
    track_path = config.track or track_path_of(config.session)
    with open_session(config.session) as session:
        tracked = _tracked(session, track_path, config.size)
        selection = select_frames(tracked.track, tracked.crop_inside, config.selection, config.splits)
        _refuse_nothing(selection, track_path)
        drawer = open_drawer(config.drawer)
        with new_pairs(config.output, tracked.model, config.size, overwrite=config.overwrite) as writer:
            made = _write(writer, PairMaker.build(tracked, selection, drawer, config), selection)
            sources = {"session": config.session, "track": track_path}
            stamp_provenance(writer.file, configuration=config, seed=config.seed, sources=sources)
            writer.file.attrs["noise"], writer.file.attrs["drawer"] = config.noise, drawer.name
        drawer.close()
    return made


def _tracked(session: Session, track_path: Path, size: int) -> TrackedSession:
    track, model = open_track(track_path), session.object_model
    if model is None:
        raise InputError(f"{session.path} must hold the object's mesh and has none; capture it again with --object")
    if track.session_sha256 != sha256(session.path) or len(track) != len(session):
        raise InputError(
            f"{track_path} must be the track of {session.path} and was made from another {track.session_name}; "
            f"run: tracker run {session.path}"
        )
    return TrackedSession(session, track, model, Scenery.build(model, track.hand_shape), size)


def _refuse_nothing(selection: Selection, track_path: Path) -> None:
    if len(selection.frames) == 0:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in selection.reasons.items())
        raise InputError(
            f"at least one frame of {track_path} must give a pair and none does: {reasons}; track the session better, "
            "or ask less with the --selection options"
        )


def _write(writer: PairsWriter, maker: PairMaker, selection: Selection) -> Made:
    left_out, real = list(selection.left_out), 0
    for frame, split in progress(zip(selection.frames, selection.split, strict=True), "pairs", len(selection.frames)):
        pairs = list(maker.of_frame(int(frame), int(split)))
        if not pairs:
            left_out.append((int(frame), "the object covers no pixel"))
        for pair in pairs:
            writer.append(pair)
            real += pair.origin == REAL
    for frame, reason in left_out:
        writer.leave_out(frame, reason)
    reasons = [reason for _, reason in left_out]
    return Made(writer.count, real, {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)})


@dataclass(frozen=True)
class PairMaker:
    """Makes the pairs of a frame."""

    tracked: TrackedSession
    scenery: Scenery
    """in the recording's light"""
    selection: Selection
    stand: Stand
    drawer: Drawer
    config: MakePairsConfig

    @staticmethod
    def build(tracked: TrackedSession, selection: Selection, drawer: Drawer, config: MakePairsConfig) -> PairMaker:
        """Fits light and skin to frames that are trained on, and finds from how far the frames were taken."""
        fitted = _spread_out(selection.frames[selection.split == selection.split.min()], FITTED_FRAMES)
        scenery = fitted_to(tracked.scenery, (tracked.sight(int(frame)) for frame in fitted), drawer)
        poses = tracked.track.camera_from_object[selection.frames]
        distances = np.array([scenery.center_camera(pose)[2] for pose in poses])
        stand = Stand.around(tracked.session.camera, distances, np.deg2rad(config.view_angle_deg))
        return PairMaker(tracked, scenery, selection, stand, drawer, config)

    def of_frame(self, frame: int, split: int) -> Iterator[Pair]:
        """The real pair, then the drawn views; none where the object is not in view.

        Each frame has random numbers of its own, from the seed and its index.
        """
        rng = np.random.default_rng([self.config.seed, frame])
        sight = self.tracked.sight(frame)
        real = self._real(sight, split, rng)
        if not real.mask_amodal.any():
            return
        yield real
        for _ in range(self.config.views_per_frame):
            yield from self._visible_view(sight, split, rng)

    def _real(self, sight: Sight, split: int, rng: np.random.Generator) -> Pair:
        crop, frame = sight.crop, sight.frame
        view = draw_view(self.scenery, sight.configuration, crop, self.drawer, self.config.noise, rng)
        observed = cut_nearest(frame.depth, crop.camera, crop)
        cut = _window_cut(view)
        visibility = real_visibility(
            cut(view.alone.depth), cut(view.together.depth), cut(view.together.labels), observed, crop.inside
        )
        depth = stored_depth(observed, view.center_z, view.diameter)
        occluded = Crop(cut_color(frame.color, crop.camera, crop), depth)
        source = Source(sight, split, REAL, frame.index if sight.configuration.hand else -1)
        return self._pair(view, occluded, visibility, sight.configuration, source)

    def _visible_view(self, sight: Sight, split: int, rng: np.random.Generator) -> Iterator[Pair]:
        """A drawn view that shows as much of the object as a frame must; none where few viewpoints do."""
        for _ in range(VIEW_TRIES):
            pair = self._view(sight, split, rng)
            if pair.visibility >= max(self.config.selection.visibility, LEAST_VISIBILITY):
                yield pair
                return

    def _view(self, sight: Sight, split: int, rng: np.random.Generator) -> Pair:
        same_split = self.selection.frames[self.selection.split == split]
        configuration, hand_frame = self._held(sight, same_split, rng)
        scenery = self.scenery.lit_by(varied_light(self.scenery.light, rng))
        configuration, crop = turned(scenery, configuration, self.stand, self.config.size, rng)
        view = draw_view(scenery, configuration, crop, self.drawer, self.config.noise, rng)
        behind = int(rng.choice(same_split))
        scene = before_background(view, self.tracked.session.frame(behind), self.tracked.crop(behind), rng)
        cut = _window_cut(view)
        visibility = rendered_visibility(cut(view.alone.depth), cut(view.together.labels), crop.inside)
        source = Source(sight, split, RENDERED, hand_frame)
        return self._pair(view, view.cut(scene.color, scene.depth), visibility, configuration, source)

    def _held(self, sight: Sight, same_split: Integers, rng: np.random.Generator) -> tuple[Configuration, int]:
        """The frame's configuration and index; with the hand of another frame where this one's was not tracked."""
        if sight.configuration.hand is not None:
            return sight.configuration, sight.frame.index
        with_hand = same_split[self.tracked.track.hand_status[same_split] == TrackStatus.TRACKED]
        if len(with_hand) == 0:
            return sight.configuration, -1
        other = int(rng.choice(with_hand))
        return regrasped(sight.configuration, self.tracked.configuration(other)), other

    def _pair(
        self, view: DrawnView, occluded: Crop, visibility: Visibility, configuration: Configuration, source: Source
    ) -> Pair:
        pose, frame = configuration.camera_from_object, source.sight.frame
        return Pair(
            occluded=occluded,
            rendered=view.rendered,
            clean=view.clean,
            mask_amodal=visibility.amodal,
            mask_visible=visibility.visible,
            quaternion_wxyz=quaternion_from_matrix(pose[:3, :3]),
            camera_from_object=pose,
            camera_from_view=camera_from_view(self.scenery.center_camera(pose)),
            crop_matrix=view.crop.crop_camera.matrix,
            crop_box=view.crop.box,
            visibility=visibility.fraction,
            visibility_lost_hand=visibility.lost_hand,
            visibility_lost_self=0.0,
            visibility_lost_truncation=visibility.lost_truncation,
            visibility_lost_other=visibility.lost_other,
            confidence=float(self.tracked.track.confidence[frame.index]),
            frame_index=frame.index,
            hand_frame=source.hand_frame,
            timestamp_s=frame.timestamp_s,
            split=source.split,
            origin=source.origin,
        )


@dataclass(frozen=True)
class Source:
    """Where a row comes from."""

    sight: Sight
    split: int
    origin: int
    hand_frame: int


def _window_cut(view: DrawnView) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Cuts the crop out of images of the drawn window."""
    return lambda image: cut_nearest(image, view.crop.window, view.crop)


def _spread_out(frames: Integers, count: int) -> Integers:
    """(min(count, N),) of the frames, evenly."""
    picked: Integers = frames[np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).astype(int))]
    return picked
