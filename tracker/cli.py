"""Console command `tracker`: follow, compare with the truth, look."""

from __future__ import annotations

import sys

from scene.command import run_program
from tracker.config import RunConfig
from tracker.evaluate import EvaluateConfig, run_evaluate
from tracker.run import run
from tracker.view import ViewConfig, view

DESCRIPTION = """Follows hand (26 degrees of freedom) and object (6) through a recording.

Example: recorder capture --sensor simulated && tracker run session.h5"""


def main() -> None:
    """Entry point."""
    sys.exit(run_program("tracker", DESCRIPTION, {RunConfig: run, EvaluateConfig: run_evaluate, ViewConfig: view}))
