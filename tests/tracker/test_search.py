"""Object and hand found without a start, and the judgement of what was found."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from scene.frame import RgbdFrame
from scene.hand_pose import joints
from scene.hand_shape import average_hand
from scene.metrics import rotation_error_deg
from tests.tracker.samples import CAMERA, WALL_PLANE, drawn, likelihoods
from tracker import hand_search
from tracker.explanation import SampleView
from tracker.grasp_views import GraspViews, SameGrasp, View
from tracker.hand_guesses import moved_by_a_finger
from tracker.hand_search import find_hand
from tracker.hypothesis import Layout
from tracker.initialisation import find_object, pose_without_hand
from tracker.models import thinned
from tracker.observation import Surroundings, observe
from tracker.quality import (
    BARE_COEFFICIENTS,
    COEFFICIENTS,
    FEATURES,
    GEOMETRY,
    SIGNS,
    TYPICAL,
    ObjectQuality,
    accustomed,
    chance,
    object_evidence,
)


@pytest.mark.parametrize("use_hand", [True, False])
def test_the_object_is_found_wherever_it_is(use_hand):
    scene = drawn(use_hand)
    fixed = (scene.observation, scene.problem.models, scene.problem.weights)
    found = find_object(*fixed, np.random.default_rng(0), colored=True)
    assert [candidate.objective for candidate in found] == sorted(candidate.objective for candidate in found)
    best, true = found[0].camera_from_object, scene.pose.camera_from_object
    assert np.linalg.norm(best[:3, 3] - true[:3, 3]) < 0.006
    assert rotation_error_deg(best[:3, :3], true[:3, :3]) < 12
    again = find_object(*fixed, np.random.default_rng(0), colored=True)
    np.testing.assert_array_equal(best, again[0].camera_from_object)


def test_an_empty_view_has_no_object():
    frame = drawn().frame
    empty = RgbdFrame(0, 0.0, frame.color, np.full_like(frame.depth, 0.7))
    observation = observe(empty, CAMERA, likelihoods(frame), Surroundings(WALL_PLANE))
    scene = drawn()
    assert (
        find_object(observation, scene.problem.models, scene.problem.weights, np.random.default_rng(0), colored=True)
        == []
    )


def test_a_part_of_the_samples_is_spread_over_the_object_too():
    whole, part = drawn().problem.models, thinned(drawn().problem.models, 0.2)
    assert len(part.samples) == len(part.normals) == len(part.sample_features) == len(whole.samples) // 5
    gap = np.linalg.norm(whole.samples[:, None] - part.samples, axis=2).min(axis=1)
    assert gap.max() < 0.012


def test_a_candidate_has_its_hand_out_of_the_way():
    scene = drawn()
    pose = pose_without_hand(scene.pose.camera_from_object)
    np.testing.assert_array_equal(pose.camera_from_object, scene.pose.camera_from_object)
    assert pose.hand.camera_from_hand[2, 3] < 0


def test_the_hand_is_found_beside_the_object(monkeypatch):
    monkeypatch.setattr(hand_search, "SWARMS", 2)
    scene = drawn(points=400)
    points = scene.observation.points
    places, where = points[points[:, 0] < 0], scene.pose.camera_from_object
    pose = find_hand(scene.problem, where, places, (), np.random.default_rng(0), GraspViews())[0]
    np.testing.assert_allclose(pose.camera_from_object, where, atol=1e-9)
    assert np.linalg.norm(pose.hand.camera_from_hand[:3, 3] - scene.pose.hand.camera_from_hand[:3, 3]) < 0.06
    again = find_hand(scene.problem, where, places, (), np.random.default_rng(0), GraspViews())[0]
    np.testing.assert_array_equal(pose.hand.angles, again.hand.angles)


@pytest.mark.usefixtures("quick")
def test_a_hand_for_all_views_is_found_beside_those_of_the_frame():
    scene = drawn(points=400)
    points, where = scene.observation.points, scene.pose.camera_from_object
    views = GraspViews((View.of(scene.problem.evidence, where),))
    find = partial(find_hand, scene.problem, where, points[points[:, 0] < 0], ())
    alone, together = (find(np.random.default_rng(0), grasp) for grasp in (GraspViews(), views))
    assert len(together) > len(alone)
    problem = replace(scene.problem, use_object=False)
    vectors = np.array([problem.layout.vector(pose) for pose in together])
    objectives = SameGrasp(problem, where, views.views).objectives(vectors)
    assert objectives[len(alone) :].min() < 1.3 * objectives[0]


def test_a_guess_that_is_right_is_taken_though_next_to_nothing_is_drawn(monkeypatch):
    monkeypatch.setattr(hand_search, "DRAWN", 30)
    monkeypatch.setattr(hand_search, "KEPT", (8, 2))
    scene = drawn(points=400)
    points = scene.observation.points
    find = partial(find_hand, scene.problem, scene.pose.camera_from_object, points[points[:, 0] < 0])
    shape = average_hand()
    error = {}
    for name, guesses in (("none", ()), ("right", (scene.pose.hand,))):
        found = find(guesses, np.random.default_rng(0), GraspViews())[0].hand
        error[name] = np.linalg.norm(joints(shape, found) - joints(shape, scene.pose.hand), axis=1).mean()
    assert error["right"] < 0.012
    assert error["none"] > 1.5 * error["right"]


@pytest.mark.parametrize("by", [1, -1])
def test_a_hand_that_is_a_finger_aside_is_moved_back(monkeypatch, by):
    few = {"DRAWN": 30, "KEPT": (8, 2), "SWARMS": 0, "PARTICLES": 8, "GENERATIONS": 2}
    for name, value in {**few, "ITERATIONS": 4}.items():  # more of them may lead back to the right hand by themselves
        monkeypatch.setattr(hand_search, name, value)
    scene, shape = drawn(points=400), average_hand()
    points, where, layout = scene.observation.points, scene.pose.camera_from_object, Layout(np.eye(3), np.eye(3))
    aside = layout.pose(moved_by_a_finger(layout.vector(scene.pose), shape.base_offsets[1:], by)).hand
    find = partial(find_hand, scene.problem, where, points[points[:, 0] < 0], (aside,))
    error = {}
    for worthwhile in (0.0, 3.0):
        monkeypatch.setattr(hand_search, "WORTHWHILE", worthwhile)
        found = find(np.random.default_rng(1), GraspViews())[0].hand
        error[worthwhile] = np.linalg.norm(joints(shape, found) - joints(shape, scene.pose.hand), axis=1).mean()
    assert error[3.0] < 0.010
    assert error[0.0] > 1.5 * error[3.0]


VIEW = SampleView(support=0.6, violation=0.0, hidden=0.4, feature_shift=np.zeros(3))
GOOD = ObjectQuality(VIEW, residual=0.0008, explained=0.97, discolored=0.05, depth=0.5, extent=0.1)
WORSE = {
    "unseen": replace(GOOD, view=replace(VIEW, support=0.1)),
    "seen through": replace(GOOD, view=replace(VIEW, violation=0.3)),
    "off its points": replace(GOOD, residual=0.004),
    "points unexplained": replace(GOOD, explained=0.3),
    "of other colours": replace(GOOD, discolored=0.4),
}


@pytest.mark.parametrize("worse", list(WORSE.values()), ids=list(WORSE))
def test_each_thing_that_speaks_against_a_pose_lowers_its_confidence(worse):
    assert object_evidence(worse, TYPICAL, colored=True) < object_evidence(GOOD, TYPICAL, colored=True)


def test_colours_do_not_count_where_the_object_has_none():
    bare = object_evidence(GOOD, TYPICAL, colored=False)
    assert object_evidence(WORSE["of other colours"], TYPICAL, colored=False) == bare
    assert object_evidence(WORSE["points unexplained"], TYPICAL, colored=False) == bare
    assert object_evidence(WORSE["off its points"], TYPICAL, colored=False) < bare


def test_the_same_miss_counts_less_from_far_away_and_on_a_larger_object():
    missed = replace(GOOD, residual=0.002)
    assert object_evidence(replace(missed, depth=1.2), TYPICAL, colored=True) > object_evidence(
        missed, TYPICAL, colored=True
    )
    assert object_evidence(replace(missed, extent=0.4), TYPICAL, colored=True) > object_evidence(
        missed, TYPICAL, colored=True
    )


def test_a_good_pose_is_vouched_for_and_a_bad_one_is_not():
    assert chance(object_evidence(GOOD, TYPICAL, colored=True)) > 0.8
    bad = replace(GOOD, view=replace(VIEW, violation=0.3), residual=0.005, discolored=0.3)
    assert chance(object_evidence(bad, TYPICAL, colored=True)) < 0.2


def test_what_every_right_pose_of_a_recording_shows_counts_half_against_it():
    paler = replace(GOOD, discolored=0.3, residual=0.002)
    usual = accustomed(TYPICAL, paler, 1.0)
    assert object_evidence(paler, usual, colored=True) > object_evidence(paler, TYPICAL, colored=True) + 1
    assert object_evidence(paler, usual, colored=True) < object_evidence(GOOD, usual, colored=True)
    unseen = accustomed(TYPICAL, WORSE["seen through"], 1.0)
    np.testing.assert_array_equal(unseen[[0, 1, 3]], TYPICAL[[0, 1, 3]])


def test_getting_accustomed_takes_as_many_frames_as_the_rate_says():
    paler = replace(GOOD, discolored=0.3)
    once, at_once = accustomed(TYPICAL, paler, 0.25), accustomed(TYPICAL, paler, 1.0)
    np.testing.assert_allclose(once - TYPICAL, 0.25 * (at_once - TYPICAL))
    np.testing.assert_array_equal(accustomed(TYPICAL, paler, 0.0), TYPICAL)


def test_every_coefficient_keeps_to_its_sign():
    assert len(FEATURES) == len(SIGNS) == len(COEFFICIENTS) == len(TYPICAL)
    assert (np.sign(COEFFICIENTS) * SIGNS >= 0).all()
    assert (np.sign(BARE_COEFFICIENTS) * SIGNS[GEOMETRY] >= 0).all()
