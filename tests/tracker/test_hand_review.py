"""A hand that is followed is searched for anew now and then, itself and the grasps seen before among the guesses."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from scene.hand_shape import proportioned
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid
from tests.tracker.samples import drawn
from tests.tracker.test_following import estimate, known
from tracker import hand_tracking
from tracker.config import RunConfig
from tracker.following import Last, moved
from tracker.grasp_views import GraspViews, View
from tracker.grasps import Grasps
from tracker.hand_leaps import Sighting
from tracker.hand_size import EVERY, HandSizes
from tracker.hand_tracking import AGREED_REVIEW_EVERY, REVIEW_EVERY, HandMemory, Moment, hand_learned, with_hand
from tracker.hold import Hold
from tracker.let_go import LetGo
from tracker.reviews import SEARCH_EVERY, Reviews
from tracker.sequence import SequenceTracker


@pytest.fixture
def searches(monkeypatch):
    """In place of the hand's search, which finds it `away` metres off; following leaves it where it is."""
    given = Searches([], away=0.0)

    def with_hand_found(observation, estimate, knowledge, guesses, grasp, points, rng, may_be):
        given.guesses.append(list(guesses))
        off = moved(estimate.pose, rigid(np.eye(3), np.array([given.away, 0, 0])))
        return replace(estimate, pose=replace(estimate.pose, hand=off.hand)), grasp

    monkeypatch.setattr(hand_tracking, "with_hand_found", with_hand_found)
    monkeypatch.setattr(hand_tracking, "hand_followed", lambda observation, estimate, *others: (estimate, others[-2]))
    return given


@dataclass
class Searches:
    """What the searches were given, and how far off they find the hand."""

    guesses: list
    away: float


def moment(tmp_path, index=0, observation=None):
    scene, config = drawn(), RunConfig((tmp_path / "s.h5",))
    return Moment(index, observation or scene.observation, known(scene), config, np.random.default_rng(0))


def tracked(tmp_path, hand_confidence, frames, views=0, hand_told=1.0):
    """A hand of that confidence is followed through so many frames: the scene, and the frames with a search."""
    scene, hand = drawn(), {"hand_confidence": hand_confidence, "hand_told": hand_told}
    here = replace(estimate(), pose=scene.pose, confidence=0.99, **hand)
    view = View.of(scene.problem.evidence, scene.pose.camera_from_object)
    memory = HandMemory(grasps=Grasps().remembered(scene.pose), grasp=GraspViews((view,) * views))
    searched = []
    for index in range(frames):
        before = memory
        _, memory = with_hand(moment(tmp_path, index), here, Last(here, np.eye(4)), memory)
        if memory.reviews != before.reviews:
            searched.append(index)
    return scene, searched


@pytest.mark.parametrize(
    ("hand_confidence", "hand_told", "every"),
    [(0.9, 1.0, REVIEW_EVERY), (0.1, 1.0, SEARCH_EVERY), (0.9, 0.2, SEARCH_EVERY)],
)
def test_a_sure_hand_is_reviewed_and_a_doubtful_one_searched_for_more_often(
    tmp_path, searches, hand_confidence, hand_told, every
):
    searches.away = 0.05  # another hand than the one that is followed
    _, searched = tracked(tmp_path, hand_confidence, 3 * REVIEW_EVERY, hand_told=hand_told)
    assert searched == list(range(every - SEARCH_EVERY, 3 * REVIEW_EVERY, every))
    assert len(searches.guesses) == len(searched)


@pytest.mark.parametrize(("hand_confidence", "waits"), [(0.9, [6, 12, 24, 48, 48]), (0.6, [6] * 5)])
def test_a_sure_hand_found_where_it_was_followed_is_searched_for_ever_less(tmp_path, searches, hand_confidence, waits):
    searches.away = 0.004
    _, searched = tracked(tmp_path, hand_confidence, sum(waits) + 1)
    assert np.diff(searched, prepend=-SEARCH_EVERY).tolist()[: len(waits)] == waits


def test_the_followed_hand_is_a_guess_only_where_it_is_vouched_for_and_grasps_always(tmp_path, searches):
    scene, _ = tracked(tmp_path, 0.9, REVIEW_EVERY)
    followed, remembered = searches.guesses[0]
    assert followed is scene.pose.hand
    np.testing.assert_allclose(remembered.camera_from_hand, scene.pose.hand.camera_from_hand, atol=1e-12)
    searches.guesses.clear()
    tracked(tmp_path, 0.1, 1)
    assert len(searches.guesses[0]) == 1


def test_a_hand_that_several_views_agree_on_is_reviewed_less_often(tmp_path, searches):
    searches.away = 0.05
    _, searched = tracked(tmp_path, 0.9, 2 * AGREED_REVIEW_EVERY, views=2)
    assert searched == list(range(AGREED_REVIEW_EVERY - SEARCH_EVERY, 2 * AGREED_REVIEW_EVERY, AGREED_REVIEW_EVERY))


