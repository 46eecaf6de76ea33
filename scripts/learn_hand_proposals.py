"""Teaches the network that proposes hands (tracker/hand_network.py) what hands look like, from drawn pictures alone.

    python scripts/learn_hand_proposals.py FILE.npz [--pictures 320000] [--minutes 40] [--seed 0]

Writes the weights, averaged over the last steps, with how they were made; copied to tracker/hand_network.npz they are
the tracker's. Prints, now and then, how far the joints are off on pictures that are not learned from.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from scene.files import installed_versions
from scene.progress import track as shown
from scripts.hand_pictures import Pictures, drawn_pictures
from tracker.hand_network import JOINT_NUMBERS, UNIT, HandNetwork

HELD_OUT, BATCH = 4000, 128
RATE, DECAY, WARM_UP = 2e-3, 0.02, 200
"""of AdamW: its highest rate, its decay of weights, and the steps until the rate is that high"""
ANGLES_COUNT = 0.15
"""radians, beside joints in UNIT"""
KEPT = 0.998
"""of the averaged weights, in each step"""
REPORT_EVERY = 500


def main() -> None:
    """Draws, learns, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pictures", type=int, default=320_000)
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    held_out = drawn_pictures(HELD_OUT, rng)
    parts = [drawn_pictures(1000, rng) for _ in shown(range(-(-asked.pictures // 1000)), "drawing")]
    pictures = Pictures(*(np.concatenate([getattr(part, name) for part in parts]) for name in Pictures.__annotations__))
    torch.manual_seed(asked.seed)
    network = learned(pictures, held_out, asked.minutes, rng)
    made_by = {**vars(asked), "file": asked.file.name, "versions": installed_versions()}
    network.save(asked.file, json.dumps(made_by))


def learned(pictures: Pictures, held_out: Pictures, minutes: float, rng: np.random.Generator) -> HandNetwork:
    """The network, its weights averaged over the last steps, after so many minutes."""
    network, average = HandNetwork(), HandNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    seen, joints, angles = (torch.from_numpy(each) for each in (pictures.pictures, pictures.joints, pictures.angles))
    begun, step, share = time.monotonic(), 0, 0.0
    while share < 1:
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * share)) / 2
        chosen = torch.from_numpy(rng.integers(len(seen), size=BATCH))
        optimiser.zero_grad(set_to_none=True)
        loss(network(seen[chosen]), joints[chosen], angles[chosen]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        step += 1
        _follow(average, network, min(KEPT, 1 - 1 / step))
        if step % REPORT_EVERY == 0:
            off = 1000 * joint_errors(average, held_out)
            print(f"{step} steps: joints {off.mean():.1f} mm off, median of hands {np.median(off.mean(axis=1)):.1f}")
        share = (time.monotonic() - begun) / (60 * minutes)
    return average.eval()


def loss(answer: Tensor, joints: Tensor, angles: Tensor) -> Tensor:
    """Mean absolute difference of (B, 21, 3) metres, in UNIT, and of (B, 20) radians."""
    off = (answer[:, :JOINT_NUMBERS] - joints.flatten(1) / UNIT).abs().mean()
    return off + ANGLES_COUNT * (answer[:, JOINT_NUMBERS:] - angles).abs().mean()


def joint_errors(network: HandNetwork, pictures: Pictures) -> np.ndarray:
    """(N, 21) metres."""
    network.eval()
    with torch.inference_mode():
        parts = [network(part) for part in torch.from_numpy(pictures.pictures).split(250)]
    answer = torch.cat(parts)[:, :JOINT_NUMBERS].reshape(-1, 21, 3) * UNIT
    return np.asarray((answer - torch.from_numpy(pictures.joints)).norm(dim=2))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, kept: float) -> None:
    """The average moves towards the network by what is not kept."""
    for mine, own in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mine.dtype.is_floating_point:
            mine.lerp_(own, 1 - kept)
        else:
            mine.copy_(own)


if __name__ == "__main__":
    main()
