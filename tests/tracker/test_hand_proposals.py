"""Pictures of what may be a hand, the network that reads them, and the search that begins with what it says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.hand_pose import HandPose, joints, rest_angles
from scene.hand_shape import average_hand, mirrored
from scene.rotations import random_rotations
from scene.transforms import rigid
from scripts.drawn_grasps import BOX, ELLIPSOID, ROD, drawn_grasp, drawn_shape, thing_distance
from scripts.hand_pictures import HAND, OTHER, drawn_pictures, splat
from tests.tracker.samples import drawn
from tracker import hand_network, hand_search
from tracker.grasp_views import GraspViews
from tracker.hand_crop import DEEP, FAR, SIDE_PX, WIDTH, Croppable, encoded, focal_px, looking_at
from tracker.hand_network import HandNetwork, answered
from tracker.hand_proposals import AGREED, NO_PROPOSALS, Proposals, _different, _hand, _spread, proposed_hands
from tracker.hand_search import find_hand
from tracker.weights import Weights


def hand_points(scene):
    return scene.observation.points[scene.observation.hand_points]


def seen_hands(observation, points, shape):
    where = drawn().pose.camera_from_object
    return proposed_hands(observation, points, where[None, :3, 3], shape)


def off(hand, shape, truth):
    return np.linalg.norm(joints(shape, hand) - truth, axis=1).mean()


@given(st.integers(0, 2**32 - 1))
def test_a_camera_that_looks_at_a_place_has_it_ahead_and_the_arm_below(seed):
    rng = np.random.default_rng(seed)
    centre, up = rng.normal(size=3) * 0.1 + (0, 0, 0.6), rng.normal(size=3)
    turn = looking_at(centre, up)
    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(turn.T @ centre, [0, 0, np.linalg.norm(centre)], atol=1e-9)
    x, y, _ = turn.T @ up
    assert x == pytest.approx(0, abs=1e-9)
    assert y <= 0  # y points down


def test_an_arm_that_points_at_the_camera_still_gives_a_picture():
    turn = looking_at(np.array([0, 0, 0.5]), np.array([0, 0, -1.0]))
    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-9)


def test_a_picture_holds_depth_about_the_centre_apart_for_hand_and_all_else():
    hand, other = np.array([[0.0, -DEEP, 0.2, np.nan]]), np.array([[np.nan, np.nan, np.nan, DEEP / 2]])
    picture = encoded(hand, other)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[0, 0], [127, 0, FAR, FAR])  # too deep, and nothing, are the same
    np.testing.assert_array_equal(picture[1, 0, :3], FAR)
    assert picture[1, 0, 3] == pytest.approx(254 * 0.75, abs=1)
    assert encoded(np.array([[-1.0]]), np.array([[np.nan]]))[0, 0, 0] == 0


def test_the_picture_shows_what_is_about_its_centre_at_one_scale():
    scene = drawn()
    points = hand_points(scene)
    crop = Croppable.of(scene.observation).taken(points.mean(axis=0), np.array([0.0, -1.0, 0.0]))
    assert crop.picture.shape == (2, SIDE_PX, SIDE_PX)
    rows, columns = np.nonzero(crop.picture[0] != FAR)
    behind = crop.picture[0, rows, columns] / (FAR - 1) * 2 * DEEP - DEEP
    distance = np.linalg.norm(crop.centre)
    middle = (SIDE_PX - 1) / 2
    rays = np.stack([columns - middle, rows - middle, np.full(len(rows), focal_px(distance))], axis=1)
    shown = crop.to_camera(rays * ((distance + behind) / focal_px(distance))[:, None] - (0, 0, distance))
    to_seen = np.linalg.norm(shown[:, None] - points[None, ::3], axis=2).min(axis=1)
    assert np.quantile(to_seen, 0.95) < 0.006
    assert focal_px(0.5) * WIDTH / 0.5 == pytest.approx(SIDE_PX)


def test_a_turned_arm_turns_the_picture():
    scene = drawn()
    croppable, centre = Croppable.of(scene.observation), hand_points(scene).mean(axis=0)
    up = np.array([0.0, -1.0, 0.0])
    upright, upside_down = croppable.taken(centre, up).picture, croppable.taken(centre, -up).picture
    assert (upright == upside_down[:, ::-1, ::-1]).mean() > 0.9
    assert (upright == upside_down).mean() < 0.9


def test_the_network_sees_where_the_joints_of_drawn_hands_are():
    pictures = drawn_pictures(200, np.random.default_rng(123))
    seen, angles = answered(pictures.pictures)
    errors = np.linalg.norm(seen - pictures.joints, axis=2).mean(axis=1)
    assert np.median(errors) < 0.020
    blind = np.linalg.norm(pictures.joints - pictures.joints.mean(axis=0), axis=2).mean(axis=1)
    assert np.median(errors) < 0.4 * np.median(blind)
    assert np.abs(angles - pictures.angles).mean() < 0.8 * np.abs(pictures.angles.mean(0) - pictures.angles).mean()


def test_weights_are_kept_in_half_precision_with_how_they_were_made(tmp_path):
    network = HandNetwork().eval()
    network.save(tmp_path / "weights.npz", "by a test")
    again = HandNetwork.load(tmp_path / "weights.npz")
    for own, kept in zip(network.state_dict().values(), again.state_dict().values(), strict=True):
        np.testing.assert_allclose(kept.numpy(), own.numpy(), rtol=1e-3, atol=1e-6)
    with np.load(hand_network.WEIGHTS) as file:
        assert "learn_hand_proposals" in str(file["made_by"])


def test_a_hand_that_holds_something_is_proposed_where_it_is():
    scene = drawn()
    proposals = seen_hands(scene.observation, hand_points(scene), average_hand())
    truth = joints(average_hand(), scene.pose.hand)
    assert min(off(hand, average_hand(), truth) for hand in proposals.hands) < 0.035
    again = seen_hands(scene.observation, hand_points(scene), average_hand())
    for one, other in zip(proposals.hands, again.hands, strict=True):
        np.testing.assert_array_equal(one.angles, other.angles)


def test_a_left_hand_is_seen_in_a_mirror():
    scene = drawn()
    seen, points = scene.observation, hand_points(scene)
    camera = replace(seen.camera, cx=seen.camera.width - 1 - seen.camera.cx)
    foreground = seen.foreground[:, ::-1]
    numbers = np.full(seen.foreground.shape, -1)
    numbers[seen.foreground] = np.arange(len(seen.points))
    turned = seen.points[numbers[:, ::-1][foreground]] * (-1, 1, 1)
    chances = {name: getattr(seen, name)[:, ::-1] for name in ("hand_chance", "object_chance")}
    flipped = replace(seen, camera=camera, foreground=foreground, points=turned, **chances)
    where, mirror = scene.pose.camera_from_object[None, :3, 3], np.array([-1, 1, 1])
    right = proposed_hands(seen, points, where, average_hand())
    left = proposed_hands(flipped, points * mirror, where * mirror, mirrored(average_hand()))
    here = joints(average_hand(), right.hands[0])
    assert min(off(hand, mirrored(average_hand()), here * mirror) for hand in left.hands) < 0.008


@given(st.integers(0, 2**32 - 1))
def test_a_hand_is_laid_on_the_joints_of_its_palm(seed):
    rng = np.random.default_rng(seed)
    shape = drawn_shape(rng)
    angles, _ = drawn_grasp(shape, rng)
    hand = HandPose(rigid(random_rotations(1, rng)[0], rng.normal(size=3)), angles)
    found = _hand(joints(shape, hand), angles, shape)
    np.testing.assert_allclose(found.camera_from_hand, hand.camera_from_hand, atol=1e-6)


def test_what_most_starts_come_to_is_first():
    hand = joints(average_hand(), HandPose(np.eye(4), rest_angles()))
    chosen, counts = _different(np.stack([hand + 0.1, hand, hand + 0.001, hand - 0.2, hand + 0.002]))
    np.testing.assert_array_equal(chosen, [1, 0, 3])
    np.testing.assert_array_equal(counts, [3, 1, 1])
    assert 3 / 5 >= AGREED > 1 / 2


def test_starts_are_far_from_each_other():
    points = np.stack([np.arange(11) / 10, np.zeros(11), np.ones(11)], axis=1)
    chosen = _spread(points, points[5])
    np.testing.assert_allclose(sorted(point[0] for point in chosen[:2]), [0, 1])


def test_a_search_begins_with_what_is_proposed(monkeypatch):
    scene = drawn(points=400)
    where, places = scene.pose.camera_from_object, hand_points(scene)
    for name in ("DRAWN", "DRAWN_BESIDE"):
        monkeypatch.setattr(hand_search, name, 20)
    monkeypatch.setattr(hand_search, "KEPT", (10, 4))
    monkeypatch.setattr(hand_search, "KEPT_BESIDE", (10, 4))

    def found(proposals):
        rng = np.random.default_rng(0)
        pose = find_hand(scene.problem, where, places, (), rng, GraspViews(), proposals)[0]
        return off(pose.hand, average_hand(), joints(average_hand(), scene.pose.hand))

    assert found(Proposals((scene.pose.hand,), agreed=True)) < 0.015 < found(NO_PROPOSALS)
    assert found(Proposals((scene.pose.hand,), agreed=False)) < 0.015


def test_a_proposal_that_is_agreed_on_says_how_hidden_fingers_are():
    scene = drawn(points=400)
    where, hand = scene.pose.camera_from_object, scene.pose.hand
    sure, _ = hand_search._expecting(scene.problem, where, Proposals((hand,), agreed=True))
    np.testing.assert_array_equal(sure.prediction, hand.angles)
    assert sure.weights.prior == hand_search.PRIOR_BESIDE > Weights().prior
    assert sure.weights.grasp == hand_search.GRASP_BESIDE < Weights().grasp
    doubtful, known = hand_search._expecting(scene.problem, where, Proposals((hand,), agreed=False))
    assert doubtful is scene.problem
    np.testing.assert_allclose(known[0], scene.truth, atol=1e-9)
    assert hand_search.searching(Weights(), sure=True).grasp == Weights().grasp
    assert hand_search.searching(Weights()).grasp == hand_search.GRASP


@pytest.mark.parametrize(
    ("kind", "point", "distance"),
    [
        (BOX, (0.03, 0, 0), 0.02),
        (BOX, (0, 0, 0.025), -0.005),
        (ELLIPSOID, (0.03, 0, 0), 0.02),
        (ROD, (0, 0.03, 0.02), 0.02),
    ],
)
def test_how_far_a_thing_is(kind, point, distance):
    half = np.array([0.01, 0.01 if kind == ROD else 0.02, 0.03])
    found = thing_distance(np.array(point, float), kind, np.eye(3, 4), half)
    assert found == pytest.approx(distance, abs=1e-3 if kind == ELLIPSOID else 1e-9)


def test_drawn_fingers_stop_at_what_they_hold():
    rng = np.random.default_rng(0)
    deepest, nearest = [], []
    for _ in range(60):
        shape = drawn_shape(rng)
        angles, held = drawn_grasp(shape, rng)
        if held is None:
            continue
        tips = joints(shape, HandPose(np.eye(4), angles))[4::4]
        gaps = [thing_distance(tip, held.kind, held.hand_from_thing, held.half) for tip in tips] - shape.radii[:, 3]
        deepest.append(gaps.min())
        nearest.append(gaps[1:].min())
    assert np.quantile(deepest, 0.1) > -0.012
    assert np.median(nearest) < 0.015


def test_balls_are_drawn_where_they_are():
    depth, label = np.full((48, 48), np.inf), np.zeros((48, 48), np.uint8)
    splat(np.array([[[0, 0, 0.5], [0.05, 0, 0.5]]]), np.array([[0.01, 0.01]]), HAND, focal_px(0.5), depth, label)
    rows, columns = np.nonzero(label == HAND)
    assert columns.min() >= 21
    assert columns.max() == pytest.approx(23.5 + 0.06 / 0.5 * focal_px(0.5), abs=1)
    assert np.ptp(rows) <= 0.02 / 0.5 * focal_px(0.5)
    assert depth.min() == pytest.approx(0.49, abs=1e-3)
    assert not (label == OTHER).any()
