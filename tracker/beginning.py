"""What tracking begins with: a session's object, what is known of the scene before, and the first frame to track."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from recorder.session import Session
from scene.arrays import Floats
from scene.distance_field import DistanceField, build_distance_field
from scene.errors import TrackingError
from scene.frame import RgbdFrame
from scene.hand_shape import HandShape, Side, average_hand
from scene.object_model import ObjectModel
from scene.progress import track as shown
from scene.symmetry import Symmetries, declared_symmetries
from scene.symmetry_detection import detect_symmetries
from tracker.background import FRAMES, static_background
from tracker.brought_hand import brought_hand
from tracker.colors import LIGHTS
from tracker.config import DETECT, RunConfig
from tracker.hand_side import CLEARLY, ENOUGH, followed_to_be_left, seen_to_be_left
from tracker.hints import read_pose, unlabelled
from tracker.left_standing import left_standing
from tracker.light import light_of
from tracker.lone_hand import LoneHandState, LoneHandTracker
from tracker.rehearsal import rehearse
from tracker.scene_knowledge import SceneKnowledge
from tracker.seen_colors import with_colors_at, with_seen_colors
from tracker.sequence import Ahead, SequenceTracker
from tracker.unfinished import RunState

SELDOM, MORE_OFTEN = 0.75, 0.25
"""shares of the frames looked at first: found in fewer, the object may be what was taken for background; and it was, if
without a background it is found in so many more, not counting what is left standing"""
LIGHT_EVERY = 3
"""of the frames looked at first, one by which the light is told"""
IN_ROW = 20
"""frames from the first to be tracked, either way, through which both hands are followed to tell them apart"""


def begun(session: Session, config: RunConfig) -> RunState:
    """Ready for the first frame to be tracked: the one in which the object is seen best, or was said to be.

    From there tracking goes to the end, and then from there back to the first. Without an object it is the first.
    """
    model, labels_of = session.object_model, session.labels if config.masks else unlabelled
    if model is None:
        before = LoneHandState.before(session.frame(0), session.camera, hand_before(session, config), config.seed)
        lone = LoneHandTracker(before, config, labels_of)
        rehearse(lone, ways_from(0, len(session)), session.frame)
        return RunState(0, 0, None, lone.state)
    ahead, field = frames_ahead(session), build_distance_field(model)

    knowledge = knowledge_before(session, ahead[0], field, config)
    given = None if config.initial_pose is None else read_pose(config.initial_pose)

    def tracker_of(known: SceneKnowledge) -> SequenceTracker:
        return SequenceTracker(known, config, labels_of)

    def tracker_before(background: Floats | None, light: Floats) -> SequenceTracker:
        known = knowledge(background, light)
        if model.colored:
            return tracker_of(known)
        if given is not None:
            return tracker_of(with_colors_at(session.frame(0), given, known, tracker_of))
        return tracker_of(with_seen_colors(ahead, known, tracker_of))

    background, light = static_background(ahead), LIGHTS[0]
    if model.colored and given is None:
        light = light_of(ahead[1::LIGHT_EVERY], partial(tracker_before, background))
    tracker = tracker_before(background, light)
    if given is not None:
        tracker.start_at(session.frame(0), given)
        _tell_side(tracker, session, config, 0, [(0, given)])
        rehearse(tracker, ways_from(0, len(session)), session.frame)
        return RunState(0, 0, tracker.state)
    seen = tracker.look_ahead(ahead)
    if background is not None and seen.found_in < SELDOM * len(ahead):
        # what is held still, or turned in place, is taken for background
        other = tracker_before(None, light)
        seen_without = other.look_ahead(ahead)
        mistaken = _mistaken(seen_without, seen, ahead, tracker.state.knowledge)
        more = seen_without.found_in - len(mistaken) >= seen.found_in + MORE_OFTEN * len(ahead)
        if more and seen_without.anchor not in mistaken:
            tracker, seen = other, seen_without
    _tell_side(tracker, session, config, seen.anchor, seen.poses)
    rehearse(tracker, ways_from(seen.anchor, len(session)), session.frame)
    return RunState(seen.anchor, 0, tracker.state)


def _mistaken(without: Ahead, seen: Ahead, frames: Sequence[RgbdFrame], knowledge: SceneKnowledge) -> set[int]:
    """Frames in which, without a background, something else was found for the object, which is seen elsewhere."""
    depths = {frame.index: frame.depth for frame in frames}
    models = knowledge.models
    return left_standing(without.poses, seen.poses, depths, knowledge.camera, models.samples, models.object_reach)


def _tell_side(
    tracker: SequenceTracker, session: Session, config: RunConfig, anchor: int, poses: Sequence[tuple[int, Floats]]
) -> None:
    """Where neither session nor command says whose hand it is, the tracker follows the one that is seen.

    Args:
        tracker: at its anchor.
        session: the recording.
        config: of the command.
        anchor: the frame that tracking begins with.
        poses: frames in which the object was found, and where.
    """
    if config.hand != "auto" or session.hand_side != "unknown" or config.mano is not None:
        return
    labels_of = session.labels if config.masks else unlabelled
    order = np.random.default_rng(config.seed).permutation(len(poses))  # neighbours tell the same
    shuffled = shown([poses[at] for at in order], "telling left from right")
    frames = ((session.frame(index), pose) for index, pose in shuffled)
    for_left = seen_to_be_left(frames, tracker.state.knowledge, config.points, config.seed, labels_of)
    for row in rows_from(anchor, len(session)):
        if abs(for_left) > ENOUGH:
            break
        left, right = (SequenceTracker.resumed(tracker.state, config, labels_of) for _ in range(2))
        left.take_hand(average_hand("left"))
        in_a_row = map(session.frame, shown(row, "following left and right"))
        for_left = followed_to_be_left(in_a_row, left, right, for_left)
    if for_left > CLEARLY:
        tracker.take_hand(average_hand("left"))


def ways_from(anchor: int, count: int) -> tuple[range, range]:
    """The frames of a recording in the order of tracking: from the anchor to the end, and from it back to the first."""
    return range(anchor, count), range(anchor - 1, -1, -1)


def rows_from(anchor: int, count: int) -> list[range]:
    """The first frames of either way, through which both hands are followed."""
    return [way[:IN_ROW] for way in ways_from(anchor, count)]


def frames_ahead(session: Session) -> list[RgbdFrame]:
    """Some frames spread over the recording."""
    indices = np.unique(np.linspace(0, len(session) - 1, FRAMES).round().astype(int))
    return [session.frame(int(index)) for index in indices]


def knowledge_of(session: Session, frames: Sequence[RgbdFrame], config: RunConfig) -> SceneKnowledge:
    """What is known of a session's scene by frames spread over it, before anything is tracked."""
    field = build_distance_field(tracked_model(session))
    return knowledge_before(session, frames[0], field, config)(static_background(frames), LIGHTS[0])


