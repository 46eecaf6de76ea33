"""Several seeds: each trains a cell of its own, found again; tables have means, spreads and what each step changes."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from scripts import write_results
from tests.train.samples import learnable_file
from train.cli import run
from train.compare import cells
from train.config import Compare
from train.errors import ErrorRow, ReadOut
from train.seeds import Spread, average, steps
from train.table_page import comparison_cells, comparison_table, plot

ERRORS = {
    ("regression", "ape", 0): 10.0, ("regression", "ape", 1): 14.0, ("regression", "cat", 0): 6.0,
    ("regression", "cat", 1): 8.0, ("srn", "ape", 0): 9.0, ("srn", "ape", 1): 12.0, ("srn", "cat", 0): 7.0,
    ("srn", "cat", 1): 6.0,
}  # fmt: skip
"""recipe, object, seed -> degrees"""


def row(recipe: str, name: str, seed: int, error: float, read_out: ReadOut = "regression") -> ErrorRow:
    return ErrorRow(recipe, name, "real", read_out, "all", 6, error, 2 * error, error, {}, (0, 9), (0, 9), seed)


ROWS = [row(*key, error) for key, error in ERRORS.items()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs.h5, on which seeds 4 and 5 were compared."""
    home = tmp_path_factory.mktemp("seeds")
    learnable_file(home / "pairs.h5", 40)
    assert run(arguments(home, "--seeds", "4", "5")) == 0
    return home


def arguments(home: Path, *options: str) -> list[str]:
    command = ["compare", str(home / "pairs.h5"), "--recipes", "regression", "batches", "--steps", "1"]
    return [*command, "--output", str(home / "out"), *options]


def test_each_seed_is_trained_and_told(home: Path) -> None:
    record = json.loads((home / "out" / "comparison.json").read_text())
    assert record["configuration"]["seeds"] == [4, 5]
    assert [cell["seed"] for cell in record["cells"]] == [4, 4, 5, 5]
    assert [cell["seed"] for cell in record["planned"]] == [4, 4, 5, 5]
    errors = {(one["recipe"], one["seed"]): one["mean_geodesic_deg"] for one in record["rows"]}
    assert errors.keys() == {(recipe, seed) for recipe in ("regression", "batches") for seed in (4, 5)}
    assert errors["regression", 4] != errors["regression", 5]
    changes = [step for step in record["steps"] if (step["image"], step["read_out"]) == ("clean", "regression")]
    assert [(step["before"], step["after"]) for step in changes] == [("regression", "batches")]
    for folder, seed in (("", 4), ("seed-5", 5)):
        kept = json.loads((home / "out" / folder / "pairs" / "batches" / "config.json").read_text())
        assert kept["configuration"]["seed"] == seed


def test_what_is_finished_is_found_by_one_seed_and_by_more(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (home / "out").rglob("model.pt")}
    assert len(before) == 4
    assert run(arguments(home, "--seed", "4")) == 0
    assert capsys.readouterr().out.count("finished already") == 2
    assert run(arguments(home, "--seeds", "4", "6", "5")) == 0
    said = capsys.readouterr().out
    assert said.count("finished already") == 4
    assert "[3/6] pairs, regression, seed 6" in said or "[3/6] pairs, batches, seed 6" in said
    after = {path: path.read_bytes() for path in (home / "out").rglob("model.pt")}
    assert before.items() <= after.items()
    assert len(after) == 6


def test_the_first_seed_of_a_folder_stays_the_first(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments(home, "--seeds", "5", "4")) == 2
    assert "other seed (4 there, 5 now)" in " ".join(capsys.readouterr().err.split())


def test_seeds_have_folders_of_their_own_on_patches_too() -> None:
    config = Compare(patches=Path("p"), meshes=Path("m"), objects=("cat",), recipes=("srn",), seeds=(0, 2))
    assert [(cell.seed, cell.config.output) for cell in cells(config)] == [
        (0, Path("comparison/cat/srn")), (2, Path("comparison/seed-2/cat/srn"))
    ]  # fmt: skip


