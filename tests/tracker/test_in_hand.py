"""An object in a hand: its turn from where the hand has it costs something, too."""

from dataclasses import replace

import numpy as np
import pytest

from tests.tracker.samples import drawn
from tracker.in_hand import STIFFNESS, HeldProblem


def test_turning_it_from_where_the_hand_has_it_costs_something_too():
    scene = drawn(use_hand=False)
    problem = replace(scene.problem, layout=replace(scene.problem.layout, object_reference=np.eye(3)))
    vector = problem.layout.vector(scene.pose)
    residuals, terms = HeldProblem(problem).residuals(vector)
    alone, of_alone = problem.residuals(vector)
    turn = STIFFNESS * vector[3:6]
    np.testing.assert_array_equal(residuals, np.append(alone, turn))
    assert terms.sum() == pytest.approx(of_alone.sum() + turn @ turn)
    slope = HeldProblem(problem).jacobian(vector, np.array([1, 4]), residuals)
    np.testing.assert_array_equal(slope[:-3], problem.jacobian(vector, np.array([1, 4]), alone))
    np.testing.assert_array_equal(slope[-3:], [[0, 0], [0, STIFFNESS], [0, 0]])
