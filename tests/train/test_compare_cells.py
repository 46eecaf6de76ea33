"""What compare finds in its folder: the same run is used, wherever its files lie; of another it says what differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.samples import learnable_file
from train.cli import run


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A folder with pairs.h5 and a comparison of one cell of it."""
    learnable_file(tmp_path / "pairs.h5", 40)
    assert run(arguments(tmp_path)) == 0
    return tmp_path


def arguments(home: Path, *options: str) -> list[str]:
    command = ["compare", str(home / "pairs.h5"), "--recipes", "normalised", "--output", str(home / "out")]
    return [*command, "--steps", "1", *options]


def model_of(home: Path) -> Path:
    return home / "out" / "pairs" / "normalised" / "model.pt"


def test_a_finished_cell_is_used_whatever_the_paths_are_called(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model_of(done).read_bytes()
    monkeypatch.chdir(done)
    assert run(arguments(Path())) == 0
    assert "finished already" in capsys.readouterr().out
    assert model_of(done).read_bytes() == before


def test_a_cell_of_other_options_is_named_with_what_differs_and_the_way_out(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model_of(done).read_bytes()
    assert run(arguments(done, "--seed", "5")) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "normalised must hold a run as asked for now" in said
    assert "other seed (0 there, 5 now); give --again to train all cells anew, or another --output" in said
    assert model_of(done).read_bytes() == before
    assert run(arguments(done, "--seed", "5", "--again")) == 0
    assert model_of(done).read_bytes() != before


def test_a_cell_of_another_length_or_of_other_pairs_is_not_taken_for_the_same(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments(done)[:-1], "9"]) == 2
    assert "epochs (of 1 steps there, of 9 steps now)" in " ".join(capsys.readouterr().err.split())
    learnable_file(done / "other.h5", 44)
    (done / "other.h5").replace(done / "pairs.h5")
    assert run(arguments(done)) == 2
    assert "other pairs_sha256 (" in " ".join(capsys.readouterr().err.split())


def test_cells_of_recipes_that_are_not_asked_for_do_not_matter(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = arguments(done, "--seed", "5")
    assert run([*command[:3], "regression", *command[4:]]) == 0
    assert model_of(done).exists()


def test_a_cell_whose_options_cannot_be_read_is_not_used(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_of(done).with_name("config.json").write_text("{")
    assert run(arguments(done)) == 2
    assert "config.json cannot be read; give --again" in " ".join(capsys.readouterr().err.split())
