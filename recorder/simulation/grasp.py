"""Finds how a hand holds an object: the open hand comes up to it and closes its fingers until they touch.

Each joint turns until the skin it moves meets the object's distance field, or another finger; then it and the joints
before it stop while those further out go on, as the tendons of a hand that closes without thinking. Many random
approaches are tried and the first is taken in which thumb and fingers oppose each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import map_coordinates

from recorder.simulation.skin import Skin
from scene.arrays import Booleans, Floats, Integers
from scene.distance_field import DistanceField
from scene.errors import SensorError
from scene.hand_pose import HandPose, distance_to_segments, segments
from scene.hand_surface import HandSurface
from scene.object_model import ObjectModel
from scene.rotations import random_rotations
from scene.transforms import rigid

OPEN_DEG = ((38, -20, -5, -10), (4, 12, 12, 8), (0, 12, 12, 8), (0, 12, 12, 8), (-4, 12, 12, 8))
CLOSED_DEG = ((38, 40, 50, 55), (2, 72, 88, 50), (0, 76, 90, 52), (0, 78, 92, 54), (0, 80, 92, 54))
"""(finger, motion) between which the fingers close; ANGLE_NAMES says which is which"""
SPREAD_DEG = (12, 8, 8, 8)
"""(motion) half the range by which every approach varies them"""
HOLD_POINT = (0.085, -0.062, -0.012)
"""metres, hand frame of a right hand: where the thumb and the fingers meet"""
HOLD_SPREAD = (0.012, 0.012, 0.010)
RETREAT, RETREAT_STEP = 0.07, 0.002
"""metres that an object which does not fit moves out of the palm, at most and at a time"""
APPROACHES = 80
FIRST_STEP, LAST_STEP = 0.05, 0.004
"""parts of the way from open to closed"""
PENETRATION = 0.0004
"""metres that skin gives way"""
DEEPEST = 0.0007
"""metres that it gives way at most, when all of it is looked at"""
RELAX_STEPS, RELAX_TURN = 25, 0.003
"""how often, and by how many radians a joint, a finger that is too deep opens"""
TOUCH = 0.0015
"""metres at which skin counts as touching"""
ARM_CLEARANCE = 0.003
"""metres that the object stays away from wherever the arm may be"""
SEARCH_VERTICES = 1500
"""of the skin that the search looks at; the result is checked and corrected with all of them"""


NO_ARM: Floats = np.zeros((0, 3))


@dataclass(frozen=True)
class Grasp:
    """How a hand holds an object."""

    object_from_hand: Floats
    """(4, 4)"""
    angles: Floats
    """(20,) radians"""
    touching: Booleans
    """(5,) which fingers touch"""
    opposition: float
    """-1 where the thumb presses exactly against the fingers, 1 where it presses beside them"""

    @property
    def quality(self) -> float:
        """Higher is firmer, at least FIRM where it looks safe; 0 where nothing presses against the thumb."""
        holds = self.touching[0] and self.opposition < WEAKEST
        return float(self.touching[1:].sum() - self.opposition) if holds else 0.0


WEAKEST = -0.2
"""opposition: thumb and fingers press at more than about 100 degrees"""
FIRM = 2.4
"""two fingers against the thumb that press mostly against it"""


def find_grasp(
    skin: Skin, model: ObjectModel, field: DistanceField, rng: np.random.Generator, *, arm_hand: Floats = NO_ARM
) -> Grasp:
    """The first firm one of APPROACHES random approaches, or the best of them.

    Args:
        skin: of the hand.
        model: what it takes.
        field: distances to that.
        rng: decides the approaches.
        arm_hand: (P, 3) metres, hand frame, where the arm may be while the hand moves: the object is never held there.

    Raises:
        SensorError: no approach brought thumb and finger to touch the object.
    """
    subset = rng.choice(len(skin.surface.vertices), min(SEARCH_VERTICES, len(skin.surface.vertices)), replace=False)
    coarse, whole = _Fingers(_part(skin.surface, subset), field), _Fingers(skin.surface, field)
    anchors, normals, _ = model.surface_samples(APPROACHES, rng)
    best: Grasp | None = None
    for anchor, normal, rotation in zip(anchors, normals, random_rotations(APPROACHES, rng), strict=True):
        grasp = _approach(coarse, anchor - normal * rng.uniform(0.003, 0.012), rotation, rng)
        grasp = _relaxed(whole, grasp) if grasp is not None and grasp.quality > 0 else None
        if grasp is not None and arm_distance(arm_hand, grasp, field) < ARM_CLEARANCE:
            continue
        if grasp is not None and grasp.quality > (best.quality if best else 0.0):
            best = grasp
        if best is not None and best.quality >= FIRM:
            return best
    if best is None:
        raise SensorError(f"the simulated hand finds no hold of the object {model.name}; give another --seed")
    return best


def distance_at(field: DistanceField, points_object: Floats) -> Floats:
    """(N, 3) metres, object frame -> (N,) metres, linear between the nodes; beyond the grid that of its border."""
    nodes = (points_object - field.origin) / field.spacing
    distance: Floats = map_coordinates(field.values, nodes.T, order=1, mode="nearest")
    return distance


def skin_distance(surface: HandSurface, grasp: Grasp, field: DistanceField) -> Floats:
    """(V,) metres from each vertex of the hand that holds to the object, negative inside it."""
    return distance_at(field, surface.posed(HandPose(grasp.object_from_hand, grasp.angles)))


def arm_distance(arm_hand: Floats, grasp: Grasp, field: DistanceField) -> float:
    """Metres from the nearest of (P, 3) points of the hand frame to the object, negative inside it."""
    points = arm_hand @ grasp.object_from_hand[:3, :3].T + grasp.object_from_hand[:3, 3]
    return float(distance_at(field, points).min(initial=np.inf))


class _Fingers:
    """A hand's skin, and what of it moves with which bone."""

    def __init__(self, surface: HandSurface, field: DistanceField) -> None:
        self.surface, self.field = surface, field
        self.bone = surface.weights.argmax(axis=1)
        self.thumb = _part(surface, np.flatnonzero((self.bone >= 2) & (self.bone <= 3)))

    def clearance(self, object_from_hand: Floats, angles: Floats) -> Floats:
        """(16,) metres from the skin of each bone to the object, or to another finger where that is nearer."""
        distance = distance_at(self.field, self.surface.posed(HandPose(object_from_hand, angles)))
        least = np.full(16, np.inf)
        np.minimum.at(least, self.bone, distance)
        between = self._thumb_to_fingers(angles)
        least[3] = min(least[3], between.min())
        least[6::3] = np.minimum(least[6::3], between)
        return least

    def _thumb_to_fingers(self, angles: Floats) -> Floats:
        """(4,) metres from the thumb's skin to each finger."""
        ends, radii, owner = segments(self.surface.shape, angles)
        on_finger = owner >= 4
        skin_of_thumb = self.thumb.posed(HandPose(np.eye(4), angles))
        distance = distance_to_segments(skin_of_thumb, ends[on_finger], radii[on_finger]).min(axis=0)
        least: Floats = distance.reshape(4, 3).min(axis=1) + PENETRATION
        return least


