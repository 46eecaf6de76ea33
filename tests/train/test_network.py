"""The network is the paper's, layer by layer, and "N" is an option that does something."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from scene.errors import TrainingError
from scene.rotations import geodesic_angle, matrix_from_quaternion, matrix_from_rotation_vector, random_rotations
from train.network import SiameseRegressionNetwork
from train.residual import ResidualNetwork, orthonormal, quaternion_of


def test_layers_are_the_papers() -> None:
    network = SiameseRegressionNetwork(96, 64)
    first, second = network.convolution_1, network.convolution_2
    assert (first.in_channels, first.out_channels, first.kernel_size, first.stride) == (4, 16, (8, 8), (1, 1))
    assert (second.in_channels, second.out_channels, second.kernel_size, second.stride) == (16, 7, (5, 5), (1, 1))
    sizes = [layer.out_features for layer in (network.hidden, network.feature, network.pose)]
    assert sizes == [256, 64, 4]
    assert not any(isinstance(layer, nn.MaxPool2d) for layer in network.modules())
    assert sum(parameter.numel() for parameter in network.parameters()) == 12_971_083


def test_initial_weights_have_the_spread_that_relu_keeps() -> None:
    network = SiameseRegressionNetwork(32)
    for layer in (network.convolution_1, network.hidden, network.feature):
        assert layer.weight.std().item() == pytest.approx((2 / layer.weight[0].numel()) ** 0.5, rel=0.05)


def test_the_eighth_map_of_zeros_changes_nothing() -> None:
    network = SiameseRegressionNetwork(20)
    maps = torch.randn(3, 16, 13, 13)
    torch.testing.assert_close(network._second_maps(maps), network.convolution_2(maps))


def test_feature_length_and_input_size_are_taken() -> None:
    predicted = SiameseRegressionNetwork(20, 24)(torch.randn(3, 4, 20, 20))
    assert predicted.features.shape == (3, 24)
    assert predicted.quaternion_wxyz.shape == (3, 4)


def test_normalised_means_unit_norm() -> None:
    images = torch.randn(5, 4, 20, 20)
    unit = SiameseRegressionNetwork(20, 24)(images)
    torch.testing.assert_close(unit.features.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(unit.quaternion_wxyz.norm(dim=1), torch.ones(5))
    plain = SiameseRegressionNetwork(20, 24, normalised=False)(images)
    assert not torch.allclose(plain.features.norm(dim=1), torch.ones(5))
    assert (plain.quaternion_wxyz.abs() < 1).all()  # tanh


def test_unit_features_span_the_range_of_pose_distances() -> None:
    features = SiameseRegressionNetwork(20, 24)(torch.randn(50, 4, 20, 20)).features
    assert (features >= 0).all()
    assert torch.cdist(features, features).square().max() <= 2 + 1e-5


def test_an_input_without_room_for_the_filters_is_refused() -> None:
    with pytest.raises(TrainingError, match="at least 12 pixels wide, got 11"):
        SiameseRegressionNetwork(11)


@given(st.integers(0, 1000))
def test_a_matrix_becomes_its_quaternion(seed: int) -> None:
    rng = np.random.default_rng(seed)
    half_turns = matrix_from_rotation_vector(np.pi * np.eye(3))  # where the trace is of no use
    rotations = np.concatenate([random_rotations(10, rng), half_turns, np.eye(3)[None]])
    found = quaternion_of(torch.from_numpy(rotations)).numpy()
    assert geodesic_angle(matrix_from_quaternion(found), rotations).max() < 1e-6
    assert (found[:, 0] >= 0).all()


def test_six_numbers_become_a_rotation() -> None:
    rotations = orthonormal(torch.randn(50, 6))
    torch.testing.assert_close(rotations @ rotations.transpose(1, 2), torch.eye(3).expand(50, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(50))
    torch.testing.assert_close(orthonormal(torch.tensor([[2.0, 0, 0, 5, 3, 0]])), torch.eye(3)[None])


def test_the_residual_network_is_brief_only_while_it_learns() -> None:
    torch.manual_seed(0)
    network, images = ResidualNetwork(20), torch.randn(8, 4, 20, 20)
    exact = network(images).features
    network.brief = True
    brief = network(images)
    assert brief.features.dtype == brief.quaternion_wxyz.dtype == torch.float32
    assert 1e-5 < (brief.features - exact).abs().max() < 0.1
    in_use = network.eval()(images).features
    network.brief = False
    torch.testing.assert_close(network(images).features, in_use, rtol=0, atol=0)


@pytest.mark.parametrize(("size", "channels"), [(64, 3), (20, 4), (96, 4)])
def test_the_residual_network_takes_any_size(size: int, channels: int) -> None:
    predicted = ResidualNetwork(size, 24, channels=channels)(torch.randn(3, channels, size, size))
    torch.testing.assert_close(predicted.features.norm(dim=1), torch.ones(3))
    assert predicted.features.shape == (3, 24)
    assert predicted.rotation is not None
    torch.testing.assert_close(quaternion_of(predicted.rotation), predicted.quaternion_wxyz)
