"""A page to look at pairs with one's own eyes: contact sheet, coverage of rotations, visibility; all in one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import jinja2
import numpy as np
from matplotlib.figure import Figure

from pairs.format import BACKGROUND_NAMES, ORIGIN_NAMES, REAL, RENDERED, SPLIT_NAMES, PairsFile, normalised_depth
from scene.arrays import Bytes, Floats, Integers
from scene.files import new_path, refuse_existing
from scene.pages import embedded, figure_png, new_figure
from scene.rotations import geodesic_angle

COLUMNS = ("occluded", "rendered", "clean", "difference", "masks", "occluded depth", "rendered depth", "clean depth")
VISIBLE_COLOR, HIDDEN_COLOR = (70, 190, 90), (220, 70, 60)
LARGEST_COVERAGE_SAMPLE = 2000
"""rows that are compared with each other for the coverage of rotations"""

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 1150px; padding: 0 1em; color: #222 }
table { border-collapse: collapse } th, td { padding: 2px 6px 2px 0; text-align: left; vertical-align: top }
th { font-weight: 600; position: sticky; top: 0; background: #fff }
td img { display: block; image-rendering: pixelated }
.number { font-variant-numeric: tabular-nums; color: #555; white-space: nowrap }
</style></head><body>
<h1>{{ title }}</h1>
<table>{% for name, value in facts.items() %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
{% for text, picture in plots %}<figure>
<img src="{{ picture }}" alt="{{ text }}"><figcaption>{{ text }}</figcaption></figure>
{% endfor %}
<h2>Pairs</h2>
<p>Difference: occluded against clean, in colour. Masks: green is the part of the object that the camera sees, red what
is hidden from it. Depth: dark is near, white is far, blue is no measurement.</p>
<table><tr><th>pair</th>{% for column in columns %}<th>{{ column }}</th>{% endfor %}</tr>
{% for row in rows %}<tr><td class="number">{% for line in row.text %}{{ line }}<br>{% endfor %}</td>
{% for picture in row.pictures %}<td><img width="96" height="96" src="{{ picture }}" alt=""></td>{% endfor %}</tr>
{% endfor %}</table></body></html>
"""


def write_page(
    pairs: PairsFile, output: Path, count: int, seed: int, facts: Mapping[str, str], *, overwrite: bool
) -> None:
    """Writes the page.

    Args:
        pairs: open file.
        output: HTML file.
        count: pairs to show.
        seed: of the choice of them.
        facts: lines at the top.
        overwrite: replace the page if it exists.
    """
    refuse_existing(output, overwrite=overwrite)
    rows = chosen_rows(pairs.origin, count, np.random.default_rng(seed))
    environment = jinja2.Environment(autoescape=True)
    text = environment.from_string(TEMPLATE).render(
        title=f"Pairs of {pairs.object_model.name}",
        facts=facts,
        plots=_plots(pairs) if len(pairs) else [],
        columns=COLUMNS,
        rows=[_described_row(pairs, int(row)) for row in rows],
    )
    with new_path(output, overwrite=overwrite) as partial:
        partial.write_text(text, encoding="utf-8")


