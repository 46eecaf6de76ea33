"""Makes docs/results.md of what `train compare` measured, part by part.

In: the comparison.json of one part. It is kept as FOLDER/results/PART.json, so that a part can be measured anew without
the others. Out: FOLDER/results.md and a plot of each part, of all parts that FOLDER/results holds.

Usage: python scripts/write_results.py PART COMPARISON.json [FOLDER] (`make paper` calls it; FOLDER is docs)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from train.errors import ALL, ErrorRow
from train.seeds import READ_OUTS, average, by_image, spread_of
from train.table_page import plot, step_cells

DOCS = Path(__file__).parent.parent / "docs"
HEAD = """# Results

Made by `scripts/write_results.py` of the numbers that `train compare` wrote; `make paper` repeats it all. Degrees. Mean
Euler: intrinsic ZYX, each difference wrapped to at most 180, mean over axes and images, the metric of the paper's table
2 (order and wrapping are ours); geodesic: the angle between estimate and truth. In brackets 95% by bootstrap over the
images, or of several seeds each one's, behind their mean and standard deviation. All objects have the same settings.
"""
PARTS = {
    "linemod": """## LINEMOD patches

The 707 real test images of each object. The paper's figures are of RGB-D images, ours of colour alone. Settings were
chosen on held-out training images and on training losses, with two exceptions: after a first test figure of the ape
(6.2 by `best` with 900 steps and formed batches) its steps were raised and its pairs drawn at random, and after another
(15.3 by `srn` with 1200 steps) those of the paper's recipes were doubled, until a lower rate, chosen on held-out
images, made that needless. So the ape's figures are not of images that nothing was chosen by; those of the other
objects are.""",
    "figure-2": """## The paper's figure 2a

Its four steps: simple regression, batches formed (B), unit norm (N), the feature-guided loss (F). Of as many training
images as the paper has of an object, about 3000, not turned, shifted, scaled or covered, as it names none of that.""",
    "ablation": """## What each choice of `best` is worth

`best` beside itself without one choice each, shortened: without equation 3; with equation 3 on formed pairs alone; with
formed batches; with the paper's network and quaternion; with the paper's optimiser.""",
    "ablation-pairs": """## What its choices for pairs files are worth

The same on a small pairs file: ten sessions as those of the next section, the last two to test on, all of which `make
belt` learns from. `best` in float32, with a rate that falls from the start, with what layers normalise by as the last
steps left it, with AdamW for convolutions, too, without hands of other pairs, with one look in place of three, with
images as they are, without the logarithm of the rotation's error, and without the occlusion term.""",
    "belt": """## Hand occlusion

The last row of the paper's table 2 in our data: simulated sessions of the belt, true poses, hands and grasps of the
test in no training session (`scripts/belt.sh`). `recorded`: the occluded images that the simulated camera took; the
other occluded ones are drawn from other viewpoints. `srn-occlusion` has the occlusion term, the others not; fifteen
epochs, as the term earns little in five. The paper has 25.2 for Wohlhart and Lepetit, 13.2 for srn, 14.3 by nearest
neighbour, 11.8 with the occlusion term.""",
    "belt-best": """## Hand occlusion, best

The same pairs, seen at all 72 pixels that are stored of them in place of 36, and for longer. `best` has the occlusion
term.""",
    "video": """## Real video

Trained on pairs of some blocks of a real recording's frames (a hand with a mug, 76 of them), tested on other blocks;
`recorded` images are the camera's own. Truth is the tracked pose, so that its errors are in these figures
(`scripts/video.sh`).""",
}
COLUMNS = (
    "object", "recipe", "read-out", "image", "images", "mean Euler", "mean geodesic", "median geodesic",
    "the paper's mean Euler",
)  # fmt: skip
KEPT = ("versions", "planned", "cells", "paper", "rows", "note")
"""of a comparison; `note` is added by hand, where a measurement is not what the part's text says"""
ASKED = ("seeds", "seed", "recipes", "objects")
"""of the configuration; the rest are folders of the machine"""


