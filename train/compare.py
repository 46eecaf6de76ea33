"""The paper's figure 2 and table 2 by one command: every recipe on every object, each a run folder of its own.

A cell is a run as `train fit` makes it, tested as `train evaluate` does. What is finished is not done again, and what
was interrupted goes on, so the command may be repeated until it is through, or with more seeds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from scene.errors import InputError, TrainingError
from scene.files import as_json, installed_versions, refuse_existing
from train.config import Compare, Fit
from train.errors import ErrorRow
from train.evaluate import Evaluation, evaluate, evaluate_patches
from train.fit import fit
from train.linemod.patches import mesh_path, read_object_patches
from train.recipes import RecipeName
from train.run_folder import RunFolder, differences, is_finished
from train.seeds import by_image, steps
from train.table_page import write_comparison

PAPER_ROWS: dict[str, dict[str, tuple[float, float]]] = {
    "ape": {"srn": (12.3, 11.8), "wohlhart": (float("nan"), 15.0)},
    "benchvise": {"srn": (15.6, 13.2), "wohlhart": (float("nan"), 15.5)},
    "cam": {"srn": (10.9, 10.1), "wohlhart": (float("nan"), 12.0)},
    "can": {"srn": (14.5, 12.3), "wohlhart": (float("nan"), 15.5)},
    "cat": {"srn": (12.1, 10.4), "wohlhart": (float("nan"), 14.0)},
    "driller": {"srn": (16.7, 13.2), "wohlhart": (float("nan"), 17.8)},
    "duck": {"srn": (13.1, 10.9), "wohlhart": (float("nan"), 13.9)},
    "holepuncher": {"srn": (12.9, 11.4), "wohlhart": (float("nan"), 13.2)},
    "iron": {"srn": (11.6, 10.2), "wohlhart": (float("nan"), 11.4)},
    "lamp": {"srn": (12.6, 11.1), "wohlhart": (float("nan"), 13.3)},
    "phone": {"srn": (12.9, 11.7), "wohlhart": (float("nan"), 18.2)},
}
"""table 2: mean Euler error in degrees, end to end and by nearest neighbour, of RGB-D images (ours are colour alone)"""
URGENCY: tuple[RecipeName, ...] = ("best", "srn", "wohlhart", "normalised", "batches", "regression")


@dataclass(frozen=True)
class Cell:
    """One recipe on one object, or one column of a pairs file's table."""

    label: str
    """of the recipe, and what differs from its usual form"""
    name: str
    """of the object"""
    config: Fit

    @property
    def seed(self) -> int:
        """Of the training."""
        return self.config.seed

    @property
    def record(self) -> dict[str, Any]:
        """What tells it from all others."""
        return {"object": self.name, "recipe": self.label, "seed": self.seed}


def cells(config: Compare) -> list[Cell]:
    """Seed by seed, and object by object, so that what is drawn of an object is drawn once."""
    found = []
    for seed in config.seeds:
        for name, recipe in product(config.objects, config.recipes):
            fit_config = Fit(
                recipe=recipe, patches=config.patches, meshes=config.meshes, object=name, views=config.views,
                output=_home(config, seed) / name / recipe, overwrite=config.again, epochs=config.epochs,
                steps=config.steps, seed=seed, variation=config.variation, learning_rate=config.learning_rate,
                fixed_images=config.fixed_images, loss=config.loss,
            )  # fmt: skip
            found.append(Cell(recipe, name, fit_config))
        for path in config.pairs:
            found += _pairs_cells(config, path, seed)
    return found


def _home(config: Compare, seed: int) -> Path:
    """The folder of a seed's runs: of the first the output itself, as if there were no other."""
    return config.output if seed == config.seeds[0] else config.output / f"seed-{seed}"


def _pairs_cells(config: Compare, path: Path, seed: int) -> list[Cell]:
    """Every recipe, and table 2's last row: srn with the occlusion term, and what it should be better than."""

    def cell(label: str, **options: object) -> Cell:
        output = _home(config, seed) / path.stem / label
        fit_config = Fit(
            pairs=path, output=output, overwrite=config.again, epochs=config.epochs, steps=config.steps,
            seed=seed, input=config.input, learning_rate=config.learning_rate, loss=config.loss,
            **options,  # type: ignore[arg-type]
        )  # fmt: skip
        return Cell(label, path.stem, fit_config)

    found = [cell(recipe, recipe=recipe, occlusion=recipe.startswith("best")) for recipe in config.recipes]
    if "best" in config.recipes:
        found.append(cell("best-without-occlusion", recipe="best"))
    if "srn" in config.recipes:
        found += [
            cell("srn-occlusion", recipe="srn", occlusion=True),
            cell("srn-random-boxes", recipe="srn", random_boxes=True),
            cell("srn-clean-only", recipe="srn", images="clean"),
            cell("srn-occluded-only", recipe="srn", images="occluded"),
        ]
    return found


