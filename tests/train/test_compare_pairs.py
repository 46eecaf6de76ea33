"""Table 2's last row on a pairs file, shortened: its columns, their order in the page, and docs/results.md from it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from scene.errors import InputError
from scene.rotations import matrix_from_rotation_vector
from scripts import write_results
from tests.train.samples import learnable_file
from train.cli import run
from train.compare import PAPER_ROWS, cells
from train.config import Compare, InputConfig
from train.errors import Estimates
from train.table_page import comparison_table

COLUMNS = {"srn", "srn-occlusion", "srn-random-boxes", "srn-clean-only", "srn-occluded-only"}


def test_the_columns_differ_in_one_thing_each() -> None:
    found = {cell.label: cell.config for cell in cells(Compare(pairs=(Path("pairs.h5"),), recipes=("srn", "best")))}
    assert set(found) == COLUMNS | {"best", "best-without-occlusion"}
    assert found["srn-occlusion"].occlusion
    assert found["best"].occlusion
    assert not found["best-without-occlusion"].occlusion
    closer = cells(Compare(pairs=(Path("pairs.h5"),), recipes=("srn",), input=InputConfig(part=0.75)))
    assert all(cell.config.input.part == 0.75 for cell in closer)
    longer = cells(Compare(pairs=(Path("pairs.h5"),), objects=("cat",), patches=Path(), meshes=Path(), epochs=7))
    assert all(cell.config.epochs == 7 for cell in longer)
    with pytest.raises(InputError, match="--epochs must be at least 1, got 0"):
        Compare(pairs=(Path("pairs.h5"),), epochs=0)
    assert found["srn-random-boxes"].random_boxes
    assert (found["srn-clean-only"].images, found["srn-occluded-only"].images) == ("clean", "occluded")
    assert not found["srn"].occlusion
    assert len({config.output for config in found.values()}) == len(found)


def test_compare_makes_the_table_and_the_results_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = learnable_file(tmp_path / "belt.h5", 40)
    output = tmp_path / "out"
    assert run(["compare", str(pairs), "--recipes", "srn", "--steps", "1", "--output", str(output)]) == 0
    rows = json.loads((output / "comparison.json").read_text())["rows"]
    assert {row["recipe"] for row in rows} == COLUMNS
    assert {row["object"] for row in rows} == {"belt"}
    assert {row["image"] for row in rows} == {"occluded", "clean"}
    assert {row["visibility"] for row in rows} > {"all"}
    assert "srn-occlusion" in capsys.readouterr().out
    for part in ("belt", "video"):
        write_results.main([part, str(output / "comparison.json"), str(tmp_path)])
    page = (tmp_path / "results.md").read_text()
    assert page.index("## Hand occlusion") < page.index("## Real video")
    assert page.count("| belt | srn-occlusion | regression | occluded | 8 |") == 2
    assert "| recipe | read-out | 0.2-0.4 |" in page
    assert "- belt, srn, regression: occluded minus clean, 40% and more visible, " in page
    assert (tmp_path / "results" / "belt.png").stat().st_size > 1000
    (tmp_path / "results" / "video.json").unlink()
    write_results.main(["belt", str(output / "comparison.json"), str(tmp_path)])
    assert "## Real video" not in (tmp_path / "results.md").read_text()
    with pytest.raises(SystemExit, match="figure-2, ablation, ablation-pairs, belt, belt-best, video"):
        write_results.main(["else", str(output / "comparison.json")])


def test_the_printed_table_has_the_papers_figures_beside_ours() -> None:
    turned = matrix_from_rotation_vector(np.radians([[0.0, 0.0, 30.0]]))
    rows = Estimates("real", "regression", turned, np.eye(3)[None], None).rows("srn", "cam")
    console = Console(file=io.StringIO(), width=120)
    console.print(comparison_table(tuple(rows), PAPER_ROWS)[0])
    assert "10.0 (30.0) [paper 10.9]" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_results_page_names_what_is_missing_and_no_folder_of_the_machine(tmp_path: Path) -> None:
    turned = matrix_from_rotation_vector(np.radians([[0.0, 0.0, 30.0]]))
    rows = Estimates("real", "regression", turned, np.eye(3)[None], None).rows("srn", "ape")
    record = {
        "command": "train compare --patches /somewhere/patches --objects ape cam",
        "configuration": {"seed": 0, "recipes": ["srn"], "objects": ["ape", "cam"], "patches": "/somewhere/patches"},
        "versions": {"torch": "2"},
        "planned": [{"object": name, "recipe": "srn"} for name in ("ape", "cam")],
        "cells": [{"object": "ape", "recipe": "srn", "seconds": 60.0}],
        "rows": [row.as_json() for row in rows],
        "paper": {},
        "note": "Of fewer images.",
    }
    (tmp_path / "comparison.json").write_text(json.dumps(record))
    write_results.main(["linemod", str(tmp_path / "comparison.json"), str(tmp_path)])
    page = (tmp_path / "results.md").read_text()
    assert "train compare --patches patches --objects ape cam" in page
    assert "not finished when this was written: srn on cam\n" in page
    assert "\nOf fewer images.\n" in page
    assert "/somewhere" not in page + (tmp_path / "results" / "linemod.json").read_text()