def main(arguments: list[str]) -> None:
    """Keeps the part and writes the page."""
    if len(arguments) not in (2, 3) or arguments[0] not in PARTS:
        sys.exit(f"usage: write_results.py PART COMPARISON.json [FOLDER], PART one of {', '.join(PARTS)}")
    part, source, folder = arguments[0], Path(arguments[1]), Path(arguments[2]) if arguments[2:] else DOCS
    home = folder / "results"
    home.mkdir(parents=True, exist_ok=True)
    record = json.loads(source.read_text(encoding="utf-8"))
    text = json.dumps(_kept(record)).replace('}, {"recipe"', '},\n{"recipe"')
    (home / f"{part}.json").write_text(text + "\n", encoding="utf-8")
    there = {name: home / f"{name}.json" for name in PARTS if (home / f"{name}.json").is_file()}
    records = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in there.items()}
    _draw(records[part], home / f"{part}.png")
    sections = [section(name, one) for name, one in records.items()]
    (folder / "results.md").write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    print(f"results in {folder / 'results.md'}")


def _kept(record: dict[str, Any]) -> dict[str, Any]:
    """What is worth keeping of a comparison, without the folders of the machine that it ran on."""
    asked = {name: record["configuration"][name] for name in ASKED if name in record["configuration"]}
    kept = {name: _rounded(record[name]) for name in KEPT if name in record}
    return {"command": _named(record["command"]), "configuration": asked, **kept}


def section(part: str, record: dict[str, Any]) -> str:
    """One part: how it was made, its tables, and the average of each recipe."""
    seconds = sum(cell["seconds"] for cell in record["cells"])
    rows = [_row(row) for row in record["rows"]]
    groups = _grouped(row for row in rows if row.visibility == ALL)
    lines = [
        PARTS[part],
        *(["", record["note"]] if "note" in record else []),
        "",
        f"{_seeds(record['configuration'])}, {seconds / 60:.0f} minutes of training, torch "
        f"{record['versions']['torch']}:",
        "",
        f"    {record['command']}",
        "",
        *_table(COLUMNS, [_cells(group, record["paper"]) for group in groups]),
        "",
        *_by_visibility(rows),
        *_gaps(record["cells"]),
        *(line for of_image in by_image(rows).values() for line in [*_averages(of_image), *_steps(of_image)]),
        *_missing(record),
        "",
        f"![Mean Euler error by recipe](results/{part}.png)",
        "",
    ]
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> ErrorRow:
    return ErrorRow(**{field.name: row[field.name] for field in fields(ErrorRow) if field.name in row})


def _grouped(rows: Iterable[ErrorRow]) -> list[list[ErrorRow]]:
    """Rows that differ in the seed alone, in the order of the first of them."""
    groups: dict[tuple[str, ...], list[ErrorRow]] = {}
    for row in rows:
        groups.setdefault((row.object, row.recipe, row.image, row.read_out), []).append(row)
    return list(groups.values())


def _seeds(configuration: dict[str, Any]) -> str:
    """`Seed 0`, or `Seeds 0, 1 and 2`; parts kept before there were several have one."""
    *first, last = map(str, configuration.get("seeds") or [configuration["seed"]])
    return f"Seeds {', '.join(first)} and {last}" if first else f"Seed {last}"


def _table(headings: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (list(headings), ["---"] * len(headings), *rows)]


