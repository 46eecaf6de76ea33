"""`make paper`, shortened: parts of it fill their folders and the results page, and do nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from scripts import write_results
from tests.train.patch_samples import patch_folder
from tests.train.samples import learnable_file

ROOT = Path(__file__).parent.parent.parent


def make(home: Path, *targets: str) -> str:
    settings = {
        "VENV": sys.prefix, "PATCHES": home / "patches", "MESHES": home / "meshes", "OBJECTS": "wedge",
        "OBJECT": "wedge", "RECIPES": "srn", "VIEWS": 40, "SHORT_VIEWS": 40, "STEPS": 1, "SHORT_STEPS": 1,
        "FIGURE_VIEWS": 40, "FIGURE_STEPS": 1, "FIGURE_SEEDS": "0 3", "SMALL_BELT_STEPS": 1,
        "OUTPUT": home / "paper", "RESULTS": home / "docs",
    }  # fmt: skip
    given = [f"{name}={value}" for name, value in settings.items()]
    # -o: the environment that runs this test is taken as it is
    command = ["make", "-o", f"{sys.prefix}/.ready", *given, *targets]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_part_is_made_and_written_and_not_made_again(tmp_path: Path) -> None:
    patch_folder(tmp_path)
    (tmp_path / "paper" / "video").mkdir(parents=True)
    learnable_file(tmp_path / "paper" / "video" / "hand-mug.h5", 20)  # what video.sh would make in minutes
    make(tmp_path, "figure-2", "video")
    page = (tmp_path / "docs" / "results.md").read_text()
    for part in ("figure-2", "video"):
        record = json.loads((tmp_path / "docs" / "results" / f"{part}.json").read_text())
        assert record["rows"]
        assert f"(results/{part}.png)" in page
        assert (tmp_path / "docs" / "results" / f"{part}.png").is_file()
    assert "| wedge | batches | regression | real | 6 |" in page
    assert "\nSeeds 0 and 3, " in page
    assert "finished already" in make(tmp_path, "RESULTS=", "video")


def test_the_paper_has_all_parts(tmp_path: Path) -> None:
    commands = make(tmp_path, "-n", "paper")
    for part in write_results.PARTS:
        assert f"scripts.write_results {part} {tmp_path}/paper/{part}/comparison.json" in commands
    assert commands.count(f"./scripts/belt.sh {tmp_path}/paper/belt 32 40 24") == 2
    assert "belt.h5 --recipes best --steps 1 " in commands
    assert "--input.part 0.75 --input.size 72 " in commands
    assert f"./scripts/belt.sh {tmp_path}/paper/ablation-pairs 10 40 8" in commands
    assert commands.count("--steps 1") == 7


def test_the_belt_is_learnt_for_longer_than_usual_unless_steps_are_given(tmp_path: Path) -> None:
    commands = make(tmp_path, "-n", "STEPS=", "belt", "belt-best")
    assert "--recipes srn wohlhart --epochs 15 " in commands
    assert "--recipes best --epochs 48 " in commands


def test_the_options_of_figure_2_are_taken(tmp_path: Path) -> None:
    usual = make(tmp_path, "-n", "figure-2")
    assert "--steps 1 --fixed-images --loss.sign hemisphere --learning-rate 0.1 --recipes" in usual
    assert "--recipes regression batches normalised srn --seeds 0 3 " in usual
    assert "--steps 1 --epochs 2 --recipes" in make(tmp_path, "-n", "FIGURE_OPTIONS=--epochs 2", "figure-2")
