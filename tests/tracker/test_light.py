"""Under which light a recording was made."""

from dataclasses import replace

import numpy as np
import pytest

from recorder.session import SensorFrame, SessionHeader, SessionWriter, open_session
from tests.tracker import samples
from tests.tracker.samples import CAMERA, WALL_PLANE, belt, draw, true_pose
from tracker import beginning
from tracker.colors import LIGHTS
from tracker.config import RunConfig
from tracker.light import CLEARLY, light_of
from tracker.observation import Surroundings
from tracker.sequence import Ahead, SequenceTracker

LAMP = 1.0, 0.93, 0.76
DAY, WARM, COLD = range(3)


@pytest.fixture
def grey(monkeypatch):
    """The buckle, in greys."""
    model = belt()
    shades = np.rint(model.vertex_colors.mean(axis=1, keepdims=True)).astype(np.uint8)
    model = replace(model, vertex_colors=np.repeat(shades, 3, axis=1))
    monkeypatch.setattr(samples, "belt", lambda: model)
    return model


def write(path, model, factors=(1, 1, 1)):
    with SessionWriter(path, SessionHeader(CAMERA, 0.0005, "drawn", object_model=model, hand_side="right")) as writer:
        for index in range(4):
            frame = draw(true_pose(index), index=index)
            color = np.rint(frame.color * np.array(factors)).astype(np.uint8)
            writer.append(SensorFrame(color, np.rint(frame.depth / 0.0005).astype(np.uint16), index / 30))
    return path


@pytest.mark.parametrize(("factors", "expected"), [((1, 1, 1), DAY), (LAMP, WARM)])
def test_the_light_is_the_one_under_which_the_object_fits_best(factors, expected, grey, tmp_path):
    path = write(tmp_path / "s.h5", grey, factors)
    config = RunConfig((path,), symmetry=("none",))
    with open_session(path) as session:
        frames, field = [session.frame(0), session.frame(3)], beginning.build_distance_field(grey, nodes=60)

        def tracker_under(light):
            known = beginning.knowledge_before(session, frames[0], field, config)(None, light)
            return SequenceTracker(replace(known, surroundings=Surroundings(WALL_PLANE)), config)

        np.testing.assert_array_equal(light_of(frames, tracker_under), LIGHTS[expected])


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ((3.0, 0.0, 0.0), DAY),
        ((3.0, 3.1 + CLEARLY, 0.0), WARM),
        ((3.0, 2.9 + CLEARLY, 0.0), DAY),
        ((0.0, 2.0, 2.5), COLD),
        ((0.0, 0.0, 0.0), DAY),
    ],
)
def test_another_light_than_daylight_must_fit_clearly_better(evidence, expected, monkeypatch):
    monkeypatch.setattr(SequenceTracker, "look_ahead", lambda told, *_: Ahead(0, 0, evidence=evidence[told]))

    class Told(int):
        look_ahead = SequenceTracker.look_ahead

    order = iter(Told(at) for at in range(3))
    np.testing.assert_array_equal(light_of([], lambda _: next(order)), LIGHTS[expected])


@pytest.mark.parametrize("expected", [DAY, WARM])
def test_tracking_begins_under_that_light(expected, tmp_path, monkeypatch):
    path = write(tmp_path / "s.h5", belt())
    looked_at = []

    def told(frames, tracker_under):
        looked_at.extend(frame.index for frame in frames)
        assert tracker_under(LIGHTS[COLD]).state.knowledge.models.sample_features.shape[1] == 3
        return LIGHTS[expected]

    monkeypatch.setattr(beginning, "light_of", told)
    monkeypatch.setattr(beginning, "rehearse", lambda *_: None)
    monkeypatch.setattr(SequenceTracker, "look_ahead", lambda *_: Ahead(0, 4))
    config = RunConfig((path,), symmetry=("none",))
    with open_session(path) as session:
        features = beginning.begun(session, config).tracker.knowledge.models.sample_features
        by_day = beginning.knowledge_of(session, [session.frame(0)], config).models.sample_features
    np.testing.assert_allclose(features - by_day, np.tile(LIGHTS[expected], (len(features), 1)), atol=1e-6)
    assert looked_at == [1]


@pytest.mark.parametrize("why", ["no colours", "pose is given"])
def test_no_light_is_looked_for_where(why, tmp_path, monkeypatch):
    model = replace(belt(), colored=why != "no colours")
    path, pose = tmp_path / "s.h5", tmp_path / "pose.txt"
    np.savetxt(pose, true_pose().camera_from_object)
    with SessionWriter(path, SessionHeader(CAMERA, 0.0005, "drawn", object_model=model, hand_side="right")) as writer:
        frame = draw(true_pose())
        writer.append(SensorFrame(frame.color, np.rint(frame.depth / 0.0005).astype(np.uint16), 0.0))
    monkeypatch.setattr(beginning, "light_of", lambda *_: pytest.fail("looked for"))
    given = pose if why == "pose is given" else None
    with open_session(path) as session:
        assert beginning.begun(session, RunConfig((path,), symmetry=("none",), initial_pose=given)).tracker is not None
