"""An object whose mesh has no colours gets those that are seen on it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recorder.session import SensorFrame, SessionHeader, SessionWriter, open_session
from scene.metrics import rotation_error_deg
from scene.object_model import PLAIN_COLOR
from scene.transforms import rigid
from tests.tracker import samples
from tests.tracker.samples import CAMERA, SKIN, WALL_PLANE, belt, draw, true_pose
from tracker import beginning
from tracker.colors import LIGHTS, color_features
from tracker.config import RunConfig
from tracker.objective import COLOR, OBJECT, POINTS
from tracker.observation import Surroundings
from tracker.seen_colors import BELIEVED, with_colors_at, with_seen_colors
from tracker.sequence import Ahead, SequenceTracker

CONFIG = RunConfig((Path("s.h5"),), symmetry=("none",))


def plain():
    return replace(belt(), colored=False, vertex_colors=np.tile(np.uint8(PLAIN_COLOR), (len(belt().vertices), 1)))


def tanned():
    """The buckle in a colour that skin has, too, if not quite this hand's."""
    return replace(belt(), vertex_colors=np.tile(np.uint8((176, 112, 84)), (len(belt().vertices), 1)))


def write(path, embedded):
    header = SessionHeader(CAMERA, 0.0005, "drawn", object_model=embedded, hand_side="right")
    with SessionWriter(path, header) as writer:
        for index in range(4):
            frame = draw(true_pose(index), index=index)
            writer.append(SensorFrame(frame.color, np.rint(frame.depth / 0.0005).astype(np.uint16), index / 30))
    return path


@pytest.fixture
def scene(monkeypatch, tmp_path):
    """Frames of the tanned buckle, what is known of them with a plain mesh, and what makes a tracker of that."""
    shown = tanned()
    monkeypatch.setattr(samples, "belt", lambda: shown)
    with open_session(write(tmp_path / "s.h5", plain())) as session:
        field = beginning.build_distance_field(belt(), nodes=60)
        frames = [session.frame(index) for index in (0, 3)]
        known = beginning.knowledge_before(session, frames[0], field, CONFIG)(None, np.zeros(3))
    known = replace(known, surroundings=Surroundings(WALL_PLANE))
    return frames, known, lambda knowledge: SequenceTracker(knowledge, CONFIG)


def is_right(estimate, frame):
    here, there = estimate.pose.camera_from_object, true_pose(frame.index).camera_from_object
    near = np.linalg.norm(here[:3, 3] - there[:3, 3]) < 0.010
    return bool(near and rotation_error_deg(here[:3, :3], there[:3, :3]) < 10)


def test_an_object_in_the_colour_of_skin_is_found_once_its_colours_were_seen(scene):
    frames, known, tracker_of = scene
    unaware = [estimate for frame in frames for estimate in tracker_of(known).search(frame)[1]]
    assert max(estimate.confidence for estimate in unaware) < 0.5
    taught = with_seen_colors(frames, known, tracker_of)
    for frame in frames:
        found = tracker_of(taught).search(frame)[1][0]
        assert found.confidence > 0.5, "it fits, though a buckle's shape alone does not tell all turns apart"
        assert is_right(found, frame)


def test_the_colours_are_those_at_the_surface(scene):
    frames, known, _tracker_of = scene
    observation = known.observed(frames[0])
    taught = known.with_colors_on(observation, true_pose())
    features = color_features(tanned().vertex_colors[:1])[0]
    np.testing.assert_allclose(
        taught.models.sample_features, np.tile(features, (len(known.models.samples), 1)), atol=0.2
    )
    on_object, on_hand = taught.likelihoods.chances(taught.models.sample_features[0])
    before = known.likelihoods.chances(taught.models.sample_features[0])
    assert on_object > on_hand
    assert before[0] < before[1]
    skin = color_features(np.array([SKIN], np.uint8))[0]
    assert np.subtract(*taught.likelihoods.chances(skin)) < 0


def test_where_nothing_is_seen_at_the_surface_nothing_is_learned(scene):
    frames, known, _ = scene
    away = replace(true_pose(), camera_from_object=rigid(np.eye(3), np.array([0, 0, 2.0])))
    assert known.with_colors_on(known.observed(frames[0]), away) is known


