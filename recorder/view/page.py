"""A page that shows what a recording holds, in one file: facts, faults, contact sheet, timing, depth, intrinsics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import imageio.v3 as imageio
import jinja2
import numpy as np
from PIL import Image

from recorder.depth_span import depth_span
from recorder.session import Session
from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.depth_picture import depth_picture
from scene.files import new_path, refuse_existing
from scene.object_model import ObjectModel
from scene.pages import embedded, figure_png, new_figure

THUMBNAIL_WIDTH = 300
HOLES_SAMPLED = 120
"""frames whose holes are counted"""
TRUTH_COLOR = (70, 220, 110)
TRUTH_POINTS = 400
"""of the object's surface that are drawn where the true pose is known"""

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1250px; padding: 0 1em; color: #222 }
th, td { padding: 2px 12px 2px 0; text-align: left; vertical-align: top } th { font-weight: 600 }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); gap: 10px }
.sheet img { width: 100%; display: block } figure { margin: 0 } figcaption { color: #555; font-size: 12px }
.fault { color: #a11 } .plots img { max-width: 100% }
</style></head><body>
<h1>{{ title }}</h1>
<table>{% for name, value in facts.items() %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
<h2>Faults</h2>
{% if faults %}<ul>{% for fault in faults %}<li class="fault">{{ fault }}</li>{% endfor %}</ul>
{% else %}<p>recorder check finds none.</p>{% endif %}
<h2>Frames</h2>
<p>{{ first }}{{ drawn }}, and depth: light is near ({{ near }} m), dark is far ({{ far }} m), grey is no
measurement.</p>
<div class="sheet">{% for frame in frames %}<figure>
<img src="{{ frame.color }}" alt=""><img src="{{ frame.depth }}" alt="">
<figcaption>{{ frame.text }}</figcaption></figure>{% endfor %}</div>
<h2>Timing, depth and intrinsics</h2>
<div class="plots">{% for text, picture in plots %}<figure><img src="{{ picture }}" alt="{{ text }}">
<figcaption>{{ text }}</figcaption></figure>{% endfor %}</div></body></html>
"""


def write_page(
    session: Session, output: Path, facts: Mapping[str, str], faults: list[str], count: int, *, overwrite: bool
) -> None:
    """Writes the page.

    Args:
        session: open recording.
        output: HTML file.
        facts: lines at the top.
        faults: of `recorder check`.
        count: frames on the contact sheet, spread over the recording.
        overwrite: replace the page if it exists.
    """
    refuse_existing(output, overwrite=overwrite)
    limits = depth_span(session)
    chosen = np.unique(np.linspace(0, len(session) - 1, count).astype(int))
    known = session.truth is not None and session.object_model is not None
    text = (
        jinja2.Environment(autoescape=True)
        .from_string(TEMPLATE)
        .render(
            title=f"Recording {session.path.name}",
            facts=facts,
            faults=faults,
            near=f"{limits[0]:.2f}",
            far=f"{limits[1]:.2f}",
            first="Colour" if session.colored else "Black, for there is no colour",
            drawn=" with points of the object where it truly is in green" if known else "",
            frames=[_frame(session, int(index), limits) for index in chosen],
            plots=_plots(session),
        )
    )
    with new_path(output, overwrite=overwrite) as partial:
        partial.write_text(text, encoding="utf-8")


def _frame(session: Session, index: int, limits: tuple[float, float]) -> dict[str, str]:
    frame = session.frame(index)
    color, dropped = frame.color.copy(), int(session.dropped_before[index])
    if session.truth is not None and session.object_model is not None:
        _draw_object(color, session.object_model, session.truth.camera_from_object[index], session.camera)
    since_s = frame.timestamp_s - session.timestamps_s[0]
    return {
        "color": _jpeg(color),
        "depth": _jpeg(depth_picture(frame.depth, limits)),
        "text": f"frame {index}, {since_s:.2f} s, {np.mean(frame.depth == 0):.0%} holes"
        + (f", {dropped} dropped before" if dropped else ""),
    }


def _draw_object(color: Bytes, model: ObjectModel, camera_from_object: Floats, camera: Camera) -> None:
    if not np.isfinite(camera_from_object).all():
        return
    vertices = model.vertices[:: max(1, len(model.vertices) // TRUTH_POINTS)]
    pixels = np.nan_to_num(camera.project(vertices @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]), nan=-1)
    u, v = np.rint(pixels).astype(int).T
    seen = (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height)
    color[v[seen], u[seen]] = TRUTH_COLOR


def _plots(session: Session) -> list[tuple[str, str]]:
    return [
        ("Time between frames, on the sensor's clock; red lines are where frames were dropped.", _timing(session)),
        ("Part of the depth without a measurement.", _holes(session)),
        ("The image's border and the principal point, and half the angle of view to each side.", _view(session.camera)),
    ]


def _timing(session: Session) -> str:
    figure, axes = new_figure()
    axes.plot(np.arange(1, len(session)), np.diff(session.timestamps_s) * 1000, ".-", markersize=3, linewidth=0.7)
    for index in np.flatnonzero(session.dropped_before):
        axes.axvline(index, color="tab:red", linewidth=0.6)
    axes.set(xlabel="frame", ylabel="ms", ylim=(0, None))
    return figure_png(figure)


def _holes(session: Session) -> str:
    figure, axes = new_figure()
    chosen = np.unique(np.linspace(0, len(session) - 1, HOLES_SAMPLED).astype(int))
    axes.plot(chosen, [100 * np.mean(session.depth_counts(int(index)) == 0) for index in chosen])
    axes.set(xlabel="frame", ylabel="percent", ylim=(0, 100))
    return figure_png(figure)


def _view(camera: Camera) -> str:
    figure, axes = new_figure(height=3.4)
    right, bottom = camera.width - 0.5, camera.height - 0.5
    axes.plot([-0.5, right, right, -0.5, -0.5], [-0.5, -0.5, bottom, bottom, -0.5], color="black", linewidth=1)
    axes.plot(camera.cx, camera.cy, "+", markersize=14, color="tab:red")
    across = np.array([camera.cx + 0.5, right - camera.cx]) / camera.fx
    along = np.array([camera.cy + 0.5, bottom - camera.cy]) / camera.fy
    left_deg, right_deg, up_deg, down_deg = np.rad2deg(np.arctan(np.concatenate([across, along])))
    for x, y, angle in (
        (0.03 * right, camera.cy, left_deg),
        (0.92 * right, camera.cy, right_deg),
        (camera.cx, 0.08 * bottom, up_deg),
        (camera.cx, 0.97 * bottom, down_deg),
    ):
        axes.text(x, y, f"{angle:.1f}°")
    axes.set(aspect="equal", ylim=(camera.height * 1.04, -camera.height * 0.04), xlabel="pixels", ylabel="pixels")
    return figure_png(figure)


def _jpeg(picture: Bytes) -> str:
    height = max(1, round(picture.shape[0] * THUMBNAIL_WIDTH / picture.shape[1]))
    small = np.asarray(Image.fromarray(picture).resize((THUMBNAIL_WIDTH, height)))
    return embedded(imageio.imwrite("<bytes>", small, extension=".jpg", quality=85), "jpeg")
