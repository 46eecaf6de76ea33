"""A convolution's weights get the gradient that torch finds, whatever the sizes, and where pixels give nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from train.weight_gradient import TOGETHER, _find_pixels, weight_gradient


def torchs_own(of_maps: Tensor, inputs: Tensor) -> Tensor:
    weight = torch.zeros(
        of_maps.shape[1], inputs.shape[1], *(inputs.shape[axis] - of_maps.shape[axis] + 1 for axis in (2, 3)),
        dtype=inputs.dtype, requires_grad=True,
    )  # fmt: skip
    torch.nn.functional.conv2d(inputs, weight).backward(of_maps)  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    return weight.grad


def sample(batch: int, channels: int, maps: int, size: int, filter_size: int, zeros: float) -> tuple[Tensor, Tensor]:
    """Gradients of maps and inputs, float64, the former zero at a share of pixels."""
    random = torch.Generator().manual_seed(size)
    side = size - filter_size + 1
    of_maps = torch.randn(batch, maps, side, side, dtype=torch.float64, generator=random)
    of_maps *= torch.rand(of_maps.shape, generator=random) >= zeros
    return of_maps, torch.randn(batch, channels, size, size, dtype=torch.float64, generator=random)


@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(1, 7), st.integers(0, 20),
    st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)  # fmt: skip
def test_it_is_torchs_own(batch: int, channels: int, maps: int, filter_size: int, more: int, zeros: float) -> None:
    of_maps, inputs = sample(batch, channels, maps, filter_size + more, filter_size, zeros)
    torch.testing.assert_close(weight_gradient(of_maps, inputs), torchs_own(of_maps, inputs))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_the_images(threads: int) -> None:
    of_maps, inputs = sample(2, 4, 3, 12, 5, 0.5)  # fewer than three
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = weight_gradient(of_maps, inputs)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(found, torchs_own(of_maps, inputs))


def test_single_precision_and_channels_last_are_taken() -> None:
    of_maps, inputs = (each.float().to(memory_format=torch.channels_last) for each in sample(3, 4, 6, 20, 8, 0.6))
    found = weight_gradient(of_maps, inputs)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torchs_own(of_maps, inputs), rtol=1e-4, atol=1e-4)


def test_pixels_of_zero_gradient_are_left_out() -> None:
    gradients = np.zeros((40, 2))
    gradients[[3, 17, 39], 1] = 5, -6, 7
    starts, values = np.full(40 + TOGETHER, 99, np.uint64), np.full(40 + TOGETHER, 99.0)
    assert _find_pixels(gradients, 1, 10, starts, values) == 3
    assert starts[:TOGETHER].tolist() == [30, 170, 390, 0, 0, 0, 0, 0]
    assert values[:TOGETHER].tolist() == [5, -6, 7, 0, 0, 0, 0, 0]
    assert _find_pixels(gradients, 0, 10, starts, values) == 0
