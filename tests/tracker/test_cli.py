"""`tracker` as a user calls it: what each option changes, and what each mistake is answered."""

import json

import h5py
import numpy as np
import pytest

from recorder.simulation.belt import belt
from scene.command import run_program
from tests.tracker.samples import TRACKED, a_track, write_session
from tracker import anew, following
from tracker.config import RunConfig
from tracker.evaluate import EvaluateConfig, run_evaluate
from tracker.many import run_all
from tracker.track import new_track, open_track, track_path_of
from tracker.view import ViewConfig, view

SHORT = ("--particles", 12, "--generations", 6, "--points", 100)
VERBS = {RunConfig: run_all, EvaluateConfig: run_evaluate, ViewConfig: view}


def tracker(*arguments):
    return run_program("tracker", "", VERBS, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("cli") / "s.h5", model=belt())


def track_with(session, tmp_path, *options, name="t.h5"):
    assert tracker("run", session, "--output", tmp_path / name, "--confidence", 0, *options) == 0
    return open_track(tmp_path / name)


def searches(session, tmp_path, monkeypatch, *options):
    """(particles, generations, points) of each swarm that follows the object, which makes half of the moves."""
    seen, original = [], following.minimise

    def minimise(objective, start, scales, settings, rng):
        if not objective.__self__.use_hand:
            seen.append((len(start), settings.generations, len(objective.__self__.evidence.points)))
        return original(objective, start, scales, settings, rng)

    monkeypatch.setattr(following, "minimise", minimise)
    track_with(session, tmp_path, *options)
    assert seen
    return seen


@pytest.mark.usefixtures("quick")
def test_a_track_has_a_row_for_every_frame_and_knows_its_session(session, tmp_path, capsys):
    track = track_with(session, tmp_path, *SHORT)
    np.testing.assert_allclose(track.timestamp_s, np.arange(3) / 30)
    assert track.session_name == "s.h5"
    assert (track.status == TRACKED).all()  # with --confidence 0 whatever is found counts
    assert "3 frames; object 3 TRACKED, 0 LOST, 0 ABSENT; hand" in capsys.readouterr().out
    with h5py.File(tmp_path / "t.h5") as file:
        assert file.attrs["seed"] == "0"
        assert json.loads(file.attrs["configuration"])["confidence"] == 0
        assert json.loads(file.attrs["sources"])["session"]["name"] == "s.h5"


@pytest.mark.usefixtures("quick")
def test_particles_generations_and_points_reach_the_swarm(session, tmp_path, monkeypatch):
    particles, generations, points = ("--particles", 6), ("--generations", 4), ("--points", 60)
    for size, moves, _ in searches(session, tmp_path, monkeypatch, *particles, *generations, "--overwrite"):
        assert (size, moves) == (6, 2)
    fewer = searches(session, tmp_path, monkeypatch, *particles, *generations, *points, "--overwrite")
    assert max(count for *_, count in fewer) <= 120  # twice as many for the object alone
    more = searches(session, tmp_path, monkeypatch, *particles, *generations, "--points", 100, "--overwrite")
    assert max(count for *_, count in more) > 120


@pytest.mark.usefixtures("quick")
def test_the_same_seed_gives_the_same_track_and_another_does_not(session, tmp_path):
    first, again, other = (
        track_with(session, tmp_path, *SHORT, "--seed", seed, name=f"{at}.h5") for at, seed in enumerate((3, 3, 4))
    )
    np.testing.assert_array_equal(first.camera_from_object, again.camera_from_object)
    np.testing.assert_array_equal(first.objective_terms, again.objective_terms)
    np.testing.assert_array_equal(first.confidence, again.confidence)
    assert not np.array_equal(first.camera_from_object, other.camera_from_object)


