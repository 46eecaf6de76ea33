"""What a trained network normalises by, measured anew. In: its last weights and training images. Out: exact averages.

While a network learns, batch normalisation keeps averages over the last ten batches or so, each of other weights: they
jump from batch to batch, and a trained network has to make do with where they stood last. Averages over many batches of
the last weights do not ("precise batch normalisation", Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def measure_norms(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replaces the averages of every batch normalisation, in place.

    Args:
        network: trained; computes as it does while it learns.
        batches: (B, channels, size, size) float32 each, mixed and varied as in training.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # to torch: every batch counts alike
    network.train()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    network.eval()
