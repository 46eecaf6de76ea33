"""The page of a comparison: the paper's figure 2a and table 2 as plots and tables, in one self-contained file."""

from __future__ import annotations

import base64
import io
import math
from itertools import cycle
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from rich.markup import escape
from rich.table import Table

from train.errors import ALL, ErrorRow, ReadOut

READ_OUTS: tuple[ReadOut, ...] = ("regression", "nearest_neighbour")
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
in brackets the mean geodesic error, on test images that no training saw. [paper]: its table 2, of RGB-D images.
</p>
{% for image, plot, headings, rows in tables %}<h2>{{ image }} images</h2><img src="{{ plot }}" alt="">
<table><tr>{% for heading in headings %}<th>{{ heading }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>
{% endfor %}</body></html>
"""
Paper = dict[str, dict[str, tuple[float, float]]]


def write_comparison(path: Path, rows: list[ErrorRow], paper: Paper) -> None:
    """Writes the page.

    Args:
        path: HTML file, replaced.
        rows: of all cells.
        paper: object -> recipe -> the paper's mean Euler error by regression and by nearest neighbour.
    """
    tables = []
    for image in dict.fromkeys(row.image for row in rows):
        shown = [row for row in rows if row.image == image and row.visibility == ALL]
        headings, lines = comparison_cells(shown, paper)
        tables.append((image, picture(plot(shown)), headings, lines))
    environment = jinja2.Environment(autoescape=True)
    path.write_text(environment.from_string(TEMPLATE).render(style=STYLE, tables=tables), encoding="utf-8")


def comparison_table(rows: tuple[ErrorRow, ...], paper: Paper) -> list[Table]:
    """The same tables to print."""
    tables = []
    for image in dict.fromkeys(row.image for row in rows):
        shown = [row for row in rows if row.image == image and row.visibility == ALL]
        headings, lines = comparison_cells(shown, paper)
        table = Table(*headings, title=f"{image} images: mean Euler (mean geodesic) error, degrees")
        for line in lines:
            table.add_row(*map(escape, line))  # else [paper ...] is taken for markup
        tables.append(table)
    return tables


def comparison_cells(rows: list[ErrorRow], paper: Paper) -> tuple[list[str], list[list[str]]]:
    """Headings and lines: a line for each recipe and read-out, a column for each object, and their average."""
    names = list(dict.fromkeys(row.object for row in rows))
    lines = []
    for recipe in dict.fromkeys(row.recipe for row in rows):
        for read_out in READ_OUTS:
            found = {row.object: row for row in rows if (row.recipe, row.read_out) == (recipe, read_out)}
            if not found:
                continue
            cells = [_cell(found.get(name), _paper(paper, name, recipe, read_out)) for name in names]
            mean = ""
            if len(found) == len(names):
                euler = np.mean([row.mean_euler_deg for row in found.values()])
                mean = f"{euler:.1f} ({np.mean([row.mean_geodesic_deg for row in found.values()]):.1f})"
            lines.append([recipe, read_out.replace("_", " "), *cells, mean])
    return ["recipe", "read-out", *names, "average"], lines


def picture(figure: Figure) -> str:
    """A figure as a data URL."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, bbox_inches="tight")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _cell(row: ErrorRow | None, of_paper: float) -> str:
    if row is None:
        return ""
    beside = "" if math.isnan(of_paper) else f" [paper {of_paper:.1f}]"
    return f"{row.mean_euler_deg:.1f} ({row.mean_geodesic_deg:.1f}){beside}"


def _paper(paper: Paper, name: str, recipe: str, read_out: ReadOut) -> float:
    return paper.get(name, {}).get(recipe, (math.nan, math.nan))[READ_OUTS.index(read_out)]


def plot(rows: list[ErrorRow]) -> Figure:
    """Figure 2a: bars of the mean Euler error over objects, one group a recipe; in them a mark of each object."""
    recipes, names = (list(dict.fromkeys(getattr(row, kind) for row in rows)) for kind in ("recipe", "object"))
    marks = dict(zip(names, cycle(MARKS), strict=False))
    figure = Figure(figsize=(1.5 + 1.2 * len(recipes), 3.6))
    axes = figure.subplots()
    for at, read_out in enumerate(READ_OUTS):
        for place, recipe in enumerate(recipes):
            found = [row for row in rows if (row.recipe, row.read_out) == (recipe, read_out)]
            if found:
                x = place + 0.4 * at - 0.2
                axes.bar(x, float(np.mean([row.mean_euler_deg for row in found])), 0.38, color=f"C{at}")
            for row in found:
                axes.plot([x], [row.mean_euler_deg], marks[row.object], color="#333", markersize=4)
    axes.set_xticks(range(len(recipes)), recipes, rotation=15)
    axes.set_ylabel("mean Euler error, degrees")
    handles: list[Artist] = [Patch(color=f"C{at}", label=name.replace("_", " ")) for at, name in enumerate(READ_OUTS)]
    if len(names) > 1:
        handles += [Line2D([], [], color="#333", linestyle="", marker=marks[name], label=name) for name in names]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside the bars, it hides none
    return figure
