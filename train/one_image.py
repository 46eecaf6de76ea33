"""The network made ready to see one image at a time. In: a trained network. Out: one that says the same, sooner.

Of the time of a single image the paper's network spends half on reading FC(256)'s weights from memory, 52 MB at 96
pixels. Kept in half precision they are half as many bytes; numbers are multiplied and added in single precision still,
by torch's own kernel for that (FBGEMM's, of x86 processors). A rotation changes by some thousandths of a degree.
The residual network spends a third on its normalisations, which become part of the layers before them.
"""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

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
    """A copy for inference; the trained network stays as it is."""
    if isinstance(network, SiameseRegressionNetwork):
        return _with_half_weights(network)
    return _without_norms(copy.deepcopy(network).eval())


def _with_half_weights(network: SiameseRegressionNetwork) -> nn.Module:
    """Shares all other layers; the network itself where the processor has no kernel."""
    if torch.backends.quantized.engine not in ENGINES:
        return network
    ready = copy.copy(network)
    ready._modules = {**network._modules, "hidden": HalfLinear(network.hidden)}
    return ready.eval()


def _without_norms(network: nn.Module) -> nn.Module:
    """Folds each batch normalisation into the layer that its module lists before it, in place."""
    for module in list(network.modules()):
        for (name, layer), (next_name, norm) in pairwise(list(module.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(layer, norm))
                setattr(module, next_name, nn.Identity())
            elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
                setattr(module, name, fuse_linear_bn_eval(layer, norm))
                setattr(module, next_name, nn.Identity())
    return network