def compare(config: Compare, say: Callable[[str], None] = print) -> tuple[ErrorRow, ...]:
    """Fills every cell that is not filled, then writes table and page.

    Args:
        config: the whole configuration.
        say: takes a line for each cell.

    Returns:
        The rows of all cells.
    """
    _check(config)
    planned = cells(config)
    found: dict[int, Evaluation] = {}
    order = sorted(range(len(planned)), key=lambda at: (config.seeds.index(planned[at].seed), _urgency(planned[at])))
    for number, at in enumerate(order, 1):
        of_seed = f", seed {planned[at].seed}" if len(config.seeds) > 1 else ""
        say(f"[{number}/{len(planned)}] {planned[at].name}, {planned[at].label}{of_seed}")
        found[at] = _filled(planned[at], say)
        evaluations = [(planned[done], found[done]) for done in sorted(found)]
        for path in {config.output / "comparison.json", config.json or config.output / "comparison.json"}:
            _write(config, path, evaluations)  # after each cell, so that what is known can be looked at
    return tuple(row for cell, one in evaluations for row in _labelled(cell, one))


def _urgency(cell: Cell) -> int:
    """Within a seed what is asked for most comes first, on all objects, for who cannot wait for the rest."""
    recipe = cell.config.recipe
    return URGENCY.index(recipe) if recipe in URGENCY else len(URGENCY)


def _check(config: Compare) -> None:
    """Everything that can be refused is refused before hours of training."""
    if config.json is not None and not _made_here(config):
        refuse_existing(config.json, overwrite=config.overwrite)
    try:
        config.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{config.output} must be a folder that can be written ({error}); give --output") from error
    for name in config.objects:
        assert config.patches is not None
        assert config.meshes is not None
        read_object_patches(config.patches, name)
        mesh_path(config.meshes, name)
    for path in config.pairs:
        if not path.is_file():
            raise InputError(f"{path} does not exist; give a pairs file that renderer make-pairs wrote")
    for cell in [] if config.again else cells(config):
        different = differences(cell.config)
        if different:
            raise TrainingError(
                f"{cell.config.output} must hold a run as asked for now, to be used or continued, and holds one with "
                f"other {'; '.join(different)}; give --again to train all cells anew, or another --output"
            )


def _made_here(config: Compare) -> bool:
    """Whether the file of --json is what this comparison wrote before it was stopped, or when it was through."""
    try:
        assert config.json is not None
        record = json.loads(config.json.read_text(encoding="utf-8"))
        return bool(record["configuration"]["output"] == str(config.output))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _filled(cell: Cell, say: Callable[[str], None]) -> Evaluation:
    folder = RunFolder(cell.config.output)
    if not cell.config.overwrite and is_finished(cell.config):
        say(f"  finished already, in {folder.path}")
        model = folder.load_model()
    else:
        model = fit(cell.config, say)
    if cell.config.patches is None:
        return evaluate(model, cell.config.pairs)
    return evaluate_patches(model, read_object_patches(cell.config.patches, cell.name).test, cell.name)


def _labelled(cell: Cell, evaluation: Evaluation) -> list[ErrorRow]:
    """Rows that bear the cell's label, object and seed."""
    return [replace(row, recipe=cell.label, object=cell.name, seed=cell.seed) for row in evaluation.rows]


def _cell_record(cell: Cell, evaluation: Evaluation) -> dict[str, Any]:
    """What is said of a cell beside its rows."""
    return {
        **cell.record,
        "seconds": RunFolder(cell.config.output).seconds(),
        "occluded_minus_clean": [vars(gap) for gap in evaluation.gaps],
    }


def _write(config: Compare, target: Path, evaluations: list[tuple[Cell, Evaluation]]) -> None:
    rows = [row for cell, one in evaluations for row in _labelled(cell, one)]
    record = {
        "command": " ".join(["train", *sys.argv[1:]]),
        "configuration": json.loads(as_json(config)),
        "versions": installed_versions(),
        "planned": [cell.record for cell in cells(config)],
        "cells": [_cell_record(cell, one) for cell, one in evaluations],
        "rows": [row.as_json() for row in rows],
        "steps": [
            {"image": image, **step.as_json()} for image, shown in by_image(rows).items() for step in steps(shown)
        ],
        "paper": PAPER_ROWS,
    }
    text = json.dumps(record, indent=2).replace("NaN", "null") + "\n"
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{target} could not be written ({error}); give another --json") from error
    write_comparison(config.output / "index.html", rows, PAPER_ROWS)
