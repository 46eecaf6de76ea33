from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.registry import CPUDispatcher as Dispatcher
from scipy.interpolate import RegularGridInterpolator

from scene.hand_pose import ANGLE_LIMITS, segments
from scene.hand_shape import average_hand
from scene.rotations import matrix_from_rotation_vector, random_rotations
from scene.transforms import apply
from tests.tracker.samples import drawn, models
from tracker import evaluation, explanation, kernel_geometry, objective, refine
from tracker.evaluation import residual_count
from tracker.explanation import on_bodies, point_distances, view_samples
from tracker.hypothesis import Layout
from tracker.initialisation import searching as find_strictly
from tracker.kernel_geometry import field_distance
from tracker.models import lit
from tracker.objective import (
    COLOR,
    CONTACT,
    HAND,
    OBJECT,
    POINTS,
    PRIOR,
    TERMS,
    behind_wrist,
    hidden_share,
    place_capsules,
    rotation_of,
)
from tracker.weights import fine, weights_for

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("module", [kernel_geometry, objective, explanation, evaluation])
def test_sums_are_neither_reordered_nor_fused(module):
    """Else what was compiled and what was loaded round differently, and the same command gives another track."""
    kernels = [one for one in vars(module).values() if isinstance(one, Dispatcher)]
    assert kernels
    for kernel in kernels:
        assert kernel.targetoptions.get("fastmath", set()) <= {"nsz"}, kernel.py_func.__name__


def terms_at(problem, vector):
    return problem.residuals(vector)[1]


def moved(vector, number, by):
    vector = vector.copy()
    vector[number] += by
    return vector


@given(seeds, st.floats(0, 3.1))
@settings(max_examples=30)
def test_the_kernels_rotation_is_that_of_scene(seed, angle):
    rng = np.random.default_rng(seed)
    axis, reference = rng.normal(size=3), random_rotations(1, rng)[0]
    vector, out = axis / np.linalg.norm(axis) * angle, np.zeros((3, 3))
    rotation_of(*vector, reference, out)
    np.testing.assert_allclose(out, matrix_from_rotation_vector(vector) @ reference, atol=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_kernels_capsules_are_those_of_scene(side):
    rng = np.random.default_rng(4)
    shape, kernel = average_hand(side), models()
    kernel = kernel._replace(
        base_offsets=shape.base_offsets,
        base_rotations=np.ascontiguousarray(shape.base_rotations),
        palm_segments=np.ascontiguousarray(shape.palm_segments),
        abduction_sign=shape.abduction_sign,
    )
    layout = Layout(np.eye(3), random_rotations(1, rng)[0])
    vector = rng.normal(size=32)
    vector[12:] = rng.uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
    ends, radii, _ = segments(shape, vector[12:])
    capsules = np.zeros((len(ends), 9))
    place_capsules(vector, layout.hand_rotations(vector), kernel, capsules)
    first, last = capsules[:, :3], capsules[:, :3] + capsules[:, 3:6]
    expected = apply(layout.pose(vector).hand.camera_from_hand, ends.reshape(-1, 3)).reshape(-1, 2, 3)
    np.testing.assert_allclose(np.stack([first, last], axis=1), expected, atol=1e-9)
    np.testing.assert_allclose(np.stack([capsules[:, 6], capsules[:, 6] + capsules[:, 7]], axis=1), radii, atol=1e-12)
    np.testing.assert_allclose(1 / np.sqrt(capsules[:, 8]), np.linalg.norm(last - first, axis=1), atol=1e-6)


def test_the_field_is_linear_between_nodes_and_grows_outside():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 6, 7)).astype(np.float32)
    origin, spacing = np.array([0.1, -0.2, 0.3]), 0.01
    axes = [origin[axis] + spacing * np.arange(values.shape[axis]) for axis in range(3)]
    known = RegularGridInterpolator(axes, values.astype(float))
    span = spacing * (np.array(values.shape) - 1.01)
    for point in origin + rng.random((200, 3)) * span:
        assert field_distance(values, origin, spacing, *point) == pytest.approx(known(point)[0], abs=1e-6)
    aside = field_distance(values, origin, spacing, origin[0] - 0.03, origin[1] - 0.04, origin[2])
    assert aside == pytest.approx(values[0, 0, 0] + 0.05)


def test_the_field_holds_its_last_node():
    values = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    assert field_distance(values, np.zeros(3), 1.0, 2.0, 2.0, 2.0) == pytest.approx(26, abs=0.05)


