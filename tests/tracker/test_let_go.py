"""What moves is held: a hand that is away from the object while it moves is not the hand that holds it."""

from dataclasses import replace

import numpy as np
import pytest

from scene.hand_pose import joints
from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import Symmetries
from scene.transforms import apply, rigid
from tests.tracker.samples import LOST, TRACKED, drawn
from tests.tracker.test_following import estimate, known
from tests.tracker.test_grasp_views import now
from tests.tracker.test_hand_quality import GOOD
from tracker import anew, hand_tracking
from tracker.config import RunConfig
from tracker.following import moved
from tracker.grasp_views import GraspViews
from tracker.grasps import carried
from tracker.hand_tracking import HandMemory, Moment, with_hand
from tracker.let_go import AWAY, MOVED, RECENTLY, LetGo, is_off
from tracker.sequence import SequenceTracker

SHIFTED = rigid(np.eye(3), np.array([1.5 * MOVED, 0, 0]))
TURNED = rigid(matrix_from_rotation_vector(np.array([0, 0, 0.3])), np.zeros(3))


def knowledge(*, still=True, symmetries=None):
    scene = known(drawn())
    background = np.full((240, 320), np.inf) if still else None
    surroundings = replace(scene.surroundings, background=background)
    return replace(scene, surroundings=surroundings, symmetries=symmetries or Symmetries.none())


def pose(aside):
    """The drawn scene, its hand moved to the left by so many metres."""
    there = drawn().pose
    return replace(there, hand=carried(there.hand, rigid(np.eye(3), np.array([-aside, 0, 0]))))


def touching():
    """The finger tips at the buckle, which is some centimetres to the right of them."""
    return pose(-0.08)


def off():
    return pose(0.1)


def test_a_hand_is_off_the_object_where_no_finger_is_near_it():
    assert is_off(off(), knowledge())
    assert not is_off(touching(), knowledge())
    apart = [aside for aside in np.arange(-0.1, 0.0, 0.001) if is_off(pose(aside), knowledge())]
    assert -0.001 < is_off_by(apart[0]) - AWAY < 0.003  # samples lie some way apart


def is_off_by(aside):
    """Metres from the middle of the nearest finger's bones to the buckle, by its samples."""
    there = pose(aside)
    chains = joints(knowledge().shape, there.hand)[1:].reshape(5, 4, 3)
    places = np.concatenate([chains, (chains[:, 1:] + chains[:, :-1]) / 2], axis=1).reshape(-1, 3)
    samples = apply(there.camera_from_object, knowledge().models.samples)
    return np.linalg.norm(places[:, None] - samples, axis=2).min()


@pytest.mark.parametrize("motion", [SHIFTED, TURNED])
def test_an_object_that_moves_while_the_hand_is_off_contradicts_it_for_some_frames(motion):
    seen = LetGo().seen(3, off(), knowledge())
    assert seen.is_away
    assert not seen.is_contradicted(3)
    assert not seen.seen(4, off(), knowledge()).is_contradicted(4), "it stands still"
    there = replace(off(), camera_from_object=off().camera_from_object @ motion)
    after = seen.seen(4, there, knowledge())
    assert after.is_contradicted(4)
    assert after.seen(5, there, knowledge()).is_contradicted(4 + RECENTLY)
    assert not after.seen(5, there, knowledge()).is_contradicted(5 + RECENTLY)


def test_a_hand_that_touches_may_move_it_and_when_another_did_not_is_remembered():
    seen = LetGo().seen(3, touching(), knowledge()).seen(4, moved(touching(), SHIFTED), knowledge())
    assert not seen.is_away
    assert not seen.is_contradicted(4)
    away = LetGo().seen(3, off(), knowledge()).seen(4, moved(off(), SHIFTED), knowledge())
    assert away.is_contradicted(4)
    assert away.seen(5, touching(), knowledge()) == away.elsewhere() == LetGo(None, 4)
    assert not away.elsewhere().is_away
    assert away.elsewhere().is_contradicted(4 - RECENTLY), "tracking may go the other way"


def test_it_adds_up_from_where_the_hand_was_off_at_first():
    seen, step = LetGo(), rigid(np.eye(3), np.array([0.3 * MOVED, 0, 0]))
    there = off()
    for index in range(4):
        seen = seen.seen(index, there, knowledge())
        assert not seen.is_contradicted(index)
        there = moved(there, step)
    assert seen.seen(4, there, knowledge()).is_contradicted(4)


