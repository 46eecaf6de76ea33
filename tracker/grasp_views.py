"""One grasp seen in several frames: what a finger hides in one of them is seen in another, once the object has turned.

A hand that holds an object keeps still on it for long. Frames in which the object's pose is known are therefore views
of one and the same hand, and a hand that is wrong in a way that a single frame does not show is wrong in the next view.
In: frames with the object's pose. Out: how well a hand explains all of them, and the hand that does so best.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scene.arrays import Floats, Integers
from scene.rotations import geodesic_angle
from scene.transforms import inverse
from tracker.explanation import view_fingers
from tracker.hypothesis import (
    HAND_ROTATION,
    HAND_TRANSLATION,
    OBJECT_ROTATION,
    OBJECT_TRANSLATION,
    VECTOR_SIZE,
    Layout,
)
from tracker.objective import Evidence
from tracker.refine import HAND_NUMBERS, Problem, refined_each

MOST, TURNED = 4, 0.3
"""views that are kept, and the radians by which the object is turned from each to the next"""
AROUND, NEAREST = 0.28, 0.2
"""metres about the object within which its hand is, and from the camera within which nothing is"""
NEW_GRASP = 0.2
"""of the objective, summed over this frame and the views: by which two hands must explain them better than one"""
STALE = 0.1
"""of the objective in a view: by which a hand may explain it worse than the hand of its time did, lest it be of another
grasp"""
ITERATIONS = 12


@dataclass(frozen=True)
class View:
    """One frame, cut to what is about the object, for the terms of the hand."""

    evidence: Evidence
    camera_from_object: Floats
    """(4, 4)"""
    lowest: float = np.inf
    """of the objective here, of the hands that were settled on"""

    @staticmethod
    def of(evidence: Evidence, camera_from_object: Floats) -> View:
        """Of a frame's evidence; colours of pixels are left out, which only the object's terms ask for."""
        fx, fy, cx, cy = evidence.intrinsics
        x, y, z = camera_from_object[:3, 3]
        height, width = evidence.depth.shape
        nearest = max(z - AROUND, NEAREST)
        half = np.array([fx, fy]) * AROUND / nearest
        middle = np.array([fx * x / z + cx, fy * y / z + cy])
        low = np.clip(np.floor(middle - half), 0, [width - 1, height - 1]).astype(int)
        high = np.clip(np.ceil(middle + half), low + 1, [width, height]).astype(int)
        nothing = np.zeros((1, 1), evidence.object_chance.dtype)
        return View(
            evidence._replace(
                depth=evidence.depth[low[1] : high[1], low[0] : high[0]].copy(),
                features=np.zeros((1, 1, 3), evidence.features.dtype),
                object_chance=nothing,
                hand_chance=nothing,
                intrinsics=np.array([fx, fy, cx - low[0], cy - low[1]]),
            ),
            camera_from_object,
        )


@dataclass(frozen=True)
class SameGrasp:
    """The problem of one frame together with views of the same grasp, the object held still; for the hand's numbers.

    What is minimised is the sum of the frame's objective and of the objective in each view of the hand carried there
    with the object.
    """

    now: Problem
    camera_from_object: Floats
    """(4, 4) in the frame"""
    views: tuple[View, ...]

    def residuals(self, vector: Floats) -> tuple[Floats, Floats]:
        """(32,) -> (R,) those of the frame and then of each view, and (6,) the terms' sums."""
        outcomes = [self.now.residuals(vector), *(view.residuals(carry(vector)) for view, carry in self._others)]
        return np.concatenate([out for out, _ in outcomes]), np.sum([terms for _, terms in outcomes], axis=0)

    def objectives(self, vectors: Floats) -> Floats:
        """(N, 32) -> (N,) of each."""
        return self.now.objectives(vectors) + self.in_views(vectors)

    def jacobian(self, vector: Floats, active: Integers, base: Floats) -> Floats:
        """(R, A) derivative by the numbers `active` (A,), of the hand's, at the residuals `base` (R,)."""
        here, *there = np.split(base, np.cumsum([self.now.size, *(view.size for view, _ in self._others)])[:-1])
        parts = [self.now.jacobian(vector, active, here)]
        for own, (view, carry) in zip(there, self._others, strict=True):
            parts.append(view.jacobian(carry(vector), active, own) @ carry.slope[np.ix_(active, active)])
        return np.concatenate(parts)

    def in_views(self, vectors: Floats) -> Floats:
        """(N, 32) -> (N,) the views' part of the objective."""
        return np.asarray(np.sum(self.in_each(vectors), axis=0))

    def in_each(self, vectors: Floats) -> list[Floats]:
        """(N, 32) -> for each view (N,) the objective there."""
        return [view.objectives(carry(vectors)) for view, carry in self._others]

    def seen_in_views(self, vector: Floats) -> float:
        """How much of the fingers' camera side the sensor saw where they should be, a share for each view, summed."""
        shares = (
            view_fingers(carry(vector), view.layout, view.evidence, view.models)[0] for view, carry in self._others
        )
        return float(sum(shares))

    @cached_property
    def _others(self) -> list[tuple[Problem, Carry]]:
        """The problem of each view, and what takes vectors there."""
        here = inverse(self.camera_from_object)
        others = []
        for view in self.views:
            carry = Carry(view.camera_from_object @ here, view.camera_from_object)
            turned = carry.view_from_here[:3, :3] @ self.now.layout.hand_reference
            layout = Layout(view.camera_from_object[:3, :3].copy(), np.ascontiguousarray(turned))
            others.append((replace(self.now, evidence=view.evidence, layout=layout, use_object=False), carry))
        return others


