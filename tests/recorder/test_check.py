"""Sessions broken on purpose, and what `recorder check` says of them."""

import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from recorder.check import check
from recorder.cli import run
from recorder.session import SessionHeader, SessionWriter, Truth
from scripts.broken_sessions import BROKEN, CAMERA, frames, main, write

PAGE = Path(__file__).parents[2] / "docs" / "recorder.md"


@pytest.fixture
def sound(tmp_path):
    return write(tmp_path / "s.h5", frames())


def test_a_sound_session_has_no_fault(sound, capsys):
    assert check(sound) == []
    assert run(["check", str(sound)]) == 0
    assert "no fault found" in capsys.readouterr().out


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_a_sentence_of_its_own(sound, name):
    change, message = BROKEN[name]
    with h5py.File(sound, "r+") as file:
        change(file)
    found = check(sound)
    assert len(found) == (2 if name == "8 bit" else 1), found  # such depth holds no more than 255 either
    assert re.search(message, found[0])
    assert all("; " in fault for fault in found)


def test_all_faults_are_told_at_once(sound, capsys):
    with h5py.File(sound, "r+") as file:
        for name in ("identity", "8 bit", "repeated time", "mesh in mm", "link", "black frames"):
            BROKEN[name][0](file)
    assert run(["check", str(sound)]) == 2
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 7  # what was made 8 bit holds no more than 255 either
    assert "has 7 faults, listed above" in said.err


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        (np.array([[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0.7], [0, 0, 0, 1]]), "mirrored or stretched"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 700.0], [0, 0, 0, 1]]), "must be in metres"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -0.7], [0, 0, 0, 1]]), "OpenGL"),
    ],
)
def test_truth_of_other_conventions(tmp_path, pose, message):
    path = write(tmp_path / "s.h5", frames(replace(Truth.unknown(), camera_from_object=pose)))
    assert any(message in fault for fault in check(path))


def test_what_is_no_session_at_all(tmp_path, capsys):
    (tmp_path / "text.h5").write_text("not HDF5")
    assert run(["check", str(tmp_path / "text.h5")]) == 2
    assert "must be an HDF5 file" in capsys.readouterr().err
    assert run(["check", str(tmp_path / "none.h5")]) == 2
    assert "does not exist" in capsys.readouterr().err
    with SessionWriter(tmp_path / "s.h5", SessionHeader(CAMERA, 0.001, "test")) as writer:
        writer.append(next(frames()))
        assert "recorder repair" in check(writer.partial)[0]


def test_the_page_lists_what_is_said(capsys):
    main()
    said = capsys.readouterr().out
    assert len(said.splitlines()) >= 12
    assert said in PAGE.read_text(encoding="utf-8"), "run: python scripts/broken_sessions.py"
