"""Console command `renderer`: make pairs of a tracked session."""

from __future__ import annotations

import sys

from renderer.config import MakePairsConfig
from scene.command import run_program

DESCRIPTION = "Draws each tracked frame again, with the hand and without, into pairs.h5."


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    sys.exit(run(None))


def run(arguments: list[str] | None) -> int:
    """Exit code of `renderer ARGUMENTS`."""
    return run_program("renderer", DESCRIPTION, {MakePairsConfig: run_make_pairs}, arguments)


def run_make_pairs(config: MakePairsConfig) -> None:
    """Makes pairs and says how many, and which frames gave none."""
    from renderer.make_pairs import make_pairs

    try:
        made = make_pairs(config)
    except KeyboardInterrupt:
        print("parts that are done are kept: the same command goes on from them", file=sys.stderr)
        raise
    print(f"{made.rows} pairs in {config.output}: {made.real} real, {made.rows - made.real} drawn views")
    if made.resumed:
        print(f"  went on from {made.resumed} parts that an interrupted run had made")
    for reason, count in made.left_out.items():
        print(f"  {count} frames left out: {reason}")
    if made.views_left_out:
        print(f"  {made.views_left_out} drawn views left out: the hand hides the object")
    print(f"next: pairs view {config.output}, or train fit {config.output} --occlusion")


if __name__ == "__main__":
    main()
