"""The network made ready to see one image at a time. In: a trained network. Out: one that says the same, sooner.

Of the time of a single image the paper's network spends half on reading FC(256)'s weights from memory, 52 MB at 96
pixels. Kept in half precision they are half as many bytes; numbers are multiplied and added in single precision still,
by torch's own kernel for that (FBGEMM's, of x86 processors). A rotation changes by some hundredths of a degree.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from train.network import SiameseRegressionNetwork

ENGINES = ("x86", "fbgemm")
"""of torch.backends.quantized.engine, that have the kernel"""


class HalfLinear(nn.Module):
    """A trained fully connected layer with weights of half precision."""

    def __init__(self, layer: nn.Linear) -> None:
        """Packs a copy of the weights; later changes of `layer` are not seen."""
        super().__init__()
        self._packed = torch.ops.quantized.linear_prepack_fp16(layer.weight.detach(), layer.bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, N) -> (B, M), float32; for many rows at once nn.Linear is faster."""
        outputs: Tensor = torch.ops.quantized.linear_dynamic_fp16(inputs, self._packed)
        return outputs


def for_one_image(network: nn.Module) -> nn.Module:
    """A copy for inference; the network itself where nothing is gained, or the processor has no kernel."""
    if not isinstance(network, SiameseRegressionNetwork) or torch.backends.quantized.engine not in ENGINES:
        return network
    ready = copy.copy(network)
    ready._modules = {**network._modules, "hidden": HalfLinear(network.hidden)}
    return ready.eval()
