"""Console command `tracker`: follow, compare with the truth, export, look."""

from __future__ import annotations

import sys

from scene.command import Verb, run_program
from tracker.config import RunConfig
from tracker.evaluate import EvaluateConfig, run_evaluate
from tracker.export import ExportConfig, export
from tracker.many import run_all
from tracker.view import ViewConfig, view

DESCRIPTION = """Follows hand (26 degrees of freedom) and object (6) through a recording.

Example: recorder capture --sensor simulated && tracker run session.h5"""


VERBS: dict[type, Verb] = {
    RunConfig: run_all,
    EvaluateConfig: run_evaluate,
    ExportConfig: export,
    ViewConfig: view,
}


def main() -> None:
    """Entry point."""
    sys.exit(run_tracker(None))


def run_tracker(arguments: list[str] | None) -> int:
    """Exit code of `tracker ARGUMENTS`."""
    return run_program("tracker", DESCRIPTION, VERBS, arguments)