def chosen_rows(origin: Integers, count: int, rng: np.random.Generator) -> Integers:
    """At most `count` rows, rising: half real and half rendered where there are as many of both."""
    real, rendered = (rng.permutation(np.flatnonzero(origin == kind)) for kind in (REAL, RENDERED))
    of_real = min(len(real), max(count - len(rendered), (count + 1) // 2))
    chosen: Integers = np.sort(np.concatenate([real[:of_real], rendered[: count - of_real]]))
    return chosen


def contact_row(pairs: PairsFile, row: int) -> list[Bytes]:
    """One (size, size, 3) picture for each of COLUMNS."""
    color = {kind: pairs.read(f"{kind}/color", row, row + 1)[0] for kind in ("occluded", "rendered", "clean")}
    difference = np.abs(color["occluded"].astype(int) - color["clean"]).astype(np.uint8)
    amodal, visible = (pairs.read(f"mask_{kind}", row, row + 1)[0] for kind in ("amodal", "visible"))
    masks = np.zeros_like(difference)
    masks[amodal], masks[visible] = HIDDEN_COLOR, VISIBLE_COLOR
    depth = [depth_picture(pairs.read(f"{kind}/depth", row, row + 1)[0]) for kind in color]
    return [*color.values(), difference, masks, *depth]


def depth_picture(stored: Integers) -> Bytes:
    """(size, size) stored depth -> (size, size, 3): dark is near, white is far, blue is no measurement."""
    grey = np.rint(255 * (normalised_depth(stored.astype(float)) + 1) / 2).clip(0, 255).astype(np.uint8)
    picture: Bytes = np.repeat(grey[..., None], 3, axis=-1)
    picture[stored == 0] = (40, 60, 140)
    return picture


def nearest_rotations(queries: Floats, gallery: Floats) -> Floats:
    """(N, 3, 3), (M, 3, 3) -> (N,) radians from each query to the nearest of the gallery."""
    return np.array([geodesic_angle(query[None], gallery).min() for query in queries])


def _described_row(pairs: PairsFile, row: int) -> dict[str, Any]:
    frame, hand = int(pairs.column("frame_index")[row]), int(pairs.column("hand_frame")[row])
    behind = int(pairs.column("background_frame")[row])
    lines = (
        f"row {row}",
        f"{ORIGIN_NAMES[pairs.origin[row]]}, {SPLIT_NAMES[pairs.split[row]]}",
        f"frame {frame}" + ("" if hand == frame else ", no hand" if hand < 0 else f", hand of {hand}"),
        f"{pairs.visibility[row]:.0%} visible",
        f"behind: {BACKGROUND_NAMES[pairs.column('background')[row]]}" + (f" {behind}" if behind >= 0 else ""),
    )
    return {"text": lines, "pictures": [_png(picture) for picture in contact_row(pairs, row)]}


def _plots(pairs: PairsFile) -> list[tuple[str, str]]:
    return [
        ("How much of the object the occluded crops show.", _visibility_plot(pairs)),
        ("From which sides the object is seen, in its own frame: a map of the sphere about it.", _sides_plot(pairs)),
        ("How far each test pair's rotation is from the nearest of the training pairs: "
         "what a regressor must bridge at least.", _coverage_plot(pairs)),
    ]  # fmt: skip


def _visibility_plot(pairs: PairsFile) -> str:
    figure, axes = new_figure(7, 2.4)
    kinds = [pairs.visibility[pairs.origin == kind] for kind in (REAL, RENDERED)]
    axes.hist(kinds, bins=np.linspace(0, 1, 21).tolist(), stacked=True, label=ORIGIN_NAMES)
    axes.set(xlabel="visible part of the object", ylabel="pairs")
    axes.legend(frameon=False)
    return figure_png(figure, 110)


def _sides_plot(pairs: PairsFile) -> str:
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes: Any = figure.add_subplot(projection="hammer")
    longitude, latitude = seen_sides(pairs.camera_from_object, pairs.column("camera_from_view"))
    for code, name in enumerate(SPLIT_NAMES):
        mine = pairs.split == code
        axes.scatter(longitude[mine], latitude[mine], s=5, label=name, alpha=0.6, linewidths=0)
    axes.set(xticklabels=[], yticklabels=[])
    axes.grid(visible=True, linewidth=0.3)
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.12, 0), markerscale=3)
    return figure_png(figure, 110)


def seen_sides(camera_from_object: Floats, camera_from_view: Floats) -> tuple[Floats, Floats]:
    """(N, 4, 4), (N, 3, 3) -> (N,) longitude and (N,) latitude of the camera about the object, radians."""
    view_from_object = np.swapaxes(camera_from_view, 1, 2) @ camera_from_object[:, :3, :3]
    towards_camera = -view_from_object[:, 2]  # the view looks along its z
    longitude: Floats = np.arctan2(towards_camera[:, 1], towards_camera[:, 0])
    latitude: Floats = np.arcsin(np.clip(towards_camera[:, 2], -1, 1))
    return longitude, latitude


def _coverage_plot(pairs: PairsFile) -> str:
    figure, axes = new_figure(7, 2.4)
    rotations, rng = pairs.camera_from_object[:, :3, :3], np.random.default_rng(0)
    train, test = (rng.permutation(rotations[pairs.split == split])[:LARGEST_COVERAGE_SAMPLE] for split in (0, 2))
    if len(train) and len(test):
        axes.hist(np.rad2deg(nearest_rotations(test, train)), bins=30)
    axes.set(xlabel="degrees to the nearest training pair", ylabel="test pairs")
    return figure_png(figure, 110)


def _png(picture: Bytes) -> str:
    return embedded(imageio.imwrite("<bytes>", picture, extension=".png"), "png")
