"""Prints by how much making a network ready for single images (train/one_image.py) turns the poses that it tells.

Usage: python -m scripts.one_image_error RUN PATCHES OBJECT; on the test images of a folder of patches, which in that of
scripts/held_out_patches.py are held-out training images
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from scene.arrays import Floats
from scene.rotations import geodesic_angle, matrix_from_quaternion
from train.linemod.patches import read_object_patches
from train.one_image import for_one_image
from train.preprocessing import color_input
from train.run_folder import RunFolder


def main(arguments: list[str]) -> None:
    """Prints the middle, the mean and the largest of the turns."""
    if len(arguments) != 3:
        sys.exit("usage: one_image_error.py RUN PATCHES OBJECT")
    run, patches, name = arguments
    network = RunFolder(Path(run)).load_model().network.eval()
    images = color_input(torch.from_numpy(read_object_patches(Path(patches), name).test.color))
    turns = turns_deg(network, images)
    print(
        f"{len(turns)} images: turned by {np.median(turns):.3f} degrees in the middle, {turns.mean():.3f} on average, "
        f"{turns.max():.2f} at most"
    )


def turns_deg(network: nn.Module, images: torch.Tensor) -> Floats:
    """(B, channels, S, S) -> (B,) degrees between what the network and the one made ready say."""
    with torch.inference_mode():
        told = [one(images).quaternion_wxyz.double().numpy() for one in (network, for_one_image(network))]
    turns: Floats = np.degrees(geodesic_angle(*(matrix_from_quaternion(one) for one in told)))
    return turns


if __name__ == "__main__":
    main(sys.argv[1:])
