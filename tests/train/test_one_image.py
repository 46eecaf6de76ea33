"""The network made ready for single images says what the trained one says, and leaves it as it is."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from scene.rotations import geodesic_angle, matrix_from_quaternion
from train.model import Model, Settings
from train.network import SiameseRegressionNetwork
from train.one_image import ENGINES, HalfLinear, for_one_image
from train.residual import ResidualNetwork

needs_kernel = pytest.mark.skipif(torch.backends.quantized.engine not in ENGINES, reason="an x86 processor's kernel")


@needs_kernel
def test_the_rotation_is_the_same_to_a_tenth_of_a_degree() -> None:
    torch.manual_seed(0)
    network = SiameseRegressionNetwork(48).eval()
    images = torch.rand(20, 4, 48, 48) - 0.5
    with torch.inference_mode():
        said, quickly = network(images), for_one_image(network)(images)
    turn = geodesic_angle(
        matrix_from_quaternion(said.quaternion_wxyz.numpy()), matrix_from_quaternion(quickly.quaternion_wxyz.numpy())
    )
    assert turn.max() < 0.1 * torch.pi / 180
    assert turn.max() > 0  # else it is not the other kernel that was asked
    torch.testing.assert_close(quickly.features, said.features, atol=1e-3, rtol=0)


@needs_kernel
def test_the_trained_network_stays_as_it_is() -> None:
    network = SiameseRegressionNetwork(20)
    before = copy.deepcopy(network.state_dict())
    ready = for_one_image(network)
    assert isinstance(ready.hidden, HalfLinear)
    assert isinstance(network.hidden, nn.Linear)
    torch.testing.assert_close(network.state_dict(), before)


@needs_kernel
def test_layers_are_rounded_to_half_precision_and_no_further() -> None:
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0**-11, 0.0], [1 / 3, 0.0, 1e-3]]))
        layer.bias.copy_(torch.tensor([1 / 3, 0.0]))
    said = HalfLinear(layer)(torch.tensor([[1.0, 1.0, 1 / 7]]))
    # products and sums keep what single precision keeps: 1 + 2^-11 is no half-precision number
    expected = [1 + 2.0**-11 + 1 / 3, float(torch.tensor(1 / 3).half()) + float(torch.tensor(1e-3).half()) / 7]
    assert said[0].tolist() == pytest.approx(expected, abs=1e-7)


def test_without_the_kernel_the_network_itself_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    network = SiameseRegressionNetwork(20)
    monkeypatch.setattr("train.one_image.ENGINES", ())
    assert for_one_image(network) is network


def test_normalisations_become_part_of_the_layers_before_them() -> None:
    torch.manual_seed(0)
    network = ResidualNetwork(32)
    for _ in range(3):  # so that means and spreads are not those of a fresh network
        network(torch.randn(16, 4, 32, 32) * 2 + 0.3)
    network.eval()
    before = copy.deepcopy(network.state_dict())
    ready, images = for_one_image(network), torch.rand(5, 4, 32, 32) - 0.5
    assert not any(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in ready.modules())
    with torch.inference_mode():
        said, quickly = network(images), ready(images)
    torch.testing.assert_close(quickly.features, said.features, atol=1e-5, rtol=0)
    torch.testing.assert_close(quickly.quaternion_wxyz, said.quaternion_wxyz, atol=1e-5, rtol=0)
    torch.testing.assert_close(network.state_dict(), before)


@needs_kernel
def test_a_model_predicts_with_it() -> None:
    settings = Settings("paper", 20, 20, 4, 64, True, True, "cut", "srn", "belt", 0.1)
    model = Model(SiameseRegressionNetwork(20), settings)
    image = torch.rand(1, 4, 20, 20) - 0.5
    quickly = replace(model, network=for_one_image(model.network)).predict([image])
    torch.testing.assert_close(quickly.features, model.predict([image]).features, atol=1e-3, rtol=0)
