"""What self-contained pages share: plots and pictures as text that stands in the page itself."""

from __future__ import annotations

import base64
import io
from typing import Any

from matplotlib.figure import Figure


def new_figure(width: float = 8.0, height: float = 2.2) -> tuple[Figure, Any]:
    """A figure of that many inches and its axes, which need no screen."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def figure_png(figure: Figure, dots_per_inch: float = 100) -> str:
    """The figure as a picture for `src`."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dots_per_inch)
    return embedded(stream.getvalue(), "png")


def embedded(content: bytes, kind: str) -> str:
    """The bytes of a `png` or `jpeg` file for `src`."""
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()
