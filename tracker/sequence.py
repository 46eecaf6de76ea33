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
from scene.rotations import matrix_from_rotation_vector, rotation_vector_from_matrix
from scene.transforms import inverse, rigid
from tracker.background import static_background
from tracker.colors import ColorLikelihoods, without_background
from tracker.config import RunConfig
from tracker.explanation import on_bodies, point_distances, view_samples
from tracker.hand_search import find_hand
from tracker.hypothesis import VECTOR_SIZE, HandObjectPose, Layout, clamp_angles
from tracker.initialisation import HIDDEN, find_object, pose_without_hand
from tracker.models import lit
from tracker.objective import COLOR, HAND, TERMS, Evidence, Models, weights_for
from tracker.observation import Observation, Surroundings, find_planes, observe
from tracker.quality import ObjectQuality, hand_confidence, object_confidence
from tracker.refine import ALL_NUMBERS, OBJECT_NUMBERS, Problem, refined
from tracker.swarm import SwarmSettings, minimise
from tracker.track import TrackStatus

SCALES: Floats = np.concatenate([[0.006] * 3, [0.10] * 3, [0.006] * 3, [0.10] * 3, [0.15] * 20])
"""(32,) metres and radians: how far the swarm searches about a prediction when nothing moves"""
CONFIRMATION = 0.1
"""how much surer a pose found anew must be than one that was followed"""
FOUND = 0.7
"""confidence that a pose found anew needs where there is none to compare it with"""
SEARCH_EVERY = 3
"""frames from one search of the whole view to the next"""
RECHECK = 0.8
"""confidence below which a pose that was followed is compared with what is found anew"""
LEARNING = 0.9
"""confidence from which colours are learned"""
LEARNING_RATE = 0.25
FIRST_LEARNING_RATE = 0.7
SCANNED_COLORS = 0.5
"""how far the mesh's colours are trusted before any were seen through this camera"""
HAND_AREA = 0.0015
"""square metres of hand-coloured surface from which a hand is looked for"""
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
        self._searched = -SEARCH_EVERY
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
        for frame in frames:
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
        self._estimate, self._motion, self._searched = self._anchor, np.eye(4), -SEARCH_EVERY

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
        doubtful = estimate is None or estimate.confidence < max(self._config.confidence, RECHECK)
        if doubtful and abs(frame.index - self._searched) >= SEARCH_EVERY:
            self._searched = frame.index
            found = self._found(observation)
            if found is not None and found.confidence > (estimate.confidence + CONFIRMATION if estimate else FOUND):
                estimate = found
        answer = self._answer(observation, estimate)
        self._remember(observation, answer)
        return answer

    def _followed(self, observation: Observation) -> _Estimate | None:
        """The swarm about where hand and object should be by now, refined."""
        last = self._estimate
        assert last is not None
        predicted = _moved(last.pose, self._motion)
        evidence = self._evidence(observation, [last.pose, predicted], last.use_hand)
        if len(evidence.points) < 50:
            return None
        layout = Layout.about(last.pose)
        problem = Problem(evidence, self._models, self._weights, layout, last.pose.hand.angles, use_hand=last.use_hand)
        scales = SCALES.copy()
        step = np.linalg.norm(
            self._motion[:3, 3] + (self._motion[:3, :3] - np.eye(3)) @ last.pose.camera_from_object[:3, 3]
        )
        turn = np.linalg.norm(rotation_vector_from_matrix(self._motion[:3, :3]))
        scales[[0, 1, 2, 6, 7, 8]] += 0.4 * min(step, 0.05)
        scales[[3, 4, 5, 9, 10, 11]] += 0.4 * min(turn, 0.6)
        if not last.use_hand:
            scales[6:] = 0.0
        starts = self._starts(layout, last.pose, predicted, scales)
        result = minimise(
            problem.objectives,
            starts,
            scales,
            SwarmSettings(generations=self._config.generations),
            self._rng,
        )
        active = ALL_NUMBERS if last.use_hand else OBJECT_NUMBERS
        best, _ = refined(problem, result.best, active, iterations=15)
        estimate = self._judged(observation, problem, best)
        return replace(estimate, spread=_spread(result.personal_bests, result.personal_objectives))

    def _starts(self, layout: Layout, last: HandObjectPose, predicted: HandObjectPose, scales: Floats) -> Floats:
        """(particles, 32): where things were, where they would be by their motion, and clouds about both.

        Half of the cloud moves hand and object together, as a grasp does.
        """
        count = self._config.particles
        centres = np.stack([layout.vector(last), layout.vector(predicted)])
        starts = centres[np.arange(count) % 2] + self._rng.normal(size=(count, VECTOR_SIZE)) * scales * 0.7
        for i in range(2, count, 4):
            together = rigid(
                matrix_from_rotation_vector(self._rng.normal(size=3) * scales[3]), self._rng.normal(size=3) * scales[0]
            )
            starts[i] = layout.vector(_moved_about_object((last, predicted)[(i // 4) % 2], together))
        starts[:2] = centres
        return clamp_angles(starts)

    def _found(self, observation: Observation) -> _Estimate | None:
        """The object searched for everywhere, the best candidates judged."""
        candidates = find_object(observation, self._models, self._weights, self._rng, self._last_seen)
        best: _Estimate | None = None
        for candidate in candidates[:CANDIDATES]:
            pose = pose_without_hand(candidate.camera_from_object)
            evidence = self._evidence(observation, [pose], False)
            weights = self._weights._replace(hidden=HIDDEN)
            problem = Problem(evidence, self._models, weights, Layout.about(pose), pose.hand.angles, use_hand=False)
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
        found = find_hand(problem, estimate.pose.camera_from_object, places)
        if found is None:
            return estimate
        pose, _ = found
        problem = replace(problem, layout=Layout.about(pose), prediction=pose.hand.angles)
        vector, _ = refined(problem, problem.layout.vector(pose), ALL_NUMBERS, iterations=12)
        return self._judged(observation, problem, vector)

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
        if (
            estimate is not None
            and estimate.confidence >= self._config.confidence
            and not (estimate.use_hand and estimate.hand_confidence >= self._config.confidence)
        ):
            if hand_area > HAND_AREA:
                estimate = self._with_hand(observation, estimate)
        if estimate is None:
            nothing = pose_without_hand(rigid(np.eye(3), np.zeros(3)))
            nan = float("nan")
            absent = TrackStatus.ABSENT if hand_area < HAND_AREA else TrackStatus.LOST
            return TrackedFrame(
                TrackStatus.LOST, absent, nothing, nan, nan, np.full(len(TERMS), nan), nan, nan, nan, nan
            )
        self._current = estimate
        tracked = estimate.confidence >= self._config.confidence
        hand_tracked = tracked and estimate.use_hand and estimate.hand_confidence >= self._config.confidence
        hand_status = TrackStatus.TRACKED if hand_tracked else TrackStatus.LOST
        if hand_area < HAND_AREA and not hand_tracked:
            hand_status = TrackStatus.ABSENT
        view = estimate.quality.view
        return TrackedFrame(
            TrackStatus.TRACKED if tracked else TrackStatus.LOST,
            hand_status,
            estimate.pose,
            estimate.confidence,
            estimate.hand_confidence,
            estimate.terms,
            estimate.quality.residual,
            view.support + view.violation,
            *estimate.spread,
        )

    def _remember(self, observation: Observation, answer: TrackedFrame) -> None:
        """What the next frame starts from."""
        estimate = self._current
        if answer.status != TrackStatus.TRACKED or estimate is None:
            self._estimate, self._motion = None, np.eye(4)
            return
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
        if not estimate.use_hand:
            on_object &= observation.evidence(np.nonzero(near)[0]).point_hand_chance < 0.8
        self._likelihoods = self._likelihoods.learned(
            observation.features,
            observation.mask(near, on_object),
            observation.mask(near, on_hand),
            rate,
        )
        if self._colored:
            self._colors_known += rate * (1.0 - self._colors_known)
        shift = estimate.quality.view.feature_shift
        self._models = lit(self._models, rate * shift)


def _moved(pose: HandObjectPose, camera_from_before: Floats) -> HandObjectPose:
    hand = HandPose(camera_from_before @ pose.hand.camera_from_hand, pose.hand.angles)
    return HandObjectPose(camera_from_before @ pose.camera_from_object, hand)


def _moved_about_object(pose: HandObjectPose, motion: Floats) -> HandObjectPose:
    """Turns and shifts hand and object as one, about the object's origin."""
    there = rigid(np.eye(3), pose.camera_from_object[:3, 3])
    return _moved(pose, there @ motion @ inverse(there))


def _spread(vectors: Floats, objectives: Floats) -> tuple[float, float]:
    """Standard deviation, metres and radians, of the object over the better half of the swarm's personal bests."""
    good = vectors[np.argsort(objectives)[: max(len(vectors) // 2, 2)]]
    return float(np.sqrt(good[:, :3].var(axis=0).sum())), float(np.sqrt(good[:, 3:6].var(axis=0).sum()))
