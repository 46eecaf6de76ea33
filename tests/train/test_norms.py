"""What layers normalise by, once weights are final: averages over many batches, where a recipe asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from tests.train.samples import learnable_file, quick
from train.config import Fit
from train.fit import fit
from train.norms import measure_norms
from train.recipes import RECIPES, RecipeName


def test_all_batches_count_alike_and_nothing_before_them() -> None:
    norm = nn.BatchNorm1d(1)
    norm(torch.full((4, 1), 1000.0))
    batches = [torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [8.0]]), torch.tensor([[3.0], [3.0]])]
    measure_norms(nn.Sequential(norm), batches)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    torch.testing.assert_close(norm.running_mean, torch.tensor([10 / 3]))  # of 1, 6 and 3
    torch.testing.assert_close(norm.running_var, torch.tensor([10 / 3]))  # of 2, 8 and 0
    assert norm.momentum == 0.1
    assert not norm.training


def test_later_layers_are_measured_by_what_earlier_ones_say_while_learning() -> None:
    network = nn.Sequential(nn.BatchNorm1d(1), nn.BatchNorm1d(1))
    measure_norms(network, [torch.tensor([[0.0], [2.0]]), torch.tensor([[40.0], [80.0]])])
    last = network[1]
    assert isinstance(last, nn.BatchNorm1d)
    assert last.running_mean is not None
    torch.testing.assert_close(last.running_mean, torch.zeros(1))


def test_a_network_without_norms_asks_for_no_images() -> None:
    network = nn.Linear(2, 2)
    measure_norms(network, (torch.empty(0) for _ in iter(AssertionError, None)))


def test_best_measures_and_learns_the_same_weights_as_without(tmp_path: Path) -> None:
    pairs = learnable_file(tmp_path / "pairs.h5")
    names: tuple[RecipeName, ...] = ("best", "best-last-norms")
    measured, last = (
        fit(quick(pairs, tmp_path / name, recipe=name), lambda _: None).network.state_dict() for name in names
    )
    different = {name for name in measured if not torch.equal(measured[name], last[name])}
    assert different
    assert all("running" in name or "num_batches" in name for name in different)
    counts = {int(values) for name, values in measured.items() if "num_batches" in name}
    assert counts == {RECIPES["best"].norm_batches}


def test_measuring_is_for_pairs_files() -> None:
    of_patches: dict[str, Any] = {"patches": Path("patches"), "meshes": Path("meshes"), "object": "cat"}
    assert Fit().norm_batches == RECIPES["best"].norm_batches > 0
    assert Fit(recipe="best-last-norms").norm_batches == Fit(recipe="srn").norm_batches == 0
    assert Fit(**of_patches).norm_batches == 0
