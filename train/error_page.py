"""The page of an evaluation: table, cumulative errors, true against estimated angles, the worst images; one file."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import imageio.v3 as imageio
import jinja2
import numpy as np
from matplotlib.figure import Figure

from scene.arrays import Bytes, Floats
from scene.errors import InputError
from scene.rotations import rotation_vector_from_matrix
from train.errors import THRESHOLDS_DEG, ErrorRow, Estimates
from train.evaluate import Evaluation
from train.report import gap_lines
from train.table_page import STYLE, picture

HEADINGS = ("image", "read-out", "visible", "images", "mean Euler", "95%", "mean geodesic", "95%", "median",
            *(f"< {limit}" for limit in THRESHOLDS_DEG))  # fmt: skip
TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Errors</title><style>{{ style }}</style></head><body>
<h1>Pose errors on {{ evaluation.count }} test poses of {{ evaluation.source }}</h1>
<p>Degrees. Mean Euler: intrinsic ZYX, each difference wrapped to at most 180, mean over axes and images;
geodesic: angle of the rotation between estimate and truth. 95%: by bootstrap over the images.</p>
<table><tr>{% for heading in headings %}<th>{{ heading }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>
{% for line in gaps %}<p>{{ line }}</p>{% endfor %}
<h2>Share of images below an error</h2><img src="{{ shares }}" alt="">
<h2>Estimated against true rotation</h2>
<p>The three numbers of the rotation vector; what lies off the diagonal is confused.</p>
<img src="{{ confusion }}" alt="">
<h2>Largest errors</h2><p>Of the regression, or of the only read-out.</p>
<div class="sheet">{% for text, image in worst %}
<figure><img src="{{ image }}" alt=""><figcaption>{{ text }}</figcaption></figure>{% endfor %}</div></body></html>
"""


def write_page(evaluation: Evaluation, path: Path) -> None:
    """Writes the page, replacing what is there."""
    text = jinja2.Environment(autoescape=True).from_string(TEMPLATE).render(
        style=STYLE,
        evaluation=evaluation,
        headings=HEADINGS,
        rows=[_cells(row) for row in evaluation.rows],
        gaps=gap_lines(evaluation),
        shares=picture(_shares(evaluation)),
        confusion=picture(_confusion(evaluation.estimates[0])),
        worst=[(sample.text, _png(sample.color)) for sample in evaluation.worst],
    )  # fmt: skip
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} could not be written ({error}); give another --page") from error


def _cells(row: ErrorRow) -> list[str]:
    means = [
        f"{row.mean_euler_deg:.1f}", _interval(row.mean_euler_interval_deg),
        f"{row.mean_geodesic_deg:.1f}", _interval(row.mean_geodesic_interval_deg), f"{row.median_geodesic_deg:.1f}",
    ]  # fmt: skip
    shares = [f"{100 * share:.0f}%" for share in row.under_deg.values()]
    return [row.image, row.read_out.replace("_", " "), row.visibility, str(row.count), *means, *shares]


def _interval(limits: tuple[float, float]) -> str:
    return f"{limits[0]:.1f}-{limits[1]:.1f}"


def _shares(evaluation: Evaluation) -> Figure:
    figure = Figure(figsize=(6, 3.5))
    axes = figure.subplots()
    for one in evaluation.estimates:
        errors = np.sort(one.geodesic_deg)
        share = np.arange(1, len(errors) + 1) / len(errors)
        axes.plot(errors, share, label=f"{one.image}, {one.read_out.replace('_', ' ')}")
    axes.set(xscale="log", xlim=(0.5, 180), xlabel="geodesic error, degrees", ylabel="share of images")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside the curves, it hides none
    return figure


def _confusion(one: Estimates) -> Figure:
    figure = Figure(figsize=(9.5, 3.2), layout="constrained")
    true, estimated = (_vectors_deg(rotations) for rotations in (one.true, one.estimated))
    for axis, axes in enumerate(figure.subplots(1, 3)):
        axes.hist2d(true[:, axis], estimated[:, axis], bins=36, range=[[-180, 180]] * 2, cmap="Blues", cmin=1)
        axes.set(xlabel=f"true {'xyz'[axis]}, degrees", ylabel="estimated" if axis == 0 else "", aspect="equal")
    return figure


def _vectors_deg(rotations: Floats) -> Floats:
    return np.degrees(rotation_vector_from_matrix(rotations))


def _png(color: Bytes) -> str:
    stream = io.BytesIO()
    imageio.imwrite(stream, color, extension=".png")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
