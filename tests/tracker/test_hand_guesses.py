"""Hands drawn and varied at random: where they are, how they are bent, that they come as the arm does."""

import numpy as np
import pytest

from scene.hand_pose import ANGLE_LIMITS
from scene.hand_shape import average_hand
from scene.rotations import geodesic_angle
from tracker.hand_guesses import CENTRE, NEAR, WAYS, drawn_hands, moved_by_a_finger, varied
from tracker.hypothesis import HAND_ANGLES, HAND_ROTATION, HAND_TRANSLATION, OBJECT_TRANSLATION, Layout

PLACES = np.array([[0.1, 0.0, 0.6], [-0.2, 0.1, 0.7]])
ARM, NO_ARM = np.array([0.0, -1.0, 0.0]), np.zeros(3)


def drawn(count=400, arm=NO_ARM, seed=0):
    return drawn_hands(count, PLACES, arm, 0.2, np.random.default_rng(seed))


def rotations_of(hands):
    return Layout(np.eye(3), np.eye(3)).hand_rotations(hands)


def middles_of(hands):
    return hands[:, 6:9] + rotations_of(hands) @ CENTRE


def test_hands_are_drawn_about_the_places_and_within_their_joints_limits():
    hands = drawn()
    away = np.linalg.norm(middles_of(hands)[:, None] - PLACES, axis=2)
    assert away.min(axis=1).max() < 5 * NEAR
    assert {0, 1} == set(away.argmin(axis=1))
    angles = hands[:, HAND_ANGLES]
    assert (angles >= ANGLE_LIMITS[:, 0]).all()
    assert (angles <= ANGLE_LIMITS[:, 1]).all()
    assert angles.std(axis=0).min() > np.deg2rad(3)
    assert not hands[:, OBJECT_TRANSLATION].any()


def test_hands_point_every_way_and_with_an_arm_only_as_it_comes():
    anyhow = rotations_of(drawn())[:, :, 0] @ ARM
    assert anyhow.min() < -0.8
    along = rotations_of(drawn(arm=ARM))[:, :, 0] @ ARM
    assert len(along) == 400
    assert along.min() >= 0.2
    assert along.max() > 0.8


def test_the_same_seed_draws_the_same_hands():
    np.testing.assert_array_equal(drawn(seed=3), drawn(seed=3))
    assert not np.array_equal(drawn(seed=3), drawn(seed=4))


@pytest.mark.parametrize("scale", [0.2, 1.0])
def test_variations_turn_about_the_hands_middle_and_grow_with_the_scale(scale):
    hands = drawn()
    changed = varied(hands, scale, hands, np.random.default_rng(1))
    moved = (changed[:, :12] != hands[:, :12]).any(axis=1)
    assert moved.mean() == pytest.approx(WAYS["moved"] + WAYS["all"], abs=0.08)
    shifts = np.linalg.norm(middles_of(changed) - middles_of(hands), axis=1)[moved]
    assert np.median(shifts) == pytest.approx(0.015 * 1.54 * scale, rel=0.15)
    turns = geodesic_angle(rotations_of(changed), rotations_of(hands))[moved]
    assert np.median(turns) == pytest.approx(0.25 * 1.54 * scale, rel=0.15)
    assert (changed[:, HAND_ANGLES] <= ANGLE_LIMITS[:, 1]).all()
    np.testing.assert_array_equal(hands, drawn())


def test_a_hand_that_keeps_still_changes_in_one_finger_and_some_of_those_are_anothers():
    hands, others = drawn(), drawn(seed=5)
    changed = varied(hands, 0.5, others, np.random.default_rng(1))
    still = (changed[:, :12] == hands[:, :12]).all(axis=1)
    before, after = (vectors[still][:, HAND_ANGLES].reshape(-1, 5, 4) for vectors in (hands, changed))
    differs = (before != after).any(axis=2)
    assert (differs.sum(axis=1) == 1).all()
    fingers = after[differs]
    theirs = others[:, HAND_ANGLES].reshape(-1, 4)
    is_taken = (fingers[:, None] == theirs).all(axis=2).any(axis=1)
    of_one_finger = WAYS["a finger bent"] + WAYS["a finger redrawn"] + WAYS["a finger taken"]
    assert is_taken.mean() == pytest.approx(WAYS["a finger taken"] / of_one_finger, abs=0.1)


@pytest.mark.parametrize("by", [1, -1])
def test_a_hand_moved_by_a_finger_has_each_where_its_neighbour_was(by):
    knuckles = average_hand().base_offsets[1:]
    before = drawn(1)[0]
    after = moved_by_a_finger(before, knuckles, by)
    here, there = (rotations_of(hand[None])[0] @ knuckles.T + hand[HAND_TRANSLATION, None] for hand in (after, before))
    own, neighbours = (slice(0, 3), slice(1, 4)) if by == 1 else (slice(1, 4), slice(0, 3))
    assert np.linalg.norm(here[:, own] - there[:, neighbours], axis=0).max() < 0.012
    angles, angles_before = after[HAND_ANGLES].reshape(5, 4), before[HAND_ANGLES].reshape(5, 4)
    np.testing.assert_array_equal(angles[1:][own], angles_before[1:][neighbours])
    np.testing.assert_array_equal(angles[0], angles_before[0])
    np.testing.assert_array_equal(after[HAND_ROTATION], before[HAND_ROTATION])
