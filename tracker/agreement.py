"""What the images themselves say of a track, without any truth: is the drawn object where the recording shows it?

For each TRACKED frame the object is drawn at its pose. A drawn pixel at which the sensor saw something farther away was
seen through: free space is violated. One at which it saw something nearer is hidden. The silhouette that is left should
be the region that looks like the object: by the session's labels where it has them, otherwise by being as far away
and of its colours, which are learned over the recording as those inside of the silhouettes against those around.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, binary_opening

from recorder.session import NOT_LABELLED, OBJECT_LABEL, Session
from scene.arrays import Booleans, Floats, Integers
from scene.drawing import HAND, OBJECT, SKIN_COLOR, Body, Drawer, painted, rigid_body
from scene.hand_pose import HandPose
from scene.hand_surface import HandSurface
from scene.object_model import ObjectModel
from scene.progress import track as shown
from tracker.colors import ColorLikelihoods, color_features, density
from tracker.track import Track, TrackStatus

DEPTH_TOLERANCE = 0.015
"""metres, BOP's delta for what counts as seen"""
AROUND = 0.35
"""of the silhouette's side: how far about it colours are compared"""
TELLING = 0.25
"""Bhattacharyya distance of the two colour distributions below which colour tells nothing of the silhouette"""
ALONE = 0.05
"""pixels around the silhouette and as far away as the object, of those inside, below which it stands alone"""
LEARNED_FROM, MOST_SEEN_THROUGH = 40, 0.1
"""frames, spread over the recording, and the share seen through from which nothing is learned of one"""


@dataclass(frozen=True)
class Agreement:
    """One number a frame, NaN where the object (or hand) is not TRACKED or nothing can be told."""

    overlap: Floats
    """(N,) of the drawn silhouette that is not hidden with what looks like the object: intersection by union"""
    seen_through: Floats
    """(N,) share of the object's drawn pixels that violate free space"""
    hidden: Floats
    """(N,) share that something nearer hides"""
    hand_seen_through: Floats
    """(N,) share of the hand's drawn pixels that violate free space"""


@dataclass(frozen=True)
class DrawnFrame:
    """The object drawn at its pose into the window about it."""

    window: tuple[slice, slice]
    silhouette: Booleans
    """drawn pixels"""
    through: Booleans
    """seen through"""
    hidden: Booleans
    as_far: Booleans
    """pixels whose depth lies within the body's, or is unknown"""


def agreement(track: Track, session: Session, model: ObjectModel | None, drawer: Drawer) -> Agreement:
    """Of every frame; of the hand alone where there is no object."""
    surface = HandSurface.build(track.hand_shape, spacing=0.004)
    if model is not None:
        body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
        tracked = np.flatnonzero(track.status == TrackStatus.TRACKED)
        inside = _colors(track, session, body, drawer, tracked)
    columns = np.full((4, len(track)), np.nan)
    for index in shown(range(len(track)), "comparing with the images"):
        if model is not None and track.status[index] == TrackStatus.TRACKED:
            columns[:3, index] = _object_agreement(track, session, index, body, drawer, inside)
        if track.hand_status[index] == TrackStatus.TRACKED:
            pose = HandPose(track.camera_from_hand[index], track.hand_angles[index])
            hand = painted(surface.posed(pose), surface.faces, SKIN_COLOR, HAND)
            drawn = drawn_frame(session, index, hand, drawer)
            columns[3, index] = np.nan if drawn is None else drawn.through.sum() / drawn.silhouette.sum()
    return Agreement(*columns)


def drawn_frame(session: Session, index: int, body: Body, drawer: Drawer) -> DrawnFrame | None:
    """A body against the depth of a frame; None where it covers no pixel."""
    drawing = drawer.draw([body], session.camera)
    silhouette = drawing.labels > 0
    if not silhouette.any():
        return None
    v, u = np.nonzero(silhouette)
    margin = int(np.ceil(AROUND * max(np.ptp(v), np.ptp(u)))) + 2
    down, right = (slice(max(at.min() - margin, 0), at.max() + margin + 1) for at in (v, u))
    window = down, right
    depth, drawn = session.frame(index).depth[window], drawing.depth[window]
    silhouette, measured = silhouette[window], depth > 0
    nearest, farthest = drawn[silhouette].min() - DEPTH_TOLERANCE, drawn[silhouette].max() + DEPTH_TOLERANCE
    return DrawnFrame(
        window,
        silhouette,
        silhouette & measured & (depth > drawn + DEPTH_TOLERANCE),
        silhouette & measured & (depth < drawn - DEPTH_TOLERANCE),
        np.asarray(~measured | ((depth > nearest) & (depth < farthest))),
    )


def _object_agreement(
    track: Track, session: Session, index: int, body: Body, drawer: Drawer, inside: ColorLikelihoods | None
) -> tuple[float, float, float]:
    """Overlap, part seen through, part hidden."""
    drawn = drawn_frame(session, index, body.placed(track.camera_from_object[index]), drawer)
    if drawn is None:
        return np.nan, np.nan, np.nan
    count = drawn.silhouette.sum()
    like_object = _like_object(session, index, drawn, inside)
    overlap = np.nan
    if like_object is not None:
        visible = drawn.silhouette & ~drawn.hidden
        like_object = like_object & ~drawn.hidden
        overlap = float((visible & like_object).sum() / max((visible | like_object).sum(), 1))
    return overlap, float(drawn.through.sum() / count), float(drawn.hidden.sum() / count)


def _like_object(session: Session, index: int, drawn: DrawnFrame, inside: ColorLikelihoods | None) -> Booleans | None:
    labels = session.labels(index)
    if labels is not None and (labels != NOT_LABELLED).any():
        return np.asarray(labels[drawn.window] == OBJECT_LABEL)
    if inside is None:
        return None
    features = color_features(session.frame(index).color)[drawn.window]
    return np.asarray(binary_opening((inside.chances(features)[0] > 0.5) & drawn.as_far))


def _colors(track: Track, session: Session, body: Body, drawer: Drawer, tracked: Integers) -> ColorLikelihoods | None:
    """Colours inside of the silhouettes and around them; None where these are much the same."""
    on_object, around = [], []
    for index, drawn in _some_drawn(track, session, body, drawer, tracked):
        features = color_features(session.frame(index).color)[drawn.window]
        on_object.append(features[drawn.silhouette & ~drawn.hidden & ~drawn.through])
        around.append(features[drawn.as_far & ~binary_dilation(drawn.silhouette, iterations=3)])
    inside, outside = (sum(len(part) for part in parts) for parts in (on_object, around))
    if inside == 0:
        return None
    first = density(np.concatenate(on_object))
    if outside < ALONE * inside:  # nothing else is as near: depth alone tells
        return ColorLikelihoods(first, np.zeros_like(first), np.zeros_like(first))
    second = density(np.concatenate(around))
    if -np.log(np.sqrt(first * second).sum()) < TELLING:
        return None
    return ColorLikelihoods(first, np.zeros_like(first), second)


def _some_drawn(
    track: Track, session: Session, body: Body, drawer: Drawer, tracked: Integers
) -> Iterator[tuple[int, DrawnFrame]]:
    chosen = tracked[np.unique(np.linspace(0, len(tracked) - 1, LEARNED_FROM).astype(int))] if len(tracked) else []
    for index in chosen:
        drawn = drawn_frame(session, int(index), body.placed(track.camera_from_object[index]), drawer)
        if drawn is not None and drawn.through.sum() < MOST_SEEN_THROUGH * drawn.silhouette.sum():
            yield int(index), drawn
