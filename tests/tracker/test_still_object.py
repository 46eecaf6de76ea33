"""An object that is held still: its place counts as background until it is found only without one."""

import numpy as np
import pytest

from recorder.session import open_session
from recorder.session_writer import SensorFrame, SessionHeader, SessionWriter
from scene.metrics import rotation_error_deg
from tests.tracker.samples import CAMERA, belt, draw, true_pose
from tracker import beginning
from tracker.background import LEAST_FRAMES, static_background
from tracker.colors import LIGHTS
from tracker.config import RunConfig
from tracker.sequence import Ahead, SequenceTracker


@pytest.fixture(scope="module")
def still_session(tmp_path_factory):
    path = tmp_path_factory.mktemp("still") / "s.h5"
    frame, rng = draw(true_pose()), np.random.default_rng(0)
    with SessionWriter(path, SessionHeader(CAMERA, 0.0005, "drawn", object_model=belt())) as writer:
        for index in range(LEAST_FRAMES):
            depth = frame.depth + rng.normal(size=frame.depth.shape) * 0.0005
            writer.append(SensorFrame(frame.color, np.rint(depth / 0.0005).astype(np.uint16), index / 30))
    return path


def test_an_object_held_still_is_found_though_all_of_it_is_background(still_session):
    with open_session(still_session) as session:
        ahead, true = beginning.frames_ahead(session), true_pose().camera_from_object
        assert np.isfinite(static_background(ahead)).all()
        state = beginning.begun(session, RunConfig((still_session,)))
    assert state.tracker is not None
    assert state.tracker.knowledge.surroundings.background is None
    found = state.tracker.last.estimate.pose.camera_from_object
    assert rotation_error_deg(found[:3, :3], true[:3, :3]) < 10
    assert np.linalg.norm(found[:3, 3] - true[:3, 3]) < 0.01


@pytest.mark.parametrize(("without", "kept"), [(8, True), (9, False)])
def test_the_background_is_kept_unless_much_more_is_found_without_it(still_session, monkeypatch, without, kept):
    found = iter([6, without])  # of the frames looked at, of which there are
    monkeypatch.setattr(beginning, "frames_ahead", lambda session: [session.frame(0)] * 12)
    monkeypatch.setattr(beginning, "static_background", lambda ahead: ahead[0].depth)
    monkeypatch.setattr(beginning, "light_of", lambda *_: LIGHTS[0])
    monkeypatch.setattr(SequenceTracker, "look_ahead", lambda *_: Ahead(0, next(found)))
    with open_session(still_session) as session:
        state = beginning.begun(session, RunConfig((still_session,), symmetry=("z2",)))
    assert (state.tracker.knowledge.surroundings.background is not None) == kept
    assert len(state.tracker.knowledge.symmetries.discrete) == 2


def test_the_background_is_kept_where_nothing_is_found_without_it_either(still_session, quick):
    with open_session(still_session) as session:
        state = beginning.begun(session, RunConfig((still_session,), confidence=1.0))
    assert state.tracker.knowledge.surroundings.background is not None


@pytest.mark.parametrize(
    ("without", "mistaken", "kept"),
    [
        (Ahead(0, 9), set(), False),
        (Ahead(3, 9), set(), False),
        (Ahead(0, 9), {3}, True),
        (Ahead(0, 10), {3}, False),
        (Ahead(3, 12), {3}, True),  # tracking would begin with what is left standing
    ],
)
def test_what_is_left_standing_does_not_count(still_session, monkeypatch, without, mistaken, kept):
    found = iter([Ahead(0, 6), without])
    monkeypatch.setattr(beginning, "frames_ahead", lambda session: [session.frame(0)] * 12)
    monkeypatch.setattr(beginning, "static_background", lambda ahead: ahead[0].depth)
    monkeypatch.setattr(beginning, "left_standing", lambda *_: mistaken)
    monkeypatch.setattr(beginning, "light_of", lambda *_: LIGHTS[0])
    monkeypatch.setattr(SequenceTracker, "look_ahead", lambda *_: next(found))
    with open_session(still_session) as session:
        state = beginning.begun(session, RunConfig((still_session,), symmetry=("none",)))
    assert (state.tracker.knowledge.surroundings.background is not None) == kept
