"""Console command `pairs`: look into files of pairs, check, merge and split them, bring in and hand out others'."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from pairs.config import (
    CheckConfig,
    ExportConfig,
    ImportBopConfig,
    ImportPatchesConfig,
    InfoConfig,
    MergeConfig,
    SplitAgainConfig,
    ViewConfig,
)
from pairs.format import BACKGROUND_NAMES, ORIGIN_NAMES, RENDERED, SPLIT_NAMES, PairsFile, open_pairs
from pairs.likeness import likeness
from scene.command import run_program
from scene.errors import InputError

DESCRIPTION = "Looks into files of pairs, checks, merges and splits them, imports and exports."


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    sys.exit(run(None))


def run(arguments: list[str] | None) -> int:
    """Exit code of `pairs ARGUMENTS`."""
    verbs: dict[type, Callable[[Any], None]] = {
        InfoConfig: run_info,
        CheckConfig: run_check,
        MergeConfig: run_merge,
        SplitAgainConfig: run_split,
        ViewConfig: run_view,
        ImportPatchesConfig: run_import_patches,
        ImportBopConfig: run_import_bop,
        ExportConfig: run_export,
    }
    return run_program("pairs", DESCRIPTION, verbs, arguments)


def run_info(config: InfoConfig) -> None:
    """Prints what the file holds."""
    from pairs.content import content_hash

    with open_pairs(config.pairs) as pairs:
        for name, value in described(pairs).items():
            print(f"{name:12} {value}")
        if config.hash:
            print(f"{'hash':12} {content_hash(pairs)}")


def run_check(config: CheckConfig) -> None:
    """Prints what each check came to; fails where one found something."""
    from pairs.check import check_pairs

    with open_pairs(config.pairs) as pairs:
        findings = check_pairs(pairs, config)
        total = len(pairs)
    for finding in findings:
        rows = ", ".join(map(str, finding.rows[:5])) + (" ..." if len(finding.rows) > 5 else "")
        print(f"{finding.question}? " + (f"yes, {len(finding.rows)} of {total} rows: {rows}" if finding.rows else "no"))
    wrong = [finding for finding in findings if finding.rows]
    if wrong:
        raise InputError(
            f"{config.pairs} must pass every check and fails {len(wrong)} of {len(findings)}; see the rows above, and "
            "make it again, or run pairs split with a wider --splits.gap-s"
        )


def run_merge(config: MergeConfig) -> None:
    """Writes the merged file."""
    from pairs.rearrange import merge

    print(f"{merge(config)} pairs in {config.output}; next: pairs check {config.output}")


def run_split(config: SplitAgainConfig) -> None:
    """Writes the file with other splits."""
    from pairs.rearrange import split_again

    rows, left_out = split_again(config)
    print(f"{rows} pairs in {config.output}")
    for reason, count in left_out.items():
        print(f"  {count} rows left out: {reason}")
    print(f"next: pairs check {config.output}")


def run_view(config: ViewConfig) -> None:
    """Writes the page."""
    from pairs.page import write_page

    page = config.output or config.pairs.with_suffix(".html")
    with open_pairs(config.pairs) as pairs:
        write_page(pairs, page, config.rows, config.seed, described(pairs), overwrite=config.overwrite)
    print(f"page in {page}")


def run_import_patches(config: ImportPatchesConfig) -> None:
    """Writes pairs of LINEMOD patches."""
    from pairs.import_patches import import_patches

    print(f"{import_patches(config)} pairs in {config.output}")


def run_import_bop(config: ImportBopConfig) -> None:
    """Writes pairs of a BOP split."""
    from pairs.import_bop import import_bop

    print(f"{import_bop(config)} pairs in {config.output}")


def run_export(config: ExportConfig) -> None:
    """Writes the folder."""
    from pairs.export import export

    print(f"{export(config)} pairs in {config.output}")


def described(pairs: PairsFile) -> dict[str, str]:
    """What a reader wants to know of a file of pairs, a line each."""
    model = pairs.object_model
    lost = {
        part: float(pairs.column(f"visibility_lost_{part}").mean()) if len(pairs) else 0.0
        for part in ("hand", "truncation", "other")
    }
    seen = "none" if len(pairs) == 0 else f"{np.mean(pairs.visibility):.0%} of the object on average"
    itself = float(pairs.column("visibility_lost_self").mean()) if len(pairs) else 0.0
    left_out = Counter(reason for _, reason in pairs.left_out).most_common()
    return {
        "pairs": f"{len(pairs)} of {pairs.size} x {pairs.size} px in {pairs.path}",
        "object": f"{model.name}, {model.diameter * 1000:.1f} mm across, {len(model.faces)} faces",
        "recordings": ", ".join(recording.name for recording in pairs.recordings),
        "split": _counts(pairs.split.tolist(), SPLIT_NAMES),
        "origin": _counts(pairs.origin.tolist(), ORIGIN_NAMES),
        "background": _counts(pairs.column("background").tolist(), BACKGROUND_NAMES),
        "hands": _hands(pairs),
        "visible": f"{seen}; lost " + ", ".join(f"{part:.0%} {name}" for name, part in lost.items())
        + f"; {itself:.0%} of what faces the camera is behind the object itself",
        "likeness": _likeness(pairs),
        "left out": "; ".join(f"{count} frames, {reason}" for reason, count in left_out) or "no frame",
        "noise": pairs.attribute("noise") or "unknown",
        "made by": pairs.attribute("command"),
    }  # fmt: skip


def _hands(pairs: PairsFile) -> str:
    """Whose hands the drawn views show."""
    drawn = pairs.origin == RENDERED
    hand, frame = pairs.column("hand_frame")[drawn], pairs.column("frame_index")[drawn]
    none, own = int(np.count_nonzero(hand < 0)), int(np.count_nonzero((hand >= 0) & (hand == frame)))
    return f"of the drawn: {own} of their frame, {len(hand) - own - none} of another, {none} without"


def _likeness(pairs: PairsFile) -> str:
    levels = likeness(pairs)
    if np.isnan(levels):
        return "unknown: no real pair shows the object"
    return f"recorded and drawn colours differ by {levels:.1f} of 255 on average, where real pairs show the object"


def _counts(values: list[int], names: tuple[str, ...]) -> str:
    return ", ".join(f"{values.count(code)} {name}" for code, name in enumerate(names))


if __name__ == "__main__":
    main()
