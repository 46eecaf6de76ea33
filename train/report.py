"""The printed table of an evaluation: one row for each image kind, read-out and range of visibility."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from train.evaluate import ALL, THRESHOLDS_DEG, Evaluation

NARROWEST = 100
"""characters: rich squeezes a table into a narrow or unknown terminal until its numbers cannot be read"""


def error_table(evaluation: Evaluation) -> Table:
    """Degrees throughout; visibility is that of the occluded image also in the rows of its clean counterpart."""
    table = Table(title=f"pose error on {evaluation.test_pairs} test pairs of {evaluation.pairs}, degrees")
    for heading in ("image", "read-out", "visible"):
        table.add_column(heading)
    headings = ("images", "mean Euler", "geodesic mean", "median", *(f"< {limit}" for limit in THRESHOLDS_DEG))
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in evaluation.rows:
        numbers = (f"{row.mean_euler_deg:.1f}", f"{row.mean_deg:.1f}", f"{row.median_deg:.1f}")
        shares = (f"{100 * share:.0f}%" for share in row.under_deg.values())
        style = "bold" if row.visibility == ALL else ""
        table.add_row(row.image, row.read_out, row.visibility, str(row.count), *numbers, *shares, style=style)
    return table


def print_table(table: Table) -> None:
    """To standard output, never narrower than its numbers."""
    console = Console()
    Console(width=max(console.width, NARROWEST)).print(table)