def test_what_looks_alike_and_what_a_moving_camera_sees_has_not_moved():
    any_turn = Symmetries(np.eye(4)[None], np.array([[0, 0, 1.0]]), np.zeros((1, 3)))
    for motion, scene in ((TURNED, knowledge(symmetries=any_turn)), (SHIFTED, knowledge(still=False))):
        there = replace(off(), camera_from_object=off().camera_from_object @ motion)
        assert not LetGo().seen(3, off(), scene).seen(4, there, scene).is_contradicted(4)


def given(monkeypatch, tracker):
    """Nothing is searched for, followed or learned: the test says what each frame comes to."""
    monkeypatch.setattr(tracker, "_observed", lambda *_, **__: drawn().observation)
    monkeypatch.setattr(tracker, "_reviewed", lambda _, followed, __, **___: followed)
    monkeypatch.setattr(tracker, "_learn", lambda *_: None)
    monkeypatch.setattr(hand_tracking, "with_hand", lambda _, estimate, __, memory: (estimate, memory))
    monkeypatch.setattr(hand_tracking, "held", lambda _, estimate, hold, *__: (estimate, hold))
    monkeypatch.setattr(hand_tracking, "hand_seen", lambda now, _, memory: (memory, now.knowledge))


@pytest.mark.parametrize(("hand", "statuses"), [(off, [TRACKED, LOST]), (touching, [TRACKED, TRACKED])])
def test_such_a_hand_is_lost_and_no_grasp(monkeypatch, tmp_path, hand, statuses):
    tracker = SequenceTracker(knowledge(), RunConfig((tmp_path / "s.h5",)))
    given(monkeypatch, tracker)
    here = replace(estimate(), pose=hand(), confidence=0.99, hand_confidence=0.9, hand_quality=GOOD)
    there = replace(here, pose=replace(hand(), camera_from_object=SHIFTED @ hand().camera_from_object))
    found = []
    for index, one in enumerate((here, there)):
        monkeypatch.setattr(tracker, "_followed", lambda _, one=one: one)
        found.append(tracker.track(replace(drawn().frame, index=index)).hand_status)
    assert found == statuses
    assert bool(tracker.state.hand.grasps.on_object) == (tracker.state.hand.hold is not None) == (hand is touching)


def test_a_hand_that_lets_go_holds_the_object_no_longer(monkeypatch, tmp_path):
    tracker = SequenceTracker(knowledge(), RunConfig((tmp_path / "s.h5",)))
    given(monkeypatch, tracker)
    for index, (hand, holds) in enumerate([(touching, True), (off, False)]):
        here = replace(estimate(), pose=hand(), confidence=0.99, hand_confidence=0.9, hand_quality=GOOD)
        monkeypatch.setattr(tracker, "_followed", lambda _, here=here: here)
        tracker.track(replace(drawn().frame, index=index))
        assert (tracker.state.hand.hold is not None) == holds


@pytest.mark.parametrize(
    ("may_be", "chosen"),
    [
        (lambda pose: not is_off(pose, knowledge()), [touching]),
        (lambda _: True, [off, touching]),
        (lambda _: False, [off, touching]),
    ],
)
def test_a_search_prefers_what_can_be_the_hand_by_the_frames_before(monkeypatch, may_be, chosen):
    here = replace(estimate(), pose=drawn().pose, confidence=0.99)
    monkeypatch.setattr(anew, "hands_found", lambda *_: (now(), [off(), touching()]))
    given = []

    class FirstOfThem(GraspViews):
        def settle(self, problem, camera_from_object, hands, tries=1):
            given.extend(problem.layout.pose(hand).hand for hand in hands)
            return hands[0], self

    rng = np.random.default_rng(0)
    anew.with_hand_found(drawn().observation, here, knowledge(), (), FirstOfThem(), 320, rng, may_be)
    assert len(given) == len(chosen)
    for found, expected in zip(given, chosen, strict=True):
        np.testing.assert_allclose(found.camera_from_hand, expected().hand.camera_from_hand, atol=1e-9)


def test_it_is_searched_among_what_touches_only_after_a_contradiction(monkeypatch, tmp_path):
    asked = []

    def with_hand_found(_, estimate, __, ___, grasp, *others):
        asked.append([others[-1](pose()) for pose in (off, touching)])
        return estimate, grasp

    monkeypatch.setattr(hand_tracking, "with_hand_found", with_hand_found)
    config, here = RunConfig((tmp_path / "s.h5",)), replace(estimate(), pose=drawn().pose)
    now = Moment(8, drawn().observation, knowledge(), config, np.random.default_rng(0))
    for contradicted in (LetGo(), LetGo(np.eye(4), 7)):
        with_hand(now, here, None, HandMemory(let_go=contradicted))
    assert asked == [[True, True], [False, True]]
