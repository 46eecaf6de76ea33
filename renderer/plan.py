"""What a run makes, before it makes it: a list of parts, each a list of tasks.

It depends on the configuration and on the kept frames alone, and every task has random numbers of its own: so whoever
makes a part, in whatever order, makes the same rows, and a part that is there need not be made again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renderer.config import MakePairsConfig
from renderer.selection import Selection
from scene.arrays import Floats, Integers
from scene.rotations import covering_rotations, random_rotations
from scene.splits import SPLIT_NAMES

VIEWS_A_TASK = 8
"""drawn views that share a frame's background: reading a frame costs as much as drawing a view"""
SMALLEST_PART, LARGEST_PART, FEWEST_PARTS = 32, 512, 32
"""rows of a part, and parts of a run that is large enough: what is lost when it is killed, how evenly workers end"""


@dataclass(frozen=True)
class Task:
    """Rows of one frame."""

    frame: int
    split: int
    first: int
    """of the frame's drawn views; 0 makes the real pair as well"""
    views: int
    seen: Floats | None
    """(views, 3, 3) view_from_object that each shows; None = turned at random"""

    def rng(self, seed: int) -> np.random.Generator:
        """The task's own random numbers."""
        return np.random.default_rng([seed, self.frame, self.first])


def planned(selection: Selection, config: MakePairsConfig) -> tuple[tuple[Task, ...], ...]:
    """The parts of a run."""
    seen = _balanced(selection.split, config) if config.balance_rotations else None
    tasks = [
        Task(int(frame), int(split), first, views, None if seen is None else seen[at, first : first + views])
        for at, (frame, split) in enumerate(zip(selection.frames, selection.split, strict=True))
        for first in range(0, max(config.views_per_frame, 1), VIEWS_A_TASK)
        for views in (min(VIEWS_A_TASK, config.views_per_frame - first),)
    ]
    rows = len(selection.frames) * (1 + config.views_per_frame)
    return tuple(_parts(tasks, min(LARGEST_PART, max(SMALLEST_PART, rows // FEWEST_PARTS))))


def _balanced(split: Integers, config: MakePairsConfig) -> Floats:
    """(K, views, 3, 3): in each split, rotations evenly over all there are, shared out to its frames at random.

    All are turned by one random rotation: else recordings of a like length, of which some are learnt from and others
    tested on, would show the very same rotations.
    """
    views = config.views_per_frame
    seen = np.empty((len(split), views, 3, 3))
    for code in range(len(SPLIT_NAMES)):
        rng, count = np.random.default_rng([config.seed, code]), int(np.count_nonzero(split == code))
        spread = covering_rotations(count * views) @ random_rotations(1, rng)
        seen[split == code] = spread[rng.permutation(len(spread))].reshape(count, views, 3, 3)
    return seen


def _parts(tasks: list[Task], rows: int) -> list[tuple[Task, ...]]:
    """Tasks in their order, in groups of at least so many rows."""
    parts: list[tuple[Task, ...]] = []
    gathered: list[Task] = []
    for task in tasks:
        gathered.append(task)
        if sum(one.views + (one.first == 0) for one in gathered) >= rows:
            parts.append(tuple(gathered))
            gathered = []
    return [*parts, tuple(gathered)] if gathered else parts
