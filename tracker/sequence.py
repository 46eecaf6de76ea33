"""The loop over a recording: predict, search by swarm, refine, judge; search anew where the judgement is bad.

A frame is TRACKED only where its confidence passes; what was not, is NaN in the track. Colours of object and hand are
learned from the frames that passed clearly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Booleans, Floats, Integers
from scene.camera import Camera
from scene.frame import RgbdFrame
from scene.hand_pose import HandPose, joints
from scene.hand_shape import HandShape
from scene.object_model import ObjectModel
from scene.progress import track as shown
from scene.rotations import geodesic_angle, rotation_vector_from_matrix
from scene.transforms import inverse, rigid
from tracker.background import static_background
from tracker.colors import ColorLikelihoods, without_background
from tracker.config import RunConfig
from tracker.explanation import on_bodies, point_distances, view_samples
from tracker.hand_search import find_hand
from tracker.hypothesis import HandObjectPose, Layout, clamp_angles
from tracker.initialisation import find_object, pose_without_hand, searching
from tracker.models import lit
from tracker.objective import COLOR, HAND, TERMS, Evidence, Models, Weights, weights_for
from tracker.observation import Observation, Surroundings, find_planes, observe
from tracker.quality import ObjectQuality, hand_confidence, object_confidence
from tracker.refine import HAND_NUMBERS, OBJECT_NUMBERS, Problem, refined
from tracker.swarm import SwarmSettings, minimise
from tracker.track import TrackStatus

SCALES: Floats = np.concatenate([[0.006] * 3, [0.10] * 3, [0.006] * 3, [0.10] * 3, [0.15] * 20])
"""(32,) metres and radians: how far the swarm searches about a prediction when nothing moves"""
MUST_GAIN = 0.9
"""share of a followed pose's objective that one found anew must get below to replace it"""
MUST_GAIN_FAR = 0.7
"""the same where the object would have had to move faster than hands do"""
FASTEST_STEP, FASTEST_TURN = 0.08, 0.7
"""metres and radians from one frame to the next"""
REVIEW_EVERY = 12
"""frames from one search of the whole view to the next where nothing is in doubt"""
PATIENCE = 12
"""frames for which a lost object is still looked for where it was"""
FOUND = 0.8
"""confidence that a pose found anew needs where there is none to compare it with"""
SEARCH_EVERY = 3
"""frames from one search of the whole view to the next"""
RECHECK = 0.8
"""confidence below which a pose that was followed is compared with what is found anew"""
LEARNING = 0.95
"""confidence from which colours are learned"""
LEARNING_RATE = 0.1
FIRST_LEARNING_RATE = 0.7
SCANNED_COLORS = 0.5
"""how far the mesh's colours are trusted before any were seen through this camera"""
ABSENT_SHARE = 0.05
"""of the square of the object's reach: with less of its colours in view an object without a pose is called ABSENT"""
HAND_AREA = 0.0015
"""square metres of hand-coloured surface from which a hand is looked for"""
FEWEST_POINTS = 50
"""observed points about a prediction, below which nothing is there to be followed"""
CANDIDATES = 6
"""of those found anew, judged to the end"""


@dataclass(frozen=True)
class TrackedFrame:
    """The answer for one frame."""

    status: TrackStatus
    hand_status: TrackStatus
    pose: HandObjectPose
    """the best hypothesis, whether it passed or not"""
    confidence: float
    hand_confidence: float
    terms: Floats
    """(6,) of the objective"""
    residual: float
    visibility: float
    spread_translation: float
    spread_rotation: float


@dataclass(frozen=True)
class _Estimate:
    """A hypothesis with its judgement."""

    pose: HandObjectPose
    use_hand: bool
    confidence: float
    hand_confidence: float
    terms: Floats
    quality: ObjectQuality
    spread: tuple[float, float] = (float("nan"), float("nan"))


