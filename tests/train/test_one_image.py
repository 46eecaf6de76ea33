"""The network made ready for single images says what the trained one says, and leaves it as it is."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from scene.rotations import geodesic_angle, matrix_from_quaternion
from train.byte_weights import ByteLinear
from train.model import Model, Settings
from train.network import SiameseRegressionNetwork
from train.one_image import for_one_image
from train.residual import ResidualNetwork


def test_the_rotation_is_the_same_to_a_degree() -> None:
    torch.manual_seed(0)
    network = SiameseRegressionNetwork(48).eval()
    images = torch.rand(20, 4, 48, 48) - 0.5
    with torch.inference_mode():
        said, quickly = network(images), for_one_image(network)(images)
    turn = geodesic_angle(
        matrix_from_quaternion(said.quaternion_wxyz.numpy()), matrix_from_quaternion(quickly.quaternion_wxyz.numpy())
    )
    assert turn.max() < torch.pi / 180
    assert turn.max() > 0  # else it is not the other kernel that was asked
    torch.testing.assert_close(quickly.features, said.features, atol=5e-3, rtol=0)


def test_the_trained_network_stays_as_it_is() -> None:
    network = SiameseRegressionNetwork(20)
    before = copy.deepcopy(network.state_dict())
    ready = for_one_image(network)
    assert isinstance(ready.hidden, ByteLinear)
    assert isinstance(network.hidden, nn.Linear)
    torch.testing.assert_close(network.state_dict(), before)


@pytest.mark.parametrize("outputs", [1, 4, 6])
def test_whole_numbers_of_steps_are_kept_as_they_are(outputs: int) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(301, outputs)
    with torch.no_grad():
        steps = torch.randint(-127, 128, (outputs, 301)).float()
        steps[:, 7] = 127.0
        layer.weight.copy_(steps * torch.linspace(0.01, 0.02, outputs)[:, None])
        images = torch.rand(3, 301) - 0.5
        torch.testing.assert_close(ByteLinear(layer)(images), layer(images), atol=1e-4, rtol=0)


def test_a_weight_is_rounded_to_half_a_step_of_its_output_and_no_further() -> None:
    layer = nn.Linear(4, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[127.0, 1.4, -1.4, 0.6], [1.27, 0.014, 0.0, 0.0]]))
        layer.bias.copy_(torch.tensor([1 / 3, 0.0]))
    said = [ByteLinear(layer)(image[None])[0] for image in torch.eye(4)]
    expected = [[127 + 1 / 3, 1.27], [1 + 1 / 3, 0.01], [-1 + 1 / 3, 0.0], [1 + 1 / 3, 0.0]]
    torch.testing.assert_close(torch.stack(said), torch.tensor(expected))


def test_an_output_without_weights_is_its_bias() -> None:
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([1.0, 2.0]))
    assert ByteLinear(layer)(torch.ones(1, 3)).tolist() == [[1.0, 2.0]]


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


def test_a_model_predicts_with_it() -> None:
    settings = Settings("paper", 20, 20, 4, 64, True, True, "cut", "srn", "belt", 0.1)
    model = Model(SiameseRegressionNetwork(20), settings)
    image = torch.rand(1, 4, 20, 20) - 0.5
    quickly = replace(model, network=for_one_image(model.network)).predict([image])
    torch.testing.assert_close(quickly.features, model.predict([image]).features, atol=5e-3, rtol=0)