def _part(surface: HandSurface, vertices: Integers) -> HandSurface:
    """Some of the vertices, without faces."""
    return replace(surface, vertices=surface.vertices[vertices], weights=surface.weights[vertices])


def _approach(fingers: _Fingers, inside: Floats, rotation: Floats, rng: np.random.Generator) -> Grasp | None:
    """One try; None where the open hand does not fit about the object."""
    side = np.array([1, 1, fingers.surface.shape.abduction_sign])
    hold = (np.array(HOLD_POINT) + np.array(HOLD_SPREAD) * rng.uniform(-1, 1, 3)) * side
    spread = np.array(SPREAD_DEG) * rng.uniform(-1, 1, (5, 4))
    opened = np.deg2rad(np.array(OPEN_DEG) + spread * (1, 0.5, 0.5, 0.5)).reshape(20)
    closed = np.deg2rad(np.array(CLOSED_DEG) + spread).reshape(20)
    for retreat in np.arange(0, RETREAT, RETREAT_STEP):
        origin = inside - rotation @ (hold - (0, retreat, 0))
        object_from_hand = rigid(rotation, origin)
        if fingers.clearance(object_from_hand, opened).min() > 0:
            return _closed(fingers, object_from_hand, opened, closed)
    return None


def _closed(fingers: _Fingers, object_from_hand: Floats, opened: Floats, closed: Floats) -> Grasp:
    """Turns every joint on until its finger touches; joints are (5, 4), of which the first, abduction, goes along."""
    part = np.zeros((5, 4))
    moving = np.ones((5, 4), bool)
    step = np.full(5, FIRST_STEP)
    while moving.any():
        tried = np.minimum(part + moving * step[:, None], 1.0)
        clearance = fingers.clearance(object_from_hand, _between(opened, closed, tried))[1:].reshape(5, 3)
        blocked = clearance < -PENETRATION
        stuck = blocked.any(axis=1)
        part[~stuck] = tried[~stuck]
        _stop(moving, blocked, stuck & (step <= LAST_STEP))
        step[stuck] = np.maximum(step[stuck] / 2, LAST_STEP)
        moving &= part < 1.0
    return _judged(fingers, object_from_hand, _between(opened, closed, part))


