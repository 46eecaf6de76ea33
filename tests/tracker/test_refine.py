from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene.hand_pose import rest_angles, segments
from scene.hand_shape import average_hand
from scene.metrics import rotation_error_deg
from tests.tracker.samples import drawn
from tracker.refine import ALL_NUMBERS, HAND_NUMBERS, OBJECT_NUMBERS, STEPS, refined
from tracker.swarm import SwarmSettings, minimise
from tracker.weights import fine


def total(problem, vector):
    return problem.residuals(vector)[1].sum()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_the_result_is_never_worse_than_the_start(seed):
    scene = drawn()
    start = scene.truth + np.random.default_rng(seed).normal(size=32) * np.concatenate([[0.01] * 12, [0.1] * 20])
    for active in (OBJECT_NUMBERS, HAND_NUMBERS, ALL_NUMBERS):
        vector, objective = refined(scene.problem, start, active, iterations=3)
        clamped = scene.problem.objectives(start[None])[0]
        assert objective <= clamped
        assert objective == pytest.approx(total(scene.problem, vector))


def displaced(scene, seed, mm, degrees):
    """The truth, shifted and turned by so much in some direction."""
    rng, start = np.random.default_rng(seed), scene.truth.copy()
    for part, length in ((slice(0, 3), mm / 1000), (slice(3, 6), np.deg2rad(degrees))):
        way = rng.normal(size=3)
        start[part] += length * way / np.linalg.norm(way)
    return start


def errors(scene, vector):
    """Millimetres and degrees."""
    pose, true = scene.problem.layout.pose(vector).camera_from_object, scene.pose.camera_from_object
    return 1000 * np.linalg.norm(pose[:3, 3] - true[:3, 3]), rotation_error_deg(pose[:3, :3], true[:3, :3])


@pytest.mark.parametrize("use_hand", [True, False])
def test_a_displaced_object_is_explained_better(use_hand):
    scene = drawn(use_hand)
    starts = [displaced(scene, seed, 3, 3) for seed in range(8)]
    ends = [refined(scene.problem, start, OBJECT_NUMBERS, iterations=25)[0] for start in starts]
    for start, end in zip(starts, ends, strict=True):
        assert total(scene.problem, end) < total(scene.problem, start)
    mm, degrees = np.median([errors(scene, end) for end in ends], axis=0)
    assert mm < 3
    assert degrees < 5.5


@pytest.mark.parametrize("use_hand", [True, False])
def test_a_displacement_is_undone_more_often_than_not(use_hand):
    """Depth is looked up at whole pixels, so a start can stay behind a step; the swarm is there for those."""
    scene = drawn(use_hand)
    ends = [refined(scene.problem, displaced(scene, seed, 5, 5), OBJECT_NUMBERS, iterations=25)[0] for seed in range(8)]
    mm, degrees = np.median([errors(scene, end) for end in ends], axis=0)
    assert mm < 1.5
    assert degrees < 5


@pytest.mark.parametrize("use_hand", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_a_swarm_and_then_refinement_undo_a_displacement(use_hand, seed):
    scene, rng = drawn(use_hand), np.random.default_rng(seed)
    weights = fine(scene.problem.weights)._replace(grasp=0.0)  # the drawn hand holds nothing
    problem = replace(scene.problem, weights=weights)
    scales = np.concatenate([[0.006] * 3, [0.1] * 3, np.zeros(26)])
    starts = displaced(scene, seed, 5, 5) + rng.normal(size=(64, 32)) * scales * 0.7
    best = minimise(problem.objectives, starts, scales, SwarmSettings(), rng).best
    mm, degrees = errors(scene, refined(problem, best, OBJECT_NUMBERS, iterations=15)[0])
    assert mm < 1.5
    assert degrees < 5


@pytest.mark.parametrize(("active", "still"), [(OBJECT_NUMBERS, slice(6, 32)), (HAND_NUMBERS, slice(0, 6))])
def test_only_active_numbers_move(active, still):
    scene = drawn()
    start = scene.truth.copy()
    start[:12] += 0.004
    vector, _ = refined(scene.problem, start, active)
    np.testing.assert_array_equal(vector[still], start[still])
    assert not np.array_equal(vector, start)


def test_a_displaced_hand_comes_back():
    scene = drawn()
    start = scene.truth.copy()
    start[6:9] += [0.006, -0.005, 0.004]
    vector, _ = refined(scene.problem, start, HAND_NUMBERS, iterations=25)
    assert np.abs(vector[7:9] - scene.truth[7:9]).max() < 0.002  # fingers may slide along themselves
    assert total(scene.problem, vector) < 0.5 * total(scene.problem, start)


def test_the_slope_is_that_of_the_residuals_but_where_they_jump():
    scene = drawn()
    vector, problem = scene.truth + 0.003, scene.problem
    base, _ = problem.residuals(vector)
    slope, jumps = problem.jacobian(vector, ALL_NUMBERS, base), np.zeros(problem.size, bool)
    points, samples = len(problem.evidence.points) + 1, 2 * len(problem.models.samples)
    hand = 9 * len(segments(average_hand(), rest_angles())[0])
    largest = np.full(problem.size, np.inf)  # of contact and prior none is left out
    of_object, of_hand = (slice(points, points + samples), slice(points + samples, points + samples + hand))
    largest[of_object], largest[of_hand] = 0.6 * np.sqrt(1.0 / (samples / 2)), 0.4 * np.sqrt(0.7 / hand)
    for number in ALL_NUMBERS:  # an angle's is asked of its finger alone
        ahead, behind = vector.copy(), vector.copy()
        ahead[number] += STEPS[number]
        behind[number] -= STEPS[number]
        difference = problem.residuals(ahead)[0] - problem.residuals(behind)[0]
        jump = np.abs(difference) > largest
        np.testing.assert_allclose(slope[~jump, number], (difference / (2 * STEPS[number]))[~jump], atol=1e-9)
        np.testing.assert_array_equal(slope[jump, number], 0)
        jumps |= jump
    assert jumps[of_object].any()
    assert jumps[of_hand].any()
    assert jumps.mean() < 0.1
    for some in ([8, 4], [17, 31, 4]):
        np.testing.assert_array_equal(problem.jacobian(vector, np.array(some), base), slope[:, some])


def test_no_iterations_change_nothing():
    scene = drawn()
    vector, objective = refined(scene.problem, scene.truth, ALL_NUMBERS, iterations=0)
    np.testing.assert_array_equal(vector, scene.truth)
    assert objective == pytest.approx(total(scene.problem, scene.truth))
