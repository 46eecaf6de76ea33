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
from scene.metrics import rotation_error_deg
from scene.object_model import ObjectModel
from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import Symmetries, turn_about
from scene.transforms import rigid
from tests.tracker.samples import CAMERA, PAINT, WALL, drawn
from tests.tracker.test_following import estimate, known
from tracker import following, judgement, turns
from tracker.colors import color_features, initial_likelihoods
from tracker.config import RunConfig
from tracker.following import Last
from tracker.hypothesis import Layout
from tracker.initialisation import pose_without_hand
from tracker.models import prepare_models
from tracker.refine import Problem
from tracker.sequence import SequenceTracker
from tracker.swarm import SwarmSettings
from tracker.track import TrackStatus
from tracker.turns import LITTLE, TELLING, TELLING_SHAPE, Settled, chance_told, far_turn, near_turn, settled
from tracker.weights import fine, weights_for


def turning(*axes):
    return Symmetries(np.eye(4)[None], np.array(axes, float).reshape(-1, 3), np.zeros((len(axes), 3)))


def plain_can() -> ObjectModel:
    """Of one colour: turned about z it looks the same."""
    shape = trimesh.creation.cylinder(radius=0.03, height=0.10, sections=64).subdivide()
    colors = np.tile(np.array([60, 90, 170], np.uint8), (len(shape.vertices), 1))
    return ObjectModel("can", np.asarray(shape.vertices), np.asarray(shape.faces, np.int32), colors, True, "made")


@cache
def can_scene():
    """A can that stands askew before the wall: what is seen, its true pose, what is known."""
    model = plain_can()
    pose = rigid(matrix_from_rotation_vector(np.array([1.2, 0.3, 0.1])), np.array([0.0, 0.0, 0.45]))
    body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT).placed(pose)
    drawing = open_drawer("rays").draw([body], CAMERA)
    nothing = drawing.labels == 0
    color = np.where(nothing[..., None], np.array(PAINT, np.uint8), drawing.color)
    frame = RgbdFrame(0, 0.0, color, np.where(nothing, WALL, drawing.depth).astype(np.float32))
    knowledge = replace(
        known(drawn(use_hand=False)),
        models=prepare_models(model, build_distance_field(model), average_hand(), np.random.default_rng(0)),
        weights=weights_for(model.diameter, colored=True),
        likelihoods=initial_likelihoods(model, color_features(frame.color)),
    )
    return knowledge.observed(frame), pose_without_hand(pose), knowledge


@cache
def can_problem():
    """Of that can, and its true hypothesis."""
    observation, pose, knowledge = can_scene()
    evidence = observation.evidence(np.arange(0, len(observation.points), 3))
    fixed = fine(knowledge.weights), Layout.about(pose), np.zeros(20)
    problem = Problem(evidence, knowledge.models, *fixed, use_hand=False)
    return problem, problem.layout.vector(pose)


def test_a_turn_that_shows_costs_and_one_about_a_plain_cans_axis_does_not():
    scene = drawn(use_hand=False)
    for turn in (near_turn, far_turn):
        assert turn(scene.problem, scene.truth, Symmetries.none()).cost > 2 * TELLING
        assert turn(*can_problem(), Symmetries.none()).cost < 0.5 * TELLING


def test_turns_that_a_symmetry_allows_do_not_count():
    assert near_turn(*can_problem(), turning([0, 0, 1])).cost > 2 * TELLING
    assert near_turn(*can_problem(), turning([1, 0, 0], [0, 1, 0])).cost < 0.5 * TELLING
    upside_down = rigid(matrix_from_rotation_vector(np.array([np.pi, 0, 0])), np.zeros(3))
    both_ends = replace(turning([0, 0, 1]), discrete=np.array([np.eye(4), upside_down]))
    assert far_turn(*can_problem(), turning([0, 0, 1])).cost < 0.5 * TELLING
    assert far_turn(*can_problem(), both_ends).cost > 2 * TELLING


def test_a_ball_looks_alike_in_all_orientations():
    ball = turning(*np.linalg.eigh(np.cov(can_problem()[0].models.samples.T))[1].T)
    assert near_turn(*can_problem(), ball).cost == far_turn(*can_problem(), ball).cost == np.inf
    assert chance_told(np.inf, 1.0, colored=True) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("colored", "telling"), [(True, TELLING), (False, TELLING_SHAPE)])
def test_the_chance_is_even_where_a_turn_costs_what_is_telling_and_rises_with_cost_and_sight(colored, telling):
    assert chance_told(telling, 1e6, colored=colored) == pytest.approx(0.5)
    assert chance_told(1e6, LITTLE, colored=colored) == pytest.approx(0.5)
    assert chance_told(2 * telling, 1e6, colored=colored) == pytest.approx(16 / 17)
    assert chance_told(0.0, 1.0, colored=colored) < 1e-6


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


def told(near, far, before, *, colored=True):
    view = replace(estimate().quality.view, support=0.9)
    here = replace(estimate(), quality=replace(estimate().quality, view=view))
    return judgement.with_told(here, Settled(drawn().truth, near, far), before, colored=colored).told


def test_by_shape_alone_a_turn_has_to_cost_more():
    dear = np.sqrt(TELLING * TELLING_SHAPE)
    assert told(dear, np.inf, before=0.0) > 0.9
    assert told(dear, np.inf, before=0.0, colored=False) < 0.1
    assert told(np.inf, dear, before=0.0, colored=False) < 0.1


def test_what_was_told_holds_for_a_few_frames_more():
    assert told(0.0, 0.0, before=1.0) == pytest.approx(judgement.STAYS_TOLD)
    assert told(0.0, 0.0, before=0.9 * judgement.KNOWN) < 0.1


