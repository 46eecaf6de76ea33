"""Muon: steps that are as long in every direction, of convolutions on pairs files alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.train.samples import learnable_file, quick
from train.config import Fit
from train.fit import fit
from train.model import Settings
from train.muon import LENGTH, RATE, Muon, orthogonalised
from train.recipes import RECIPES
from train.training import Training

PATCHES = {"patches": Path("patches"), "meshes": Path("meshes"), "object": "cat"}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_file(tmp_path_factory.mktemp("muon") / "pairs.h5")


@pytest.fixture
def layer() -> Tensor:
    """Weights of a convolution with a gradient."""
    random = torch.Generator().manual_seed(0)
    weights = torch.randn(6, 4, 3, 3, generator=random).contiguous(memory_format=torch.channels_last)
    weights.grad = torch.randn(6, 4, 3, 3, generator=random)
    return weights


def weights_of(config: Fit) -> dict[str, Tensor]:
    return fit(config, lambda _: None).network.state_dict()


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (5, 5)])
def test_an_orthogonalised_matrix_keeps_its_singular_vectors(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    left, sizes, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ orthogonalised(matrix) @ right.T
    assert sizes.max() > 1.5 * sizes.min()
    assert ((turned.diagonal() > 0.6) & (turned.diagonal() < 1.3)).all()
    torch.testing.assert_close(turned, torch.diag(turned.diagonal()), rtol=0, atol=1e-3)


def test_the_rounds_are_those_of_newton_and_schulz() -> None:
    matrix = torch.randn(8, 40, generator=torch.Generator().manual_seed(2))
    found, rounded = orthogonalised(matrix), matrix / matrix.norm()
    for _ in range(5):
        squares = rounded @ rounded.T
        rounded = (3.4445 * torch.eye(8) - 4.7750 * squares + 2.0315 * squares @ squares) @ rounded
    torch.testing.assert_close(found, rounded, rtol=1e-4, atol=1e-5)


def test_no_gradient_is_no_step(layer: Tensor) -> None:
    before = layer.clone()
    layer.grad = torch.zeros_like(layer)
    Muon([layer], 0.1, 0.0).step()
    torch.testing.assert_close(layer, before, rtol=0, atol=0)
    layer.grad = None
    Muon([layer], 0.1, 0.5).step()
    torch.testing.assert_close(layer, before, rtol=0, atol=0)


def test_a_step_goes_down_the_gradient_as_far_as_the_rate_says(layer: Tensor) -> None:
    before, gradient = layer.clone(), layer.grad
    assert gradient is not None
    Muon([layer], 0.01, 0.0).step()
    moved = layer - before
    assert float((moved * gradient).sum()) < 0
    assert float(moved.square().mean().sqrt()) == pytest.approx(LENGTH * RATE * 0.01, rel=0.15)
    expected = orthogonalised(gradient.flatten(1)).view_as(layer)
    torch.testing.assert_close(moved, -RATE * 0.01 * LENGTH * 6 * expected, rtol=1e-3, atol=1e-5)


def test_weights_decay_by_the_rate(layer: Tensor) -> None:
    before = layer.clone()
    layer.grad = torch.zeros_like(layer)
    Muon([layer], 0.01, 0.5).step()
    torch.testing.assert_close(layer, before * (1 - RATE * 0.01 * 0.5))


def test_earlier_gradients_count(layer: Tensor) -> None:
    other = layer.clone()
    other.grad = torch.randn_like(layer)
    optimisers = [Muon([values], 0.01, 0.0) for values in (layer, other)]
    for optimiser in optimisers:
        optimiser.step()
    moved = []
    for values, optimiser in zip((layer, other), optimisers, strict=True):
        values.grad = torch.ones_like(layer)
        before = values.clone()
        optimiser.step()
        moved.append(values - before)
    assert not torch.allclose(moved[0], moved[1])


def test_best_has_it_for_the_convolutions_of_pairs_files_alone() -> None:
    settings = Settings("residual", 16, 16, 4, 8, True, True, "cut", "best", "disc")
    optimisers = Training(Fit(), settings).optimisers
    assert [type(one) for one in optimisers] == [Muon, torch.optim.AdamW]
    shapes = [{values.ndim for group in one.param_groups for values in group["params"]} for one in optimisers]
    assert shapes == [{4}, {1, 2}]
    for config in (Fit(recipe="best-adamw"), Fit(**PATCHES)):  # type: ignore[arg-type]
        (alone,) = Training(config, settings).optimisers
        assert isinstance(alone, torch.optim.AdamW)
        assert sum(len(group["params"]) for group in alone.param_groups) == len(
            list(Training(config, settings).network.parameters())
        )
    (alone,) = Training(Fit(recipe="best-sgd"), settings).optimisers
    assert isinstance(alone, torch.optim.SGD)


def test_all_weights_follow_the_learning_rate(pairs: Path, tmp_path: Path) -> None:
    slow, fast = (
        weights_of(quick(pairs, tmp_path / str(rate), recipe="best", epochs=1, learning_rate=rate))
        for rate in (1e-9, 1e-3)
    )
    for name in ("body.0.0.weight", "pose.weight"):
        assert not torch.equal(slow[name], fast[name])
    fresh = Training(
        quick(pairs, tmp_path / "none", recipe="best"),
        Settings("residual", 20, 20, 4, 16, True, True, "cut", "best", "disc"),
    )
    torch.testing.assert_close(
        slow["body.0.0.weight"], fresh.network.state_dict()["body.0.0.weight"], rtol=0, atol=1e-5
    )


def test_the_recipes_differ(pairs: Path, tmp_path: Path) -> None:
    best, adamw = (weights_of(quick(pairs, tmp_path / name, recipe=name)) for name in ("best", "best-adamw"))
    assert replace(RECIPES["best-adamw"], orthogonal_steps=True, meaning=RECIPES["best"].meaning) == RECIPES["best"]
    assert not torch.equal(best["body.0.0.weight"], adamw["body.0.0.weight"])
