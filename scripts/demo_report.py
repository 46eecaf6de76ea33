"""The end of the demo. In: the folder in which scripts/demo.sh ran the commands. Out: one table, and index.html.

Uses what the commands left (session, track, pairs, the JSON files of the evaluations) through their format modules.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from rich.console import Console
from rich.table import Table

from scripts.demo_pictures import pair_rows, track_pictures

WIDTH = 110
"""characters of the printed tables, whatever the terminal says of itself"""
RUNS = (("with", "run"), ("without", "run-without"))
"""how a run stands to the occlusion term, and its folder"""
READ_OUTS = ("regression", "nearest_neighbour")
TRACK_COLUMNS = {
    "visibility": "object visible",
    "frames": "frames",
    "tracked": "TRACKED",
    "median_rotation_deg": "object deg",
    "median_translation_mm": "object mm",
    "right": "right",
    "hand_tracked": "hand TRACKED",
    "hand_joint_mm": "joints mm",
    "hand_visible_joint_mm": "in sight mm",
}
"""name in track-errors.json -> heading"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>unocclude demo</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } th, td { padding: 3px 12px 3px 0; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
.frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 10px }
figure { margin: 0 } img { display: block; max-width: 100% } figcaption { color: #555; font-size: 13px }
.pairs img { image-rendering: pixelated; width: 100px }
</style></head><body>
<h1>unocclude demo</h1>
<p>A simulated hand turns an object before a simulated depth camera; what follows was made by the four commands. All
figures below are of that one simulated recording.</p>
{% for table in tables %}<h2>{{ table.title }}</h2>
<table><tr>{% for heading in table.headings %}<th>{{ heading }}</th>{% endfor %}</tr>
{% for row in table.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>
<p>{{ table.note }}</p>{% endfor %}
<h2>Tracked frames</h2>
<p>Green: outline of the tracked object, its hidden part included. Yellow: skeleton of the tracked hand.</p>
<div class="frames">{% for text, picture in frames %}<figure><img src="{{ picture }}" alt="{{ text }}">
<figcaption>{{ text }}</figcaption></figure>{% endfor %}</div>
<h2>Pairs</h2>
<table class="pairs"><tr><th></th>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>
{% for text, pictures in pairs %}<tr><td>{{ text }}</td>
{% for picture in pictures %}<td><img src="{{ picture }}" alt=""></td>{% endfor %}</tr>{% endfor %}</table>
</body></html>
"""


@dataclass(frozen=True)
class Figures:
    """A table that is both printed and put on the page."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def main(folder: Path) -> None:
    """Prints the tables, writes the page, prints its path."""
    tables = (track_figures(_read(folder / "track-errors.json")), pose_figures(folder))
    for figures in tables:
        _print(figures)
    page = folder / "index.html"
    frames = track_pictures(folder / "session.h5")
    columns, pairs = pair_rows(folder / "pairs.h5")
    environment = jinja2.Environment(autoescape=True)
    text = environment.from_string(PAGE).render(tables=tables, frames=frames, columns=columns, pairs=pairs)
    page.write_text(text, encoding="utf-8")
    print(f"Page with pictures: {page.resolve()}")


def track_figures(errors: dict[str, Any]) -> Figures:
    """What `tracker evaluate --json` wrote."""
    rows = tuple(tuple(_cell(row[name]) for name in TRACK_COLUMNS) for row in errors["rows"])
    note = (
        "Median error of the object and mean error of the hand's joints, over the frames called TRACKED; "
        "right: the share of these within 10 degrees and 10 mm."
    )
    return Figures("track against truth", tuple(TRACK_COLUMNS.values()), rows, note)


def pose_figures(folder: Path) -> Figures:
    """Errors of both runs, by image and visibility."""
    runs = [(name, _rows_by_kind(_read(folder / path / "evaluation.json"))) for name, path in RUNS]
    kinds = [(image, visible) for image, visible, read_out in runs[0][1] if read_out == "regression"]
    rows = []
    for image, visible in kinds:
        cells = [f"{image}, {visible}", str(runs[0][1][image, visible, "regression"]["count"])]
        for read_out in READ_OUTS:
            for _, errors in runs:
                row = errors[image, visible, read_out]
                cells.append(f"{row['mean_geodesic_deg']:.1f} ({row['mean_euler_deg']:.1f})")
        rows.append(tuple(cells))
    headings = [f"{read_out.replace('_', ' ')} {name}" for read_out in READ_OUTS for name, _ in runs]
    note = (
        "Degrees, mean geodesic error and in brackets mean Euler error, on test pairs; "
        "with and without the occlusion term. The range is the object's visible part in the occluded image."
    )
    return Figures("pose error of the network", ("image, visible", "images", *headings), tuple(rows), note)


def _rows_by_kind(evaluation: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(row["image"], row["visibility"], row["read_out"]): row for row in evaluation["rows"]}


def _cell(value: str | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _print(figures: Figures) -> None:
    table = Table(*figures.headings, title=figures.title, caption=figures.note)
    for row in figures.rows:
        table.add_row(*row)
    Console(width=WIDTH).print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
