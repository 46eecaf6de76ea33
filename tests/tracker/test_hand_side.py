"""Left hands told from right ones, where a recording does not say which."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recorder.session import SensorFrame, SessionHeader, SessionWriter, open_session
from scene.hand_shape import average_hand
from scene.hand_surface import HandSurface
from tests.tracker import samples
from tests.tracker.samples import SMALL, WALL_PLANE, belt, draw, drawn, true_pose
from tests.tracker.test_following import estimate, known
from tracker import beginning, hand_side
from tracker.beginning import IN_ROW, rows_from, ways_from
from tracker.colors import LIGHTS
from tracker.config import RunConfig
from tracker.hand_side import (
    CLEARLY,
    ENOUGH,
    IN_A_ROW,
    LOWER,
    followed_to_be_left,
    log_odds_for,
    seen_to_be_left,
)
from tracker.hints import unlabelled
from tracker.observation import Surroundings
from tracker.sequence import Ahead, SequenceTracker


@pytest.fixture(params=["right", "left"])
def recording(request, monkeypatch, tmp_path):
    """The drawn scene with a hand of either side, of which the session says nothing."""
    surface = HandSurface.build(average_hand(request.param), spacing=0.005)
    monkeypatch.setattr(samples, "hand_surface", lambda: surface)
    path = tmp_path / "s.h5"
    header = SessionHeader(SMALL, 0.0005, "drawn", object_model=belt(), hand_side="unknown")
    with SessionWriter(path, header) as writer:
        for index in range(3):
            frame = draw(true_pose(index), SMALL, index=index)
            writer.append(SensorFrame(frame.color, np.rint(frame.depth / 0.0005).astype(np.uint16), index / 30))
    return path, request.param


def test_the_side_is_that_of_the_hand_that_explains_more(recording):
    path, side = recording
    with open_session(path) as session:
        assert session.hand_side == "unknown"
        frames = [session.frame(index) for index in (0, 2)]
        knowledge = beginning.knowledge_of(session, frames, RunConfig((path,)))
        assert knowledge.shape.side == "right"
        knowledge = replace(knowledge, surroundings=Surroundings(WALL_PLANE))
        seen = [(frame, true_pose(frame.index).camera_from_object) for frame in frames]
        for_left = seen_to_be_left(seen, knowledge, 400, 0, unlabelled)
        assert for_left > CLEARLY if side == "left" else for_left < CLEARLY
        assert seen_to_be_left([], knowledge, 400, 0, unlabelled) == 0


def test_log_odds_by_hand():
    """Chances of 0.8 and 0.5 differ by ln 4, and 0.06 of the objective is worth 2; in a frame that is right by 0.8."""
    terms = np.array([0.05, 0.3, 0.2, 0.05, 0.05, 0.05])  # of the points, the object, its colours, the hand ...
    one, other = (0.8, terms), (0.5, np.add(terms, [0.02, 9, 9, 0.02, 0.01, 0.01]))
    assert log_odds_for(one, other) == pytest.approx(0.8 * (np.log(4) + 0.06 / LOWER))
    assert log_odds_for(other, one) == -log_odds_for(one, other)
    assert log_odds_for(one, (np.nan, terms)) == log_odds_for((np.nan, terms), one) == 0


def says(log_odds, monkeypatch):
    """Lets every frame say so; how many were asked is the length of the list."""
    asked = []
    monkeypatch.setattr(hand_side, "log_odds_for", lambda *_: asked.append(log_odds) or log_odds)
    return asked


@pytest.mark.parametrize(("share", "asked"), [(0.6, 2), (-0.6, 2), (0.1, 5), (-0.1, 5)])
def test_single_frames_are_asked_until_they_tell_enough(share, asked, monkeypatch):
    scene, log_odds = drawn(), share * ENOUGH
    monkeypatch.setattr(hand_side, "_with_hand", lambda *_: estimate())
    said = says(log_odds, monkeypatch)
    frames = [(draw(true_pose(), SMALL), scene.pose.camera_from_object)] * 5
    for_left = seen_to_be_left(frames, replace(known(scene), camera=SMALL), 100, 0, unlabelled)
    assert for_left == pytest.approx(asked * log_odds)
    assert len(said) == asked


@pytest.mark.parametrize(("before", "share", "asked"), [(0.0, 0.6, 2), (9.0, 0.2, 1), (9.0, -0.6, 4), (1.0, 0.0, 4)])
def test_frames_in_a_row_count_for_less_and_are_followed_until_they_tell_enough(before, share, asked, monkeypatch):
    class Follower:
        def track(self, frame):
            return SimpleNamespace(hand_confidence=0.5, terms=np.zeros(6))

    said = says(share * ENOUGH / IN_A_ROW, monkeypatch)
    for_left = followed_to_be_left([None] * 4, Follower(), Follower(), before)
    assert for_left == pytest.approx(before + asked * share * ENOUGH)
    assert len(said) == asked


def test_frames_in_a_row_go_from_the_anchor_to_the_end_and_back():
    assert rows_from(2, 5) == list(ways_from(2, 5)) == [range(2, 5), range(1, -1, -1)]
    assert [len(row) for row in rows_from(100, 300)] == [IN_ROW, IN_ROW]
    assert [list(row)[:2] for row in rows_from(100, 300)] == [[100, 101], [99, 98]]


@pytest.mark.parametrize(
    ("asked", "named", "side"),
    [("auto", "unknown", "left"), ("auto", "right", "right"), ("right", "unknown", "right"), ("left", "right", "left")],
)
@pytest.mark.parametrize(("seen", "followed"), [(1.1 * ENOUGH, None), (0.0, 1.1 * ENOUGH), (0.0, 1.1 * CLEARLY)])
def test_a_side_is_looked_for_where_none_is_named(asked, named, side, seen, followed, tmp_path, monkeypatch):
    path = tmp_path / "s.h5"
    header = SessionHeader(SMALL, 0.0005, "drawn", object_model=belt(), hand_side=named)
    with SessionWriter(path, header) as writer:
        frame = draw(true_pose(), SMALL)
        for index in range(20):
            writer.append(SensorFrame(frame.color, np.rint(frame.depth / 0.0005).astype(np.uint16), index / 30))
    poses = tuple((index, true_pose().camera_from_object) for index in range(20))
    looked_at, rows = [], []

    def by_single_frames(frames, *_):
        looked_at.extend(frame.index for frame, _ in frames)
        return seen

    def by_a_row(frames, left, right, before):
        assert (left.state.knowledge.shape.side, right.state.knowledge.shape.side) == ("left", "right")
        rows.append([frame.index for frame in frames])
        return followed

    monkeypatch.setattr(beginning, "light_of", lambda *_: LIGHTS[0])
    monkeypatch.setattr(SequenceTracker, "look_ahead", lambda *_: Ahead(5, len(poses), poses))
    monkeypatch.setattr(beginning, "seen_to_be_left", by_single_frames)
    monkeypatch.setattr(beginning, "followed_to_be_left", by_a_row)
    with open_session(path) as session:
        state = beginning.begun(session, RunConfig((path,), hand=asked))
    assert state.tracker.knowledge.shape.side == side
    unknown = (asked, named) == ("auto", "unknown")
    assert sorted(looked_at) == (list(range(20)) if unknown else [])
    clear = {None: [], 1.1 * ENOUGH: [5], 1.1 * CLEARLY: [5, 4]}[followed]
    assert [row[0] for row in rows] == (clear if unknown else [])