def _named(command: str) -> str:
    """The command without the folders of the machine that it ran on."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in command.split())


def _cells(rows: list[ErrorRow], paper: dict[str, Any]) -> list[str]:
    """Of one training, or of several that differ in the seed."""
    row, euler = rows[0], spread_of(rows)
    of_paper = paper.get(row.object, {}).get(row.recipe, [None, None])[READ_OUTS.index(row.read_out)]
    beside = ", ".join(f"{value:.1f}" for value in euler.values)
    if len(rows) == 1:
        beside = " to ".join(f"{end:.1f}" for end in row.mean_euler_interval_deg)
    return [
        row.object, row.recipe, row.read_out.replace("_", " "), row.image, str(row.count), f"{euler.told()} ({beside})",
        f"{spread_of(rows, lambda row: row.mean_geodesic_deg).mean:.1f}",
        f"{spread_of(rows, _median).mean:.1f}", "" if of_paper is None else f"{of_paper:.1f}",
    ]  # fmt: skip


def _median(row: ErrorRow) -> float:
    return row.median_geodesic_deg


def _by_visibility(rows: list[ErrorRow]) -> list[str]:
    """Of occluded images: a column for each range of visibility."""
    shown = [row for row in rows if row.image == "occluded"]
    ranges = [name for name in dict.fromkeys(row.visibility for row in shown) if name != ALL]
    if not ranges:
        return []
    lines = []
    for recipe, read_out in dict.fromkeys((row.recipe, row.read_out) for row in shown):
        found = [row for row in shown if (row.recipe, row.read_out) == (recipe, read_out)]
        of_ranges = [[row for row in found if row.visibility == name] for name in ranges]
        cells = [f"{spread_of(some, _median).mean:.1f}" if some else "" for some in of_ranges]
        lines.append([recipe, read_out.replace("_", " "), *cells])
    text = "Median geodesic error on occluded images by the visible part of the object:"
    return [text, "", *_table(("recipe", "read-out", *ranges), lines), ""]


def _gaps(cells: list[dict[str, Any]]) -> list[str]:
    return [
        f"- {cell['object']}, {_of_recipe(cell)}, {gap['read_out'].replace('_', ' ')}: occluded minus clean, 40% and "
        f"more visible, {gap['mean_geodesic_deg']:+.1f} ({gap['interval_deg'][0]:+.1f} to "
        f"{gap['interval_deg'][1]:+.1f}) mean geodesic, {gap['median_geodesic_deg']:+.1f} by the medians"
        + (f" (occluded {gap['occluded_median_deg']:.1f})" if "occluded_median_deg" in gap else "")
        for cell in cells
        for gap in cell.get("occluded_minus_clean", [])
    ]


def _averages(rows: list[ErrorRow]) -> list[str]:
    """Of one kind of image, the mean Euler error over objects, for each recipe and read-out that all objects have."""
    lines = []
    for recipe, read_out in dict.fromkeys((row.recipe, row.read_out) for row in rows):
        mean = average(rows, recipe, read_out)
        if mean is not None and len({row.object for row in rows}) > 1:
            named = f"{recipe}, {read_out.replace('_', ' ')}, {rows[0].image} images"
            lines.append(f"- {named}: {mean.told()} mean Euler on average")
    return lines


def _steps(rows: list[ErrorRow]) -> list[str]:
    """Of one kind of image, what each of the paper's steps changes over objects and seeds."""
    headings, lines = step_cells(rows)
    text = (
        "What each step changes, mean Euler, of trainings with the same object and seed, and in how many it is better:"
    )
    return ["", text, "", *_table(tuple(headings), lines)] if lines else []


def _missing(record: dict[str, Any]) -> list[str]:
    """What the command asked for and had not finished."""
    done, planned = (
        [f"{_of_recipe(cell)} on {cell['object']}" for cell in record.get(kind, ())] for kind in ("cells", "planned")
    )
    left = ", ".join(one for one in planned if one not in done)
    return [f"- not finished when this was written: {left}"] if left else []


def _of_recipe(cell: dict[str, Any]) -> str:
    """With the seed, where it is not the usual one."""
    return f"{cell['recipe']} with seed {cell['seed']}" if cell.get("seed") else str(cell["recipe"])


def _draw(record: dict[str, Any], path: Path) -> None:
    """Bars of the hardest kind of image that the part has."""
    shown = by_image([_row(row) for row in record["rows"]])
    image = next(image for image in shown if image != "clean")
    plot(shown[image]).savefig(path, dpi=80, bbox_inches="tight")


def _rounded(value: Any) -> Any:
    """Numbers to a thousandth: more is noise."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    main(sys.argv[1:])
