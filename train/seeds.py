"""Rows of a comparison over the seeds of its trainings: means, how far they spread, and what each step changes.

In: rows of one kind of image, one for each training and read-out. Out: numbers for tables. One training says little:
another seed moves it by as much as what is compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from train.errors import ALL, ErrorRow, ReadOut

READ_OUTS: tuple[ReadOut, ...] = ("regression", "nearest_neighbour")
STEPS = ("regression", "batches", "normalised", "srn")
"""recipes of the paper's figure 2a, each with one thing more than the one before it"""


@dataclass(frozen=True)
class Spread:
    """A few numbers of the same thing."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of them all."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float:
        """Standard deviation of what they are drawn from; NaN of one."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan

    def told(self, sign: str = "") -> str:
        """`9.4 ± 0.6`, or without the latter where there is one value; `sign` is + where zero is in the middle."""
        spread = "" if math.isnan(self.deviation) else f" ± {self.deviation:.1f}"
        return f"{self.mean:{sign}.1f}{spread}"


@dataclass(frozen=True)
class Step:
    """What one recipe's mean Euler error is less another's, of trainings with the same object and seed."""

    before: str
    after: str
    read_out: ReadOut
    changes: Spread
    """degrees, below zero where the later recipe is better"""

    @property
    def better(self) -> str:
        """In how many trainings."""
        return f"{sum(change < 0 for change in self.changes.values)} of {len(self.changes.values)}"

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {
            "before": self.before,
            "after": self.after,
            "read_out": self.read_out,
            "mean_euler_change_deg": self.changes.mean,
            "deviation_deg": self.changes.deviation,
            "better_in": self.better,
        }


def by_image(rows: list[ErrorRow]) -> dict[str, list[ErrorRow]]:
    """Kind of image -> its rows, of all visibilities together."""
    kinds = dict.fromkeys(row.image for row in rows)
    return {kind: [row for row in rows if (row.image, row.visibility) == (kind, ALL)] for kind in kinds}


def seeds_of(rows: list[ErrorRow]) -> list[int | None]:
    """Each once, in their order; None where rows do not tell."""
    return list(dict.fromkeys(row.seed for row in rows))


def spread_of(rows: list[ErrorRow], value: Callable[[ErrorRow], float] = lambda row: row.mean_euler_deg) -> Spread:
    """Of the mean Euler error, or of another number of each row."""
    return Spread(tuple(value(row) for row in rows))


def average(rows: list[ErrorRow], recipe: str, read_out: ReadOut) -> Spread | None:
    """The mean Euler error over objects, for each seed with which all of them are trained; None where there is none."""
    names = {row.object for row in rows}
    means = []
    for seed in seeds_of(rows):
        found = {row.object: row for row in rows if (row.recipe, row.read_out, row.seed) == (recipe, read_out, seed)}
        if set(found) == names:
            means.append(spread_of(list(found.values())).mean)
    return Spread(tuple(means)) if means else None


def steps(rows: list[ErrorRow]) -> list[Step]:
    """Of each of the paper's recipes that is there against the one before it, and of the last against the first."""
    errors = {(row.recipe, row.read_out, row.object, row.seed): row.mean_euler_deg for row in rows}
    trainings = dict.fromkeys((row.object, row.seed) for row in rows)
    there = [recipe for recipe in STEPS if recipe in {row.recipe for row in rows}]
    taken = [*pairwise(there), *([(there[0], there[-1])] if len(there) > 2 else [])]
    found = []
    for (before, after), read_out in product(taken, READ_OUTS):
        keys = [((before, read_out, *training), (after, read_out, *training)) for training in trainings]
        changes = tuple(errors[late] - errors[early] for early, late in keys if early in errors and late in errors)
        if changes:
            found.append(Step(before, after, read_out, Spread(changes)))
    return found
