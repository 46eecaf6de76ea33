"""The first three layers of the paper's network with a backward pass of their own: torch's results, sooner.

In: images and the layers, which hold all but a few of the weights. Out: what the third says, before ReLU. What torch
does for their gradients is the larger half of a training step, and some of it needs not be done:

- FC(256) has one very long side. Both gradients are products of matrices of which BLAS makes little: taken a few
  columns at a time, so that what belongs to these stays in the cache, they take two thirds of the time.
- The second maps' gradient goes through ReLU, is filled up to eight maps, and put into the order by pixel, in which
  convolutions are fastest. Here the former is done while those columns are in the cache, the latter two in one pass.
- The first maps are the largest tensor by far. Their gradient goes through ReLU where it is.
- Of the second maps' gradient six in ten are zeros after ReLU, in trained networks more; weight_gradient.py leaves them
  out. Of the first maps' fewer are, and a pixel adds to fewer weights, so that torch is as fast there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from train.weight_gradient import weight_gradient

COLUMNS = 512
"""of FC(256)'s inputs, in one product"""


def trunk(images: Tensor, first: nn.Conv2d, second: nn.Conv2d, hidden: nn.Linear) -> Tensor:
    """Two convolutions and a fully connected layer, ReLU between them.

    Args:
        images: (B, C, S, S).
        first: of stride 1, unpadded, as is the next.
        second: whose maps are computed with one of zeros, as seven alone take longer.
        hidden: takes the maps of `second`, channel by channel.

    Returns:
        (B, outputs of `hidden`), before ReLU.
    """
    weights = (first.weight, first.bias, second.weight, second.bias, hidden.weight, hidden.bias)
    found: Tensor = _Trunk.apply(images, *weights)  # type: ignore[no-untyped-call]
    return found


def with_map_of_zeros(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """(O, C, K, K), (O,) -> (O + 1, C, K, K), (O + 1,): processors take eight numbers at once, the paper has seven."""
    return functional.pad(weight, (0, 0, 0, 0, 0, 0, 0, 1)), functional.pad(bias, (0, 1))


class _Trunk(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight_1: Tensor, bias_1: Tensor, weight_2: Tensor, bias_2: Tensor, weight: Tensor,
        bias: Tensor,
    ) -> Tensor:  # fmt: skip
        first = functional.conv2d(images, weight_1, bias_1).relu_()
        second = functional.conv2d(first, *with_map_of_zeros(weight_2, bias_2))[:, :-1]
        # ReLU and the order by channel in one pass
        maps = torch.clamp_min(second, 0, out=second.new_empty(second.shape))
        ctx.save_for_backward(images, first, maps, weight_1, weight_2, bias_2, weight)
        return functional.linear(maps.flatten(1), weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_hidden: Tensor) -> tuple[Tensor | None, ...]:
        images, first, maps, weight_1, weight_2, bias_2, weight = ctx.saved_tensors
        of_flat, of_weight = linear_gradients(of_hidden, maps.flatten(1), weight)
        of_second = _by_pixel(of_flat.view_as(maps))
        padded, _ = with_map_of_zeros(weight_2, bias_2)
        of_weight_2, of_bias_2 = weight_gradient(of_second, first), of_second.sum((0, 2, 3))
        of_first, _, _ = _convolution_gradients(of_second, first, padded, (True, False, False))
        _take_before_relu(of_first, first)
        needed = (ctx.needs_input_grad[0], True, True)
        of_images, of_weight_1, of_bias_1 = _convolution_gradients(of_first, images, weight_1, needed)
        return of_images, of_weight_1, of_bias_1, of_weight_2[:-1], of_bias_2[:-1], of_weight, of_hidden.sum(0)


def linear_gradients(of_outputs: Tensor, inputs: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of a fully connected layer whose inputs ReLU has left.

    Args:
        of_outputs: (B, O).
        inputs: (B, I).
        weight: (O, I).

    Returns:
        (B, I) of what ReLU was given, and (O, I) of the weights.
    """
    of_inputs, of_weight = torch.empty_like(inputs), torch.empty_like(weight)
    for at in range(0, inputs.shape[1], COLUMNS):
        part = slice(at, at + COLUMNS)
        torch.mm(of_outputs, weight[:, part], out=of_inputs[:, part])
        torch.mm(of_outputs.T, inputs[:, part], out=of_weight[:, part])
        _take_before_relu(of_inputs[:, part], inputs[:, part])
    return of_inputs, of_weight


def _take_before_relu(gradient: Tensor, left: Tensor) -> None:
    """Makes the gradient of what ReLU left that of what it was given, in place."""
    torch.ops.aten.threshold_backward.grad_input(gradient, left, 0, grad_input=gradient)


def _by_pixel(gradient: Tensor) -> Tensor:
    """(B, M, S, S) -> (B, M + 1, S, S) in channels-last order, the last map of zeros."""
    batch, count, height, width = gradient.shape
    found = gradient.new_zeros(batch, height, width, count + 1).permute(0, 3, 1, 2)
    found[:, :-1].copy_(gradient)
    return found


def _convolution_gradients(
    of_maps: Tensor, inputs: Tensor, weight: Tensor, needed: tuple[bool, bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """Of inputs, weights and bias, as torch itself has them, where needed."""
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        of_maps, inputs, weight, [len(weight)], [1, 1], [0, 0], [1, 1], False, [0, 0], 1, needed
    )
    return found