def test_a_pose_that_was_given_says_the_colours(scene):
    frames, known, tracker_of = scene
    near = true_pose().camera_from_object.copy()
    near[:3, 3] += 0.006
    taught = with_colors_at(frames[0], near, known, tracker_of)
    anchor = tracker_of(taught).search_near(frames[0], near)[1]
    assert anchor.confidence > 0.5
    assert is_right(anchor, frames[0])


def estimate(misfit, evidence):
    terms = np.zeros(6)
    terms[POINTS], terms[OBJECT], terms[COLOR] = 0.75 * misfit, 0.25 * misfit, 9.0
    return SimpleNamespace(terms=terms, evidence=evidence, pose=(misfit, evidence))


MISFITS = 0.9, None, 0.3, 0.5, 1.2, 0.6
"""of the frames, by shape alone"""
EVIDENCE = 2.0, -3.0, -2.0, 1.0, 0.5, None
"""of the same, by what is no skin"""


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({0: 1.0, 2: 4.0, 3: 3.5}, "2 by shape"),  # of the frames believed, 0, 3 and 2, only 0 and 3 were found: 3.0
        ({0: 3.1, 2: 1.0, 3: 3.0}, "0 by colour"),
        ({0: 3.0, 2: 2.0, 3: 1.0}, "nothing"),
        ({}, "nothing"),
    ],
)
def test_of_the_frames_that_are_believed_that_counts_by_which_the_object_is_found_in_all_of_them(evidence, expected):
    looked_at = []

    class Knowing:
        def without_colors(self):
            return "blind"

        def with_colors_on(self, observation, pose):
            index, how = observation
            assert pose == ((MISFITS[index], None) if how == "by shape" else (0, EVIDENCE[index])), "the best one"
            return " ".join(map(str, observation))

    class Told:
        """A tracker that finds what it is told, in place of searching."""

        def __init__(self, known):
            self.known = known

        def search(self, frame):
            if self.known == "blind":
                misfit = MISFITS[frame.index]
                found = [] if misfit is None else [estimate(misfit + 1, None), estimate(misfit, None)]
                return (frame.index, "by shape"), found
            chance = EVIDENCE[frame.index]
            found = [] if chance is None else [estimate(0, chance - 1), estimate(0, chance)]
            return (frame.index, "by colour"), found

        def look_ahead(self, frames, what):
            looked_at.append([frame.index for frame in frames])
            return Ahead(0, 0, evidence=evidence.get(int(self.known.split()[0]), 0.0))

    known = Knowing()
    best = with_seen_colors([SimpleNamespace(index=index) for index in range(6)], known, Told)
    assert best is known if expected == "nothing" else best == expected
    assert looked_at == [[0, 3, 2]] * 2 * BELIEVED


@pytest.mark.parametrize(
    ("colored", "given", "asked"),
    [(False, False, "with_seen_colors"), (False, True, "with_colors_at"), (True, False, None), (True, True, None)],
)
def test_tracking_begins_with_them_where_the_mesh_has_none(colored, given, asked, tmp_path, monkeypatch):
    path, pose = write(tmp_path / "s.h5", belt() if colored else plain()), tmp_path / "pose.txt"
    np.savetxt(pose, true_pose().camera_from_object)
    was_asked = []
    for name in ("with_seen_colors", "with_colors_at"):

        def seen(*arguments, name=name):
            was_asked.append(name)
            return replace(arguments[-2], seed=77)

        monkeypatch.setattr(beginning, name, seen)
    monkeypatch.setattr(beginning, "rehearse", lambda *_: None)
    monkeypatch.setattr(beginning, "light_of", lambda *_: LIGHTS[0])
    monkeypatch.setattr(SequenceTracker, "look_ahead", lambda *_: Ahead(0, 4))
    config = RunConfig((path,), symmetry=("none",), initial_pose=pose if given else None)
    with open_session(path) as session:
        knowledge = beginning.begun(session, config).tracker.knowledge
    assert was_asked == ([asked] if asked else [])
    assert (knowledge.seed == 77) == bool(asked)
