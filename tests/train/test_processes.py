"""Two processes train as one does: the same gradients, hence the same weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from scene.errors import TrainingError
from tests.train.samples import learnable_file, quick
from train.batches import Batch
from train.fit import fit
from train.processes import Processes
from train.run_folder import RunFolder


def test_shares_are_the_batch_and_hold_near_and_far_alike() -> None:
    batch = Batch(np.arange(24), np.arange(24) >= 16)
    shares = [Processes(rank, 2).share(batch) for rank in range(2)]
    assert sorted(np.concatenate([share.rows for share in shares])) == list(range(24))
    for share in shares:
        anchors, partners, counterparts = np.split(share.rows, 3)
        np.testing.assert_array_equal(partners, anchors + 8)
        np.testing.assert_array_equal(counterparts, anchors + 16)
        assert (anchors < 4).sum() == 2
        np.testing.assert_array_equal(share.clean, share.rows >= 16)


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(
        TrainingError, match="for each of 2 processes, got 6 pairs; give a --batch-pairs that 4 divides"
    ):
        Processes(0, 2).share(Batch(np.arange(18), np.zeros(18, bool)))


def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    pairs = learnable_file(tmp_path / "pairs.h5")
    alone = fit(quick(pairs, tmp_path / "alone", occlusion=True), lambda _: None)
    options = ["--epochs", "2", "--batch-pairs", "16", "--feature-length", "16", "--occlusion", "--recipe", "srn"]
    options += ["--learning-rate", "0.01", "--final-rate", "0.3"]
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "train.cli",
    ]
    command = [*torchrun, "fit", str(pairs), *options, "--output", str(tmp_path / "two")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    together = RunFolder(tmp_path / "two").load_model()
    for name, weights in alone.network.state_dict().items():
        torch.testing.assert_close(together.network.state_dict()[name], weights, rtol=1e-4, atol=1e-6)
    assert done.stdout.count("recipe srn with the occlusion term") == 1
