"""An object in a hand: being away from where the hand has it costs something, too."""

from dataclasses import replace

import numpy as np
import pytest

from scene.metrics import rotation_error_deg
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import drawn
from tests.tracker.test_turns import can_problem, can_scene
from tracker.in_hand import PLACES, TURNS, HeldProblem, placed_as_held


def test_being_away_from_where_the_hand_has_it_costs_something_too():
    problem, vector = drawn(use_hand=False).problem, drawn(use_hand=False).truth + 0.01
    there, stiffness = np.arange(6) / 100, np.arange(6.0)
    held = HeldProblem(problem, there, stiffness)
    residuals, terms = held.residuals(vector)
    alone, of_alone = problem.residuals(vector)
    away = stiffness * (vector[:6] - there)
    np.testing.assert_array_equal(residuals, np.append(alone, away))
    assert terms.sum() == pytest.approx(of_alone.sum() + away @ away)
    slope = held.jacobian(vector, np.array([1, 4]), residuals)
    np.testing.assert_array_equal(slope[:-6], problem.jacobian(vector, np.array([1, 4]), alone))
    np.testing.assert_array_equal(slope[-6:], np.eye(6)[:, [1, 4]] * stiffness[:, None])


def test_five_millimetres_cost_as_much_as_five_degrees():
    turned, moved = (TURNS * np.deg2rad(5)) ** 2, (PLACES * 0.005) ** 2
    assert turned == pytest.approx(moved, rel=0.05)


def test_what_is_seen_of_a_turn_is_fitted_and_what_is_not_stays_as_it_is_held():
    _, pose, _ = can_scene()
    about_axis, tilted = (
        rigid(matrix_from_rotation_vector(np.deg2rad(20) * np.array(axis)), np.zeros(3))
        for axis in ([0, 0, 1.0], [0.2, 0, 0])
    )
    problem, _ = can_problem()
    held = replace(pose, camera_from_object=pose.camera_from_object @ tilted @ about_axis)
    found = problem.layout.pose(placed_as_held(problem, held)).camera_from_object
    axis = found[:3, 2] @ pose.camera_from_object[:3, 2]
    assert np.rad2deg(np.arccos(min(axis, 1.0))) < 2
    assert rotation_error_deg(found[:3, :3], held.camera_from_object[:3, :3]) < 6


def test_an_object_of_which_nothing_is_seen_stays_where_it_is_held():
    """All of it behind the wall, where each place costs the same."""
    scene = drawn(use_hand=False)
    behind = rigid(np.eye(3), np.array([0, 0, 1.0])) @ scene.pose.camera_from_object
    problem = scene.problem
    evidence = problem.evidence._replace(depth=np.full_like(problem.evidence.depth, 0.6))
    held = replace(scene.pose, camera_from_object=behind)
    found = problem.layout.pose(placed_as_held(replace(problem, evidence=evidence), held)).camera_from_object
    assert np.linalg.norm((found - behind)[:3, 3]) < 0.003
    assert rotation_error_deg(found[:3, :3], behind[:3, :3]) < 3
