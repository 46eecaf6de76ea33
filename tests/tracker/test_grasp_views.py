"""One grasp seen in several frames: the sum of the views, its slopes, and which hand and views are settled on."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from scene.hand_pose import joints
from scene.hand_shape import average_hand
from scene.rotations import geodesic_angle, matrix_from_rotation_vector
from scene.transforms import inverse, rigid
from tests.tracker.samples import CAMERA, WALL_PLANE, draw, drawn, likelihoods
from tests.tracker.test_following import estimate
from tracker.anew import with_hand
from tracker.grasp_views import MOST, TURNED, GraspViews, SameGrasp, View
from tracker.grasps import carried
from tracker.hypothesis import HAND_TRANSLATION, HandObjectPose, Layout
from tracker.observation import Surroundings, observe
from tracker.refine import HAND_NUMBERS, refined


def turned_pose(angle):
    """The drawn scene, all of it turned about the camera's y axis through the object."""
    pose = drawn().pose
    middle = pose.camera_from_object[:3, 3]
    turn = matrix_from_rotation_vector(np.array([0, angle, 0]))
    motion = rigid(turn, middle - turn @ middle)
    return HandObjectPose(motion @ pose.camera_from_object, carried(pose.hand, motion))


@cache
def view(angle, shift=0.0):
    """Of the scene turned so; `shift` metres by which the hand has been moved on the object."""
    pose = turned_pose(angle)
    there = replace(pose, hand=carried(pose.hand, rigid(np.eye(3), np.array([-shift, 0, 0]))))
    frame = draw(there)
    observation = observe(frame, CAMERA, likelihoods(frame), Surroundings(WALL_PLANE))
    chosen = np.random.default_rng(0).choice(len(observation.points), 400, replace=False)
    return View.of(observation.evidence(chosen), pose.camera_from_object)


def now():
    return replace(drawn().problem, use_object=False)


def same(*views):
    return SameGrasp(now(), drawn().pose.camera_from_object, views)


def error_of(vector):
    """Metres, of the joints."""
    hand, true = drawn().problem.layout.pose(vector).hand, drawn().pose.hand
    return np.linalg.norm(joints(average_hand(), hand) - joints(average_hand(), true), axis=1).mean()


