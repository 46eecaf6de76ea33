"""Console command `train`: fit a network to pairs.h5, evaluate it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scene.command import run_program
from scene.errors import InputError
from scene.files import refuse_existing
from train.config import Evaluate, Fit
from train.dataset import has_split
from train.evaluate import Evaluation, evaluate
from train.fit import fit
from train.report import error_table, print_table
from train.run_folder import RunFolder

DESCRIPTION = "Trains a pose regressor that sees past the hand, on pairs.h5."


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    sys.exit(run(None))


def run(arguments: list[str] | None) -> int:
    """Exit code of `train ARGUMENTS`."""
    return run_program("train", DESCRIPTION, {Fit: run_fit, Evaluate: run_evaluate}, arguments)


def run_fit(config: Fit) -> None:
    """Trains, then tests on the pairs nothing was learnt from."""
    model = fit(config)
    folder = RunFolder(config.output)
    print(f"network in {folder.model}")
    if has_split(config.pairs, "test"):
        _report(evaluate(model, config.pairs), folder.evaluation)
    else:
        print(f"{config.pairs} has no test pairs, so there is nothing to say about errors")


def run_evaluate(config: Evaluate) -> None:
    """Tests a finished run."""
    if config.json is not None:
        refuse_existing(config.json, overwrite=config.overwrite)
    _report(evaluate(RunFolder(config.run).load_model(), config.pairs), config.json)


def _report(evaluation: Evaluation, path: Path | None) -> None:
    print_table(error_table(evaluation))
    if path is None:
        return
    try:
        path.write_text(json.dumps(evaluation.as_json(), indent=2) + "\n")
    except OSError as error:
        raise InputError(f"{path} could not be written ({error}); give another path") from error
    print(f"errors in {path}")