class SequenceTracker:
    """Follows one hand and one object through the frames it is given, in order."""

    def __init__(
        self,
        camera: Camera,
        model: ObjectModel,
        models: Models,
        shape: HandShape,
        likelihoods: ColorLikelihoods,
        config: RunConfig,
    ) -> None:
        """Starts with nothing known of where anything is."""
        self._camera, self._models, self._shape, self._config = camera, models, shape, config
        self._likelihoods, self._colored = likelihoods, model.colored
        self._weights = weights_for(model.diameter, colored=model.colored)
        self._planes: Floats | None = None
        self._estimate: _Estimate | None = None
        self._motion = np.eye(4)
        self._last_seen: Floats | None = None
        self._colors_known = SCANNED_COLORS if model.colored else 0.0
        self._background: Floats | None = None
        self._anchor: _Estimate | None = None
        self._searched, self._lost_for = -SEARCH_EVERY, 0
        self._current: _Estimate | None = None
        self._rng = np.random.default_rng(config.seed)

    def look_ahead(self, frames: Sequence[RgbdFrame]) -> int | None:
        """Learns from frames spread over the recording what never moves, and where the object is seen best.

        Returns:
            The index of the frame to begin with, in which the object was found; None where it was found in none.
        """
        self._background = static_background(frames)
        if self._background is not None:  # what is left standing before it is not of the scene's colours
            self._likelihoods = without_background(self._likelihoods)
        best: tuple[Observation, _Estimate, int] | None = None
        for frame in shown(frames, "looking ahead"):
            observation = self._observed(frame)
            found = self._found(observation)
            if found is not None and (best is None or found.confidence > best[1].confidence):
                best = observation, found, frame.index
        if best is None or best[1].confidence < self._config.confidence:
            return None
        observation, self._estimate, index = best
        self._learn(observation, self._estimate, FIRST_LEARNING_RATE)
        self._anchor = self._estimate
        return index

    def return_to_anchor(self) -> None:
        """Forgets where things are now for where they were in the frame that tracking began with."""
        self._estimate, self._motion, self._lost_for = self._anchor, np.eye(4), 0

    def _observed(self, frame: RgbdFrame) -> Observation:
        self._rng = np.random.default_rng([self._config.seed, frame.index])
        if self._planes is None or frame.index % 10 == 0:
            self._planes = find_planes(frame, self._camera, self._config.seed)
        surroundings = Surroundings(self._planes, self._background)
        return observe(frame, self._camera, self._likelihoods, surroundings)

    def track(self, frame: RgbdFrame) -> TrackedFrame:
        """Takes the next frame."""
        observation = self._observed(frame)
        estimate = self._followed(observation) if self._estimate is not None else None
        if self._search_is_due(frame.index, estimate):
            self._searched = frame.index
            found = self._found(observation)
            if found is not None and self._is_better(observation, found, estimate):
                estimate = found
        answer = self._answer(observation, estimate)
        self._remember(observation, answer)
        return answer

    def _search_is_due(self, index: int, estimate: _Estimate | None) -> bool:
        """Often while in doubt, and now and then without any: a wrong pose can look right for long."""
        doubtful = estimate is None or estimate.confidence < max(self._config.confidence, RECHECK)
        return abs(index - self._searched) >= (SEARCH_EVERY if doubtful else REVIEW_EVERY)

    def _is_better(self, observation: Observation, found: _Estimate, followed: _Estimate | None) -> bool:
        """Whether a pose found anew replaces the one that was followed."""
        if found.confidence < FOUND:
            return False
        if followed is None:
            return True
        evidence = self._evidence(observation, [found.pose, followed.pose], False)
        values = []
        for pose in (found.pose, followed.pose):
            problem = self._problem(evidence, pose, searching(self._weights))
            values.append(problem.residuals(problem.layout.vector(pose))[1].sum())
        return bool(values[0] < (MUST_GAIN if self._is_plausible(found.pose) else MUST_GAIN_FAR) * values[1])

    def _is_plausible(self, pose: HandObjectPose) -> bool:
        """Whether the object can have got there from where it was last vouched for."""
        last = self._estimate
        if last is None:
            return True
        here, there = pose.camera_from_object, last.pose.camera_from_object
        frames = 1 + self._lost_for
        near = np.linalg.norm(here[:3, 3] - there[:3, 3]) < FASTEST_STEP * frames
        return bool(near and geodesic_angle(here[:3, :3], there[:3, :3]) < FASTEST_TURN * frames)

    def _problem(self, evidence: Evidence, pose: HandObjectPose, weights: Weights) -> Problem:
        return Problem(evidence, self._models, weights, Layout.about(pose), pose.hand.angles, use_hand=False)

    def _followed(self, observation: Observation) -> _Estimate | None:
        """The swarm about where the object should be by now, refined; then another about the hand."""
        last = self._estimate
        assert last is not None
        predicted = _moved(last.pose, self._motion)
        evidence = self._evidence(observation, [last.pose, predicted], False)
        if len(evidence.points) < FEWEST_POINTS:
            return None
        layout = Layout.about(last.pose)
        problem = self._problem(evidence, last.pose, self._weights)
        scales = self._scales(last.pose) * (1.0 + 0.3 * self._lost_for)
        scales[6:] = 0.0
        settings = SwarmSettings(generations=self._config.generations)
        starts = self._starts(layout, [last.pose, predicted], scales)
        result = minimise(problem.objectives, starts, scales, settings, self._rng)
        best, _ = refined(problem, result.best, OBJECT_NUMBERS, iterations=15)
        estimate = self._judged(observation, problem, best)
        estimate = replace(estimate, spread=_spread(result.personal_bests, result.personal_objectives))
        return self._hand_followed(observation, estimate) if last.use_hand else estimate

    def _hand_followed(self, observation: Observation, estimate: _Estimate) -> _Estimate:
        """The swarm about where the hand should be if it stayed, or moved with the object."""
        last = self._estimate
        assert last is not None
        carried = estimate.pose.camera_from_object @ inverse(last.pose.camera_from_object)
        poses = [replace(estimate.pose, hand=hand) for hand in (last.pose.hand, _moved(last.pose, carried).hand)]
        evidence = self._evidence(observation, poses, True)
        if len(evidence.points) < FEWEST_POINTS:
            return estimate
        layout = Layout.about(poses[0])
        problem = Problem(evidence, self._models, self._weights, layout, last.pose.hand.angles, use_hand=True)
        scales = self._scales(last.pose)
        scales[:6] = 0.0
        settings = SwarmSettings(generations=self._config.generations)
        result = minimise(problem.objectives, self._starts(layout, poses, scales), scales, settings, self._rng)
        best, _ = refined(problem, result.best, HAND_NUMBERS, iterations=15)
        return self._with_certainty(observation, estimate, problem, best)

    def _with_certainty(
        self, observation: Observation, estimate: _Estimate, problem: Problem, vector: Floats
    ) -> _Estimate:
        """The same object, with a hand and what speaks for it."""
        _, terms = problem.residuals(vector)
        certainty = self._hand_certainty(observation, problem, vector, terms)
        return replace(
            estimate, pose=problem.layout.pose(vector), use_hand=True, hand_confidence=certainty, terms=terms
        )

    def _scales(self, last: HandObjectPose) -> Floats:
        """(32,) how far to search: farther along what moved before."""
        scales = SCALES.copy()
        step = (self._motion @ last.camera_from_object - last.camera_from_object)[:3, 3]
        turn = rotation_vector_from_matrix(self._motion[:3, :3])
        scales[[0, 1, 2, 6, 7, 8]] += 0.4 * min(float(np.linalg.norm(step)), 0.05)
        scales[[3, 4, 5, 9, 10, 11]] += 0.4 * min(float(np.linalg.norm(turn)), 0.6)
        return scales

    def _starts(self, layout: Layout, poses: list[HandObjectPose], scales: Floats) -> Floats:
        """(particles, 32): where things were, where they would be by their motion, and clouds about both."""
        count = self._config.particles
        centres = np.stack([layout.vector(pose) for pose in poses])
        centres[:, scales == 0] = centres[0, scales == 0]
        starts = centres[np.arange(count) % len(centres)]
        starts = starts + self._rng.normal(size=starts.shape) * scales * 0.7
        starts[: len(centres)] = centres
        return clamp_angles(starts)

    def _found(self, observation: Observation) -> _Estimate | None:
        """The object searched for everywhere, the best candidates judged."""
        candidates = find_object(
            observation, self._models, self._weights, self._rng, colored=self._colored, near=self._last_seen
        )
        best: _Estimate | None = None
        for candidate in candidates[:CANDIDATES]:
            pose = pose_without_hand(candidate.camera_from_object)
            problem = self._problem(self._evidence(observation, [pose], False), pose, searching(self._weights))
            vector, _ = refined(problem, problem.layout.vector(pose), OBJECT_NUMBERS, iterations=15)
            judged = self._judged(observation, problem, vector)
            if best is None or judged.confidence > best.confidence:
                best = judged
        return best

    def _with_hand(self, observation: Observation, estimate: _Estimate) -> _Estimate:
        """Looks for the hand beside an object that was found."""
        hand_like = observation.hand_points
        points = observation.points
        to_object, _ = point_distances(
            Layout.about(estimate.pose).vector(estimate.pose), Layout.about(estimate.pose), points, self._models, False
        )
        near = np.linalg.norm(points - estimate.pose.camera_from_object[:3, 3], axis=1) < 0.30
        places = points[hand_like & near & (to_object > 0.008)]
        if len(places) > 2000:
            places = self._rng.choice(places, 2000, replace=False)
        centre = places.mean(axis=0) if len(places) else np.zeros(3)
        chosen = np.nonzero(hand_like & near & (np.linalg.norm(points - centre, axis=1) < 0.25))[0]
        if len(places) < 50 or len(chosen) < 100:
            return estimate
        around = np.nonzero(
            np.linalg.norm(points - estimate.pose.camera_from_object[:3, 3], axis=1) < self._models.object_reach
        )[0]
        half = self._config.points // 2
        picked = np.concatenate(
            [self._rng.choice(chosen, half), self._rng.choice(around, half) if len(around) else []]
        ).astype(int)
        layout = Layout.about(estimate.pose)
        problem = Problem(
            observation.evidence(picked), self._models, self._weights, layout, np.zeros(20), use_hand=True
        )
        pose = find_hand(problem, estimate.pose.camera_from_object, places, self._rng)
        problem = replace(problem, layout=Layout.about(pose), prediction=pose.hand.angles)
        return self._with_certainty(observation, estimate, problem, problem.layout.vector(pose))

    def _evidence(self, observation: Observation, poses: list[HandObjectPose], use_hand: bool) -> Evidence:
        """The points about where object and hand may be: as many of each, spread evenly over both."""
        points, reach = observation.points, 1.3 * self._models.object_reach
        near_object = np.zeros(len(points), bool)
        near_hand = np.zeros(len(points), bool)
        for pose in poses:
            near_object |= np.linalg.norm(points - pose.camera_from_object[:3, 3], axis=1) < reach
            if use_hand:
                near_hand |= self._near_hand(points, pose.hand)
        if observation.arm is not None:
            near_hand &= observation.arm.beyond_wrist(points)
        half = self._config.points // 2
        parts = [self._pick(near_object, half if use_hand else 2 * half), self._pick(near_hand & ~near_object, half)]
        return observation.evidence(np.unique(np.concatenate(parts)))

    def _near_hand(self, points: Floats, hand: HandPose) -> Booleans:
        """(N,) within 4 cm of a joint and not beyond the wrist: the forearm is nobody's evidence."""
        near = np.zeros(len(points), bool)
        hand_from_camera = inverse(hand.camera_from_hand)
        ahead = points @ hand_from_camera[0, :3] + hand_from_camera[0, 3] > -0.02
        close = np.nonzero(ahead & (np.linalg.norm(points - hand.camera_from_hand[:3, 3], axis=1) < 0.25))[0]
        distance = np.linalg.norm(points[close, None] - joints(self._shape, hand), axis=2).min(axis=1)
        near[close[distance < 0.04]] = True
        return near

    def _pick(self, mask: Booleans, count: int) -> Integers:
        indices = np.nonzero(mask)[0]
        if len(indices) <= count:
            return indices
        return np.sort(self._rng.choice(indices, count, replace=False))

    def _judged(self, observation: Observation, problem: Problem, vector: Floats) -> _Estimate:
        """Confidence of object and hand, from all points about them."""
        pose, use_hand = problem.layout.pose(vector), problem.use_hand
        _, terms = problem.residuals(vector)
        view = view_samples(vector, problem.layout, problem.evidence, problem.models, problem.weights)
        near = self._pick(
            np.linalg.norm(observation.points - vector[:3], axis=1) < 1.2 * self._models.object_reach, 1500
        )
        evidence = observation.evidence(near)
        to_object, to_hand = point_distances(vector, problem.layout, evidence.points, problem.models, use_hand)
        on_object, on_hand = on_bodies(to_object, to_hand)
        like_object = evidence.point_object_chance > np.maximum(evidence.point_hand_chance, 0.4)
        explained = float((on_object & like_object).sum() / max((like_object & ~on_hand).sum(), 1))
        own = to_object[(evidence.point_object_chance >= evidence.point_hand_chance) & ~on_hand & (to_object < 0.02)]
        residual = float(np.median(own)) if len(own) > 20 else 0.02
        discolored = float(terms[COLOR]) / problem.weights.color / max(view.support, 0.05)
        quality = ObjectQuality(view, residual, explained, min(discolored, 1.0))
        confidence = object_confidence(quality, colors_known=self._colors_known)
        certainty = self._hand_certainty(observation, problem, vector, terms) if use_hand else float("nan")
        return _Estimate(pose, use_hand, confidence, certainty, terms, quality)

    def _hand_certainty(self, observation: Observation, problem: Problem, vector: Floats, terms: Floats) -> float:
        hand = problem.layout.pose(vector).hand
        chosen = self._pick(
            observation.hand_points & (np.linalg.norm(observation.points - hand.camera_from_hand[:3, 3], axis=1) < 0.3),
            800,
        )
        if len(chosen) < 40:
            return 0.0
        to_object, to_hand = point_distances(vector, problem.layout, observation.points[chosen], problem.models, True)
        mine = np.abs(to_hand)[to_object > 0.006]
        if len(mine) < 30:
            return 0.0
        return hand_confidence(
            float(np.median(mine)), float((mine < 0.01).mean()), float(terms[HAND]) / problem.weights.hand
        )

    def _answer(self, observation: Observation, estimate: _Estimate | None) -> TrackedFrame:
        hand_area = observation.area(observation.hand_like)
        tracked = estimate is not None and estimate.confidence >= self._config.confidence
        if estimate is not None and tracked and hand_area > HAND_AREA and not self._has_hand(estimate):
            estimate = self._with_hand(observation, estimate)
        if estimate is None:
            nothing = pose_without_hand(rigid(np.eye(3), np.zeros(3)))
            nan = float("nan")
            absent = TrackStatus.ABSENT if hand_area < HAND_AREA else TrackStatus.LOST
            return TrackedFrame(
                self._missing(observation), absent, nothing, nan, nan, np.full(len(TERMS), nan), nan, nan, nan, nan
            )
        self._current = estimate
        hand_tracked = tracked and self._has_hand(estimate)
        hand_status = TrackStatus.TRACKED if hand_tracked else TrackStatus.LOST
        if hand_area < HAND_AREA and not hand_tracked:
            hand_status = TrackStatus.ABSENT
        view = estimate.quality.view
        return TrackedFrame(
            TrackStatus.TRACKED if tracked else self._missing(observation),
            hand_status,
            estimate.pose,
            estimate.confidence,
            estimate.hand_confidence,
            estimate.terms,
            estimate.quality.residual,
            view.support + view.violation,
            *estimate.spread,
        )

    def _missing(self, observation: Observation) -> TrackStatus:
        """What to call an object without a pose: ABSENT where next to nothing in view has its colours."""
        area = observation.area(observation.object_rather_than_hand > 0.5)
        seen = area > ABSENT_SHARE * self._models.object_reach**2
        return TrackStatus.LOST if seen or not self._colored else TrackStatus.ABSENT

    def _has_hand(self, estimate: _Estimate) -> bool:
        return estimate.use_hand and estimate.hand_confidence >= self._config.confidence

    def _remember(self, observation: Observation, answer: TrackedFrame) -> None:
        """What the next frame starts from."""
        estimate = self._current
        if answer.status != TrackStatus.TRACKED or estimate is None:
            self._lost_for, self._motion = self._lost_for + 1, np.eye(4)
            if self._lost_for > PATIENCE:
                self._estimate = None
            return
        self._lost_for = 0
        before = self._estimate
        self._motion = np.eye(4)
        if before is not None:
            self._motion = estimate.pose.camera_from_object @ inverse(before.pose.camera_from_object)
        keep_hand = answer.hand_status == TrackStatus.TRACKED
        self._estimate = replace(estimate, use_hand=keep_hand)
        self._last_seen = estimate.pose.camera_from_object[:3, 3]
        if answer.confidence >= LEARNING:
            self._learn(observation, self._estimate, LEARNING_RATE)

    def _learn(self, observation: Observation, estimate: _Estimate, rate: float) -> None:
        """Colours of object and hand from a frame that passed clearly, and the light's gain."""
        layout = Layout.about(estimate.pose)
        vector = layout.vector(estimate.pose)
        near = np.linalg.norm(observation.points - vector[:3], axis=1) < self._models.object_reach + 0.2
        to_object, to_hand = point_distances(vector, layout, observation.points[near], self._models, estimate.use_hand)
        on_object, on_hand = on_bodies(to_object, to_hand)
        # fingers touch the object: their skin must not be learned as its colour
        evidence = observation.evidence(np.nonzero(near)[0])
        on_object &= evidence.point_object_chance > evidence.point_hand_chance
        self._likelihoods = self._likelihoods.learned(
            observation.features,
            observation.mask(near, on_object),
            observation.mask(near, on_hand),
            ~observation.foreground,  # what stands there and is not known to be the object may be a hand not found yet
            rate,
        )
        if self._colored:
            self._colors_known += rate * (1.0 - self._colors_known)
        shift = estimate.quality.view.feature_shift
        self._models = lit(self._models, rate * shift)


def _moved(pose: HandObjectPose, camera_from_before: Floats) -> HandObjectPose:
    hand = HandPose(camera_from_before @ pose.hand.camera_from_hand, pose.hand.angles)
    return HandObjectPose(camera_from_before @ pose.camera_from_object, hand)


def _spread(vectors: Floats, objectives: Floats) -> tuple[float, float]:
    """Standard deviation, metres and radians, of the object over the better half of the swarm's personal bests."""
    good = vectors[np.argsort(objectives)[: max(len(vectors) // 2, 2)]]
    return float(np.sqrt(good[:, :3].var(axis=0).sum())), float(np.sqrt(good[:, 3:6].var(axis=0).sum()))
