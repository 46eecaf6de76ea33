"""What the four numbers of a pixel mean; colour alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pairs.format import stored_depth
from scene.errors import InputError
from train.config import InputConfig
from train.preprocessing import color_input, layer_input, network_input


def one_pixel(color: tuple[int, int, int], depth_m: float, config: InputConfig | None = None) -> list[float]:
    """The channels of an image of one pixel; object centre at 0.5 m, diameter 0.1 m."""
    stored = torch.from_numpy(stored_depth(np.full((1, 1, 1), depth_m), 0.5, 0.1).astype(np.int32))
    pixels = torch.tensor([[[color]]], dtype=torch.uint8)
    return network_input(pixels, stored, config or InputConfig())[0, :, 0, 0].tolist()


def test_colour_is_centred_and_depth_normalised_about_the_object() -> None:
    channels = one_pixel((0, 255, 51), 0.55)
    np.testing.assert_allclose(channels, [-0.5, 0.5, -0.3, 0.5], atol=1e-4)


def test_no_measurement_is_far_and_keeps_its_colour() -> None:
    np.testing.assert_allclose(one_pixel((255, 255, 255), 0.0), [0.5, 0.5, 0.5, 1.0])


def test_background_is_painted_black_as_in_a_render() -> None:
    np.testing.assert_allclose(one_pixel((255, 255, 255), 0.7), [-0.5, -0.5, -0.5, 1.0])
    np.testing.assert_allclose(one_pixel((255, 255, 255), 0.7, InputConfig(background="kept")), [0.5, 0.5, 0.5, 1.0])
    assert one_pixel((0, 0, 0), 0.0) == one_pixel((200, 0, 0), 0.7)


def test_input_size_shrinks() -> None:
    color = torch.zeros((2, 8, 8, 3), dtype=torch.uint8)
    depth = torch.zeros((2, 8, 8), dtype=torch.int32)
    assert network_input(color, depth, InputConfig(size=4)).shape == (2, 4, 4, 4)
    assert network_input(color, depth, InputConfig(size=None)).shape == (2, 4, 8, 8)
    assert network_input(color, depth, InputConfig(size=9)).shape == (2, 4, 8, 8)  # never enlarged


def test_a_part_is_the_middle_of_the_crop() -> None:
    color = torch.zeros((1, 8, 8, 3), dtype=torch.uint8)
    color[:, 2:6, 2:6] = 255
    depth = torch.zeros((1, 8, 8), dtype=torch.int32)
    middle = network_input(color, depth, InputConfig(size=None, part=0.5))
    assert middle.shape == (1, 4, 4, 4)
    assert (middle[:, :3] == 0.5).all()
    assert network_input(color, depth, InputConfig(size=2, part=0.5)).shape == (1, 4, 2, 2)
    with pytest.raises(InputError, match=r"--input\.part must be above 0 and at most 1, got 1\.5"):
        InputConfig(part=1.5)


def test_shrinking_takes_the_mean_of_what_a_pixel_covers() -> None:
    color = torch.zeros((1, 2, 2, 3), dtype=torch.uint8)
    color[0, 0, 0] = 255
    shrunk = network_input(color, torch.ones((1, 2, 2), dtype=torch.int32), InputConfig(size=1))
    np.testing.assert_allclose(shrunk[0, :, 0, 0], [-0.25, -0.25, -0.25, -1.0])


def test_colour_alone_is_centred_in_the_same_way() -> None:
    color = torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)
    np.testing.assert_allclose(color_input(color)[0, :, 0, 0], [-0.5, 0.5, -0.3], atol=1e-6)


def test_layers_shrink_to_the_input_and_stay_what_they_are() -> None:
    layers = torch.zeros((1, 8, 8), dtype=torch.uint8)
    layers[:, 2:4, 2:6] = 2
    assert layer_input(layers, InputConfig(size=2, part=0.5)).tolist() == [[[2, 2], [0, 0]]]
    assert torch.equal(layer_input(layers, InputConfig(size=None)), layers)
    assert layer_input(layers, InputConfig(size=3)).shape == (1, 3, 3)
