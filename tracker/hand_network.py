"""The network that proposes hands: a picture of 48 x 48 pixels to 21 joints and 20 angles."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from scene.arrays import Bytes, Floats
from scene.convolutions import Residual, convolution
from tracker.hand_crop import FAR, SIDE_PX

WEIGHTS = Path(__file__).with_name("hand_network.npz")
"""what scripts/learn_hand_proposals.py made"""
WIDTHS = (24, 48, 96, 128)
"""channels at a half, a quarter, an eighth and a sixteenth of the picture's size"""
HIDDEN = 384
JOINT_NUMBERS, ANGLE_NUMBERS = 63, 20
UNIT = 0.1
"""metres: of the joints' numbers"""


class HandNetwork(nn.Module):
    """Right hands alone; a left one is shown to it in a mirror."""

    def __init__(self) -> None:
        """Builds the layers with fresh weights from torch's global generator."""
        super().__init__()
        first, second, third, fourth = WIDTHS
        side = -(-SIDE_PX // 16)
        self.body = nn.Sequential(
            convolution(4, first, 5, 2),
            convolution(first, second, 3, 2),
            convolution(second, third, 3, 2),
            Residual(third),
            convolution(third, fourth, 3, 2),
            Residual(fourth),
            nn.Flatten(),
            nn.Linear(fourth * side * side, HIDDEN),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, JOINT_NUMBERS + ANGLE_NUMBERS),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 2, S, S) uint8 as hand_crop.encoded -> (B, 83): joints from the centre, in UNIT, and radians."""
        seen = pictures != FAR
        near = torch.where(seen, 1.0 - pictures.float() / ((FAR - 1) / 2), 0.0)
        answer: Tensor = self.body(torch.cat([near, seen.float()], dim=1))
        return answer

    @staticmethod
    def load(path: Path) -> HandNetwork:
        """With the weights of a file that `save` wrote."""
        network = HandNetwork()
        with np.load(path, allow_pickle=False) as file:
            weights = {name: torch.from_numpy(file[name].astype(np.float32)) for name in network.state_dict()}
        network.load_state_dict({name: weights[name].to(own.dtype) for name, own in network.state_dict().items()})
        return network.eval()

    def save(self, path: Path, made_by: str) -> None:
        """In half precision, with how they were made."""
        weights = {name: own.detach().half().numpy() for name, own in self.state_dict().items()}
        np.savez_compressed(path, made_by=np.array(made_by), **weights)


def answered(pictures: Bytes) -> tuple[Floats, Floats]:
    """What the network makes of pictures, on one thread, so that sums have one order.

    Args:
        pictures: (B, 2, SIDE_PX, SIDE_PX) as hand_crop.encoded has them, of right hands.

    Returns:
        (B, 21, 3) joints in metres from the centre, crop frame, and (B, 20) radians.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            numbers = np.asarray(_network()(torch.from_numpy(pictures)).double())
    finally:
        torch.set_num_threads(threads)
    return numbers[:, :JOINT_NUMBERS].reshape(-1, 21, 3) * UNIT, numbers[:, JOINT_NUMBERS:]


@cache
def _network() -> HandNetwork:
    return HandNetwork.load(WEIGHTS)