@pytest.mark.usefixtures("quick")
def test_a_higher_confidence_tracks_less_and_never_vouches_below_it(session, tmp_path):
    assert tracker("run", session, "--output", tmp_path / "t.h5", "--confidence", 1) == 0
    track = open_track(tmp_path / "t.h5")
    assert (track.status != TRACKED).all()
    assert np.isnan(track.camera_from_object).all()


@pytest.mark.usefixtures("quick")
def test_without_output_the_track_stands_beside_the_session(tmp_path):
    session = write_session(tmp_path / "mine.h5", model=belt(), frames=1)
    assert tracker("run", session, "--confidence", 0, *SHORT) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.h5", "mine.track.h5"]


def refusal(capsys, *arguments):
    """The one sentence on standard error of a command that ends with 2."""
    assert tracker(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tracker: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("verb", ["run", "evaluate", "view"])
def test_a_missing_file_is_named(verb, tmp_path, capsys):
    assert "does not exist" in refusal(capsys, verb, tmp_path / "none.h5")


@pytest.mark.parametrize("verb", ["evaluate", "view"])
def test_a_missing_track_is_named(verb, session, tmp_path, capsys):
    assert "none.h5 does not exist; give the track file" in refusal(
        capsys, verb, session, "--track", tmp_path / "none.h5"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--particles", 1), "a swarm must have at least 2 particles and 1 generation, got 1 x 40"),
        (("--generations", 0), "a swarm must have at least 2 particles and 1 generation, got 64 x 0"),
        (("--points", 49), "--points must be at least 50, got 49"),
        (("--confidence", 2), "--confidence must be between 0 and 1, got 2.0"),
        (("--confidence", -0.1), "--confidence must be between 0 and 1, got -0.1"),
        (("--confidence", "nan"), "--confidence must be between 0 and 1, got nan"),
    ],
)
def test_impossible_numbers(session, capsys, options, sentence):
    assert sentence in refusal(capsys, "run", session, *options)


def test_a_negative_seed(session, tmp_path, capsys):
    assert "--seed" in refusal(capsys, "run", session, "--seed", -1, "--output", tmp_path / "t.h5")


def test_an_existing_track_is_kept_and_not_even_begun(session, tmp_path, capsys):
    output = tmp_path / "t.h5"
    output.write_bytes(b"precious")
    sentence = refusal(capsys, "run", session, "--output", output)
    assert "exists already; give another --output, or --overwrite to replace it" in sentence
    assert output.read_bytes() == b"precious"


def test_a_folder_that_does_not_exist(session, tmp_path, capsys):
    assert "make it first or give another --output" in refusal(
        capsys, "run", session, "--output", tmp_path / "none" / "t.h5"
    )


def test_a_track_in_place_of_a_session(session, tmp_path, capsys):
    with new_track(tmp_path / "t.h5", a_track(session), overwrite=False):
        pass
    assert "must be a session file, it says 'track'" in refusal(capsys, "run", tmp_path / "t.h5")


def test_evaluate_and_view_without_what_they_need(tmp_path, capsys):
    real = write_session(tmp_path / "real.h5", model=belt(), frames=1, truth=False)
    with new_track(track_path_of(real), a_track(real, frames=1), overwrite=False):
        pass
    assert "only a session with ground truth can be evaluated" in refusal(capsys, "evaluate", real, "--no-images")
    assert "--fps must be above 0, got -1.0" in refusal(capsys, "view", real, "--fps", -1)


def test_figures_into_a_folder_that_does_not_exist(session, tmp_path, capsys):
    with new_track(tmp_path / "t.h5", a_track(session), overwrite=False):
        pass
    arguments = (
        "evaluate",
        session,
        "--no-images",
        "--track",
        tmp_path / "t.h5",
        "--json",
        tmp_path / "none" / "f.json",
    )
    assert tracker(*arguments) == 2


@pytest.mark.usefixtures("quick")
def test_an_interrupt_leaves_nothing(session, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(anew, "find_object", interrupted)
    assert tracker("run", session, "--output", tmp_path / "t.h5") == 2
    assert "interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
