"""Left hands told from right ones, where a recording does not say which."""

from dataclasses import replace

import numpy as np
import pytest

from recorder.session import SensorFrame, SessionHeader, SessionWriter, open_session
from scene.hand_shape import average_hand
from scene.hand_surface import HandSurface
from tests.tracker import samples
from tests.tracker.samples import SMALL, WALL_PLANE, belt, draw, drawn, true_pose
from tests.tracker.test_following import estimate, known
from tracker import beginning, hand_side
from tracker.config import RunConfig
from tracker.hand_side import CLEARLY, ENOUGH, LOWER, log_odds_for, side_seen
from tracker.hints import unlabelled
from tracker.judgement import Estimate
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
        assert side_seen(seen, knowledge, 400, 0, unlabelled) == side
        assert side_seen([], knowledge, 400, 0, unlabelled) == "right"


def test_log_odds_by_hand(monkeypatch):
    """Chances of 0.8 and 0.5 differ by ln 4, and 0.06 of the objective is worth 2; in a frame that is right by 0.8."""
    chances = {0.2: 0.8, 0.26: 0.5}
    monkeypatch.setattr(
        Estimate, "hand_certainty", property(lambda one: chances.get(round(one.terms.sum(), 6), float("nan")))
    )
    one, other, unseen = (replace(estimate(), terms=np.full(6, total / 6)) for total in (0.2, 0.26, 0.5))
    assert log_odds_for(one, other) == pytest.approx(0.8 * (np.log(4) + 0.06 / LOWER))
    assert log_odds_for(other, one) == -log_odds_for(one, other)
    assert log_odds_for(one, unseen) == log_odds_for(unseen, one) == 0


def test_frames_are_asked_until_they_tell_enough(monkeypatch):
    scene, asked = drawn(), []
    frame = draw(true_pose(), SMALL)

    def says(log_odds):
        monkeypatch.setattr(hand_side, "log_odds_for", lambda *_: asked.append(log_odds) or log_odds)
        asked.clear()
        frames = [(frame, scene.pose.camera_from_object)] * 5
        return side_seen(frames, replace(known(scene), camera=SMALL), 100, 0, unlabelled), len(asked)

    monkeypatch.setattr(hand_side, "_with_hand", lambda *_: None)
    assert says(0.6 * ENOUGH) == ("left", 2)
    assert says(-0.6 * ENOUGH) == ("right", 2)
    assert says(0.9 * CLEARLY / 5) == ("right", 5)
    assert says(1.1 * CLEARLY / 5) == ("left", 5)


@pytest.mark.parametrize(
    ("asked", "named", "side"),
    [("auto", "unknown", "left"), ("auto", "right", "right"), ("right", "unknown", "right"), ("left", "right", "left")],
)
def test_a_side_is_looked_for_where_none_is_named(asked, named, side, tmp_path, monkeypatch):
    path = tmp_path / "s.h5"
    header = SessionHeader(SMALL, 0.0005, "drawn", object_model=belt(), hand_side=named)
    with SessionWriter(path, header) as writer:
        frame = draw(true_pose(), SMALL)
        for index in range(20):
            writer.append(SensorFrame(frame.color, np.rint(frame.depth / 0.0005).astype(np.uint16), index / 30))
    poses = tuple((index, true_pose().camera_from_object) for index in range(20))
    looked_at = []

    def left(frames, *_):
        looked_at.extend(frame.index for frame, _ in frames)
        return "left"

    monkeypatch.setattr(SequenceTracker, "look_ahead", lambda *_: Ahead(0, len(poses), poses))
    monkeypatch.setattr(beginning, "side_seen", left)
    with open_session(path) as session:
        state = beginning.begun(session, RunConfig((path,), hand=asked))
    assert state.tracker.knowledge.shape.side == side
    assert sorted(looked_at) == (list(range(20)) if (asked, named) == ("auto", "unknown") else [])
