"""Console command `pairs`: say what a pairs file holds, show it on a page."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import tyro

from pairs.format import ORIGIN_NAMES, SPLIT_NAMES, PairsFile, open_pairs
from scene.command import run_program
from scene.errors import InputError

DESCRIPTION = "Looks into files of pairs."


@dataclass(frozen=True)
class InfoConfig:
    """Print what a pairs file holds. Example: pairs info pairs.h5."""

    VERB: ClassVar[str] = "info"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file"""


@dataclass(frozen=True)
class ViewConfig:
    """Write a page with a sample of the pairs. Example: pairs view pairs.h5 --output pairs.html."""

    VERB: ClassVar[str] = "view"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file"""
    output: Path = Path("pairs.html")
    """page to write, complete in itself"""
    rows: int = 24
    """pairs to show: as many real ones as drawn views, where there are both"""
    seed: int = 0
    """of the choice"""
    overwrite: bool = False
    """replace the page if it exists"""

    def __post_init__(self) -> None:
        """Refuses an empty page."""
        if self.rows < 1:
            raise InputError(f"--rows must be at least 1, got {self.rows}")


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    sys.exit(run(None))


def run(arguments: list[str] | None) -> int:
    """Exit code of `pairs ARGUMENTS`."""
    return run_program("pairs", DESCRIPTION, {InfoConfig: run_info, ViewConfig: run_view}, arguments)


def run_info(config: InfoConfig) -> None:
    """Prints what the file holds."""
    with open_pairs(config.pairs) as pairs:
        for name, value in described(pairs).items():
            print(f"{name:12} {value}")


def run_view(config: ViewConfig) -> None:
    """Writes the page."""
    from pairs.page import write_page

    with open_pairs(config.pairs) as pairs:
        write_page(pairs, config.output, config.rows, config.seed, described(pairs), overwrite=config.overwrite)
    print(f"page in {config.output}")


def described(pairs: PairsFile) -> dict[str, str]:
    """What a reader wants to know of a file of pairs, a line each."""
    model = pairs.object_model
    lost = {
        part: float(pairs.column(f"visibility_lost_{part}").mean()) if len(pairs) else 0.0
        for part in ("hand", "truncation", "other")
    }
    seen = "none" if len(pairs) == 0 else f"{np.mean(pairs.visibility):.0%} of the object on average"
    left_out = Counter(reason for _, reason in pairs.left_out).most_common()
    return {
        "pairs": f"{len(pairs)} of {pairs.size} x {pairs.size} px in {pairs.path}",
        "object": f"{model.name}, {model.diameter * 1000:.1f} mm across, {len(model.faces)} faces",
        "split": _counts(pairs.split.tolist(), SPLIT_NAMES),
        "origin": _counts(pairs.origin.tolist(), ORIGIN_NAMES),
        "visible": f"{seen}; lost " + ", ".join(f"{part:.0%} {name}" for name, part in lost.items()),
        "left out": "; ".join(f"{count} frames, {reason}" for reason, count in left_out) or "no frame",
        "noise": pairs.attribute("noise") or "unknown",
        "made by": pairs.attribute("command"),
    }


def _counts(values: list[int], names: tuple[str, ...]) -> str:
    return ", ".join(f"{values.count(code)} {name}" for code, name in enumerate(names))


if __name__ == "__main__":
    main()
