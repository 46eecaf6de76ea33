"""Makes docs/results.md of what `train compare` measured. In: its comparison.json files. Out: the page.

Usage: python scripts/write_results.py COMPARISON.json ... (`make paper` calls it)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
COLUMNS = (
    "object", "recipe", "read-out", "image", "visible", "images", "mean Euler", "mean geodesic", "median geodesic",
    "the paper's mean Euler",
)  # fmt: skip
HEAD = """# Results

Made by `scripts/write_results.py` of the numbers that `train compare` wrote; `make paper` repeats it all. Degrees. Mean
Euler: intrinsic ZYX, each difference wrapped to at most 180, mean over axes and images, the metric of the paper's table
2 (order and wrapping are ours); geodesic: the angle between estimate and truth. In brackets 95% by bootstrap over the
images. All objects have the same settings. The paper's figures are of RGB-D images, ours of colour alone.

Settings were chosen on held-out training images and on training losses, with one exception: after a first test figure
of the ape (6.2 by `best` with 900 steps and formed batches) its steps were raised and its pairs drawn at random. So the
ape's figures by `best` are not of images that nothing was chosen by; those of the other objects are.
"""


def main(paths: list[Path]) -> None:
    """Writes the page."""
    PAGE.write_text("\n".join([HEAD, *(section(json.loads(path.read_text())) for path in paths)]), encoding="utf-8")
    print(f"results in {PAGE}")


def section(record: dict[str, Any]) -> str:
    """One comparison: how it was made, its table, and the average of each recipe."""
    seconds = sum(cell["seconds"] for cell in record["cells"])
    versions = record["versions"]
    lines = [
        f"## {', '.join(dict.fromkeys(row['object'] for row in record['rows']))}",
        "",
        f"Seed {record['configuration']['seed']}, {seconds / 60:.0f} minutes of training, torch {versions['torch']}:",
        "",
        f"    {_named(record['command'])}",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * len(COLUMNS),
        *(_line(row, record["paper"]) for row in record["rows"]),
        "",
        *_averages(record["rows"]),
        *_missing(record),
        "",
    ]
    return "\n".join(lines)


def _named(command: str) -> str:
    """The command without the folders of the machine that it ran on."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in command.split())


def _line(row: dict[str, Any], paper: dict[str, Any]) -> str:
    low, high = row["mean_euler_interval_deg"]
    of_paper = paper.get(row["object"], {}).get(row["recipe"], [None, None])[row["read_out"] != "regression"]
    cells = [
        row["object"], row["recipe"], row["read_out"].replace("_", " "), row["image"], row["visibility"],
        str(row["count"]), f"{row['mean_euler_deg']:.1f} ({low:.1f} to {high:.1f})", f"{row['mean_geodesic_deg']:.1f}",
        f"{row['median_geodesic_deg']:.1f}", "" if of_paper is None else f"{of_paper:.1f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _averages(rows: list[dict[str, Any]]) -> list[str]:
    """Of the mean Euler error over objects, for each recipe, read-out and kind of image that all objects have."""
    names = {row["object"] for row in rows}
    lines = []
    for key in dict.fromkeys((row["recipe"], row["read_out"], row["image"]) for row in rows):
        found = [
            row for row in rows
            if (row["recipe"], row["read_out"], row["image"]) == key and row["visibility"] == "all"
        ]  # fmt: skip
        if len(names) > 1 and {row["object"] for row in found} == names:
            mean = sum(row["mean_euler_deg"] for row in found) / len(found)
            lines.append(f"- {key[0]}, {key[1].replace('_', ' ')}, {key[2]} images: {mean:.1f} mean Euler on average")
    return lines


def _missing(record: dict[str, Any]) -> list[str]:
    """What the command asked for on patches and had not finished."""
    asked, done = record["configuration"], {(cell["object"], cell["recipe"]) for cell in record["cells"]}
    left = [
        f"{recipe} on {name}" for recipe in asked["recipes"] for name in asked["objects"] if (name, recipe) not in done
    ]
    return [f"- not finished when this was written: {', '.join(left)}"] if left else []


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
