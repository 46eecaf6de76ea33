"""The printed table of an evaluation: one row for each image kind, read-out and range of visibility."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from train.errors import ALL, THRESHOLDS_DEG
from train.evaluate import GAP_FROM, Evaluation

NARROWEST = 124
"""characters: rich squeezes a table into a narrow or unknown terminal until its numbers cannot be read"""


def error_table(evaluation: Evaluation) -> Table:
    """Degrees throughout; visibility is that of the occluded image also in the rows of its clean counterpart."""
    table = Table(title=f"pose error on {evaluation.count} test poses of {evaluation.source}, degrees")
    for heading in ("image", "read-out", "visible"):
        table.add_column(heading)
    headings = ("images", "mean Euler", "geodesic mean", "95%", "median", *(f"< {limit}" for limit in THRESHOLDS_DEG))
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in evaluation.rows:
        low, high = row.mean_geodesic_interval_deg
        numbers = (f"{row.mean_euler_deg:.1f}", f"{row.mean_geodesic_deg:.1f}", f"{low:.1f}-{high:.1f}")
        shares = (f"{100 * share:.0f}%" for share in row.under_deg.values())
        style, read_out = "bold" if row.visibility == ALL else "", row.read_out.replace("_", " ")
        cells = (*numbers, f"{row.median_geodesic_deg:.1f}", *shares)
        table.add_row(row.image, read_out, row.visibility, str(row.count), *cells, style=style)
    table.caption = "  ".join(gap_lines(evaluation))
    return table


def gap_lines(evaluation: Evaluation) -> list[str]:
    """Occluded minus clean, one sentence a read-out."""
    return [
        f"Occluded minus clean, {gap.read_out.replace('_', ' ')}, {100 * GAP_FROM:.0f}% and more visible: "
        f"{gap.mean_geodesic_deg:+.1f} ({gap.interval_deg[0]:+.1f} to {gap.interval_deg[1]:+.1f}) degrees "
        f"on average, {gap.median_geodesic_deg:+.1f} by the medians (occluded {gap.occluded_median_deg:.1f})."
        for gap in evaluation.gaps
    ]


def print_table(table: Table) -> None:
    """To standard output, never narrower than its numbers."""
    console = Console()
    Console(width=max(console.width, NARROWEST)).print(table)
