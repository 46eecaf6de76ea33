"""A hand is known as far as others that explain the frame, elsewhere, are dearer; one that is not teaches nothing."""

from dataclasses import replace

import numpy as np
import pytest

from scene.hand_shape import average_hand
from tests.tracker.samples import LOST, TRACKED, drawn
from tests.tracker.test_following import estimate, known
from tests.tracker.test_grasp_views import now, same, view
from tests.tracker.test_hand_quality import GOOD
from tests.tracker.test_let_go import touching
from tracker import anew, hand_tracking
from tracker.config import RunConfig
from tracker.following import Last, hand_followed
from tracker.grasp_views import GraspViews
from tracker.hand_rivals import OTHER_HAND, TELLING, chance_told
from tracker.hand_tracking import knows_hand
from tracker.hypothesis import HAND_TRANSLATION
from tracker.judgement import KNOWN
from tracker.sequence import SequenceTracker
from tracker.swarm import SwarmSettings


def aside(metres):
    vector = drawn().truth.copy()
    vector[HAND_TRANSLATION] += [metres, 0, 0]
    return vector


class Costing:
    """In place of a frame and its views: what hands cost by how far they were moved aside."""

    def __init__(self, costs, views=0):
        self.costs, self.views, self.now = costs, (None,) * views, now()

    def objectives(self, vectors):
        return np.array([self.costs[round(float(v[6] - drawn().truth[6]), 3)] for v in vectors])


def told(cost, *, views=0, other=0.1):
    found = np.array([aside(0.01), aside(other)])
    return chance_told(Costing({0.0: 0.3, 0.01: 0.3, other: 0.3 + cost}, views), aside(0.0), found, average_hand())


def test_as_likely_as_not_at_what_is_telling_and_surer_the_dearer_the_others_are():
    assert told(TELLING) == pytest.approx(0.5)
    assert told(0.3 * TELLING) < 0.05
    assert told(-1.0) < 1e-6
    assert 0.9 < told(2 * TELLING) < told(4 * TELLING) < 1


def test_what_views_say_counts_as_much_as_the_frame():
    assert told(4 * TELLING, views=3) == pytest.approx(told(TELLING))


def test_a_hand_that_is_about_the_same_is_no_other():
    assert told(0.0, other=OTHER_HAND + 0.001) < 0.01
    assert told(0.0, other=OTHER_HAND - 0.001) == 1.0


def test_in_a_frame_that_shows_the_hand_well_it_is_told_from_one_aside_and_in_views_the_more():
    for problem in (same(), same(view(0.6))):
        assert chance_told(problem, drawn().truth, np.array([drawn().truth, aside(0.08)]), average_hand()) > 0.95
        assert chance_told(problem, aside(0.08), np.array([drawn().truth, aside(0.08)]), average_hand()) < 0.01


@pytest.mark.parametrize(("cost", "known_of"), [(10 * TELLING, True), (0.1 * TELLING, False)])
def test_a_search_says_how_much_is_told_of_the_hand_that_it_comes_to(monkeypatch, cost, known_of):
    """Two hands are found, each where the other is not."""
    scene, layout = drawn(), drawn().problem.layout
    here = replace(estimate(), pose=scene.pose, confidence=0.99)
    hands = [layout.pose(aside(metres)) for metres in (0.0, 0.1)]
    monkeypatch.setattr(anew, "hands_found", lambda *_: (now(), hands))
    costs = {0.0: 0.3, 0.1: 0.3 + cost}
    monkeypatch.setattr(anew, "SameGrasp", lambda *_: Costing(costs))
    monkeypatch.setattr(anew, "with_hand", lambda _, estimate, *__: estimate)
    rng = np.random.default_rng(0)
    found, _ = anew.with_hand_found(scene.observation, here, known(scene), (), GraspViews(), 320, rng)
    assert (found.hand_told > KNOWN) == known_of


def test_what_was_told_holds_while_the_hand_is_followed():
    scene = drawn()
    before = replace(estimate(), pose=scene.pose, confidence=0.99, hand_confidence=0.9, hand_told=0.3)
    here, settings = replace(estimate(), pose=scene.pose), SwarmSettings(generations=1)
    fixed = known(scene), settings, (4, 320), GraspViews(), np.random.default_rng(0)
    after, _ = hand_followed(scene.observation, here, Last(before, np.eye(4)), *fixed)
    assert after.hand_quality is not None
    assert after.hand_told == 0.3
    assert after.hand_certainty == pytest.approx(0.3 * after.hand_quality.certainty)


@pytest.mark.parametrize(("hand_told", "status", "learns"), [(1.0, TRACKED, True), (0.2, LOST, False)])
def test_a_hand_that_may_be_another_is_lost_is_no_grasp_and_no_view_and_is_searched_for(
    monkeypatch, tmp_path, hand_told, status, learns
):
    scene, looked = drawn(), []
    judged = replace(
        estimate(), pose=touching(), confidence=0.99, hand_confidence=0.9, hand_quality=GOOD, hand_told=hand_told
    )
    config = RunConfig((tmp_path / "s.h5",))
    tracker = SequenceTracker(known(scene), config)
    monkeypatch.setattr(hand_tracking, "hand_seen", lambda now, _, memory: looked.append(1) or (memory, now.knowledge))
    monkeypatch.setattr(hand_tracking, "with_hand", lambda _, estimate, __, memory: (estimate, memory))
    monkeypatch.setattr(tracker, "_learn", lambda *_: None)
    monkeypatch.setattr(tracker, "_followed", lambda _: judged)
    monkeypatch.setattr(tracker, "_reviewed", lambda _, followed, __, **___: followed)
    answer = tracker.track(scene.frame)
    assert answer.hand_status == status
    assert answer.hand_confidence == pytest.approx(hand_told * GOOD.certainty)
    assert bool(looked) == bool(tracker.state.hand.grasps.on_object) == learns
    assert knows_hand(judged, config) == learns
