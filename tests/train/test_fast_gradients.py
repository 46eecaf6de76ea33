"""The trunk's own backward pass finds what torch finds through the layers: same values, same gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from train.fast_gradients import COLUMNS, linear_gradients
from train.network import SiameseRegressionNetwork


def gradients(network: SiameseRegressionNetwork, images: Tensor, *, by_layers: bool) -> dict[str, Tensor]:
    """Of the trunk's output, weights and images, for a fixed gradient of its output."""
    network.zero_grad()
    images = images.clone().requires_grad_()
    found = network.trunk_by_layers(images) if by_layers else network.trunk(images)
    found.backward(torch.linspace(-1, 1, found.numel(), dtype=found.dtype).view_as(found))  # type: ignore[no-untyped-call]
    of_weights = {name: one.grad.clone() for name, one in network.named_parameters() if one.grad is not None}
    assert images.grad is not None
    return {"output": found.detach(), "images": images.grad, **of_weights}


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [12, 13, 21, 36])  # one pixel is left of 12; FC(256) takes more than COLUMNS of 36
@pytest.mark.parametrize("order", [torch.channels_last, torch.contiguous_format])
def test_they_are_torchs_own(channels: int, size: int, order: torch.memory_format) -> None:
    network = SiameseRegressionNetwork(size, channels=channels).double().to(memory_format=order)  # type: ignore[call-overload]
    images = torch.randn(3, channels, size, size, dtype=torch.float64).to(memory_format=order)
    own, torchs = (gradients(network, images, by_layers=by_layers) for by_layers in (False, True))
    assert set(own) == set(torchs)
    assert len(own) == 8, "of three layers, and the images"
    for name, found in own.items():
        torch.testing.assert_close(found, torchs[name], msg=lambda text, name=name: f"{name}: {text}")


def test_in_single_precision_they_differ_by_rounding() -> None:
    network, images = SiameseRegressionNetwork(40), torch.rand(6, 4, 40, 40)
    own, torchs = (gradients(network, images, by_layers=by_layers) for by_layers in (False, True))
    for name, found in own.items():
        assert (found - torchs[name]).abs().max() <= 1e-5 * torchs[name].abs().max(), name


def test_images_that_ask_for_no_gradient_cost_none() -> None:
    network, images = SiameseRegressionNetwork(20), torch.rand(2, 4, 20, 20)
    network.trunk(images).sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is None
    assert network.hidden.weight.grad is not None


def test_it_is_for_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = SiameseRegressionNetwork(20), torch.rand(2, 4, 20, 20)
    by_layers = network.trunk_by_layers(images)
    torch.testing.assert_close(network.trunk(images), by_layers)
    monkeypatch.setattr("train.network.trunk", lambda *_: pytest.fail("not in training"))
    torch.testing.assert_close(network.eval().trunk(images), by_layers)
    network.hidden = nn.Linear(network.hidden.in_features, 2)
    assert network.trunk(images).shape == (2, 2)


@pytest.mark.parametrize("width", [1, COLUMNS - 1, COLUMNS, COLUMNS + 1, 2 * COLUMNS + 5])
def test_columns_of_any_number_are_all_multiplied(width: int) -> None:
    inputs, weight = torch.randn(3, width, dtype=torch.float64).relu_(), torch.randn(4, width, dtype=torch.float64)
    of_outputs = torch.randn(3, 4, dtype=torch.float64)
    of_inputs, of_weight = linear_gradients(of_outputs, inputs, weight)
    torch.testing.assert_close(of_inputs, of_outputs @ weight * (inputs > 0))
    torch.testing.assert_close(of_weight, of_outputs.T @ inputs)
