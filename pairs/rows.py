"""Rows of `pairs.h5` for a data loader: picklable, safe to fork, thousands a second in any order; needs no torch.

    rows = PairRows(Path("pairs.h5"))
    loader = DataLoader(rows, batch_size=None, sampler=BatchSampler(RandomSampler(rows), 300, False), num_workers=2)

With a batch sampler as the sampler, `rows[indices]` reads a whole batch into one array a field, and nothing has to be
put together afterwards. With `DataLoader(rows, batch_size=300)` rows come one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairs.format import IMAGE_FIELDS, PAIRS, open_pairs
from scene.arrays import Integers
from scene.errors import InputError

TRAINING_FIELDS = ("occluded/color", "occluded/depth", "clean/color", "clean/depth", "quaternion_wxyz")


class PairRows:
    """Some fields of a file of pairs: opened, checked and closed at once; images are read when asked for."""

    def __init__(self, path: Path, fields: Sequence[str] = TRAINING_FIELDS, *, split: int | None = None) -> None:
        """Finds where the rows lie.

        Args:
            path: of the pairs file.
            fields: names of PAIRS, of one value a pair.
            split: TRAIN, VALIDATION or TEST; None = all rows.
        """
        unknown = [name for name in fields if name not in {field.name for field in PAIRS.fields}]
        if unknown:
            raise InputError(
                f"fields must be those of the pairs format, {', '.join(unknown)} is none; see docs/formats.md"
            )
        images = {field.name for field in IMAGE_FIELDS}
        with open_pairs(path) as file:
            chosen = np.ones(len(file), bool) if split is None else file.split == split
            self.rows: Integers = np.flatnonzero(chosen)
            self._images = {name: file.chunks(name) for name in fields if name in images}
            self._columns = {name: file.column(name)[self.rows] for name in fields if name not in images}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int | Sequence[int] | Integers) -> dict[str, NDArray[Any]]:
        """The fields of one row, or, for a list of N, of all of them with a leading axis."""
        if not isinstance(at, (list, tuple, np.ndarray)):
            return {name: values[0] for name, values in self[[int(at)]].items()}  # type: ignore[arg-type]
        rows = self.rows[np.asarray(at, np.int64)]
        images = {name: chunks.rows(rows) for name, chunks in self._images.items()}
        return images | {name: values[np.asarray(at, np.int64)] for name, values in self._columns.items()}
