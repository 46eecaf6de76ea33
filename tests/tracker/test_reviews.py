"""When the object is searched for in the whole view."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import Symmetries, declared_symmetries
from scene.transforms import rigid
from tests.tracker.samples import drawn
from tests.tracker.test_following import estimate, known
from tracker.config import RunConfig
from tracker.judgement import Estimate
from tracker.reviews import FEW_FAILED, MOST_EVERY, RARELY, SEARCH_EVERY, Reviews
from tracker.sequence import SequenceTracker


@given(st.lists(st.booleans()), st.integers(-500, 500), st.integers(4, MOST_EVERY), st.booleans())
def test_the_wait_is_never_shorter_than_in_doubt_nor_longer_than_the_longest(agreements, index, every, doubtful):
    reviews = Reviews()
    for agreed in agreements:
        reviews = reviews.searched(index, agreed=agreed)
    due = [ahead for ahead in range(1, MOST_EVERY + 1) if reviews.due(index + ahead, every, doubtful=doubtful)]
    back = [ahead for ahead in range(1, MOST_EVERY + 1) if reviews.due(index - ahead, every, doubtful=doubtful)]
    if agreements:
        assert due == back == list(range(due[0], MOST_EVERY + 1))
        assert due[0] == SEARCH_EVERY if doubtful else due[0] >= every


def test_each_search_that_agrees_doubles_the_wait_and_one_that_does_not_ends_that():
    reviews, waits = Reviews(), []
    for agreed in (False, True, True, True, False):
        reviews = reviews.searched(100, agreed=agreed)
        waits.append(next(wait for wait in range(100) if reviews.due(100 + wait, 12, doubtful=False)))
    assert waits == [12, 24, 48, MOST_EVERY, 12]


def waits_in_doubt(reviews: Reviews) -> int:
    """Frames to the next search."""
    return next(wait for wait in range(100) if reviews.due(100 + wait, 12, doubtful=True))


def test_every_few_failures_in_a_row_double_the_wait_until_something_is_found():
    reviews, waits = Reviews(), []
    for found in [False] * (3 * FEW_FAILED) + [True]:
        reviews = reviews.searched(100, agreed=False, found=found)
        waits.append(waits_in_doubt(reviews))
    few, more, most = (FEW_FAILED - 1, FEW_FAILED, FEW_FAILED + 1)
    assert waits == [SEARCH_EVERY] * few + [2 * SEARCH_EVERY] * more + [RARELY] * most + [SEARCH_EVERY]
    assert not reviews.searched(100, agreed=False).due(105, 12, doubtful=False)


def test_failures_before_more_was_seen_are_forgotten():
    tired = Reviews(100, failed=3 * FEW_FAILED)
    assert waits_in_doubt(tired.searched(100, agreed=False, found=False)) == RARELY
    assert waits_in_doubt(tired.searched(100, agreed=False, found=False, more_seen=True)) == SEARCH_EVERY


@pytest.mark.parametrize("failures", [1, FEW_FAILED])
def test_in_doubt_it_is_searched_for_at_once_where_more_is_seen(failures: int):
    reviews = Reviews(100, failed=failures)
    assert reviews.due(101, 12, doubtful=True, more_seen=True)
    assert not reviews.due(101, 12, doubtful=True, more_seen=False)
    assert not reviews.due(101, 12, doubtful=False, more_seen=True)


def test_the_first_frame_is_searched():
    assert Reviews().due(0, 12, doubtful=True)


def turned(one: Estimate, degrees: float, metres: float = 0.0) -> Estimate:
    """The object turned about its own z axis, and moved."""
    turn = rigid(matrix_from_rotation_vector(np.deg2rad([0, 0, degrees])), np.zeros(3))
    moved = one.pose.camera_from_object @ turn
    moved[0, 3] += metres
    return replace(one, pose=replace(one.pose, camera_from_object=moved))


@pytest.mark.parametrize(
    ("degrees", "metres", "confidence", "symmetries", "agreed"),
    [
        (5, 0.004, 0.99, (), 1),
        (20, 0.0, 0.99, (), 0),
        (0, 0.02, 0.99, (), 0),
        (180, 0.0, 0.99, (), 0),
        (180, 0.0, 0.99, ("z2",), 1),
        (5, 0.004, 0.5, (), 0),
    ],
)
def test_a_search_agrees_where_it_finds_what_is_followed_without_doubt(
    tmp_path: Path, degrees: float, metres: float, confidence: float, symmetries: tuple[str, ...], agreed: int
):
    scene = drawn()
    followed = replace(estimate(), pose=scene.pose, confidence=confidence)
    alike = declared_symmetries(symmetries) if symmetries else Symmetries.none()
    tracker = SequenceTracker(replace(known(scene), symmetries=alike), RunConfig((tmp_path / "s.h5",)))
    tracker._found = lambda observation: [turned(followed, degrees, metres)]  # type: ignore[method-assign]
    tracker._reviewed(scene.observation, followed, 30, more_seen=False)
    assert tracker.state.reviews == Reviews(30, agreed, failed=int(confidence < 0.8))


def test_a_search_that_finds_nothing_does_not_agree(tmp_path: Path):
    scene = drawn()
    followed = replace(estimate(), pose=scene.pose, confidence=0.99)
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    tracker._found = lambda observation: []  # type: ignore[method-assign]
    assert tracker._reviewed(scene.observation, followed, 30, more_seen=False) is followed
    assert tracker.state.reviews == Reviews(30, 0)
    assert tracker._reviewed(scene.observation, None, 33, more_seen=False) is None
    assert tracker.state.reviews == Reviews(33, 0, failed=1)


def test_what_comes_back_into_view_is_more_than_the_last_search_saw(tmp_path: Path):
    scene = drawn()
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    tracker._found = lambda observation: []  # type: ignore[method-assign]
    gone = replace(scene.observation, object_chance=np.zeros_like(scene.observation.object_chance))
    tracker._reviewed(gone, None, 30, more_seen=False)
    assert not tracker._sees_more(gone)
    assert tracker._sees_more(scene.observation)
    tracker._reviewed(scene.observation, None, 31, more_seen=True)
    assert not tracker._sees_more(scene.observation)