@pytest.mark.parametrize("seeds", [["1", "1"], []])
def test_seeds_that_are_none_or_one_twice_are_refused(seeds: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "x.h5", "--seeds", *seeds]) == 2
    assert "--seeds must be one or more, each another" in " ".join(capsys.readouterr().err.split())


def test_a_spread_is_the_standard_deviation() -> None:
    assert Spread((1.0, 2.0, 6.0)).told() == "3.0 ± 2.6"
    assert Spread((-1.0,)).told("+") == "-1.0"
    assert math.isnan(Spread((-1.0,)).deviation)


def test_averages_are_of_seeds_that_all_objects_have() -> None:
    found = average(ROWS, "regression", "regression")
    assert found is not None
    assert found.values == (8.0, 11.0)
    without = [one for one in ROWS if (one.object, one.seed) != ("cat", 1)]
    assert average(without, "regression", "regression") == Spread((8.0,))
    assert (
        average([one for one in ROWS if one.object == "ape" or one.recipe == "srn"], "regression", "regression") is None
    )


def test_steps_are_of_the_same_object_and_seed() -> None:
    only = steps(ROWS)
    assert [(step.before, step.after, step.read_out) for step in only] == [("regression", "srn", "regression")]
    assert sorted(only[0].changes.values) == [-2.0, -2.0, -1.0, 1.0]
    assert only[0].better == "3 of 4"
    more = steps([*ROWS, row("batches", "ape", 1, 13.0)])
    assert [(step.before, step.after) for step in more] == [
        ("regression", "batches"), ("batches", "srn"), ("regression", "srn")
    ]  # fmt: skip
    assert [step.changes.values for step in more[:2]] == [(-1.0,), (-1.0,)]
    assert steps([one for one in ROWS if one.recipe == "srn"]) == []


def test_tables_have_means_and_spreads() -> None:
    headings, lines = comparison_cells(ROWS, {"ape": {"srn": (12.3, 11.8)}})
    assert headings == ["recipe", "read-out", "ape", "cat", "average"]
    assert lines[0] == ["regression", "regression", "12.0 ± 2.8 (24.0)", "7.0 ± 1.4 (14.0)", "9.5 ± 2.1 (19.0)"]
    assert lines[1][2] == "10.5 ± 2.1 (21.0) [paper 12.3]"
    console = Console(file=io.StringIO(), width=120)
    console.print(*comparison_table(tuple(ROWS), {}))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "regression to srn" in text
    assert "-1.0 ± 1.4" in text
    assert "3 of 4" in text


def test_the_plot_has_means_with_lines_as_long_as_their_spread() -> None:
    axes = plot(ROWS).axes[0]
    assert [float(bar.get_height()) for bar in axes.patches] == [9.5, 8.5]
    ends = [path.vertices[:, 1] for lines in axes.collections for path in lines.get_paths()]
    assert ends[0].tolist() == pytest.approx([12 - 8**0.5, 12 + 8**0.5])
    assert not plot([one for one in ROWS if one.seed == 0]).axes[0].collections


def test_the_results_page_has_each_seed_and_the_steps(home: Path, tmp_path: Path) -> None:
    record = json.loads((home / "out" / "comparison.json").read_text())
    record |= {"rows": [one.as_json() for one in ROWS], "paper": {}}
    record["configuration"]["seeds"] = [0, 1]
    (tmp_path / "comparison.json").write_text(json.dumps(record))
    write_results.main(["figure-2", str(tmp_path / "comparison.json"), str(tmp_path)])
    page = (tmp_path / "results.md").read_text()
    assert "\nSeeds 0 and 1, " in page
    assert "| ape | regression | regression | real | 6 | 12.0 ± 2.8 (10.0, 14.0) | 24.0 | 12.0 |  |" in page
    assert "- srn, regression, real images: 8.5 ± 0.7 mean Euler on average" in page
    assert "| regression to srn | regression | -1.0 ± 1.4 | 3 of 4 |" in page