def shaken(seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    vector = drawn().truth.copy()
    vector[6:9] += rng.normal(size=3) * 0.005 * size
    vector[9:12] += rng.normal(size=3) * 0.1 * size
    vector[12:] += rng.normal(size=20) * 0.1 * size
    return vector


def test_a_view_is_a_piece_of_the_image_in_which_points_stay_where_they_are():
    whole, cut = drawn().problem.evidence, View.of(drawn().problem.evidence, drawn().pose.camera_from_object).evidence
    assert cut.depth.size <= whole.depth.size
    point = drawn().pose.camera_from_object[:3, 3]
    depths = []
    for evidence in (whole, cut):
        fx, fy, cx, cy = evidence.intrinsics
        column, row = (round(f * p / point[2] + c) for f, p, c in ((fx, point[0], cx), (fy, point[1], cy)))
        depths.append(evidence.depth[row, column])
    assert depths[0] == depths[1] > 0


def test_the_frame_itself_as_a_view_counts_a_second_time():
    again = View.of(drawn().problem.evidence, drawn().pose.camera_from_object)
    vectors = np.stack([shaken(seed) for seed in range(4)])
    np.testing.assert_allclose(same(again).objectives(vectors), 2 * now().objectives(vectors), rtol=1e-6)


def test_a_view_sees_the_hand_that_is_carried_along():
    true, layout = turned_pose(0.6), drawn().problem.layout
    hand = shaken(3)
    motion = true.camera_from_object @ inverse(drawn().pose.camera_from_object)
    there = HandObjectPose(true.camera_from_object, carried(layout.pose(hand).hand, motion))
    problem = replace(now(), evidence=view(0.6).evidence, layout=Layout.about(there))
    expected = problem.objectives(problem.layout.vector(there)[None])
    np.testing.assert_allclose(same(view(0.6)).in_views(hand[None]), expected, rtol=1e-6)


def test_residuals_and_their_slopes_are_those_of_the_sum():
    problem, vector = same(view(0.5), view(-0.5)), shaken(1)
    residuals, terms = problem.residuals(vector)
    assert (residuals**2).sum() == pytest.approx(terms.sum(), rel=1e-6)
    assert terms.sum() == pytest.approx(problem.objectives(vector[None])[0], rel=1e-6)
    slopes = problem.jacobian(vector, HAND_NUMBERS, residuals)
    direction = np.random.default_rng(0).normal(size=len(HAND_NUMBERS)) * np.repeat([1e-4, 1e-3], [3, 23])
    ahead, behind = vector.copy(), vector.copy()
    ahead[HAND_NUMBERS] += direction
    behind[HAND_NUMBERS] -= direction
    measured = problem.objectives(ahead[None])[0] - problem.objectives(behind[None])[0]
    assert 4 * residuals @ slopes @ direction == pytest.approx(measured, abs=0.35 * abs(measured) + 1e-3)


def test_a_hand_is_seen_in_the_views_whose_surface_is_where_it_is():
    hand = drawn().truth
    away = hand.copy()
    away[HAND_TRANSLATION] += 0.5
    one, both = same(view(0.6)), same(view(0.6), view(-0.6))
    assert same().seen_in_views(hand) == 0.0
    assert 0.3 < one.seen_in_views(hand) <= 1.0
    assert one.seen_in_views(hand) + 0.3 < both.seen_in_views(hand) <= 2.0
    assert both.seen_in_views(away) == 0.0


def test_a_hand_is_judged_by_how_much_of_it_the_views_show():
    views, here = (view(0.6), view(-0.6)), replace(estimate(), pose=drawn().pose)
    for some in (views, ()):
        judged = with_hand(
            drawn().observation, here, now(), drawn().truth, GraspViews(some), np.random.default_rng(0)
        ).hand_quality
        assert judged.seen_in_views == same(*some).seen_in_views(drawn().truth)


@pytest.mark.parametrize("finger", range(5))
def test_a_finger_that_is_bent_wrongly_is_placed_better_by_several_views(finger):
    bent = drawn().truth.copy()
    bent[12 + 4 * finger + 1 : 12 + 4 * finger + 4] += 0.5
    one, several = (refined(problem, bent, HAND_NUMBERS, 15)[0] for problem in (same(), same(view(0.7), view(-0.7))))
    assert error_of(several) < error_of(one)


def test_the_hand_that_all_views_agree_on_is_taken_though_another_is_lower_here():
    views, close, far = GraspViews((view(0.6), view(-0.6))), drawn().truth, shaken(4, 4.0)
    hand, kept = views.settle(now(), drawn().pose.camera_from_object, np.stack([far, close]))
    assert error_of(hand) < 0.006
    assert len(kept.views) == 2
    assert all(np.isfinite(view.lowest) for view in kept.views)


def test_an_object_that_is_grasped_anew_has_no_views():
    away = rigid(np.eye(3), np.array([-0.05, 0, 0]))
    old = drawn().problem.layout.vector(replace(drawn().pose, hand=carried(drawn().pose.hand, away)))
    views = GraspViews((view(0.4, 0.05), view(-0.4, 0.05)))
    hand, kept = views.settle(now(), drawn().pose.camera_from_object, np.stack([old, drawn().truth]))
    np.testing.assert_array_equal(hand, drawn().truth)
    assert kept.views == ()


def test_a_view_of_another_grasp_is_dropped():
    stale = replace(view(0.4, 0.03), lowest=0.05)
    hand, kept = GraspViews((stale, view(-0.4), view(0.7))).settle(
        now(), drawn().pose.camera_from_object, drawn().truth[None]
    )
    assert error_of(hand) < 0.02
    assert [view.camera_from_object is stale.camera_from_object for view in kept.views] == [False, False]


def test_without_views_the_best_of_the_frame_is_taken():
    hands = np.stack([shaken(5), drawn().truth])
    hand, kept = GraspViews().settle(now(), drawn().pose.camera_from_object, hands)
    np.testing.assert_array_equal(hand, drawn().truth)
    assert kept.views == ()


def test_views_are_wanted_of_other_sides_and_the_oldest_goes():
    views = GraspViews()
    assert views.wants(np.eye(4))
    angles = [1.5 * TURNED * number for number in range(MOST + 1)]
    for angle in angles:
        pose = rigid(matrix_from_rotation_vector(np.array([0, angle, 0])), np.array([0, 0, 0.5]))
        assert views.wants(pose)
        views = views.seen(replace(view(0.6), camera_from_object=pose))
        assert not views.wants(pose)
    assert len(views.views) == MOST
    oldest = views.views[0].camera_from_object[:3, :3]
    assert geodesic_angle(oldest, np.eye(3)) == pytest.approx(angles[1])