def test_only_an_orientation_that_is_not_known_yet_is_compared_with_all_others():
    assert told(1.0, 0.0, before=1.0) > 0.9
    assert told(1.0, 0.0, before=0.9 * judgement.KNOWN) < 0.1
    assert told(1.0, 1.0, before=0.0) > 0.9


def away_by(degrees, axis):
    scene = drawn(use_hand=False)
    turn = turn_about(matrix_from_rotation_vector(np.deg2rad(degrees) * axis), np.zeros(3))
    pose = replace(scene.pose, camera_from_object=scene.pose.camera_from_object @ turn)
    return scene.problem.layout.vector(pose)


def off_by(vector):
    scene = drawn(use_hand=False)
    found = scene.problem.layout.pose(vector).camera_from_object
    return rotation_error_deg(found[:3, :3], scene.pose.camera_from_object[:3, :3])


@pytest.mark.parametrize(("degrees", "sure"), [(30, True), (180, False)])
def test_a_turned_pose_is_turned_back(degrees, sure):
    start = away_by(degrees, np.array([0.0, 0.0, 1.0]))
    pose = settled(drawn(use_hand=False).problem, start, Symmetries.none(), known=sure)
    assert off_by(pose.vector) < 4
    assert pose.near > 2 * TELLING


@pytest.mark.parametrize("sure", [True, False])
def test_the_right_pose_is_left_as_it_is_and_no_far_turn_of_a_known_one_is_tried(sure):
    scene = drawn(use_hand=False)
    pose = settled(scene.problem, scene.truth, Symmetries.none(), known=sure)
    assert off_by(pose.vector) < 3
    assert (pose.far == np.inf) == sure


def test_an_object_that_is_followed_jumps_only_where_that_explains_much_more(monkeypatch):
    scene = drawn(use_hand=False)
    elsewhere = away_by(90, np.array([1.0, 0.0, 0.0]))
    monkeypatch.setattr(turns, "near_turn", lambda *_: turns.Turn(scene.truth, 0.01))
    monkeypatch.setattr(turns, "refined", lambda _, vector, *__: (vector, 0.0))
    lower = [True]
    monkeypatch.setattr(turns, "_is_lower_for_all", lambda *_: lower[0])

    def after(cost, *, sure):
        costs = iter([cost, 0.0])
        monkeypatch.setattr(turns, "far_turn", lambda *_: turns.Turn(elsewhere, next(costs)))
        return settled(scene.problem, scene.truth, Symmetries.none(), known=sure).vector

    assert after(-0.5 * turns.JUMP, sure=True) is scene.truth
    assert after(-2.0 * turns.JUMP, sure=True) is elsewhere
    assert after(-0.5 * turns.JUMP, sure=False) is elsewhere
    lower[0] = False
    assert after(-2.0 * turns.JUMP, sure=True) is scene.truth
    assert after(-2.0 * turns.JUMP, sure=False) is elsewhere


def test_a_pose_that_is_only_away_from_points_which_it_would_have_to_explain_is_not_lower_for_all():
    """Beside the object stands something of its colours, just within its reach."""
    problem, truth = drawn(use_hand=False).problem, drawn(use_hand=False).truth
    evidence, reach = problem.evidence, problem.models.object_reach
    beside = truth[:3] + np.array([1.08 * reach, 0, 0]) + np.random.default_rng(0).normal(size=(300, 3)) * 1e-4
    ones = np.ones(len(beside))
    evidence = evidence._replace(
        points=np.concatenate([evidence.points, beside]),
        point_object_chance=np.concatenate([evidence.point_object_chance, ones]),
        point_hand_chance=np.concatenate([evidence.point_hand_chance, 0 * ones]),
        point_weight=np.concatenate([evidence.point_weight, ones]),
        point_may_be_forearm=np.concatenate([evidence.point_may_be_forearm, ones > 0]),
    )
    problem, away = replace(problem, evidence=evidence), truth.copy()
    away[0] -= 0.04 * reach
    at_truth, at_away = problem.objectives(np.array([truth, away]))
    assert at_away < at_truth
    assert not turns._is_lower_for_all(problem, away, truth)
    assert turns._is_lower_for_all(problem, truth, away)


def test_what_was_told_a_frame_before_is_handed_on(monkeypatch):
    scene, given = drawn(use_hand=False), []
    monkeypatch.setattr(following, "with_told", lambda here, *rest, colored: given.append((rest[-1], colored)) or here)
    rest = SwarmSettings(generations=2), (8, 200), np.random.default_rng(0)
    last = Last(replace(estimate(), pose=scene.pose, told=0.7), np.eye(4))
    following.object_followed(scene.observation, last, known(scene), *rest)
    assert given == [(0.7, True)]


def test_of_an_object_that_jumped_the_frames_before_tell_nothing(monkeypatch):
    scene, given, asked = drawn(use_hand=False), [], []
    monkeypatch.setattr(following, "with_told", lambda here, *rest, colored: given.append(rest[-1]) or here)
    rest = SwarmSettings(generations=2), (8, 200), np.random.default_rng(0)

    def after(degrees):
        def settled(_, vector, __, *, known):
            asked.append(known)
            return Settled(away_by(degrees, np.array([1.0, 0.0, 0.0])), 0.1, 0.1)

        monkeypatch.setattr(following, "settled", settled)
        last = Last(replace(estimate(), pose=scene.pose, told=0.7), np.eye(4))
        following.object_followed(scene.observation, last, known(scene), *rest)
        return given.pop(), [asked.pop(0) for _ in asked[:]]

    assert after(15) == (0.7, [True])
    assert after(25) == (0.0, [True, False])
