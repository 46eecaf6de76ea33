"""Seconds of a training step and milliseconds of one prediction, by size of the input: `make bench` runs this.

The paper's figures, on a Titan X: one image of 96 pixels 4 ms end to end, one of 64 pixels 2 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch

from train.losses import regression_term
from train.network import SiameseRegressionNetwork

BATCH = 300
REPEATS = 3
SIZES = (96, 64, 48)


def seconds(work: Callable[[], object]) -> float:
    """The fastest of a few runs, after one to warm up."""
    work()
    best = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def step_seconds(network: SiameseRegressionNetwork, images: torch.Tensor) -> float:
    """One batch forward, backward, update."""
    optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
    poses = torch.nn.functional.normalize(torch.randn(len(images), 4), dim=1)

    def step() -> None:
        optimiser.zero_grad()
        regression_term(network(images).quaternion_wxyz, poses).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return seconds(step)


def main() -> None:
    """Prints one line a size."""
    print(f"training step of {BATCH} images, prediction of one image; {torch.get_num_threads()} threads")
    for size in SIZES:
        network = SiameseRegressionNetwork(size)
        images = torch.rand(BATCH, 4, size, size).to(memory_format=torch.channels_last)
        step = step_seconds(network, images)
        with torch.inference_mode():
            one = seconds(partial(network, images[:1]))
        print(f"{size:3d} px: {step:6.2f} s a step, {1000 * one:6.1f} ms an image")


if __name__ == "__main__":
    main()