def test_models_lay_out_the_hand_and_sample_the_object():
    shape, kernel = average_hand(), models()
    assert kernel.samples.shape == kernel.normals.shape == kernel.sample_features.shape
    np.testing.assert_array_equal(kernel.phalanx_lengths, shape.phalanx_lengths)
    assert np.linalg.norm(kernel.samples, axis=1).max() <= kernel.object_reach + 1e-9
    shifted = lit(kernel, np.array([0.1, 0, -0.1]))
    np.testing.assert_allclose(
        shifted.sample_features - kernel.sample_features, np.tile([0.1, 0, -0.1], (len(kernel.samples), 1))
    )


def test_the_kernel_takes_a_prepared_frame():
    scene = drawn()
    values, terms = scene.problem.residuals(scene.truth)
    assert values.shape == (residual_count(scene.problem.evidence, scene.problem.models, use_object=True),)
    assert terms.shape == (len(TERMS),)


@given(seeds)
@settings(max_examples=30)
def test_squares_of_residuals_add_up_to_the_terms(seed):
    scene, rng = drawn(), np.random.default_rng(seed)
    vector = scene.truth + rng.normal(size=32) * 0.05
    values, terms = scene.problem.residuals(vector)
    assert (values**2).sum() == pytest.approx(terms.sum())
    assert (terms >= 0).all()
    clamped = refine.clamp_angles(vector)
    assert scene.problem.objectives(vector[None])[0] == pytest.approx(terms_at(scene.problem, clamped).sum())


@pytest.mark.parametrize("use_hand", [True, False])
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_truth_explains_the_frame_best(use_hand, axis, sign):
    scene = drawn(use_hand)
    at_truth = terms_at(scene.problem, scene.truth).sum()
    for number, by in ((axis, 0.02), (3 + axis, np.deg2rad(40))):
        assert terms_at(scene.problem, moved(scene.truth, number, sign * by)).sum() > 1.2 * at_truth


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("axis", range(3))
def test_the_true_hand_explains_the_frame_best(axis, sign):
    scene = drawn()
    at_truth = terms_at(scene.problem, scene.truth).sum()
    for number, by in ((6 + axis, 0.02), (9 + axis, np.deg2rad(40))):
        assert terms_at(scene.problem, moved(scene.truth, number, sign * by)).sum() > at_truth


def test_the_truth_costs_little():
    scene = drawn()
    assert terms_at(scene.problem, scene.truth)[[POINTS, OBJECT, HAND]].sum() < 0.17


def test_an_object_before_what_is_seen_was_seen_through():
    scene = drawn(False)
    costs = [terms_at(scene.problem, moved(scene.truth, 2, -by))[OBJECT] for by in (0, 0.005, 0.01, 0.03)]
    assert np.all(np.diff(costs) > 0)
    assert costs[-1] > 0.8


def test_an_object_behind_what_is_seen_is_hidden_which_costs_less():
    """Behind the wall everything is hidden; as far before it, everything was seen through."""
    scene = drawn(False)
    hidden = moved(scene.truth, 0, 0.12)
    before, behind = moved(hidden, 2, -0.1), moved(hidden, 2, 0.5)
    problem = replace(scene.problem, evidence=scene.problem.evidence._replace(table=np.array([0, 0, 0, 1.0])))
    weights = problem.weights
    assert terms_at(problem, behind)[OBJECT] <= weights.hidden**2 + 1e-9
    assert terms_at(problem, before)[OBJECT] > 0.9


def test_where_nothing_was_measured_costs_less_than_being_hidden():
    scene = drawn(False)
    blind = scene.problem.evidence._replace(depth=np.zeros_like(scene.problem.evidence.depth))
    terms = terms_at(replace(scene.problem, evidence=blind), scene.truth)
    weights = scene.problem.weights
    assert terms[OBJECT] == pytest.approx(weights.unmeasured**2)
    dear = replace(scene.problem, evidence=blind, weights=weights._replace(unmeasured=0.5))
    assert terms_at(dear, scene.truth)[OBJECT] == pytest.approx(0.25)
    assert weights.unmeasured < weights.hidden
    assert find_strictly(weights).unmeasured == find_strictly(weights).hidden


def test_what_is_hidden_costs_less_under_a_hand():
    scene = drawn(False)
    evidence = scene.problem.evidence
    behind = moved(scene.truth, 2, 0.1)
    bare, under = (
        terms_at(
            replace(scene.problem, evidence=evidence._replace(hand_chance=np.full_like(evidence.depth, chance))), behind
        )
        for chance in (0.0, 1.0)
    )
    assert under[OBJECT] < 0.5 * bare[OBJECT]


