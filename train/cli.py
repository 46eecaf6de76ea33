"""Console command `train`: fit a network to pairs.h5, test it, compare recipes, predict, export."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from scene.command import Verb, run_program
from scene.errors import InputError
from scene.files import refuse_existing
from train.compare import PAPER_ROWS, compare
from train.config import Compare, Evaluate, Export, Fit, Predict
from train.dataset import has_split
from train.error_page import write_page
from train.estimates import estimated, write_overlays
from train.evaluate import Evaluation, evaluate, evaluate_patches
from train.export import export
from train.fit import fit
from train.linemod.patches import read_object_patches
from train.live import live
from train.processes import is_first_process
from train.queries import read_queries
from train.report import error_table, print_table
from train.run_folder import RunFolder
from train.table_page import comparison_table
from train.template_grid import grid_of_pairs, grid_of_patches

DESCRIPTION = "Trains a pose regressor that sees past the hand, on pairs.h5."


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    sys.exit(run(None))


def run(arguments: list[str] | None) -> int:
    """Exit code of `train ARGUMENTS`."""
    verbs: dict[type, Verb] = {
        Fit: run_fit,
        Evaluate: run_evaluate,
        Compare: run_compare,
        Predict: run_predict,
        Export: run_export,
    }
    return run_program("train", DESCRIPTION, verbs, arguments)


def run_fit(config: Fit) -> None:
    """Trains, then tests on the images nothing was learnt from."""
    model = fit(config)
    if not is_first_process():
        return
    folder = RunFolder(config.output)
    print(f"network in {folder.model}")
    if config.patches is not None and config.object is not None:
        test = read_object_patches(config.patches, config.object).test
        _report(evaluate_patches(model, test, config.object), folder.evaluation)
    elif has_split(config.pairs, "test"):
        _report(evaluate(model, config.pairs), folder.evaluation)
    else:
        print(f"{config.pairs} has no test pairs, so there is nothing to say about errors")


def run_evaluate(config: Evaluate) -> None:
    """Tests a finished run."""
    for path in (config.json, config.page):
        if path is not None:
            refuse_existing(path, overwrite=config.overwrite)
    model = RunFolder(config.run).load_model()
    if config.patches is not None and config.object is not None:
        patches = read_object_patches(config.patches, config.object)
        if config.templates == "grid":
            model = replace(model, templates=grid_of_patches(model, patches.renders))
        found = evaluate_patches(model, patches.test, config.object, config.symmetry)
    else:
        if config.templates == "grid":
            model = replace(model, templates=grid_of_pairs(model, config.pairs, config.grid_size))
        found = evaluate(model, config.pairs, config.symmetry)
    _report(found, config.json)
    if config.page is not None:
        write_page(found, config.page)
        print(f"page in {config.page}")


def run_compare(config: Compare) -> None:
    """Trains and tests what is compared."""
    rows = compare(config)
    for table in comparison_table(rows, PAPER_ROWS):
        print_table(table)
    Console().print(f"page with plots: {config.output / 'index.html'}", soft_wrap=True)


def run_predict(config: Predict) -> None:
    """Says where the object is turned to."""
    refuse_existing(config.output, overwrite=config.overwrite)
    model = RunFolder(config.run).load_model()
    if config.sensor is not None:
        queries, poses = live(config, model)
    else:
        queries = read_queries(config, model.settings)
        poses = estimated(model, queries)
    _write_json({"poses": [pose.as_json() for pose in poses]}, config.output)
    print(f"{len(poses)} poses in {config.output}, mean confidence {sum(p.confidence for p in poses) / len(poses):.2f}")
    if config.overlay is not None:
        write_overlays(config.overlay, queries, poses, overwrite=config.overwrite)


def run_export(config: Export) -> None:
    """Writes the network to one file."""
    model = RunFolder(config.run).load_model()
    suffix = "onnx" if config.format == "onnx" else "pt2"
    path = config.output or config.run / f"network.{suffix}"
    difference = export(model, path, config.format, overwrite=config.overwrite)
    print(f"network in {path}; on random images it says what the run's does, to {difference:.1g}")


def _report(evaluation: Evaluation, path: Path | None) -> None:
    print_table(error_table(evaluation))
    if path is None:
        return
    _write_json(evaluation.as_json(), path)
    print(f"errors in {path}")


def _write_json(record: dict[str, Any], path: Path) -> None:
    try:
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} could not be written ({error}); give another path") from error


if __name__ == "__main__":
    main()
