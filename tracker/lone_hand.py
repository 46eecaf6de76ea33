"""A hand without an object: followed from frame to frame where that goes well, searched for everywhere else.

In: frames, and what the session says of their pixels. Out: TrackedFrames, their object ABSENT. Recordings of bare hands
may be single frames of different poses: unlike an object's, a search does not wait for its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.frame import RgbdFrame
from scene.hand_pose import HandPose
from scene.hand_shape import HandShape
from scene.hand_surface import HandSurface
from scene.transforms import inverse, rigid
from tracker.config import RunConfig
from tracker.finger_trials import with_fingers_tried
from tracker.following import HAND, SCALES, spread_starts
from tracker.grasp_views import GraspViews
from tracker.grasps import carried
from tracker.hand_outline import outline_confidence, outline_overlap
from tracker.hand_places import hand_places
from tracker.hand_proposals import proposed_hands
from tracker.hand_quality import hand_quality
from tracker.hand_search import find_hand
from tracker.hand_size import HandSizes
from tracker.hand_tracking import REVIEW_EVERY
from tracker.hints import unlabelled, with_labels
from tracker.hypothesis import HandObjectPose, Layout
from tracker.judgement import LEARNING
from tracker.nearby import about_hand, pick
from tracker.objective import TERMS, Evidence
from tracker.observation import Observation
from tracker.refine import HAND_NUMBERS, Problem, refined
from tracker.scene_knowledge import SceneKnowledge
from tracker.swarm import minimise
from tracker.track import TrackStatus
from tracker.tracked_frame import TrackedFrame

NOWHERE: Floats = rigid(np.eye(3), np.array([0.0, 0.0, -1.0]))
"""camera_from_object of the object that is not there"""
TABLE_WIDTH = 0.5
"""metres both ways from which a plane is a table or wall"""
TRIED, SEARCHES = 2, 3
"""things before the camera in which a hand is searched for, and how often at most while it is in doubt"""
SURE = 0.9
"""confidence from which no further search is made"""
SURFACE_SPACING = 0.005
"""metres, of the surface whose outline is compared"""
MOST_PLACES, FINE_POINTS, ITERATIONS, FEWEST_POINTS = 2000, 1200, 15, 50


@dataclass(frozen=True)
class LoneHandState:
    """All that the next frame's answer depends on, beside the frame, the configuration and the seed."""

    knowledge: SceneKnowledge
    hand: HandPose | None
    """where it was, if it was TRACKED in the frame before"""
    motion: Floats
    """(4, 4) from the frame before to that one, in camera coordinates"""
    sizes: HandSizes
    searched: int
    """frame of the last search"""

    @staticmethod
    def before(frame: RgbdFrame, camera: Camera, shape: HandShape, seed: int) -> LoneHandState:
        """Before the first frame."""
        knowledge = SceneKnowledge.of_hand_alone(frame, camera, shape, seed)
        return LoneHandState(knowledge, None, np.eye(4), HandSizes.unknown(), frame.index)


@dataclass(frozen=True)
class FoundHand:
    """A hand in a frame, judged."""

    place: Observation
    """the thing that it is in"""
    pose: HandObjectPose
    terms: Floats
    """(6,) of the objective"""
    confidence: float
    residual: float
    """metres"""


