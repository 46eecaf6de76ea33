"""Makes the rows of a task: a frame's real pair, and drawn views of what was tracked in it.

For a kept frame `occluded` is the recording's crop; its drawn views are in the same split, take their backgrounds from
frames of that split and their hands from frames of that split, so that nothing of one split shows in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairs.format import OWN, REAL, RENDERED, Crop, Pair, stored_depth
from recorder.session import Session
from renderer.appearance import Sight, fitted_to
from renderer.backgrounds import Behind, before_nothing, before_pattern, before_recording
from renderer.config import MakePairsConfig
from renderer.hands import random_look
from renderer.plan import Task
from renderer.scenery import Configuration, DrawnView, Scenery, Sensor, draw_view
from renderer.selection import Selection
from renderer.tracked import TrackedSession
from renderer.views import Stand, random_turn, regrasped, seen_rotation, turned, varied_light
from renderer.visibility import Visibility, real_visibility, rendered_visibility
from scene.arrays import Floats, Integers
from scene.crop import camera_from_view, cut_color, cut_nearest
from scene.drawing import Drawer
from scene.frame import RgbdFrame
from scene.rotations import quaternion_from_matrix
from tracker.track import Track, TrackStatus

FITTED_FRAMES = 12
"""frames to which light and skin are fitted"""
VIEW_TRIES = 5
"""viewpoints that are tried for a drawn view from which the hand does not hide the object"""
LEAST_VISIBILITY = 0.01
"""of a drawn view, also where frames are kept that show nothing: an image of a hand alone teaches no pose"""


@dataclass(frozen=True)
class Source:
    """Where a row comes from."""

    frame: int
    split: int
    origin: int
    hand_frame: int
    background: int = OWN
    background_frame: int = -1


@dataclass(frozen=True)
class Recipe:
    """All that decides what the rows of a session are, and nothing that is open: it can go to another process."""

    config: MakePairsConfig
    track: Track
    selection: Selection
    scenery: Scenery
    """in the recording's light"""
    stand: Stand
    sensor: Sensor

    @staticmethod
    def fitted(tracked: TrackedSession, selection: Selection, drawer: Drawer, config: MakePairsConfig) -> Recipe:
        """Fits light and skin to frames that are trained on, and finds from how far the frames were taken."""
        frames = _spread_out(selection.frames[selection.split == selection.split.min()], FITTED_FRAMES)
        scenery = fitted_to(tracked.scenery, (tracked.sight(int(frame)) for frame in frames), drawer)
        poses = tracked.track.camera_from_object[selection.frames]
        distances = np.array([scenery.center_camera(pose)[2] for pose in poses])
        stand = Stand.around(tracked.session.camera, distances)
        sensor = Sensor(config.noise, tracked.session.depth_scale)
        return Recipe(config, tracked.track, selection, scenery, stand, sensor)


