"""A page that shows how well a recording was followed, in one file: status, confidence, and the worst frames first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import imageio.v3 as imageio
import jinja2
import numpy as np
from matplotlib.colors import ListedColormap
from PIL import Image

from recorder.session import Session
from scene.arrays import Bytes, Floats, Integers
from scene.drawing import Drawer
from scene.files import new_path
from scene.hand_surface import HandSurface
from scene.object_model import ObjectModel
from scene.pages import embedded, figure_png, new_figure
from scene.progress import track as shown
from tracker.agreement import Agreement, agreement
from tracker.frame_pictures import FARTHEST_OFF, about, bodies_of, heat_map, side_view
from tracker.overlay import STATUS_COLORS, object_body, overlay
from tracker.track import Track, TrackStatus

PICTURE_HEIGHT = 240
SAMPLES = 1500
"""of the object's surface in the side view"""
MM = 1000.0
FAIR_RESIDUAL = 0.010
"""metres that count as much as one of the other doubts"""

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1250px; padding: 0 1em; color: #222 }
th, td { padding: 2px 12px 2px 0; text-align: left; vertical-align: top } th { font-weight: 600 }
figure { margin: 0 0 8px } figcaption, .number { color: #555; font-size: 12px } figure img { max-width: 100% }
td img { display: block } .number { font-variant-numeric: tabular-nums; white-space: nowrap }
</style></head><body>
<h1>{{ title }}</h1>
<table>{% for name, value in facts.items() %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
{% for text, picture in plots %}<figure><img src="{{ picture }}" alt="{{ text }}">
<figcaption>{{ text }}</figcaption></figure>{% endfor %}
<h2>The frames most in doubt first</h2>
<p>Doubt is the sum of: 1 - confidence, the share seen through, 1 - overlap of the outline with what looks like the
object (where there is one), and the residual in centimetres. Left: outline and bones, cut out. Middle: from the right
of the camera, which is far to the left: measured points in their colours, the object green, bones yellow. Right:
difference of the sensor's depth and the drawn one; dark blue is none, yellow {{ farthest }} mm, magenta was seen
through, grey is hidden by something nearer.</p>
<table>{% for row in rows %}<tr><td class="number">{% for line in row.text %}{{ line }}<br>{% endfor %}</td>
{% for picture in row.pictures %}<td><img height="{{ height }}" src="{{ picture }}" alt=""></td>{% endfor %}</tr>
{% endfor %}</table>{% if not rows %}<p>No frame is TRACKED.</p>{% endif %}</body></html>
"""


def write_page(
    track: Track,
    session: Session,
    model: ObjectModel | None,
    drawer: Drawer,
    output: Path,
    count: int,
    facts: Mapping[str, str],
    *,
    overwrite: bool,
) -> None:
    """Writes the page.

    Args:
        track: of the session.
        session: open.
        model: the session's object; None where there is a hand alone.
        drawer: back-end.
        output: HTML file.
        count: frames to show.
        facts: lines at the top.
        overwrite: replace the page if it exists.
    """
    found = agreement(track, session, model, drawer)
    surface = HandSurface.build(track.hand_shape, spacing=0.004)
    body = None if model is None else object_body(model)
    samples = np.zeros((0, 3)) if model is None else model.random_samples(SAMPLES, np.random.default_rng(0))[0]
    doubts = doubt(track, found, of_hand=model is None)
    words = _words_of_hand if model is None else _words
    rows = []
    for index in shown(worst_first(doubts)[:count], "drawing"):
        frame = session.frame(int(index))
        bodies = bodies_of(track, int(index), body, surface)
        window = about(bodies, session.camera, drawer)
        pictures = (
            overlay(frame, track, model, session.camera, drawer)[window],
            side_view(frame, track, samples, session.camera),
            heat_map(frame, bodies, session.camera, drawer)[window],
        )
        rows.append({"text": words(track, found, doubts, int(index)), "pictures": [_jpeg(one) for one in pictures]})
    text = (
        jinja2.Environment(autoescape=True)
        .from_string(TEMPLATE)
        .render(
            title=f"Track of {session.path.name}",
            facts=facts,
            plots=_plots(track, found),
            rows=rows,
            height=PICTURE_HEIGHT,
            farthest=round(FARTHEST_OFF * MM),
        )
    )
    with new_path(output, overwrite=overwrite) as partial:
        partial.write_text(text, encoding="utf-8")


def doubt(track: Track, found: Agreement, *, of_hand: bool = False) -> Floats:
    """(N,) of the frames whose object, or hand, is TRACKED, 0 upwards; NaN for the others."""
    status = track.hand_status if of_hand else track.status
    parts = [1 - track.confidence, found.seen_through, 1 - found.overlap, track.residual / FAIR_RESIDUAL]
    if of_hand:
        parts = [1 - track.hand_confidence, found.hand_seen_through, track.hand_residual / FAIR_RESIDUAL]
    total: Floats = np.sum([np.nan_to_num(part, nan=0.0) for part in parts], axis=0)
    return np.where(status == TrackStatus.TRACKED, total, np.nan)


def worst_first(doubts: Floats) -> Integers:
    """Indices of the TRACKED frames, the most doubtful first."""
    order: Integers = np.argsort(-doubts, kind="stable")
    return order[np.isfinite(doubts[order])]


def _words_of_hand(track: Track, found: Agreement, doubts: Floats, index: int) -> list[str]:
    told = _words_of_both(index, doubts[index], track.hand_confidence[index], track.hand_residual[index])
    return [*told, f"seen through {found.hand_seen_through[index]:.0%}"]


def _words(track: Track, found: Agreement, doubts: Floats, index: int) -> list[str]:
    return [
        *_words_of_both(index, doubts[index], track.confidence[index], track.residual[index]),
        f"overlap {found.overlap[index]:.2f}",
        f"seen through {found.seen_through[index]:.0%}",
        f"hidden {found.hidden[index]:.0%}",
        f"hand {TrackStatus(int(track.hand_status[index])).name}",
    ]


def _words_of_both(index: int, doubted: float, confidence: float, residual: float) -> list[str]:
    """What is told of an object and of a hand alike; the residual in metres."""
    return [
        f"frame {index}",
        f"doubt {doubted:.2f}",
        f"confidence {confidence:.2f}",
        f"residual {residual * MM:.1f} mm",
    ]


def _plots(track: Track, found: Agreement) -> list[tuple[str, str]]:
    return [
        ("Status of each frame: green TRACKED, red LOST, grey ABSENT.", _status_strip(track)),
        ("Confidence; the line stands only where a pose was tried.", _confidence(track)),
        ("Residual of the points of object and hand, millimetres, where they are TRACKED.", _residual(track)),
        (
            "Overlap of the drawn silhouette with what looks like the object, and share of the object seen through.",
            _agreement_plot(found),
        ),
    ]


def _status_strip(track: Track) -> str:
    figure, axes = new_figure(height=1.1)
    colors = ListedColormap([[part / 255 for part in STATUS_COLORS[kind]] for kind in sorted(TrackStatus)])
    strip = np.stack([track.status, track.hand_status])
    axes.imshow(strip, aspect="auto", cmap=colors, vmin=0, vmax=2, interpolation="nearest")
    axes.set_yticks([0, 1], ["object", "hand"])
    axes.set(xlabel="frame")
    return figure_png(figure)


def _confidence(track: Track) -> str:
    figure, axes = new_figure()
    axes.plot(track.confidence, ".-", markersize=3, linewidth=0.7, label="object")
    axes.plot(track.hand_confidence, ".-", markersize=3, linewidth=0.7, label="hand")
    axes.set(xlabel="frame", ylim=(0, 1.02), xlim=(0, max(len(track) - 1, 1)))
    axes.legend(loc="lower right")
    return figure_png(figure)


def _residual(track: Track) -> str:
    figure, axes = new_figure()
    for name, status, residual in (
        ("object", track.status, track.residual),
        ("hand", track.hand_status, track.hand_residual),
    ):
        known = np.where(status == TrackStatus.TRACKED, residual, np.nan)
        axes.plot(known * MM, ".-", markersize=3, linewidth=0.7, label=name)
    axes.legend(loc="upper right")
    axes.set(xlabel="frame", ylabel="mm", ylim=(0, None), xlim=(0, max(len(track) - 1, 1)))
    return figure_png(figure)


def _agreement_plot(found: Agreement) -> str:
    figure, axes = new_figure()
    axes.plot(found.overlap, ".-", markersize=3, linewidth=0.7, label="overlap")
    axes.plot(found.seen_through, ".-", markersize=3, linewidth=0.7, label="seen through")
    axes.set(xlabel="frame", ylim=(0, 1.02), xlim=(0, max(len(found.overlap) - 1, 1)))
    axes.legend(loc="center right")
    return figure_png(figure)


def _jpeg(picture: Bytes) -> str:
    width = max(1, round(picture.shape[1] * PICTURE_HEIGHT / picture.shape[0]))
    small = np.asarray(Image.fromarray(picture).resize((width, PICTURE_HEIGHT)))
    return embedded(imageio.imwrite("<bytes>", small, extension=".jpg", quality=85), "jpeg")
