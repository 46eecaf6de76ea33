"""Several processes that train one network: each takes a share of every batch, and their gradients are averaged.

`torchrun --nproc-per-node 2 --no-python train fit ...` starts them, on one machine or on many, and tells each its rank
by environment variables. The first writes the run folder. Losses are means over samples or pairs, so that the mean of
the shares' gradients is the batch's gradient; only what a recipe takes over a whole batch (normalisation and the pairs
of recipe `best`) is then taken over a share.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import distributed

from scene.errors import TrainingError
from train.batches import Batch


@dataclass(frozen=True)
class Processes:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this one writes and talks."""
        return self.rank == 0

    def share(self, batch: Batch) -> Batch:
        """This process' anchors with their partners and counterparts."""
        if self.count == 1:
            return batch
        if batch.pairs % (2 * self.count):
            raise TrainingError(
                f"a batch must hold as many near and far pairs for each of {self.count} processes, got {batch.pairs} "
                f"pairs; give a --batch-pairs that {2 * self.count} divides, and more training pairs than that"
            )
        # near ones and far ones, which are the first and the second half, are shared out alike
        mine = np.arange(self.rank, batch.pairs, self.count)
        rows = np.concatenate([part * batch.pairs + mine for part in range(3)])
        return Batch(batch.rows[rows], batch.clean[rows])

    def average(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replaces each gradient by its mean over the processes."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Joins those that torchrun started; by itself, one process is all there is."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    distributed.init_process_group("gloo")
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()


def is_first_process() -> bool:
    """Whether this process is the one that reports, also after the others have left."""
    return os.environ.get("RANK", "0") == "0"
