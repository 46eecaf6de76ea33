"""A fully connected layer whose weights are kept as bytes: for one image, its time is that of reading its weights.

Inputs, products and sums stay in single precision; a weight is a whole number of steps of its output, 127 of which are
the largest. The roundings of tens of thousands of weights are as often up as down, so that little of them is left in a
sum.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

LARGEST = 127
TOGETHER = 4
"""outputs summed side by side, so that an input is fetched once for all of them"""


class ByteLinear(nn.Module):
    """A trained fully connected layer, rounded."""

    def __init__(self, layer: nn.Linear) -> None:
        """Packs a copy of the weights; later changes of `layer` are not seen."""
        super().__init__()
        weights = layer.weight.detach().numpy()
        steps = np.maximum(np.abs(weights).max(axis=1), np.finfo(np.float32).tiny) / LARGEST
        rounded = np.rint(weights / steps[:, None]).astype(np.int8)
        self._rounded = np.pad(rounded, ((0, -len(rounded) % TOGETHER), (0, 0)))
        self._steps, self._bias = torch.from_numpy(steps), layer.bias.detach().clone()

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, N) -> (B, M), float32; for many rows at once nn.Linear is faster."""
        sums = [torch.from_numpy(self._sums(row)[: len(self._steps)]) for row in inputs.numpy()]
        return self._bias + self._steps * torch.stack(sums)

    def _sums(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) -> (M or some more,), in steps."""
        sums: NDArray[np.float32] = weighted_sums(self._rounded, np.ascontiguousarray(inputs))
        return sums


@numba.njit(cache=True, fastmath=True)
def _weighted_sums(weights: Any, inputs: Any) -> Any:
    """(M, N) int8, M a multiple of TOGETHER; (N,) float32 -> (M,). Sums may be reordered, so that they are vectors'."""
    sums = np.empty(len(weights), np.float32)
    for at in range(0, len(weights), TOGETHER):
        first, second, third, fourth = weights[at], weights[at + 1], weights[at + 2], weights[at + 3]
        a = b = c = d = np.float32(0)
        for column in range(len(inputs)):
            value = inputs[column]
            a += np.float32(first[column]) * value
            b += np.float32(second[column]) * value
            c += np.float32(third[column]) * value
            d += np.float32(fourth[column]) * value
        sums[at], sums[at + 1], sums[at + 2], sums[at + 3] = a, b, c, d
    return sums


weighted_sums: Any = _weighted_sums  # numba's own type says nothing of arguments
