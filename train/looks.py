"""Several looks at each image: as it is, and turned to either side. In: a network. Out: one that tells their mean.

A turn about the line of sight changes the rotation by that turn and nothing else, so that each look is another opinion
on one pose. Their errors differ, most of all where a hand leaves little to see, and the mean has less of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scene.arrays import Floats
from train.augmentation import turning_grid
from train.network import Prediction


class SeveralLooks(nn.Module):
    """A network that was trained on turned images, asked about each image three times; its weights are shared."""

    _grids: Tensor
    _back: Tensor

    def __init__(self, network: nn.Module, turn_deg: float, size: int, *, normalised: bool = True) -> None:
        """Prepares the turns.

        Args:
            network: (B, channels, size, size) -> Prediction; its `rotation` is not asked for.
            turn_deg: of the second look clockwise on the screen, and of the third the other way.
            size: pixels along a side of the images.
            normalised: whether features are of unit norm; their mean is, then.
        """
        super().__init__()
        self.network, self.normalised = network, normalised
        turns = np.radians([turn_deg, -turn_deg])
        grids = turning_grid(turns, np.ones(2), np.zeros((2, 2)), size)
        back = np.stack([np.eye(4), *(_turn_of_quaternions(-turn) for turn in turns)])
        self.register_buffer("_grids", grids, persistent=False)
        self.register_buffer("_back", torch.from_numpy(back).float(), persistent=False)

    def forward(self, images: Tensor) -> Prediction:
        """(B, channels, size, size) float32 -> mean features, and the mean rotation as unit quaternions, w >= 0."""
        # sizes by shape, as len() of a tensor is a plain number to torch.export, which would keep it for all batches
        looks = [images, *(self._seen_turned(images, grid) for grid in self._grids)]
        predicted = self.network(torch.cat(looks))
        quaternions = predicted.quaternion_wxyz.reshape(3, images.shape[0], 4) @ self._back.transpose(1, 2)
        features = predicted.features.reshape(3, images.shape[0], -1).mean(dim=0)
        return Prediction(functional.normalize(features, dim=1) if self.normalised else features, _mean(quaternions))

    def _seen_turned(self, images: Tensor, grid: Tensor) -> Tensor:
        grids = grid[None].expand(images.shape[0], -1, -1, -1)
        return functional.grid_sample(images, grids, padding_mode="border", align_corners=False)


def _turn_of_quaternions(turn: float) -> Floats:
    """(4, 4): M with M q what `augmentation.turned` makes of q, but for its sign."""
    c, s = np.cos(turn / 2), np.sin(turn / 2)
    return np.array([[c, 0, 0, -s], [0, c, -s, 0], [0, s, c, 0], [s, 0, 0, c]])


def _mean(quaternions: Tensor) -> Tensor:
    """(L, B, 4) -> (B, 4): the sum with signs as the first look's (Markley et al. 2007 for quaternions this near)."""
    same = (quaternions * quaternions[:1]).sum(dim=2, keepdim=True) >= 0
    mean = functional.normalize(torch.where(same, quaternions, -quaternions).sum(dim=0), dim=1)
    return torch.where(mean[:, :1] < 0, -mean, mean)