def knowledge_before(
    session: Session, frame: RgbdFrame, field: DistanceField, config: RunConfig
) -> Callable[[Floats | None, Floats], SceneKnowledge]:
    """The same, of a frame and the object's distance field, for any of what never moves and light (tracker/light.py).

    Hand and symmetries, which take seconds, are looked for once.
    """
    model = tracked_model(session)
    bodies, symmetries = (model, field, hand_before(session, config)), symmetries_of(model, config)

    def known(background: Floats | None, light: Floats) -> SceneKnowledge:
        return SceneKnowledge.before(frame, background, session.camera, *bodies, config.seed, symmetries, light)

    return known


def hand_before(session: Session, config: RunConfig) -> HandShape:
    """The average hand, or the one that the user brought; of the side that is named, else a right one."""
    named = session.hand_side if config.hand == "auto" else config.hand
    side: Side = "right" if named == "unknown" else named
    return average_hand(side) if config.mano is None else brought_hand(config.mano, config.betas, side)


def tracked_model(session: Session) -> ObjectModel:
    """The session's object.

    Raises:
        TrackingError: it has no mesh.
    """
    if session.object_model is None:
        raise TrackingError(
            f"a session must embed the object's mesh for it to be tracked, {session.path} has none; "
            "capture it again with --object MESH"
        )
    return session.object_model


def refuse_untrackable(session: Session, config: RunConfig) -> None:
    """Raises a TrackingError where an object has no colour, or options speak of one that is not there."""
    if session.object_model is not None and not session.colored:
        raise TrackingError(
            f"an object must be seen in colour to be tracked, {session.path} is depth alone; capture it without "
            "--object to track the hand"
        )
    if session.object_model is None and (config.initial_pose is not None or config.symmetry != DETECT):
        raise TrackingError(
            f"--initial-pose and --symmetry are of an object, and {session.path} has none; leave them out to track the "
            "hand alone, or capture it again with --object MESH"
        )


def symmetries_of(model: ObjectModel | None, config: RunConfig) -> Symmetries:
    """As declared, or as detected in the mesh."""
    if model is None:
        return Symmetries.none()
    return detect_symmetries(model) if config.symmetry == DETECT else declared_symmetries(config.symmetry)