@dataclass(frozen=True)
class PairMaker:
    """Makes the rows of any task."""

    recipe: Recipe
    tracked: TrackedSession
    drawer: Drawer

    @staticmethod
    def of(recipe: Recipe, session: Session, drawer: Drawer) -> PairMaker:
        """With the recipe's session open."""
        scenery = recipe.scenery
        tracked = TrackedSession(session, recipe.track, scenery.model, scenery, recipe.config.size)
        return PairMaker(recipe, tracked, drawer)

    @property
    def config(self) -> MakePairsConfig:
        """Of the run."""
        return self.recipe.config

    @property
    def scenery(self) -> Scenery:
        """In the recording's light."""
        return self.recipe.scenery

    def rows(self, task: Task) -> Iterator[Pair | None]:
        """The task's rows.

        None stands for a real pair in which the object covers no pixel, and for a drawn view in which the hand hides
        it from wherever that was tried.
        """
        rng = task.rng(self.config.seed)
        configuration = self.tracked.configuration(task.frame)
        if task.first == 0:
            real = self._real(self.tracked.sight(task.frame), task.split, rng)
            yield real if real.mask_amodal.any() else None
        if task.views:
            same_split = self.recipe.selection.of_split(task.split)
            behind = self.tracked.session.frame(int(rng.choice(same_split)))
            for at in range(task.views):
                seen = None if task.seen is None else task.seen[at]
                yield self._visible_view(task, configuration, seen, behind, same_split, rng)

    def _real(self, sight: Sight, split: int, rng: np.random.Generator) -> Pair:
        crop, frame = sight.crop, sight.frame
        view = draw_view(self.scenery, sight.configuration, crop, self.drawer, self.recipe.sensor, rng)
        observed = cut_nearest(frame.depth, crop.camera, crop)
        cut = _window_cut(view)
        visibility = real_visibility(
            cut(view.alone.depth), cut(view.together.depth), cut(view.together.labels), observed, crop.inside
        )
        depth = stored_depth(observed, view.center_z, view.diameter)
        occluded = Crop(cut_color(frame.color, crop.camera, crop), depth)
        source = Source(frame.index, split, REAL, frame.index if sight.configuration.hand else -1)
        return self._pair(view, occluded, visibility, sight.configuration, source)

    def _visible_view(
        self,
        task: Task,
        configuration: Configuration,
        seen: Floats | None,
        behind: RgbdFrame,
        same_split: Integers,
        rng: np.random.Generator,
    ) -> Pair | None:
        """A drawn view that shows as much of the object as a frame must; None where few viewpoints do."""
        for _ in range(VIEW_TRIES):
            held, hand_frame = self._held(task.frame, configuration, same_split, rng)
            turn = self._turn(configuration, seen, rng)
            pair = self._view(task, held, hand_frame, turn, behind, rng)
            if pair.visibility >= max(self.config.selection.visibility, LEAST_VISIBILITY):
                return pair
        return None

    def _turn(self, configuration: Configuration, seen: Floats | None, rng: np.random.Generator) -> Floats:
        if seen is None:
            return random_turn(np.deg2rad(self.config.view_angle_deg), rng)
        turn: Floats = seen @ seen_rotation(self.scenery, configuration.camera_from_object).T
        return turn

    def _view(
        self,
        task: Task,
        held: Configuration,
        hand_frame: int,
        turn: Floats,
        behind: RgbdFrame,
        rng: np.random.Generator,
    ) -> Pair:
        look = random_look(rng) if self.config.hands == "varied" else self.scenery.look
        scenery = replace(self.scenery, light=varied_light(self.scenery.light, rng), look=look)
        configuration, crop = turned(scenery, held, turn, self.recipe.stand, self.config.size, rng)
        view = draw_view(scenery, configuration, crop, self.drawer, self.recipe.sensor, rng)
        background = self._background(view, behind, rng)
        cut = _window_cut(view)
        visibility = rendered_visibility(cut(view.alone.depth), cut(view.together.labels), crop.inside)
        source = Source(task.frame, task.split, RENDERED, hand_frame, background.kind, background.frame)
        return self._pair(
            view, view.cut(background.scene.color, background.scene.depth), visibility, configuration, source
        )

    def _background(self, view: DrawnView, frame: RgbdFrame, rng: np.random.Generator) -> Behind:
        if self.config.backgrounds == "black":
            return before_nothing(view)
        if self.config.backgrounds == "random":
            return before_pattern(view, self.recipe.sensor, rng)
        return before_recording(view, frame, self.tracked.crop(frame.index), rng)

    def _held(
        self, frame: int, configuration: Configuration, same_split: Integers, rng: np.random.Generator
    ) -> tuple[Configuration, int]:
        """The frame's configuration and index; with the hand of another frame now and then, or where it has none."""
        with_hand = same_split[self.tracked.track.hand_status[same_split] == TrackStatus.TRACKED]
        own = configuration.hand is not None
        if len(with_hand) == 0 or (own and rng.random() >= self.config.hand_transfer):
            return configuration, frame if own else -1
        other = int(rng.choice(with_hand))
        return regrasped(configuration, self.tracked.configuration(other)), other

    def _pair(
        self, view: DrawnView, occluded: Crop, visibility: Visibility, configuration: Configuration, source: Source
    ) -> Pair:
        pose, frame = configuration.camera_from_object, source.frame
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
            visibility_lost_self=view.hidden_by_itself,
            visibility_lost_truncation=visibility.lost_truncation,
            visibility_lost_other=visibility.lost_other,
            confidence=float(self.tracked.track.confidence[frame]),
            frame_index=frame,
            hand_frame=source.hand_frame,
            timestamp_s=float(self.tracked.session.timestamps_s[frame]),
            split=source.split,
            origin=source.origin,
            background=source.background,
            background_frame=source.background_frame,
        )


def _window_cut(view: DrawnView) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Cuts the crop out of images of the drawn window."""
    return lambda image: cut_nearest(image, view.crop.window, view.crop)


def _spread_out(frames: Integers, count: int) -> Integers:
    """(min(count, N),) of the frames, evenly."""
    picked: Integers = frames[np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).astype(int))]
    return picked
