"""Makes docs/results.md of what `train compare` measured, part by part.

In: the comparison.json of one part. It is kept as FOLDER/results/PART.json, so that a part can be measured anew without
the others. Out: FOLDER/results.md and a plot of each part, of all parts that FOLDER/results holds.

Usage: python scripts/write_results.py PART COMPARISON.json [FOLDER] (`make paper` calls it; FOLDER is docs)
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from train.errors import ErrorRow
from train.table_page import plot

DOCS = Path(__file__).parent.parent / "docs"
HEAD = """# Results

Made by `scripts/write_results.py` of the numbers that `train compare` wrote; `make paper` repeats it all. Degrees. Mean
Euler: intrinsic ZYX, each difference wrapped to at most 180, mean over axes and images, the metric of the paper's table
2 (order and wrapping are ours); geodesic: the angle between estimate and truth. In brackets 95% by bootstrap over the
images. All objects have the same settings.
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
belt` learns from. `best` without the logarithm of the rotation's error, without hands of other pairs, with AdamW for
convolutions, too, with images as they are, with one look in place of three, and without the occlusion term.""",
    "belt": """## Hand occlusion

The last row of the paper's table 2 in our data: simulated sessions of the belt, true poses, hands and grasps of the
test in no training session (`scripts/belt.sh`). `recorded`: the occluded images that the simulated camera took; the
other occluded ones are drawn from other viewpoints. `best` and `srn-occlusion` have the occlusion term, the others not.
The paper has 25.2 for Wohlhart and Lepetit, 13.2 for srn, 14.3 by nearest neighbour, 11.8 with the occlusion term.""",
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
ASKED = ("seed", "recipes", "objects")
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
    asked = {name: record["configuration"][name] for name in ASKED}
    kept = {name: _rounded(record[name]) for name in KEPT if name in record}
    return {"command": _named(record["command"]), "configuration": asked, **kept}


def section(part: str, record: dict[str, Any]) -> str:
    """One part: how it was made, its tables, and the average of each recipe."""
    seconds = sum(cell["seconds"] for cell in record["cells"])
    rows = [row for row in record["rows"] if row["visibility"] == "all"]
    lines = [
        PARTS[part],
        *(["", record["note"]] if "note" in record else []),
        "",
        f"Seed {record['configuration']['seed']}, {seconds / 60:.0f} minutes of training, torch "
        f"{record['versions']['torch']}:",
        "",
        f"    {record['command']}",
        "",
        *_table(COLUMNS, [_cells(row, record["paper"]) for row in rows]),
        "",
        *_by_visibility(record["rows"]),
        *_gaps(record["cells"]),
        *_averages(rows),
        *_missing(record),
        "",
        f"![Mean Euler error by recipe](results/{part}.png)",
        "",
    ]
    return "\n".join(lines)


def _table(headings: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (list(headings), ["---"] * len(headings), *rows)]


def _named(command: str) -> str:
    """The command without the folders of the machine that it ran on."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in command.split())


def _cells(row: dict[str, Any], paper: dict[str, Any]) -> list[str]:
    low, high = row["mean_euler_interval_deg"]
    of_paper = paper.get(row["object"], {}).get(row["recipe"], [None, None])[row["read_out"] != "regression"]
    return [
        row["object"], row["recipe"], row["read_out"].replace("_", " "), row["image"], str(row["count"]),
        f"{row['mean_euler_deg']:.1f} ({low:.1f} to {high:.1f})", f"{row['mean_geodesic_deg']:.1f}",
        f"{row['median_geodesic_deg']:.1f}", "" if of_paper is None else f"{of_paper:.1f}",
    ]  # fmt: skip


def _by_visibility(rows: list[dict[str, Any]]) -> list[str]:
    """Of occluded images: a column for each range of visibility."""
    shown = [row for row in rows if row["image"] == "occluded"]
    ranges = [name for name in dict.fromkeys(row["visibility"] for row in shown) if name != "all"]
    if not ranges:
        return []
    lines = []
    for key in dict.fromkeys((row["recipe"], row["read_out"]) for row in shown):
        found = {row["visibility"]: row for row in shown if (row["recipe"], row["read_out"]) == key}
        cells = [f"{found[name]['median_geodesic_deg']:.1f}" if name in found else "" for name in ranges]
        lines.append([key[0], key[1].replace("_", " "), *cells])
    text = "Median geodesic error on occluded images by the visible part of the object:"
    return [text, "", *_table(("recipe", "read-out", *ranges), lines), ""]


def _gaps(cells: list[dict[str, Any]]) -> list[str]:
    return [
        f"- {cell['object']}, {cell['recipe']}, {gap['read_out'].replace('_', ' ')}: occluded minus clean, 40% and "
        f"more visible, {gap['mean_geodesic_deg']:+.1f} ({gap['interval_deg'][0]:+.1f} to "
        f"{gap['interval_deg'][1]:+.1f}) mean geodesic, {gap['median_geodesic_deg']:+.1f} by the medians"
        + (f" (occluded {gap['occluded_median_deg']:.1f})" if "occluded_median_deg" in gap else "")
        for cell in cells
        for gap in cell.get("occluded_minus_clean", [])
    ]


def _averages(rows: list[dict[str, Any]]) -> list[str]:
    """Of the mean Euler error over objects, for each recipe, read-out and kind of image that all objects have."""
    names = {row["object"] for row in rows}
    lines = []
    for key in dict.fromkeys((row["recipe"], row["read_out"], row["image"]) for row in rows):
        found = [row for row in rows if (row["recipe"], row["read_out"], row["image"]) == key]
        if len(names) > 1 and {row["object"] for row in found} == names:
            mean = sum(row["mean_euler_deg"] for row in found) / len(found)
            lines.append(f"- {key[0]}, {key[1].replace('_', ' ')}, {key[2]} images: {mean:.1f} mean Euler on average")
    return lines


def _missing(record: dict[str, Any]) -> list[str]:
    """What the command asked for and had not finished."""
    done = {(cell["object"], cell["recipe"]) for cell in record["cells"]}
    planned = ((one["object"], one["recipe"]) for one in record.get("planned", ()))
    left = ", ".join(f"{recipe} on {name}" for name, recipe in planned if (name, recipe) not in done)
    return [f"- not finished when this was written: {left}"] if left else []


def _draw(record: dict[str, Any], path: Path) -> None:
    """Bars of the hardest kind of image that the part has."""
    names = {field.name for field in fields(ErrorRow)}
    image = next(row["image"] for row in record["rows"] if row["image"] != "clean")
    rows = [row for row in record["rows"] if (row["image"], row["visibility"]) == (image, "all")]
    figure = plot([ErrorRow(**{name: row[name] for name in names}) for row in rows])
    figure.savefig(path, dpi=80, bbox_inches="tight")


def _rounded(value: Any) -> Any:
    """Numbers to a thousandth: more is noise."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    main(sys.argv[1:])
