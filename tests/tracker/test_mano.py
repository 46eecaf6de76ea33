"""A hand model that the user brings: tracked in place of the average hand, and exported as its parameters."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from recorder.session import open_session
from recorder.simulation.belt import belt
from scene.hand_shape import average_hand, mirrored, proportioned
from scene.mano.file import read_mano
from scene.mano.model import ManoPoses, joints
from tests.scene.mano_stand_in import stand_in, write_npz, write_pickle
from tests.scene.test_mano_file import Hostile
from tests.tracker.bare_hands import write_bare_session
from tests.tracker.samples import LOST, a_track, write_session
from tracker import many
from tracker.beginning import begun
from tracker.cli import run_tracker
from tracker.config import RunConfig
from tracker.run import inputs_of
from tracker.track import new_track, open_track

SHORT = ("--particles", "8", "--generations", "4", "--points", "60", "--confidence", "0")
SOMEONE = proportioned(average_hand(), 1.03, 0.97)


def tracker(*arguments):
    return run_tracker([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A short recording, its true track whose second hand is LOST, and a model of each hand."""
    folder = tmp_path_factory.mktemp("mano")
    session = write_session(folder / "s.h5", model=belt(), frames=3)
    write_pickle(folder / "MANO_RIGHT.pkl", stand_in(SOMEONE))
    write_npz(folder / "MANO_LEFT.npz", stand_in(mirrored(SOMEONE)))
    track = a_track(session)
    lost = np.arange(3) == 1
    unknown = {
        name: np.where(lost.reshape(3, *[1] * (getattr(track, name).ndim - 1)), np.nan, getattr(track, name))
        for name in ("camera_from_hand", "hand_angles", "joints_camera", "hand_confidence")
    }
    statuses = np.where(lost, LOST, track.hand_status).astype(np.int8)
    with new_track(folder / "s.track.h5", replace(track, hand_status=statuses, **unknown), overwrite=False):
        pass
    return folder


@pytest.mark.usefixtures("quick")
def test_the_hand_that_is_brought_is_the_one_that_is_followed(folder, tmp_path):
    mano = folder / "MANO_RIGHT.pkl"
    assert tracker("run", folder / "s.h5", "--mano", mano, "--output", tmp_path / "t.h5", *SHORT) == 0
    shape = open_track(tmp_path / "t.h5").hand_shape
    np.testing.assert_allclose(shape.phalanx_lengths, SOMEONE.phalanx_lengths, atol=4e-4)
    np.testing.assert_allclose(shape.base_offsets, SOMEONE.base_offsets, atol=4e-4)
    with h5py.File(tmp_path / "t.h5") as file:
        assert json.loads(file.attrs["sources"])["mano"]["name"] == "MANO_RIGHT.pkl"
        assert json.loads(file.attrs["inputs"])["mano"] == json.loads(file.attrs["sources"])["mano"]["sha256"]


def test_betas_and_bare_hands_and_left_ones(folder, tmp_path):
    with open_session(write_bare_session(tmp_path / "b.h5", frames=1)) as session:
        plain, larger, left = (
            begun(session, RunConfig(mano=folder / name, betas=betas, hand=hand)).lone.knowledge.shape
            for name, betas, hand in (
                ("MANO_RIGHT.pkl", (), "auto"),
                ("MANO_RIGHT.pkl", (2.0, *[0.0] * 9), "right"),
                ("MANO_LEFT.npz", (), "left"),
            )
        )
    np.testing.assert_allclose(larger.base_offsets, 1.1 * plain.base_offsets, atol=1e-6)
    assert left.side == "left"
    np.testing.assert_allclose(mirrored(left).base_offsets, plain.base_offsets, atol=1e-6)


def test_a_stopped_run_depends_on_what_is_in_the_file(folder, tmp_path):
    here, there = tmp_path / "a.npz", tmp_path / "b.npz"
    content = (folder / "MANO_LEFT.npz").read_bytes()
    for path in (here, there):
        path.write_bytes(content)
    inputs = [inputs_of(RunConfig(mano=path), folder / "s.h5") for path in (here, there)]
    assert inputs[0] == inputs[1] != inputs_of(RunConfig(), folder / "s.h5")
    there.write_bytes(content + b"more")
    assert inputs_of(RunConfig(mano=there), folder / "s.h5") != inputs[0]


