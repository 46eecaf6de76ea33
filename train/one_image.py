"""The network made ready to see one image at a time. In: a trained network. Out: one that says the same, sooner.

Of the time of a single image the paper's network spends half on reading FC(256)'s weights from memory, 52 MB at 96
pixels. Kept as bytes (byte_weights.py) they are a quarter of that, and fit into a processor's cache; a rotation changes
by hundredths of a degree.
The residual network spends a third on its normalisations, which become part of the layers before them.
"""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from train.byte_weights import ByteLinear
from train.network import SiameseRegressionNetwork


def for_one_image(network: nn.Module) -> nn.Module:
    """A copy for inference; the trained network stays as it is."""
    if isinstance(network, SiameseRegressionNetwork):
        return _with_byte_weights(network)
    return _without_norms(copy.deepcopy(network).eval())


def _with_byte_weights(network: SiameseRegressionNetwork) -> nn.Module:
    """Shares all other layers."""
    ready = copy.copy(network)
    ready._modules = {**network._modules, "hidden": ByteLinear(network.hidden)}
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