def test_an_object_in_the_table_is_impossible():
    scene = drawn(False)
    above = scene.problem.evidence
    inside = above._replace(table=np.array([0, 0, -1.0, 0.40]))  # the table's surface is 5 cm before the object
    assert terms_at(replace(scene.problem, evidence=inside), scene.truth)[OBJECT] > 0.9
    assert terms_at(scene.problem, scene.truth)[OBJECT] < 0.1


def test_colours_that_are_not_the_objects_cost():
    scene = drawn(False)
    other = scene.problem.models._replace(sample_features=scene.problem.models.sample_features[::-1].copy())
    swapped = terms_at(replace(scene.problem, models=other), scene.truth)
    assert swapped[COLOR] > 1.5 * terms_at(scene.problem, scene.truth)[COLOR]


def test_a_finger_inside_the_object_costs():
    scene = drawn()
    assert terms_at(scene.problem, scene.truth)[CONTACT] == pytest.approx(0, abs=1e-3)
    tip = segments(average_hand(), scene.pose.hand.angles)[0][-7, 1]  # of the middle finger
    inside = scene.truth.copy()
    inside[:3] = apply(scene.pose.hand.camera_from_hand, tip[None])[0]
    assert terms_at(scene.problem, inside)[CONTACT] > 0.005
    no_price = replace(scene.problem, weights=scene.problem.weights._replace(contact=0.0))
    assert terms_at(no_price, inside)[CONTACT] == 0


def test_fingers_in_each_other_cost_and_those_side_by_side_do_not():
    scene = drawn()
    weights = scene.problem.weights
    crossed = scene.truth.copy()
    crossed[12:].reshape(5, 4)[1:3, 0] = np.deg2rad([-20, 20])  # index and middle finger, each towards the other
    cost = terms_at(scene.problem, crossed)[CONTACT]
    assert weights.fingers / 4 < cost < 10 * weights.fingers
    no_price = replace(scene.problem, weights=weights._replace(fingers=0.0))
    assert terms_at(no_price, crossed)[CONTACT] == pytest.approx(0, abs=1e-3)
    firm = replace(scene.problem, weights=weights._replace(flesh_yields=0.0))
    assert terms_at(firm, crossed)[CONTACT] > cost


def without_grasp(scene):
    return replace(scene.problem, weights=scene.problem.weights._replace(grasp=0.0))


def test_angles_are_held_to_their_prediction():
    scene = drawn()
    problem = without_grasp(scene)
    assert terms_at(problem, scene.truth)[PRIOR] == 0
    bent = terms_at(problem, moved(scene.truth, 14, 0.5))
    assert bent[PRIOR] == pytest.approx(problem.weights.prior / 20)


def test_a_wrist_does_not_bend_backwards():
    scene = drawn()
    problem = without_grasp(scene)
    against = problem.evidence._replace(arm=np.array([-1.0, 0, 0]))
    along = problem.evidence._replace(arm=np.array([1.0, 0, 0]))
    weights = problem.weights
    cost = weights.arm * (weights.least_along + 1) ** 2
    assert terms_at(replace(problem, evidence=against), scene.truth)[PRIOR] == pytest.approx(cost)
    assert terms_at(replace(problem, evidence=along), scene.truth)[PRIOR] == 0


@pytest.mark.parametrize(
    ("from_wrist", "arm", "expected"),
    [
        ((-0.1, 0, 0), (0, 0, 0), True),
        ((-0.1, 0.1, 0), (0, 0, 0), True),
        ((-0.1, 0, 0.2), (0, 0, 0), False),
        ((0.1, 0, 0), (0, 0, 0), False),
        ((-0.4, 0, 0), (0, 0, 0), False),
        ((-0.1, 0, 0.2), (0, 0, -1), True),
        ((0.01, 0, 0.1), (0.6, 0, -0.8), True),
        ((-0.1, 0, 0), (0, 0, -1), True),
        ((0.1, 0, 0.05), (0, 0, -1), False),
        ((0, 0, 0.4), (0, 0, -1), False),
    ],
    ids=[
        "straight behind",
        "45 degrees aside",
        "63 degrees aside",
        "on the hand",
        "too far",
        "63 degrees aside, where the arm comes from",
        "beside the wrist, where the arm comes from",
        "straight behind, the arm from aside",
        "on the hand, the arm from aside",
        "too far, where the arm comes from",
    ],
)
def test_the_forearm_is_behind_the_wrist_or_where_the_arm_comes_from(from_wrist, arm, expected):
    wrist, hand = np.array([0.02, -0.03, 0.5]), random_rotations(1, np.random.default_rng(3))[0]
    vector = np.zeros(32)
    vector[6:9] = wrist
    assert behind_wrist(*(wrist + hand @ np.array(from_wrist)), vector, hand, hand @ np.array(arm, float)) == expected


