"""The network of recipe `best`: strided and residual convolutions, batch normalisation, a rotation in six numbers.

Strides in place of the paper's full-size maps make it deeper at a like cost; two columns of the rotation matrix, made
orthonormal, have neither the double cover nor the tanh of a quaternion (Zhou et al., "On the Continuity of Rotation
Representations in Neural Networks", CVPR 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scene.convolutions import Residual, convolution
from train.network import Prediction

WIDTHS = (24, 48, 80, 128)
"""channels at a half, a quarter, an eighth and a sixteenth of the input's size"""
HIDDEN = 256


class ResidualNetwork(nn.Module):
    """Images to features of unit norm and to rotations."""

    def __init__(self, input_size: int, feature_length: int = 64, *, channels: int = 4) -> None:
        """Builds the layers with fresh weights from torch's global generator.

        Args:
            input_size: width and height of the input, pixels.
            feature_length: D.
            channels: 4 of RGB-D, 3 of colour alone.
        """
        super().__init__()
        first, second, third, fourth = WIDTHS
        side = -(-input_size // 16)
        self.body = nn.Sequential(
            convolution(channels, first, 5, 2),
            convolution(first, second, 3, 2),
            convolution(second, third, 3, 2),
            Residual(third),
            convolution(third, fourth, 3, 2),
            Residual(fourth),
            nn.Flatten(),
            nn.Linear(fourth * side * side, HIDDEN),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(),
        )
        self.brief = False
        """whether all up to the hidden layer is computed in bfloat16 while it learns"""
        self.feature = nn.Linear(HIDDEN, feature_length)
        self.pose = nn.Linear(HIDDEN, 6)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Prediction:
        """(B, channels, size, size) float32 -> features and rotations."""
        hidden = self._briefly(images) if self.brief and self.training else self.body(images)
        rotation = orthonormal(self.pose(hidden))
        return Prediction(functional.normalize(self.feature(hidden), dim=1), quaternion_of(rotation), rotation)

    def _briefly(self, images: Tensor) -> Tensor:
        """The body in bfloat16; weights and their gradients stay float32, and what comes after does, too."""
        with torch.autocast("cpu", torch.bfloat16):
            hidden: Tensor = self.body(images).float()
        return hidden


def computes_bfloat16() -> bool:
    """Whether the processor has units for it: without, a step takes eight times as long."""
    units = torch.cpu.get_capabilities()
    return any(units.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def orthonormal(numbers: Tensor) -> Tensor:
    """(B, 6) -> (B, 3, 3) rotation whose first two columns are, by Gram and Schmidt, the first and last three."""
    x = functional.normalize(numbers[:, :3], dim=1)
    y = numbers[:, 3:] - (x * numbers[:, 3:]).sum(dim=1, keepdim=True) * x
    y = functional.normalize(y, dim=1)
    return torch.stack([x, y, torch.linalg.cross(x, y, dim=1)], dim=-1)


def quaternion_of(rotation: Tensor) -> Tensor:
    """(B, 3, 3) -> (B, 4) wxyz, w >= 0, by the largest of four candidates (Shepperd), so that nothing is lost."""
    r = rotation
    diagonal = r.diagonal(dim1=1, dim2=2)
    trace = diagonal.sum(dim=1, keepdim=True)
    squares = torch.cat([1 + trace, 1 + 2 * diagonal - trace], dim=1)  # 4 w^2, 4 x^2, 4 y^2, 4 z^2
    wx, wy, wz = r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]
    xy, xz, yz = r[:, 0, 1] + r[:, 1, 0], r[:, 0, 2] + r[:, 2, 0], r[:, 1, 2] + r[:, 2, 1]
    products = torch.stack([squares[:, 0], wx, wy, wz, wx, squares[:, 1], xy, xz, wy, xy, squares[:, 2], yz,
                            wz, xz, yz, squares[:, 3]], dim=1).view(-1, 4, 4)  # fmt: skip
    at = squares.argmax(dim=1)[:, None, None].expand(-1, 1, 4)  # no length is looked up, so that it exports
    quaternion = functional.normalize(products.gather(1, at)[:, 0], dim=1)
    return torch.where(quaternion[:, :1] < 0, -quaternion, quaternion)
