"""What a frame tells of the object's orientation, and what becomes of a pose of which it tells too little."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import trimesh

from scene.distance_field import build_distance_field
from scene.drawing import OBJECT, open_drawer, rigid_body
from scene.frame import RgbdFrame
from scene.hand_shape import average_hand
from scene.object_model import ObjectModel
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import CAMERA, PAINT, WALL, WALL_PLANE, drawn
from tests.tracker.test_following import estimate, known
from tracker import following
from tracker.colors import color_features, initial_likelihoods
from tracker.config import RunConfig
from tracker.following import Last
from tracker.hypothesis import Layout
from tracker.initialisation import pose_without_hand
from tracker.models import prepare_models
from tracker.observation import Surroundings, observe
from tracker.refine import Problem
from tracker.sequence import SequenceTracker
from tracker.swarm import SwarmSettings
from tracker.track import TrackStatus
from tracker.turns import LITTLE, TELLING, chance_told, cost_of_turn
from tracker.weights import fine, weights_for

NO_AXES = np.zeros((0, 3))


def plain_can() -> ObjectModel:
    """Of one colour: turned about z it looks the same."""
    shape = trimesh.creation.cylinder(radius=0.03, height=0.10, sections=64).subdivide()
    colors = np.tile(np.array([60, 90, 170], np.uint8), (len(shape.vertices), 1))
    return ObjectModel("can", np.asarray(shape.vertices), np.asarray(shape.faces, np.int32), colors, True, "made")


@cache
def can_problem():
    """A can that stands askew before the wall, at its true pose."""
    model = plain_can()
    pose = rigid(matrix_from_rotation_vector(np.array([1.2, 0.3, 0.1])), np.array([0.0, 0.0, 0.45]))
    body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT).placed(pose)
    drawing = open_drawer("rays").draw([body], CAMERA)
    nothing = drawing.labels == 0
    color = np.where(nothing[..., None], np.array(PAINT, np.uint8), drawing.color)
    frame = RgbdFrame(0, 0.0, color, np.where(nothing, WALL, drawing.depth).astype(np.float32))
    likelihoods = initial_likelihoods(model, color_features(frame.color))
    observation = observe(frame, CAMERA, likelihoods, Surroundings(WALL_PLANE))
    models = prepare_models(model, build_distance_field(model), average_hand(), np.random.default_rng(0))
    whole = pose_without_hand(pose)
    layout, weights = Layout.about(whole), fine(weights_for(model.diameter, colored=True))
    evidence = observation.evidence(np.arange(0, len(observation.points), 3))
    return Problem(evidence, models, weights, layout, np.zeros(20), use_hand=False), layout.vector(whole)


def test_a_turn_that_shows_costs_and_one_about_a_plain_cans_axis_does_not():
    scene = drawn(use_hand=False)
    told = cost_of_turn(scene.problem, scene.truth, NO_AXES)
    untold = cost_of_turn(*can_problem(), NO_AXES)
    assert told > 2 * TELLING
    assert untold < 0.5 * TELLING


def test_the_axis_of_a_symmetry_does_not_count():
    assert cost_of_turn(*can_problem(), np.array([[0.0, 0.0, 1.0]])) > 2 * TELLING
    across = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert cost_of_turn(*can_problem(), across) < 0.5 * TELLING


def test_a_ball_looks_alike_in_all_orientations():
    assert cost_of_turn(*can_problem(), np.eye(3)) == np.inf
    assert chance_told(np.inf, 1.0) == pytest.approx(1.0, abs=1e-3)


def test_the_chance_is_even_where_a_turn_costs_what_is_telling_and_rises_with_cost_and_sight():
    assert chance_told(TELLING, 1e6) == pytest.approx(0.5)
    assert chance_told(1e6, LITTLE) == pytest.approx(0.5)
    assert chance_told(2 * TELLING, 1e6) == pytest.approx(16 / 17)
    assert chance_told(0.0, 1.0) < 1e-6


def tracked_as(tmp_path, told):
    scene = drawn()
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    here = replace(estimate(), pose=scene.pose, confidence=0.99, hand_confidence=0.9, told=told)
    return tracker._answer(scene.observation, here)


def test_a_pose_of_which_too_little_is_told_is_lost_and_its_hand_is_not(tmp_path):
    answer = tracked_as(tmp_path, 1.0)
    assert answer.status == answer.hand_status == TrackStatus.TRACKED
    assert answer.confidence == pytest.approx(0.99)
    answer = tracked_as(tmp_path, 0.3)
    assert answer.status == TrackStatus.LOST
    assert answer.hand_status == TrackStatus.TRACKED
    assert answer.confidence == pytest.approx(0.297)


def test_what_was_told_holds_for_a_few_frames_more(monkeypatch):
    scene = drawn(use_hand=False)
    untold = replace(estimate(), pose=scene.pose, told=0.0)
    monkeypatch.setattr(following, "judged", lambda *_, **__: untold)
    last = Last(replace(untold, told=1.0), np.eye(4))
    rest = SwarmSettings(generations=2), (8, 200), np.random.default_rng(0)
    here = following.object_followed(scene.observation, last, known(scene), *rest)
    assert here is not None
    assert here.told == pytest.approx(following.STAYS_TOLD)
