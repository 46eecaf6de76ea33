"""Left hands told from right ones, where a recording does not say which."""

from dataclasses import replace

import numpy as np
import pytest

from recorder.session import SensorFrame, SessionHeader, SessionWriter, open_session
from scene.hand_shape import average_hand
from scene.hand_surface import HandSurface
from tests.tracker import samples
from tests.tracker.samples import SMALL, WALL_PLANE, belt, draw, true_pose
from tracker import beginning
from tracker.config import RunConfig
from tracker.hand_side import side_seen
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
        assert side_seen(seen, knowledge, 400, 0, unlabelled) == side
        assert side_seen([], knowledge, 400, 0, unlabelled) == "right"


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
    assert looked_at == ([0, 3, 6, 9, 12, 15, 18] if (asked, named) == ("auto", "unknown") else [])
