"""What each run gains on the one before it, of runs on patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts import step_differences
from tests.train.patch_samples import patch_folder
from train.config import Fit
from train.fit import fit
from train.recipes import RecipeName


def test_it_tells_each_run_against_the_one_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch_folder(tmp_path)
    patches, runs = tmp_path / "patches", []
    recipes: tuple[RecipeName, ...] = ("regression", "srn", "wohlhart")
    for recipe in recipes:
        config = Fit(
            recipe=recipe, patches=patches, meshes=tmp_path / "meshes", object="wedge", views=40, steps=1,
            output=tmp_path / recipe,
        )  # fmt: skip
        fit(config, lambda _: None)
        runs.append(str(config.output))
    step_differences.main([str(patches), "wedge", *runs])
    starts = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    # wohlhart has no regression to compare
    assert starts == [
        "regression to srn, regression", "regression to srn, nearest neighbour", "srn to wohlhart, nearest neighbour"
    ]  # fmt: skip


def test_differences_are_of_the_same_image() -> None:
    hard = np.array([1.0, 50.0, 100.0])
    assert step_differences.change(hard, hard - 2) == "-2.00 (-2.00 to -2.00)"


def test_it_says_how_it_is_used() -> None:
    with pytest.raises(SystemExit, match="usage: step_differences"):
        step_differences.main(["patches", "cat", "run"])