class LoneHandTracker:
    """Follows one hand through the frames it is given, in order."""

    def __init__(
        self, state: LoneHandState, config: RunConfig, labels_of: Callable[[int], Bytes | None] = unlabelled
    ) -> None:
        """Goes on from a state; `labels_of` a frame's number is what a session says of it."""
        self.state, self._config, self._labels_of = state, config, labels_of
        self._drawn: HandSurface | None = None

    def return_to_anchor(self) -> None:
        """Forgets where the hand is, for another way through the frames."""
        self.state = replace(self.state, hand=None, motion=np.eye(4))

    def keep_size(self) -> None:
        """Asks no longer for the hand's size, if it was told."""
        self.state = replace(self.state, sizes=self.state.sizes.rehearsed())

    def track(self, frame: RgbdFrame) -> TrackedFrame:
        """Takes the next frame."""
        rng = np.random.default_rng([self._config.seed, frame.index])
        self.state = replace(self.state, knowledge=self.state.knowledge.with_planes_of(frame, TABLE_WIDTH))
        places = hand_places(self._observed(frame))
        found = self._followed(places, rng)
        if self._is_doubtful(found) or abs(frame.index - self.state.searched) >= REVIEW_EVERY:
            self.state = replace(self.state, searched=frame.index)
            found = self._best_of_searches(places, found, rng)
        self._remember(found, rng)
        return self._answer(found, seen=bool(places))

    def _observed(self, frame: RgbdFrame) -> Observation:
        """Without colour all that is not table may be a hand."""
        observation = self.state.knowledge.observed(frame)
        if not frame.colored:
            observation = replace(observation, hand_chance=observation.foreground.astype(np.float32))
        return with_labels(observation, self._labels_of(frame.index))

    def _followed(self, places: list[Observation], rng: np.random.Generator) -> FoundHand | None:
        """By a swarm about where it was and where its motion would have brought it."""
        if self.state.hand is None or not places:
            return None
        hands = [self.state.hand, carried(self.state.hand, self.state.motion)]
        shape, points = self.state.knowledge.shape, self._config.points
        near = [(place, about_hand(place, hands, shape, points, rng)) for place in places[:TRIED]]
        place, evidence = max(near, key=lambda one: len(one[1].points))
        if len(evidence.points) < FEWEST_POINTS:
            return None
        problem = self._problem(evidence, hands[0])
        poses = [HandObjectPose(NOWHERE, hand) for hand in hands]
        scales = np.zeros(len(SCALES))
        scales[HAND] = SCALES[HAND]
        starts = spread_starts(problem.layout, poses, scales, self._config.particles, rng)
        result = minimise(problem.objectives, starts, scales, self._config.swarm, rng)
        return self._finished(place, problem.layout.pose(result.best).hand, rng)

    def _best_of_searches(
        self, places: list[Observation], found: FoundHand | None, rng: np.random.Generator
    ) -> FoundHand | None:
        """The likeliest, what was followed among them: a search may end in a wrong hand, so that others follow."""
        for place in places[:TRIED]:
            for _ in range(SEARCHES):
                other = self._searched(place, found, rng)
                if found is None or other.confidence > found.confidence:
                    found = other
                if not self._is_doubtful(found):
                    break
            if self._vouches_for(found):
                break
        return found

    def _is_doubtful(self, found: FoundHand | None) -> bool:
        return found is None or found.confidence < max(self._config.confidence, SURE)

    def _searched(self, place: Observation, followed: FoundHand | None, rng: np.random.Generator) -> FoundHand:
        """Anew, in one thing before the camera; no worse than what was followed into it."""
        points = np.nonzero(place.hand_points)[0]
        evidence = place.evidence(rng.choice(points, self._config.points))
        guesses = [followed.pose.hand] if followed is not None and followed.place is place else []
        places = place.points[pick(place.hand_points, MOST_PLACES, rng)]
        proposals = proposed_hands(place, places, places[:0], self.state.knowledge.shape)
        searched = self._problem(evidence, None), NOWHERE, places, guesses, rng, GraspViews(), proposals
        hand = find_hand(*searched)[0].hand
        problem = self._problem(evidence, hand)
        vector = with_fingers_tried(problem, problem.layout.vector(HandObjectPose(NOWHERE, hand)))
        return self._finished(place, problem.layout.pose(vector).hand, rng)

    def _finished(self, place: Observation, hand: HandPose, rng: np.random.Generator) -> FoundHand:
        """Refined by more points than a search can afford, and judged."""
        evidence = place.evidence(pick(place.hand_points, FINE_POINTS, rng))
        problem = self._problem(evidence, hand)
        layout = problem.layout
        best, _ = refined(problem, layout.vector(HandObjectPose(NOWHERE, hand)), HAND_NUMBERS, ITERATIONS)
        pose, terms = layout.pose(best), problem.residuals(best)[1]
        quality = hand_quality(place, problem, best, terms, 0.0, rng)
        fit, residual = (0.0, np.nan) if quality is None else (quality.fit, quality.residual)
        confidence = min(fit, outline_confidence(outline_overlap(place, self._surface, pose.hand)))
        return FoundHand(place, pose, terms, confidence, residual)

    @property
    def _surface(self) -> HandSurface:
        """Of the hand as it is known by now."""
        if self._drawn is None or self._drawn.shape is not self.state.knowledge.shape:
            self._drawn = HandSurface.build(self.state.knowledge.shape, spacing=SURFACE_SPACING)
        return self._drawn

    def _problem(self, evidence: Evidence, hand: HandPose | None) -> Problem:
        knowledge = self.state.knowledge
        prediction: Floats = np.zeros(20)
        layout = Layout(np.eye(3), np.eye(3))
        if hand is not None:
            layout, prediction = Layout.about(HandObjectPose(NOWHERE, hand)), hand.angles
        fixed = knowledge.models, knowledge.weights, layout, prediction
        return Problem(evidence, *fixed, use_hand=True, use_object=False)

    def _vouches_for(self, found: FoundHand | None) -> bool:
        return found is not None and found.confidence >= self._config.confidence

    def _remember(self, found: FoundHand | None, rng: np.random.Generator) -> None:
        """What the next frame starts from."""
        if found is None or not self._vouches_for(found):
            self.state = replace(self.state, hand=None, motion=np.eye(4))
            return
        hand, before = found.pose.hand, self.state.hand
        motion: Floats = np.eye(4)
        if before is not None:
            motion = hand.camera_from_hand @ inverse(before.camera_from_hand)
        self.state = replace(self.state, hand=hand, motion=motion)
        if found.confidence >= LEARNING and not self.state.sizes.known:
            knowledge, points = self.state.knowledge, self._config.points
            evidence = about_hand(found.place, [hand], knowledge.shape, points, rng)
            problem = self._problem(evidence, hand)
            sizes, knowledge = self.state.sizes.learned(problem, found.pose, knowledge)
            self.state = replace(self.state, sizes=sizes, knowledge=knowledge)

    def _answer(self, found: FoundHand | None, *, seen: bool) -> TrackedFrame:
        nan = float("nan")
        missing = TrackStatus.LOST if seen else TrackStatus.ABSENT
        return TrackedFrame(
            status=TrackStatus.ABSENT,
            hand_status=TrackStatus.TRACKED if self._vouches_for(found) else missing,
            pose=HandObjectPose(NOWHERE, HandPose(NOWHERE, np.zeros(20))) if found is None else found.pose,
            confidence=nan,
            hand_confidence=nan if found is None else found.confidence,
            terms=np.full(len(TERMS), nan) if found is None else found.terms,
            residual=nan,
            visibility=nan,
            spread_translation=nan,
            spread_rotation=nan,
            hand_residual=nan if found is None else found.residual,
        )
