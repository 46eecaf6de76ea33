"""The page of a comparison: the paper's figure 2a and table 2 as plots and tables, in one self-contained file."""

from __future__ import annotations

import base64
import io
import math
from itertools import cycle, product
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from rich.markup import escape
from rich.table import Table

from train.errors import ErrorRow, ReadOut
from train.seeds import READ_OUTS, average, by_image, spread_of, steps

MARKS = "os^Dvp*"
"""of the objects"""
STYLE = """body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 } th, td { padding: 3px 12px 3px 0; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
img { max-width: 100% } .sheet img { image-rendering: pixelated; width: 96px } figure { margin: 4px }
figure { display: inline-block }
figcaption { color: #555; font-size: 13px }"""
TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Recipes compared</title><style>{{ style }}</style></head><body>
<h1>Recipes compared</h1>
<p>Mean Euler error in degrees (intrinsic ZYX, each difference wrapped to at most 180, mean over axes and images), and
in brackets the mean geodesic error, on test images that no training saw. [paper]: its table 2, of RGB-D images. Of
several seeds means, ± their standard deviation. Changes are below zero where the later recipe is better.
</p>
{% for image, plot, tables in parts %}<h2>{{ image }} images</h2><img src="{{ plot }}" alt="">
{% for headings, rows in tables %}<table><tr>{% for heading in headings %}<th>{{ heading }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>
{% endfor %}{% endfor %}</body></html>
"""
Paper = dict[str, dict[str, tuple[float, float]]]


def write_comparison(path: Path, rows: list[ErrorRow], paper: Paper) -> None:
    """Writes the page.

    Args:
        path: HTML file, replaced.
        rows: of all cells.
        paper: object -> recipe -> the paper's mean Euler error by regression and by nearest neighbour.
    """
    parts = [
        (
            image,
            picture(plot(shown)),
            [cells for cells in (comparison_cells(shown, paper), step_cells(shown)) if cells[1]],
        )
        for image, shown in by_image(rows).items()
    ]
    environment = jinja2.Environment(autoescape=True)
    path.write_text(environment.from_string(TEMPLATE).render(style=STYLE, parts=parts), encoding="utf-8")


def comparison_table(rows: tuple[ErrorRow, ...], paper: Paper) -> list[Table]:
    """The same tables to print."""
    tables = []
    for image, shown in by_image(list(rows)).items():
        title = f"{image} images: mean Euler (mean geodesic) error, degrees"
        tables.append(_table(title, *comparison_cells(shown, paper)))
        headings, lines = step_cells(shown)
        if lines:
            tables.append(_table(f"{image} images: what each step changes, mean Euler, degrees", headings, lines))
    return tables


def _table(title: str, headings: list[str], lines: list[list[str]]) -> Table:
    table = Table(*headings, title=title)
    for line in lines:
        table.add_row(*map(escape, line))  # else [paper ...] is taken for markup
    return table


def comparison_cells(rows: list[ErrorRow], paper: Paper) -> tuple[list[str], list[list[str]]]:
    """Headings and lines: a line for each recipe and read-out, a column for each object, and their average."""
    names = list(dict.fromkeys(row.object for row in rows))
    lines = []
    for recipe, read_out in product(dict.fromkeys(row.recipe for row in rows), READ_OUTS):
        found = [row for row in rows if (row.recipe, row.read_out) == (recipe, read_out)]
        if not found:
            continue
        of_names = [[row for row in found if row.object == name] for name in names]
        cells = [_cell(some, _paper(paper, name, recipe, read_out)) for name, some in zip(names, of_names, strict=True)]
        mean = average(rows, recipe, read_out)
        geodesic = np.mean([spread_of(some, _geodesic).mean for some in of_names if some])
        lines.append([recipe, read_out.replace("_", " "), *cells, f"{mean.told()} ({geodesic:.1f})" if mean else ""])
    return ["recipe", "read-out", *names, "average"], lines


def step_cells(rows: list[ErrorRow]) -> tuple[list[str], list[list[str]]]:
    """Headings and lines of what each of the paper's steps changes over objects and seeds; none where it has none."""
    lines = [
        [f"{step.before} to {step.after}", step.read_out.replace("_", " "), step.changes.told("+"), step.better]
        for step in steps(rows)
    ]
    return ["step", "read-out", "change", "better"], lines


def picture(figure: Figure) -> str:
    """A figure as a data URL."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, bbox_inches="tight")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _cell(rows: list[ErrorRow], of_paper: float) -> str:
    """Of one object, recipe and read-out, with each seed."""
    if not rows:
        return ""
    beside = "" if math.isnan(of_paper) else f" [paper {of_paper:.1f}]"
    return f"{spread_of(rows).told()} ({spread_of(rows, _geodesic).mean:.1f}){beside}"


def _geodesic(row: ErrorRow) -> float:
    return row.mean_geodesic_deg


def _paper(paper: Paper, name: str, recipe: str, read_out: ReadOut) -> float:
    return paper.get(name, {}).get(recipe, (math.nan, math.nan))[READ_OUTS.index(read_out)]


def plot(rows: list[ErrorRow]) -> Figure:
    """Figure 2a: bars of the mean Euler error over objects, one group a recipe; in them a mark of each object.

    Of several seeds bars and marks are means, and lines through marks as long as the standard deviation to either side.
    """
    recipes, names = (list(dict.fromkeys(getattr(row, kind) for row in rows)) for kind in ("recipe", "object"))
    marks = dict(zip(names, cycle(MARKS), strict=False))
    figure = Figure(figsize=(1.5 + 1.2 * len(recipes), 3.6))
    axes = figure.subplots()
    for (at, read_out), (place, recipe) in product(enumerate(READ_OUTS), enumerate(recipes)):
        x, found = place + 0.4 * at - 0.2, [row for row in rows if (row.recipe, row.read_out) == (recipe, read_out)]
        spreads = {name: spread_of([row for row in found if row.object == name]) for name in names}
        there = {name: spread for name, spread in spreads.items() if spread.values}
        if there:
            axes.bar(x, float(np.mean([spread.mean for spread in there.values()])), 0.38, color=f"C{at}")
        for name, spread in there.items():
            if len(spread.values) > 1:
                axes.vlines(
                    x, spread.mean - spread.deviation, spread.mean + spread.deviation, color="#333", linewidth=1
                )
            axes.plot([x], [spread.mean], marks[name], color="#333", markersize=4)
    axes.set_xticks(range(len(recipes)), recipes, rotation=15)
    axes.set_ylabel("mean Euler error, degrees")
    handles: list[Artist] = [Patch(color=f"C{at}", label=name.replace("_", " ")) for at, name in enumerate(READ_OUTS)]
    if len(names) > 1:
        handles += [Line2D([], [], color="#333", linestyle="", marker=marks[name], label=name) for name in names]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside the bars, it hides none
    return figure
