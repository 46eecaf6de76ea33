"""An object that is not found, carried along by the hand that held it."""

from dataclasses import replace

import numpy as np
import pytest

from scene.hand_pose import joints
from scene.metrics import rotation_error_deg
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import ABSENT, LOST, TRACKED, drawn
from tests.tracker.test_following import estimate, known
from tests.tracker.test_hand_quality import GOOD
from tests.tracker.test_let_go import touching
from tracker import hand_tracking
from tracker.carried import in_hand, object_carried
from tracker.config import RunConfig
from tracker.following import Last, moved
from tracker.hand_leaps import Sighting
from tracker.hand_tracking import HandMemory, Moment, hand_tracked
from tracker.hold import Hold
from tracker.hypothesis import Layout
from tracker.sequence import SequenceTracker
from tracker.swarm import SwarmSettings

AWAY = rigid(matrix_from_rotation_vector(np.array([0, 0, 0.03])), np.array([0.006, -0.02, 0.0]))


def off_by(one, other):
    """Metres and degrees."""
    return np.linalg.norm((one - other)[:3, 3]), rotation_error_deg(one[:3, :3], other[:3, :3])


def test_the_object_is_where_each_hand_has_it():
    scene = drawn()
    layout, hold = Layout.about(scene.pose), Hold.of(scene.pose)
    vectors = scene.truth + np.random.default_rng(0).normal(size=(5, 32)) * 0.1
    placed, turns = in_hand(vectors, layout, hold)
    for vector, given, turn in zip(vectors, placed, turns, strict=True):
        expected = hold.in_hand(layout.pose(vector)).camera_from_object
        np.testing.assert_allclose(given[:3], expected[:3, 3], atol=1e-12)
        np.testing.assert_allclose(turn, expected[:3, :3], atol=1e-12)
        np.testing.assert_array_equal(given[3:6], 0)
        np.testing.assert_array_equal(given[6:], vector[6:])


def carried_from(pose, seed=0):
    scene = drawn()
    how = known(scene), SwarmSettings(generations=30), (48, 300), np.random.default_rng(seed)
    last = Last(replace(estimate(), pose=pose, told=1.0), np.eye(4))
    return object_carried(scene.observation, last, Hold.of(scene.pose), *how)


def test_hand_and_object_are_found_as_one_where_they_moved_to():
    scene = drawn()
    found = carried_from(moved(scene.pose, AWAY))
    assert off_by(found.pose.camera_from_object, scene.pose.camera_from_object)[0] < 0.006
    here, true = (joints(known(scene).shape, pose.hand) for pose in (found.pose, scene.pose))
    assert np.linalg.norm(here - true, axis=1).mean() < 0.015
    np.testing.assert_allclose(Hold.of(found.pose).hand_from_object, Hold.of(scene.pose).hand_from_object, atol=1e-9)
    assert found.told == 0, "nothing is claimed of an object that is carried"
    assert np.isnan(found.hand_confidence)


def test_the_same_seed_carries_it_to_the_same_place():
    start = moved(drawn().pose, AWAY)
    one, same, other = (carried_from(start, seed).pose.camera_from_object for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_nothing_is_carried_where_nothing_is():
    assert carried_from(moved(drawn().pose, rigid(np.eye(3), np.array([0, 0, -0.4])))) is None


@pytest.fixture
def carrying(monkeypatch):
    """The hand, and the object in it, 1 cm off; judged to be as sure as `sure` says; how often it was asked."""

    def give(*, sure, carried_confidence=0.3):
        asked = []

        def carried(observation, last, hold, *_):
            asked.append(hold)
            return replace(estimate(), pose=touching(), confidence=carried_confidence, told=0.0)

        def judged(_, here, before, memory):
            how = GOOD if sure else None
            return replace(here, hand_confidence=0.9 if sure else 0.1, hand_quality=how, hand_told=1.0), memory

        def put(observation, here, hold, before, *_):
            return replace(here, told=here.hand_certainty)

        monkeypatch.setattr(hand_tracking, "object_carried", carried)
        monkeypatch.setattr(hand_tracking, "with_hand", judged)
        monkeypatch.setattr(hand_tracking, "put_in_hand", put)
        return asked

    return give


def before(**changed):
    sure = {"hand_confidence": 0.9, "hand_quality": GOOD, "hand_told": 1.0}
    return replace(estimate(), pose=touching(), confidence=0.9, **{**sure, **changed})


def after(tmp_path, last, *, hold=True, here=None):
    scene, config = drawn(), RunConfig((tmp_path / "s.h5",))
    memory = HandMemory(hold=Hold.of(last.pose) if hold else None)
    now = Moment(5, scene.observation, known(scene), config, np.random.default_rng(0))
    return hand_tracked(now, here, Last(last, np.eye(4)), memory)


def test_an_object_that_is_not_found_goes_on_with_a_hand_that_was_sure_and_is(tmp_path, carrying):
    asked = carrying(sure=True)
    found, memory = after(tmp_path, before())
    assert found.told == found.hand_certainty > 0.65
    assert memory.sighting.index == 5
    sighted = Sighting.of(5, found.pose).on_object.camera_from_hand
    np.testing.assert_array_equal(memory.sighting.on_object.camera_from_hand, sighted)
    doubtful = replace(estimate(), confidence=0.3)
    assert after(tmp_path, before(), here=doubtful)[0].hand_certainty > 0.65
    assert len(asked) == 2
    for unsure in (before(hand_told=0.5), before(hand_confidence=0.1)):
        assert after(tmp_path, unsure)[0] is None
    assert after(tmp_path, before(), hold=False)[0] is None
    assert len(asked) == 2


def test_a_hand_that_is_sure_no_more_carries_nothing(tmp_path, carrying):
    asked = carrying(sure=False)
    found, memory = after(tmp_path, before())
    assert found is None
    assert memory.sighting is None
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("carried_confidence", "turned_by", "taken"), [(0.3, 0.5, False), (0.9, 0.5, True), (0.9, 0.2, False)]
)
def test_an_object_that_is_tracked_by_itself_is_given_up_only_where_it_jumped_and_for_one_that_is_too(
    tmp_path, carrying, monkeypatch, carried_confidence, turned_by, taken
):
    """The hand beside the object, as that was found, is not sure."""
    carrying(sure=True, carried_confidence=carried_confidence)
    may_be = iter([False, True])
    monkeypatch.setattr(hand_tracking, "_may_be_hand", lambda *_: next(may_be))
    turned = rigid(matrix_from_rotation_vector(np.array([0, 0, turned_by])), np.zeros(3))
    here = replace(estimate(), pose=moved(touching(), turned), confidence=0.9, told=0.9)
    found, _ = after(tmp_path, before(), here=here)
    assert (off_by(found.pose.camera_from_object, touching().camera_from_object)[0] < 1e-9) == taken


def test_a_hand_goes_on_being_tracked_while_its_object_is_lost(tmp_path, carrying, monkeypatch):
    carrying(sure=True)
    scene = drawn()
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    tracker._hand, tracker._last = HandMemory(hold=Hold.of(touching())), Last(before(), np.eye(4))
    monkeypatch.setattr(tracker, "_followed", lambda _: None)
    monkeypatch.setattr(tracker, "_found", lambda _: [])
    for _ in range(2):
        answer = tracker.track(scene.frame)
        assert answer.status in (LOST, ABSENT)
        assert answer.hand_status == TRACKED
        assert tracker.state.last.lost_for == 0
    carrying(sure=False)
    assert tracker.track(scene.frame).hand_status != TRACKED
    assert tracker.state.last.lost_for == 1
