"""What a tracker knows of the scene besides poses: bodies, colours, light and what never moves.

Immutable: learning from a frame gives a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats
from scene.camera import Camera
from scene.distance_field import DistanceField
from scene.frame import RgbdFrame
from scene.hand_shape import HandShape
from scene.object_model import ObjectModel
from scene.symmetry import Symmetries
from scene.transforms import apply
from tracker.colors import (
    LIGHTS,
    ColorLikelihoods,
    color_features,
    indifferent,
    initial_likelihoods,
    without_background,
)
from tracker.explanation import OFF_BODY, on_bodies, point_distances
from tracker.hypothesis import HandObjectPose, Layout
from tracker.models import lit, models_of_hand_alone, prepare_models, with_hand_shape
from tracker.nearby import within
from tracker.objective import Models
from tracker.observation import PLANE_SHARE, SMALL_PLANE_SHARE, Observation, Surroundings, find_planes, observe
from tracker.quality import TYPICAL, ObjectQuality, accustomed
from tracker.weights import Weights, weights_for

SURELY = 2.0
"""how much likelier a colour must be on the object than on the hand to be learned as the object's"""
AT_SURFACE, TAUGHT = 0.004, 0.7
"""metres from an object without colours within which what is seen is its own, and how far that is believed"""


@dataclass(frozen=True)
class SceneKnowledge:
    """Everything that is the same in one frame as in the next."""

    camera: Camera
    shape: HandShape
    models: Models
    weights: Weights
    likelihoods: ColorLikelihoods
    """of colours by now"""
    first_likelihoods: ColorLikelihoods | None
    """as learned from the first frame that was vouched for; None before"""
    usual: Floats
    """(5,) what right poses look like here, tracker/quality.py"""
    colored: bool
    """whether the mesh has colours"""
    surroundings: Surroundings
    seed: int
    symmetries: Symmetries
    """of the object"""

    @staticmethod
    def before(
        frame: RgbdFrame,
        background: Floats | None,
        camera: Camera,
        model: ObjectModel,
        field: DistanceField,
        shape: HandShape,
        seed: int,
        symmetries: Symmetries,
        light: Floats = LIGHTS[0],
    ) -> SceneKnowledge:
        """Before anything is tracked: from the object's mesh, a frame and what never moves (tracker/background.py)."""
        models = lit(prepare_models(model, field, shape, np.random.default_rng(seed)), light)
        likelihoods = initial_likelihoods(model, color_features(frame.color), light)
        if background is not None:  # what is left standing before it is not of the scene's colours
            likelihoods = without_background(likelihoods)
        weights = weights_for(model.diameter, colored=model.colored)
        surroundings = Surroundings(find_planes(frame, camera, seed), background)
        return SceneKnowledge(
            camera, shape, models, weights, likelihoods, None, TYPICAL, model.colored, surroundings, seed, symmetries
        )

    @staticmethod
    def of_hand_alone(frame: RgbdFrame, camera: Camera, shape: HandShape, seed: int) -> SceneKnowledge:
        """Before a bare hand is tracked; one may be held still, so nothing counts as background for standing still."""
        likelihoods = initial_likelihoods(None, color_features(frame.color))
        surroundings = Surroundings(np.zeros((0, 4)))
        models, weights = models_of_hand_alone(shape), Weights(grasp=0.0)
        none = Symmetries.none()
        return SceneKnowledge(
            camera, shape, models, weights, likelihoods, None, TYPICAL, False, surroundings, seed, none
        )

    def with_planes_of(
        self, frame: RgbdFrame, least_width: float = 0.0, camera_from_object: Floats | None = None
    ) -> SceneKnowledge:
        """With table and wall where this frame has them; none of the object's, where its pose (4, 4) is about known.

        `least_width` as in find_planes.
        """
        held = None
        if camera_from_object is not None:
            samples = apply(camera_from_object, self.models.samples)
            middle = samples.mean(axis=0)
            held = middle, float(np.linalg.norm(samples - middle, axis=1).max())
        share = PLANE_SHARE if self.surroundings.still else SMALL_PLANE_SHARE
        planes = find_planes(frame, self.camera, self.seed, least_width, held, share)
        return replace(self, surroundings=replace(self.surroundings, planes=planes))

    def with_shape(self, shape: HandShape) -> SceneKnowledge:
        """With a hand of another shape."""
        return replace(self, shape=shape, models=with_hand_shape(self.models, shape))

    def without_colors(self) -> SceneKnowledge:
        """For a search by shape alone."""
        return replace(self, likelihoods=indifferent())

    def with_colors_on(self, observation: Observation, pose: HandObjectPose) -> SceneKnowledge:
        """With the colours that are seen at the object's surface, in a pose that its shape alone says is right."""
        layout = Layout.about(pose)
        distance, _ = point_distances(layout.vector(pose), layout, observation.points, self.models, False)
        seen = observation.features_of(np.nonzero(distance < AT_SURFACE)[0])
        if not len(seen):
            return self
        one_color = np.tile(np.median(seen, axis=0), (len(self.models.samples), 1))
        return replace(
            self,
            likelihoods=self.likelihoods.with_object(seen, TAUGHT),
            models=self.models._replace(sample_features=one_color),
        )

    def observed(self, frame: RgbdFrame) -> Observation:
        """The frame made ready."""
        return observe(frame, self.camera, self.likelihoods, self.surroundings)

    def learned(
        self, observation: Observation, pose: HandObjectPose, quality: ObjectQuality, rate: float
    ) -> SceneKnowledge:
        """Colours of object and hand, the light, and how right poses look, from a frame whose pose is vouched for.

        What is learned later is held half way to what the first frame taught, lest colours drift to the other body's.

        Args:
            observation: of the frame.
            pose: of object and hand; a hand that was not found is far away, and what looks like one beside the object
                is taken for it.
            quality: of the object's pose.
            rate: how far to move towards what is seen, 0 to 1.
        """
        layout = Layout.about(pose)
        vector = layout.vector(pose)
        reach = self.models.object_reach + 0.2
        near = np.nonzero(within(observation.points, vector[:3], reach))[0]
        to_object, to_hand = point_distances(vector, layout, observation.points[near], self.models, True)
        on_object, on_hand = on_bodies(to_object, to_hand)
        # fingers touch the object, and the hand may be a centimetre off: what may as well be the other's is not learned
        evidence = observation.evidence(near)
        on_object &= evidence.point_object_chance > SURELY * evidence.point_hand_chance
        on_hand &= evidence.point_hand_chance > evidence.point_object_chance
        if not on_hand.any():  # else what the object's colours gain, skin like them would lose
            on_hand = observation.hand_points[near] & (to_object > OFF_BODY)
        likelihoods = self.likelihoods.learned(
            observation.features_of(near[on_object]),
            observation.features_of(near[on_hand]),
            _behind(observation),  # not what stands there and may be a hand that was not found yet
            rate,
        )
        first = self.first_likelihoods or likelihoods
        return replace(
            self,
            likelihoods=likelihoods.moved_towards(first, rate),
            first_likelihoods=first,
            usual=accustomed(self.usual, quality, rate),
            models=lit(self.models, rate * quality.view.feature_shift),
        )


def _behind(observation: Observation) -> Floats:
    """(N, 3) features of a sixteenth of the background's pixels: far more are seen than its colours need."""
    behind: Floats = observation.features[::4, ::4][~observation.foreground[::4, ::4]]
    return behind