def test_other_machines_are_sent_the_model(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(
        many, "_answer", lambda config, *_: seen.append(config.mano.read_bytes()) or ("", "sentence", b"")
    )
    content = np.fromfile(folder / "MANO_LEFT.npz", np.uint8)
    config = RunConfig(mano=Path("nowhere/MANO_LEFT.npz"))
    assert many._tracked_there(config, "s.h5", content, content, None) == ("", "sentence", b"")
    assert seen == [content.tobytes()]


@pytest.fixture(scope="module")
def exported(folder):
    """The arrays written for the true track, betas fitted."""
    assert tracker("export", folder / "s.track.h5", "--format", "mano", "--mano", folder / "MANO_RIGHT.pkl") == 0
    with np.load(folder / "s.track.mano.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def test_an_exported_hand_is_where_the_track_has_it(exported, folder):
    track = open_track(folder / "s.track.h5")
    tips = [4, 8, 12, 16, 20]
    for frame in (0, 2):
        off = np.linalg.norm(exported["joints_camera"][frame] - track.joints_camera[frame], axis=1)
        assert np.delete(off, tips).max() < 0.004  # the track's hand is the average one, the model another's
        np.testing.assert_allclose(off[tips], average_hand().radii[:, 3], atol=0.004)  # on the skin
        assert exported["fit_error_mm"][frame] < 2.5
    assert exported["side"] == "right"
    assert exported["flat_hand_mean"]
    assert exported["hand_status"].tolist() == track.hand_status.tolist()
    np.testing.assert_array_equal(exported["timestamp_s"], track.timestamp_s)
    np.testing.assert_array_equal(exported["hand_confidence"], track.hand_confidence)


def test_an_exported_hand_is_what_its_parameters_make(exported, folder):
    names = ("global_orient", "hand_pose", "transl")
    poses = ManoPoses(*(exported[name][[0, 2]] for name in names))
    made = joints(read_mano(folder / "MANO_RIGHT.pkl"), exported["betas"], poses)
    np.testing.assert_allclose(made, exported["joints_camera"][[0, 2]], atol=1e-12)
    for name in (*names, "joints_camera", "fit_error_mm"):
        assert np.isnan(exported[name][1]).all(), name
    assert [exported[name].shape for name in names] == [(3, 3), (3, 45), (3, 3)]


def test_betas_that_are_given_are_kept(folder, tmp_path, capsys):
    arguments = ("export", folder / "s.track.h5", "--format", "mano", "--mano", folder / "MANO_RIGHT.pkl")
    assert tracker(*arguments, "--output", tmp_path / "m.npz", "--betas", 1, *[0] * 9) == 0
    assert "joints of the MANO hand and of the track are" in capsys.readouterr().out
    with np.load(tmp_path / "m.npz") as arrays:
        assert arrays["betas"].tolist() == [1.0] + [0.0] * 9
        assert np.nanmin(arrays["fit_error_mm"]) > 3


def test_a_track_whose_hand_was_never_seen_is_exported_too(folder, tmp_path):
    track = open_track(folder / "s.track.h5")
    unknown = {
        name: np.full_like(getattr(track, name), np.nan)
        for name in ("camera_from_hand", "hand_angles", "joints_camera")
    }
    with new_track(
        tmp_path / "n.track.h5", replace(track, hand_status=track.hand_status * 0, **unknown), overwrite=False
    ):
        pass
    assert tracker("export", tmp_path / "n.track.h5", "--format", "mano", "--mano", folder / "MANO_RIGHT.pkl") == 0
    with np.load(tmp_path / "n.track.mano.npz") as arrays:
        assert np.isnan(arrays["transl"]).all()


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("run", "--mano MANO_LEFT.npz", "must be of a right hand, and is of a left one; give MANO_RIGHT.pkl"),
        ("run", "--mano straight.npz", "straight.npz: hands_mean of a MANO model must bend the fingers to the palm"),
        ("run", "--mano none.pkl", "none.pkl does not exist; register at mano.is.tue.mpg.de"),
        ("run", "--mano hostile.pkl", "a MANO model holds arrays alone, this one wants"),
        ("run", "--betas 1 0 0 0 0 0 0 0 0 0", "--betas are of --mano FILE, which is not given; give both or none"),
        ("run", "--mano MANO_RIGHT.pkl --betas 1 2", "--betas must be 10 numbers between -10 and 10, got 1 2"),
        ("run", "--mano MANO_RIGHT.pkl --betas nan 0 0 0 0 0 0 0 0 0", "--betas must be 10 numbers"),
        ("export", "--format mano", "got --format mano without --mano; give both or none"),
        ("export", "--mano MANO_RIGHT.pkl", "got --format npz with --mano; give both or none"),
        ("export", "--format mano --mano MANO_LEFT.npz", "must be of a right hand, and is of a left one"),
        ("export", "--format mano --mano MANO_RIGHT.pkl --betas 99 0 0 0 0 0 0 0 0 0", "between -10 and 10, got 99 0"),
    ],
)
def test_mistakes_are_one_sentence(folder, tmp_path, monkeypatch, capfd, command, options, sentence):
    monkeypatch.chdir(folder)
    (folder / "hostile.pkl").write_bytes(pickle.dumps(Hostile()))
    write_npz(folder / "straight.npz", {**np.load(folder / "MANO_LEFT.npz"), "hands_mean": np.zeros(45)})
    what = "s.h5" if command == "run" else "s.track.h5"
    assert tracker(command, what, "--output", tmp_path / "out", *options.split()) == 2
    captured = capfd.readouterr()
    assert sentence in captured.err.replace("\n", " ")
    assert captured.err.startswith("tracker: ")
    assert "harm" not in captured.out
    assert list(tmp_path.iterdir()) == []
