"""A hand that is followed is searched for anew now and then, itself and the grasps seen before among the guesses."""

from dataclasses import replace

import numpy as np
import pytest

from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import drawn
from tests.tracker.test_following import estimate, known
from tracker import sequence
from tracker.config import RunConfig
from tracker.following import Last
from tracker.grasp_views import GraspViews, View
from tracker.grasps import Grasps
from tracker.reviews import SEARCH_EVERY
from tracker.sequence import HAND_REVIEW_EVERY, REVIEW_EVERY, SequenceTracker


@pytest.fixture
def searches(monkeypatch):
    """What the hand's search is given, in place of it; following leaves the hand where it is."""
    given = []

    def with_hand_found(observation, estimate, knowledge, guesses, grasp, points, rng):
        given.append(list(guesses))
        return estimate, grasp

    monkeypatch.setattr(sequence, "with_hand_found", with_hand_found)
    monkeypatch.setattr(sequence, "hand_followed", lambda observation, estimate, *others: (estimate, others[-2]))
    return given


def tracked(tmp_path, hand_confidence, frames, views=0):
    """A tracker that has followed a hand of that confidence through so many frames."""
    scene = drawn()
    here = replace(estimate(), pose=scene.pose, confidence=0.99, hand_confidence=hand_confidence)
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    tracker._last = Last(here, np.eye(4))
    tracker._grasps = Grasps().remembered(scene.pose)
    tracker._grasp = GraspViews((View.of(scene.problem.evidence, scene.pose.camera_from_object),) * views)
    for index in range(frames):
        tracker._with_hand(scene.observation, here, index)
    return scene


@pytest.mark.parametrize(("hand_confidence", "every"), [(0.9, HAND_REVIEW_EVERY), (0.1, SEARCH_EVERY)])
def test_a_sure_hand_is_reviewed_and_a_doubtful_one_searched_for_more_often(tmp_path, searches, hand_confidence, every):
    tracked(tmp_path, hand_confidence, 2 * HAND_REVIEW_EVERY)
    first = HAND_REVIEW_EVERY - SEARCH_EVERY if hand_confidence > 0.5 else 0
    assert len(searches) == len(range(first, 2 * HAND_REVIEW_EVERY, every))


def test_the_followed_hand_is_a_guess_only_where_it_is_vouched_for_and_grasps_always(tmp_path, searches):
    scene = tracked(tmp_path, 0.9, HAND_REVIEW_EVERY)
    assert searches[0][0] is scene.pose.hand
    np.testing.assert_allclose(searches[0][1].camera_from_hand, scene.pose.hand.camera_from_hand, atol=1e-12)
    searches.clear()
    tracked(tmp_path, 0.1, 1)
    assert len(searches[0]) == 1


def test_a_hand_that_several_views_agree_on_is_reviewed_less_often(tmp_path, searches):
    tracked(tmp_path, 0.9, 2 * REVIEW_EVERY, views=2)
    assert len(searches) == len(range(REVIEW_EVERY - SEARCH_EVERY, 2 * REVIEW_EVERY, REVIEW_EVERY))


def test_a_hand_is_searched_for_at_once_where_tracking_begins_again(tmp_path, searches):
    scene = drawn()
    here = replace(estimate(), pose=scene.pose, confidence=0.99, hand_confidence=0.1)
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    tracker._with_hand(scene.observation, here, 9)
    tracker._with_hand(scene.observation, here, 8)
    assert len(searches) == 1
    tracker.return_to_anchor()
    tracker._with_hand(scene.observation, here, 8)
    assert len(searches) == 2


def test_a_view_is_kept_and_beside_two_others_tells_the_hands_size(tmp_path):
    scene = drawn()
    here = replace(estimate(), pose=scene.pose, confidence=0.99, hand_confidence=0.9)
    turned = [rigid(matrix_from_rotation_vector(np.array([0, turn, 0])), np.zeros(3)) for turn in (0.5, -0.5)]
    views = tuple(View.of(scene.problem.evidence, scene.pose.camera_from_object @ turn) for turn in turned)
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    for before, frames in ((views[:1], 0), (views, 3)):
        tracker._grasp = GraspViews(before)
        tracker._look_at_grasp(scene.observation, here)
        assert len(tracker._grasp.views) == len(before) + 1
        assert tracker._sizes.frames == frames
    tracker._look_at_grasp(scene.observation, here)
    assert len(tracker._grasp.views) == 3  # this side has been seen
    tracker._grasp = GraspViews()
    tracker._look_at_grasp(scene.observation, replace(here, told=0.5))
    assert tracker._grasp.views == ()