def test_a_bare_forearm_costs_little_and_what_else_is_skin_coloured_much():
    scene = drawn()
    hand = scene.pose.hand.camera_from_hand

    def cost(from_wrist, *, may_be_forearm=True):
        evidence = scene.problem.evidence
        points = evidence.points.copy()
        points[:100] = apply(hand, np.array([from_wrist]))
        skin = np.ones(len(points))
        evidence = evidence._replace(
            points=points,
            point_hand_chance=skin,
            point_object_chance=0 * skin,
            point_may_be_forearm=np.full(len(points), may_be_forearm),
        )
        return terms_at(replace(scene.problem, evidence=evidence), scene.truth)[POINTS]

    assert cost((-0.15, 0, 0)) < 0.55 * cost((0, 0, 0.15))
    assert cost((-0.15, 0, 0), may_be_forearm=False) == pytest.approx(cost((0, 0, 0.15)), rel=0.1)


def test_a_bent_wrists_forearm_is_where_the_arm_comes_from():
    scene = drawn()
    hand, skin = scene.pose.hand.camera_from_hand, np.ones(len(scene.problem.evidence.points))
    evidence = scene.problem.evidence._replace(
        point_hand_chance=skin, point_object_chance=0 * skin, point_may_be_forearm=skin > 0
    )
    aside = apply(hand, np.tile([-0.02, 0, 0.15], (len(evidence.points), 1)))

    def cost(arm):
        there = evidence._replace(points=aside, arm=hand[:3, :3] @ np.array(arm))
        return terms_at(replace(scene.problem, evidence=there), scene.truth)[POINTS]

    assert cost((0.0, 0.0, -1.0)) < 0.5 * cost((1.0, 0.0, 0.0))


@pytest.mark.parametrize(("behind_mm", "expected"), [(-20, 0.0), (0, 0.0), (2, 0.5), (4, 1.0), (40, 1.0), (None, 1.0)])
def test_a_capsule_is_hidden_by_what_stands_before_it(behind_mm, expected):
    """Its front 0.4 m away, all of it at one depth; a gap scale of 4 mm."""
    scene, weights = drawn(), weights_for(0.02, colored=True)
    depth = np.zeros((240, 320), np.float32) if behind_mm is None else np.full((240, 320), 0.4 - behind_mm / 1000)
    evidence = scene.problem.evidence._replace(depth=depth.astype(np.float32))
    capsule = np.array([0.0, 0.0, 0.408, 0.02, 0.0, 0.0, 0.008, 0.0, 1 / 0.02**2])
    assert hidden_share(capsule, evidence, weights) == pytest.approx(expected, abs=1e-3)
    outside = capsule.copy()
    outside[0] = 5.0
    assert hidden_share(outside, evidence, weights) == 1


def test_a_third_of_a_capsule_that_is_seen_counts():
    evidence = drawn().problem.evidence
    depth = np.full((240, 320), 0.3, np.float32)
    depth[:, :130] = 0.7
    capsule = np.array([-0.05, 0.0, 0.408, 0.1, 0.0, 0.0, 0.008, 0.0, 1 / 0.1**2])  # from column 125 on
    share = hidden_share(capsule, evidence._replace(depth=depth), weights_for(0.1, colored=True))
    assert share == pytest.approx(2 / 3)


def test_finger_tips_that_are_hidden_are_rather_on_the_object_than_away_from_it():
    scene = drawn()
    farther = moved(scene.truth, 6, -0.05)
    far, near = (np.full(scene.frame.depth.shape, metres, np.float32) for metres in (2.0, 0.3))
    seen, problem = (
        replace(scene.problem, evidence=scene.problem.evidence._replace(arm=np.zeros(3), depth=depth))
        for depth in (far, near)
    )
    assert terms_at(seen, scene.truth)[PRIOR] == terms_at(seen, farther)[PRIOR] == 0
    assert terms_at(problem, scene.truth)[PRIOR] < terms_at(problem, farther)[PRIOR] < problem.weights.grasp
    none = without_grasp(scene)
    assert terms_at(none, farther)[PRIOR] == pytest.approx(terms_at(none, scene.truth)[PRIOR])