def _stop(moving: Booleans, blocked: Booleans, finished: Booleans) -> None:
    """Ends, in place, the joints up to the outermost blocked phalanx of every finger that cannot go on."""
    for finger in np.flatnonzero(finished):
        outermost = int(np.flatnonzero(blocked[finger]).max())
        still = moving[finger].copy()
        moving[finger, : outermost + 2] = False
        if (still == moving[finger]).all():  # what blocks it moves by another finger's doing
            moving[finger] = False


def _between(opened: Floats, closed: Floats, part: Floats) -> Floats:
    angles: Floats = opened + part.reshape(20) * (closed - opened)
    return angles


def _judged(fingers: _Fingers, object_from_hand: Floats, angles: Floats) -> Grasp:
    points = fingers.surface.posed(HandPose(object_from_hand, angles))
    distance = distance_at(fingers.field, points)
    finger = np.where(fingers.bone > 0, (fingers.bone - 1) // 3, -1)
    touches = np.stack([(finger == one) & (distance < TOUCH) for one in range(5)])
    push = np.stack([_mean_normal(fingers.field, points[touch]) for touch in touches])
    others = push[1:].sum(axis=0)
    length = np.linalg.norm(others)
    opposition = float(push[0] @ others / length) if length > 0 else 1.0
    return Grasp(object_from_hand, angles, np.asarray(touches.any(axis=1)), opposition)


def _mean_normal(field: DistanceField, points: Floats) -> Floats:
    """(N, 3) -> (3,) unit mean of the field's gradients; 0 where there are no points."""
    if len(points) == 0:
        return np.zeros(3)
    steps = field.spacing * np.eye(3)
    slope = np.stack([distance_at(field, points + step) - distance_at(field, points - step) for step in steps])
    mean = slope.sum(axis=1)
    normal: Floats = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return normal


def _relaxed(fingers: _Fingers, grasp: Grasp) -> Grasp | None:
    """Opens, a little at a time, each finger whose whole skin goes deeper than the searched part of it did.

    None where that does not free it, as where the palm goes deep.
    """
    angles = grasp.angles.reshape(5, 4).copy()
    for _ in range(RELAX_STEPS):
        clearance = fingers.clearance(grasp.object_from_hand, angles.reshape(20))
        deep = clearance[1:].reshape(5, 3).min(axis=1) < -DEEPEST
        if clearance[0] < -DEEPEST:
            return None
        if not deep.any():
            return _judged(fingers, grasp.object_from_hand, angles.reshape(20))
        angles[deep, 1:] -= RELAX_TURN
    return None