@dataclass(frozen=True)
class Carry:
    """From the vector of a hand and an object in one frame to that of the same hand on the object in another."""

    view_from_here: Floats
    """(4, 4) the object's motion between them"""
    camera_from_object: Floats
    """(4, 4) in the other frame"""

    def __call__(self, vectors: Floats) -> Floats:
        """(..., 32) -> (..., 32), about the references that were carried likewise."""
        moved, turn = vectors.copy(), self.view_from_here[:3, :3]
        moved[..., OBJECT_TRANSLATION], moved[..., OBJECT_ROTATION] = self.camera_from_object[:3, 3], 0.0
        moved[..., HAND_TRANSLATION] = vectors[..., HAND_TRANSLATION] @ turn.T + self.view_from_here[:3, 3]
        moved[..., HAND_ROTATION] = vectors[..., HAND_ROTATION] @ turn.T
        return moved

    @property
    def slope(self) -> Floats:
        """(32, 32) derivative; that by the object's numbers, which stand still, is not meant."""
        slope = np.eye(VECTOR_SIZE)
        slope[HAND_TRANSLATION, HAND_TRANSLATION] = slope[HAND_ROTATION, HAND_ROTATION] = self.view_from_here[:3, :3]
        return slope


@dataclass(frozen=True)
class GraspViews:
    """Views of the grasp that was last seen, the latest last."""

    views: tuple[View, ...] = ()

    def wants(self, camera_from_object: Floats) -> bool:
        """Whether the object shows another side of the hand than in all of them."""
        return all(
            geodesic_angle(view.camera_from_object[:3, :3], camera_from_object[:3, :3]) > TURNED for view in self.views
        )

    def seen(self, view: View) -> GraspViews:
        """With one more, in place of the oldest if there are many."""
        return GraspViews((*self.views, view)[-MOST:])

    def settle(
        self, problem: Problem, camera_from_object: Floats, hands: Floats, tries: int = 1
    ) -> tuple[Floats, GraspViews]:
        """Which hand it is, and the views that are of it.

        Args:
            problem: of this frame, the object held still.
            camera_from_object: (4, 4) where the object is.
            hands: (N, 32) hands that may be it, among them that of the views as it is now carried.
            tries: hands that are refined, the best of which counts.

        Returns:
            (32,) the hand that explains this frame and all views best, refined, and the views that it does explain; or
            the hand that explains this frame best and no views, if it takes two hands to explain them: the object was
            grasped anew.
        """
        alone = problem.objectives(hands)
        if not self.views:
            return hands[alone.argmin()], self
        same = SameGrasp(problem, camera_from_object, self.views)
        in_views = same.in_views(hands)
        starts = hands[np.argsort(alone + in_views, kind="stable")[:tries]]
        ends = refined_each(same, starts, HAND_NUMBERS, ITERATIONS)
        hand, value = min(ends, key=lambda end: end[1])
        if value > alone.min() + in_views.min() + NEW_GRASP:
            return hands[alone.argmin()], GraspViews()
        here = [float(values[0]) for values in same.in_each(hand[None])]
        lowest = [replace(view, lowest=min(view.lowest, at)) for view, at in zip(self.views, here, strict=True)]
        return hand, GraspViews(tuple(view for view, at in zip(lowest, here, strict=True) if at < view.lowest + STALE))