def test_a_hand_is_searched_for_at_once_where_tracking_begins_again(tmp_path, searches):
    here = replace(estimate(), pose=drawn().pose, confidence=0.99, hand_confidence=0.1)
    memory = HandMemory()
    for index in (9, 8):
        _, memory = with_hand(moment(tmp_path, index), here, None, memory)
    assert len(searches.guesses) == 1
    with_hand(moment(tmp_path, 8), here, None, memory.elsewhere())
    assert len(searches.guesses) == 2


def test_a_tracker_that_begins_again_remembers_grasps_and_not_where_the_hand_was(tmp_path):
    tracker = SequenceTracker(known(drawn()), RunConfig((tmp_path / "s.h5",)))
    kept = HandMemory(grasps=Grasps().remembered(drawn().pose))
    where = {"hold": Hold(np.eye(4)), "let_go": LetGo(np.eye(4), 7), "sighting": Sighting.of(7, drawn().pose)}
    tracker._hand = replace(kept, **where, reviews=Reviews(7))
    tracker.return_to_anchor()
    assert tracker.state.hand == replace(kept, let_go=LetGo(None, 7))


def test_a_view_is_kept_where_the_object_shows_another_side(tmp_path):
    scene = drawn()
    here = replace(estimate(), pose=scene.pose, confidence=0.99, hand_confidence=0.9)
    turned = rigid(matrix_from_rotation_vector(np.array([0, 0.5, 0])), np.zeros(3))
    before = (View.of(scene.problem.evidence, scene.pose.camera_from_object @ turned),)
    memory, _ = hand_learned(moment(tmp_path, 1), here, HandMemory(grasp=GraspViews(before)))
    assert len(memory.grasp.views) == 2
    again, _ = hand_learned(moment(tmp_path, 2), here, memory)
    assert again.grasp is memory.grasp, "this side has been seen"
    doubtful = replace(here, told=0.5)
    assert hand_learned(moment(tmp_path), doubtful, HandMemory())[0].grasp.views == ()


def test_frames_some_way_apart_tell_the_hands_size_until_it_is_known(tmp_path, monkeypatch):
    asked, scene = [], drawn()

    def learned(self, problem, pose, knowledge):
        asked.append(problem)
        return replace(self, frames=self.frames + 1), knowledge.with_shape(proportioned(knowledge.shape, 1.1, 1.1))

    monkeypatch.setattr(HandSizes, "learned", learned)
    here = replace(estimate(), pose=scene.pose, confidence=0.99, hand_confidence=0.9)
    memory, before = HandMemory(), known(scene).shape
    for index, taken in ((4 * EVERY, 1), (4 * EVERY + 1, 1), (5 * EVERY, 2)):
        memory, knowledge = hand_learned(moment(tmp_path, index), here, memory)
        assert memory.sizes.frames == len(asked) == taken
        assert (knowledge.shape.radii > before.radii).all() == (index % EVERY == 0)
    for doubtful in (replace(here, told=0.5), replace(here, hand_confidence=0.1), replace(here, hand_told=0.2)):
        assert hand_learned(moment(tmp_path, 0), doubtful, memory)[0].sizes is memory.sizes
    whole = replace(memory, sizes=replace(memory.sizes, left=0))
    assert hand_learned(moment(tmp_path, 0), here, whole)[0].sizes is whole.sizes


@pytest.mark.parametrize(
    ("hand_confidence", "seen", "at"), [(0.9, True, "last"), (0.1, True, "grasp"), (0.1, False, None)]
)
def test_a_lost_hand_is_followed_from_how_it_last_held_the_object(tmp_path, monkeypatch, hand_confidence, seen, at):
    """The object has moved by 3 cm since, and so has a hand that holds it."""
    scene, starts = drawn(), []

    def hand_followed(observation, estimate, before, *others):
        starts.append(before)
        return estimate, others[-2]

    monkeypatch.setattr(hand_tracking, "hand_followed", hand_followed)
    away = rigid(np.eye(3), np.array([0.03, 0, 0]))
    last = replace(estimate(), pose=moved(scene.pose, away), confidence=0.99, hand_confidence=hand_confidence)
    memory = HandMemory(grasps=Grasps().remembered(moved(scene.pose, away)), reviews=Reviews(1))
    observation = (
        scene.observation if seen else replace(scene.observation, hand_chance=0 * scene.observation.hand_chance)
    )
    here = replace(estimate(), pose=scene.pose, confidence=0.99)
    with_hand(moment(tmp_path, 1, observation), here, Last(last, np.eye(4)), memory)
    hands = {"last": [last.pose.hand], "grasp": [scene.pose.hand], None: []}[at]
    assert len(starts) == len(hands)
    for before, hand in zip(starts, hands, strict=True):
        np.testing.assert_allclose(before.estimate.pose.hand.camera_from_hand, hand.camera_from_hand, atol=1e-12)
        np.testing.assert_array_equal(before.estimate.pose.hand.angles, hand.angles)
