"""Training steps, predictions and look-ups, as the wall clock has them and as ratios: `make bench` runs this.

The paper's figures, on a Titan X: an epoch of 21,000 pairs 15 minutes; one image of 96 pixels 4 ms end to end and 6 ms
by nearest neighbour, one of 64 pixels 2 and 4 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from scene.memory import keep_freed_memory
from scene.rotations import quaternion_from_matrix, random_rotations
from train.batches import epoch_batches
from train.config import InputConfig
from train.looks import SeveralLooks
from train.losses import regression_term
from train.model import Templates
from train.network import SiameseRegressionNetwork
from train.one_image import for_one_image
from train.preprocessing import network_input
from train.recipes import RECIPES
from train.residual import ResidualNetwork

BATCH, TRAINING_PAIRS = 300, 21_000
REPEATS, AT_LEAST_S = 3, 0.5
SIZES = (96, 64, 48)
DEPTH_LEVELS = 1 << 15
TURNS = 8
"""steps of each of two networks that are compared, one after the other"""


class TorchsGradients(SiameseRegressionNetwork):
    """The paper's network, all of whose gradients torch finds, as fast_gradients.py does not."""

    def trunk(self, images: torch.Tensor) -> torch.Tensor:
        """As in prediction."""
        return self.trunk_by_layers(images)


def seconds(work: Callable[[], object]) -> float:
    """The fastest of a few runs, of more where they are short, after one to warm up."""
    work()
    runs: list[float] = []
    while len(runs) < REPEATS or sum(runs) < AT_LEAST_S:
        runs.append(seconds_once(work))
    return min(runs)


def seconds_once(work: Callable[[], object]) -> float:
    """One run."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def training_step(network: nn.Module, images: torch.Tensor, *, bf16: bool = False) -> Callable[[], None]:
    """One batch forward, backward, update."""
    optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
    poses = torch.nn.functional.normalize(torch.randn(len(images), 4), dim=1)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = regression_term(network(images).quaternion_wxyz, poses).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def step_seconds(network: nn.Module, images: torch.Tensor, *, bf16: bool = False) -> float:
    """Of the fastest of a few."""
    return seconds(training_step(network, images, bf16=bf16))


def image_seconds(network: nn.Module, image: torch.Tensor) -> tuple[float, float]:
    """One image to its pose: as `predict` does for a sensor's, and by one look of the network as it was trained."""
    network.eval()
    ready = for_one_image(network)
    if isinstance(network, ResidualNetwork):
        ready = SeveralLooks(ready, RECIPES["best"].look_turn_deg, image.shape[-1])
    with torch.inference_mode():
        return seconds(partial(ready, image)), seconds(partial(network, image))


def paper_step(size: int = 96) -> tuple[nn.Module, torch.Tensor]:
    """The paper's network and a batch of the paper's size."""
    return SiameseRegressionNetwork(size), torch.rand(BATCH, 4, size, size).to(memory_format=torch.channels_last)


def print_gradients() -> None:
    """What the paper's network gains by its own backward pass, in turns, as other work on a machine comes and goes."""
    _, images = paper_step()
    steps = [training_step(kind(96), images) for kind in (SiameseRegressionNetwork, TorchsGradients)]
    ours, torchs = np.transpose([[seconds_once(step) for step in steps] for _ in range(TURNS)])
    print(
        f"96 px, paper: a step {ours.min():.2f} s, with torch's own gradients {torchs.min():.2f}; "
        f"ratio {ours.min() / torchs.min():.2f}, of the medians of {TURNS} {np.median(ours) / np.median(torchs):.2f}"
    )


def print_networks() -> None:
    """A line for each network and size of the input."""
    for size in SIZES:
        for name, network in (("paper", SiameseRegressionNetwork(size)), ("best", ResidualNetwork(size))):
            images = torch.rand(BATCH, 4, size, size).to(memory_format=torch.channels_last)
            step, (one, trained) = step_seconds(network, images), image_seconds(network, images[:1])
            epoch = step * 2 * TRAINING_PAIRS / BATCH
            print(
                f"{size:3d} px, {name:5s}: {step:6.2f} s a step, {epoch / 60:5.1f} min an epoch of {TRAINING_PAIRS} "
                f"pairs (two images each), {1000 * one:5.1f} ms an image ({1000 * trained:.1f} as trained, one look)"
            )


def print_layouts() -> None:
    """What channels last and bfloat16 are worth, as ratios to plain float32, by torch's gradients."""
    network, images = TorchsGradients(64), torch.rand(60, 4, 64, 64)
    last = step_seconds(network, images.to(memory_format=torch.channels_last))
    reduced = step_seconds(network, images.to(memory_format=torch.channels_last), bf16=True)
    plain = TorchsGradients(64).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    first = step_seconds(plain, images)
    print(f"step with channels first / channels last: {first / last:.2f}; bfloat16 / float32: {reduced / last:.2f}")


def print_brief() -> None:
    """What recipe `best` gains by bfloat16, as a ratio: below one where the processor has units for it."""
    network, images = ResidualNetwork(64), torch.rand(60, 4, 64, 64).to(memory_format=torch.channels_last)
    exact = step_seconds(network, images)
    network.brief = True
    print(f"64 px, best: a step with bfloat16 / float32: {step_seconds(network, images) / exact:.2f}")


def print_inputs() -> None:
    """What making a batch's inputs would cost at every use, against the step that uses them."""
    color = torch.randint(0, 255, (BATCH, 96, 96, 3), dtype=torch.uint8)
    depth = torch.randint(0, DEPTH_LEVELS, (BATCH, 96, 96), dtype=torch.int32)
    images = network_input(color, depth, InputConfig(size=48))
    made = seconds(lambda: network_input(color, depth, InputConfig(size=48)))
    for name, network in (("paper", SiameseRegressionNetwork(48)), ("best", ResidualNetwork(48))):
        print(f"crops of 96 px to inputs of 48 / a step of {name}: {made / step_seconds(network.train(), images):.2f}")


def print_lookups() -> None:
    """Nearest neighbour, and what forming a batch costs."""
    quaternions = quaternion_from_matrix(random_rotations(TRAINING_PAIRS, np.random.default_rng(0)))
    templates = Templates(torch.nn.functional.normalize(torch.randn(TRAINING_PAIRS, 64), dim=1), quaternions)
    one = seconds(partial(templates.nearest, torch.randn(1, 64)))
    print(f"nearest neighbour among {TRAINING_PAIRS}: {1000 * one:.2f} ms an image")
    batches = epoch_batches(quaternions, 100, formed=True, rng=np.random.default_rng(0))
    print(f"forming a batch of 100 pairs among {TRAINING_PAIRS}: {1000 * seconds(partial(next, batches)):.0f} ms")


def main() -> None:
    """Prints it all, first how long a step takes without `keep_freed_memory`, which `train fit` calls."""
    print(f"{torch.get_num_threads()} threads")
    without = step_seconds(*paper_step())
    keep_freed_memory()
    ratio = without / step_seconds(*paper_step())
    print(f"96 px, paper: a step as the system takes memory back / as it is kept: {ratio:.2f}")
    print_gradients()
    print_networks()
    print_layouts()
    print_brief()
    print_inputs()
    print_lookups()


if __name__ == "__main__":
    main()