def test_without_a_hand_its_terms_are_nothing():
    scene = drawn(False)
    np.testing.assert_array_equal(terms_at(scene.problem, scene.truth)[[HAND, CONTACT, PRIOR]], 0)
    elsewhere = scene.truth.copy()
    elsewhere[6:] = 1.0
    np.testing.assert_array_equal(terms_at(scene.problem, elsewhere), terms_at(scene.problem, scene.truth))


def test_a_still_objects_own_terms_are_left_out():
    scene = drawn()
    whole, still = (terms_at(replace(scene.problem, use_object=used), scene.truth) for used in (True, False))
    np.testing.assert_array_equal(still[[OBJECT, COLOR]], 0)
    np.testing.assert_array_equal(still[[POINTS, HAND, CONTACT, PRIOR]], whole[[POINTS, HAND, CONTACT, PRIOR]])


def test_having_nothing_to_explain_is_no_explanation():
    scene = drawn(False)
    away = moved(scene.truth, 0, 1.0)
    assert terms_at(scene.problem, away)[POINTS] == pytest.approx(scene.problem.weights.points, rel=0.05)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_objective_is_the_same_for_any_number_of_threads(monkeypatch, threads):
    scene = drawn()
    vectors = scene.truth + np.random.default_rng(1).normal(size=(7, 32)) * 0.02
    references = random_rotations(7, np.random.default_rng(2))
    one_by_one = [scene.problem.objectives(vector[None])[0] for vector in vectors]
    with ThreadPoolExecutor(threads) as pool:
        monkeypatch.setattr("tracker.threads.THREADS", threads)
        monkeypatch.setattr("tracker.threads._threads", lambda: pool)
        np.testing.assert_array_equal(scene.problem.objectives(vectors), one_by_one)
        turned = scene.problem.objectives(vectors, references)
        for vector, reference, value in zip(vectors, references, turned, strict=True):
            layout = Layout(reference, scene.problem.layout.hand_reference)
            assert replace(scene.problem, layout=layout).objectives(vector[None])[0] == pytest.approx(value)


def test_a_vector_that_is_no_number_is_worst():
    scene = drawn()
    values = scene.problem.objectives(np.stack([scene.truth, np.full(32, np.nan)]))
    assert np.isfinite(values[0])
    assert not np.isfinite(values[1]) or values[1] > values[0]


@pytest.mark.parametrize(
    ("diameter", "points", "gap"), [(0.02, 0.005, 0.004), (0.1, 0.008, 0.0055), (0.3, 0.012, 0.008)]
)
def test_scales_fit_the_objects_size(diameter, points, gap):
    weights = weights_for(diameter, colored=True)
    assert (weights.points_scale, weights.gap_scale) == pytest.approx((points, gap))
    assert weights_for(diameter, colored=False).color < weights.color


def test_a_fine_objective_asks_for_more():
    scene = drawn(False)
    finer = replace(scene.problem, weights=fine(scene.problem.weights))
    off = moved(scene.truth, 2, 0.002)

    def rise(problem):
        return terms_at(problem, off)[POINTS] - terms_at(problem, scene.truth)[POINTS]

    half = replace(scene.problem, weights=fine(scene.problem.weights, 0.5))
    assert rise(finer) > 4 * rise(scene.problem)
    assert rise(finer) > rise(half) > rise(scene.problem)
    assert fine(scene.problem.weights, 0) == scene.problem.weights
    assert terms_at(finer, off)[OBJECT] == terms_at(scene.problem, off)[OBJECT]


def test_points_know_whose_they_are():
    scene = drawn()
    to_object, to_hand = point_distances(
        scene.truth, scene.problem.layout, scene.problem.evidence.points, scene.problem.models, True
    )
    assert np.quantile(np.minimum(to_object, np.abs(to_hand)), 0.95) < 0.003
    on_object, on_hand = on_bodies(to_object, to_hand)
    assert not (on_object & on_hand).any()
    assert on_object.any()
    assert on_hand.any()
    _, none = point_distances(
        scene.truth, scene.problem.layout, scene.problem.evidence.points, scene.problem.models, False
    )
    assert np.isinf(none).all()


def test_samples_at_the_truth_are_seen_and_moved_ones_are_not():
    scene = drawn(False)
    fixed = (scene.problem.layout, scene.problem.evidence, scene.problem.models, scene.problem.weights)
    there = view_samples(scene.truth, *fixed)
    assert there.support > 0.85
    assert there.support + there.violation + there.hidden == pytest.approx(1)
    assert view_samples(moved(scene.truth, 2, -0.05), *fixed).violation > 0.8
    assert view_samples(moved(scene.truth, 2, 0.05), *fixed).hidden > 0.5
