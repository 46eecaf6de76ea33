"""The plot of a comparison: which mark is which object's."""

from __future__ import annotations

from train.errors import ErrorRow
from train.table_page import plot


def row(name: str, error: float) -> ErrorRow:
    return ErrorRow("srn", name, "real", "regression", "all", 6, error, error, error, {}, (0.0, 9.0), (0.0, 9.0))


def test_each_object_has_a_mark_of_its_own_in_the_legend() -> None:
    axes = plot([row("ape", 4.0), row("cat", 2.0)]).axes[0]
    assert [float(bar.get_height()) for bar in axes.patches] == [3.0]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["regression", "nearest neighbour", "ape", "cat"]
    marks = {float(line.get_ydata()[0]): line.get_marker() for line in axes.lines}  # type: ignore[index, arg-type]
    assert marks == {4.0: "o", 2.0: "s"}


def test_one_object_needs_no_name() -> None:
    legend = plot([row("ape", 4.0)]).axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["regression", "nearest neighbour"]
