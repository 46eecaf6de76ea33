"""How much a frame tells of an object's orientation: what turning it would cost; and turns that cost less than nothing.

A plain mug whose handle is hidden looks the same however it is turned about its axis, a buckle whose button is hidden
the same after half a turn. Each such pose fits as well as the right one, so that how well it fits says nothing of
whether it is right. In: a pose and the problem that it solves. Out: the cheapest turn, or the pose after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from scene.rotations import geodesic_angle, matrix_from_rotation_vector
from scene.symmetry import Symmetries, turn_about
from tracker.refine import OBJECT_NUMBERS, Problem, refined, refined_each

NEAR: Floats = np.deg2rad([-10, 10])
"""radians: as far as a pose may be off and still be called right"""
FAR: Floats = np.deg2rad(np.arange(30, 331, 30))
TRIED = 4
"""of the far turns, those that cost least before their place and angle are fitted anew"""
NEAR_ITERATIONS, FAR_ITERATIONS, ITERATIONS = 3, 6, 12
ROUNDS = 4
"""turns that are made at most, one after the other"""
TELLING, TELLING_SHAPE, LITTLE, STEEPNESS = 0.008, 0.05, 0.12, 4.0
"""cost of such a turn, the same by shape alone, and visible share of the object, at which a pose that fits is as likely
right as not, and how steeply its chance rises with the logarithm of any"""
JUMP, DEAR = 0.02, 0.04
"""by how much less an object that is followed has to cost after a far turn, since it moves on rather than jumps; and
what a small turn costs where no far one is tried"""
ALIKE = np.deg2rad(5.0)
"""from a turn to a symmetry of the object within which it is none"""


@dataclass(frozen=True)
class Turn:
    """The cheapest of some turns."""

    vector: Floats
    """(32,) the hypothesis after it"""
    cost: float
    """by how much its objective is above that before it; infinite where every turn looks alike"""


@dataclass(frozen=True)
class Settled:
    """A hypothesis after all turns that cost less than nothing."""

    vector: Floats
    """(32,)"""
    near: float
    """cost of the cheapest turn by 10 degrees that is left"""
    far: float
    """the same of turns from 30 degrees to a whole one; infinite where none was tried"""


def settled(problem: Problem, vector: Floats, symmetries: Symmetries, *, known: bool) -> Settled:
    """The hypothesis turned as long as that lowers the objective: least squares and swarms stay in small hollows.

    Args:
        problem: of the object.
        vector: (32,) hypothesis, refined.
        symmetries: of the object; turns that they allow do not count.
        known: from the frames before about how the object is turned: then a far turn has to lower it by much, for all
            points, and is not even tried where a small one is dear.
    """
    for _ in range(ROUNDS):
        near = near_turn(problem, vector, symmetries)
        far = Turn(vector, np.inf) if known and near.cost > DEAR else far_turn(problem, vector, symmetries)
        jumps = far.cost < min(-JUMP if known else 0.0, near.cost)
        if jumps and (not known or _is_lower_for_all(problem, far.vector, vector)):
            vector = far.vector
        elif near.cost < 0:
            vector = near.vector
        else:
            break
        vector, _ = refined(problem, vector, OBJECT_NUMBERS, ITERATIONS)
    return Settled(vector, max(near.cost, 0.0), max(far.cost, 0.0))


def _is_lower_for_all(problem: Problem, turned: Floats, vector: Floats) -> bool:
    """Whether a turn explains all points better, and is not only away from some that are then no longer its own.

    A thing that is turned end for end about the part of it that is seen lies elsewhere with all the rest.
    """
    of_all = replace(problem, weights=problem.weights._replace(around=np.inf))
    after, before = of_all.objectives(np.array([turned, vector]))
    return bool(after < before)


def near_turn(problem: Problem, vector: Floats, symmetries: Symmetries) -> Turn:
    """By 10 degrees, the object's place fitted anew.

    Turns about the object's principal axes are tried, near which the axis lies about which a thing looks most alike.
    """
    turned = _turned(problem, vector, NEAR, symmetries)
    return _cheapest(problem, vector, refined_each(problem, turned, OBJECT_NUMBERS[:3], NEAR_ITERATIONS))


def far_turn(problem: Problem, vector: Floats, symmetries: Symmetries) -> Turn:
    """The same from 30 degrees to a whole turn, place and angle fitted anew."""
    turned = _turned(problem, vector, FAR, symmetries)
    if len(turned):
        turned = turned[np.argsort(problem.objectives(turned), kind="stable")[:TRIED]]
    return _cheapest(problem, vector, refined_each(problem, turned, OBJECT_NUMBERS, FAR_ITERATIONS))


def chance_told(cost: float, visible: float, *, colored: bool) -> float:
    """Chance, 0 to 1, that a pose which fits is not one of many that fit as well.

    Args:
        cost: of a turn, as above.
        visible: share of the object's camera-facing samples that are seen where they should be.
        colored: whether the mesh has colours. By shape alone a mug whose handle a hand holds costs least some 20
            degrees from where it is, the handle in the fingers, and turns from there and from the truth both cost
            some 0.03; right poses of what has a shape of its own cost 0.15 and more.
    """
    return rising(cost / (TELLING if colored else TELLING_SHAPE)) * rising(visible / LITTLE)


def rising(ratio: float) -> float:
    """0 to 1, a half at a ratio of 1, by its logarithm."""
    return float(1.0 / (1.0 + max(ratio, 1e-6) ** -STEEPNESS))


def _turned(problem: Problem, vector: Floats, angles: Floats, symmetries: Symmetries) -> Floats:
    """(T, 32) the hypothesis turned by each angle about each principal axis, without the turns that look alike."""
    pose, samples = problem.layout.pose(vector), problem.models.samples
    axes = np.linalg.eigh(np.cov(samples.T))[1].T
    rotations = matrix_from_rotation_vector((axes[:, None] * angles[:, None]).reshape(-1, 3))
    from_alike = geodesic_angle(rotations[:, None], symmetries.transforms[None, :, :3, :3]).min(axis=1)
    turns = turn_about(rotations[from_alike > ALIKE], samples.mean(axis=0))
    poses = [replace(pose, camera_from_object=pose.camera_from_object @ turn) for turn in turns]
    return np.array([problem.layout.vector(turned) for turned in poses]).reshape(-1, len(vector))


def _cheapest(problem: Problem, vector: Floats, ends: list[tuple[Floats, float]]) -> Turn:
    """Of the ends of some turns, each with its objective."""
    end, objective = min(ends, key=lambda end: end[1], default=(vector, np.inf))
    return Turn(end, objective - float(problem.residuals(vector)[1].sum()))
