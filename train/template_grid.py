"""Templates of the nearest neighbour that no training image is needed for: the object drawn at rotations of a grid.

In: a trained network, and a pairs file (its mesh is drawn) or LINEMOD patches (their renders are such a grid already).
Out: templates to put in the place of those of the training set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pairs.format import center_of, open_pairs, stored_depth
from scene.arrays import Floats
from scene.camera import Camera
from scene.crop import CROP_DIAMETERS
from scene.drawing import OBJECT, open_drawer, rigid_body
from scene.errors import InputError
from scene.object_model import ObjectModel
from scene.progress import track
from scene.rotations import covering_rotations, quaternion_from_matrix
from scene.transforms import apply, rigid
from train.linemod.patches import Patches
from train.model import IMAGES_AT_ONCE, Model, Templates
from train.preprocessing import color_input


def grid_of_pairs(model: Model, pairs: Path, count: int) -> Templates:
    """The mesh of a pairs file, alone on black under a plain light, from as far as the file's crops were taken.

    Args:
        model: the network.
        pairs: of the same object.
        count: of rotations, spread evenly over all there are.

    Raises:
        InputError: the network takes other images.
    """
    if model.settings.channels != 4:
        raise InputError(f"templates of {pairs} are RGB-D and this network takes colour alone; give --patches")
    with open_pairs(pairs) as file:
        thing = file.object_model
        centers = apply(file.camera_from_object, center_of(thing)[None])[:, 0]
    distance, size = float(np.median(np.linalg.norm(centers, axis=1))), model.settings.stored_size
    rotations = covering_rotations(count)
    features = []
    for part in track(np.array_split(rotations, -(-count // IMAGES_AT_ONCE)), "templates"):
        inputs = model.inputs(*_drawn(thing, part, distance, size))
        features.append(model.predict([inputs]).features)
    return Templates(torch.cat(features), quaternion_from_matrix(rotations))


def grid_of_patches(model: Model, renders: Patches) -> Templates:
    """The renders on black that come with the patches, at the rotations of their fine and their coarse grid."""
    inputs = torch.split(color_input(torch.from_numpy(renders.color)), IMAGES_AT_ONCE)
    return Templates(model.predict(inputs).features, renders.quaternion_wxyz)


def _drawn(thing: ObjectModel, rotations: Floats, distance: float, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, 3, 3) view_from_object -> (B, size, size, 3) uint8 colour and (B, size, size) int32 stored depth."""
    focal, middle = size * distance / (CROP_DIAMETERS * thing.diameter), (size - 1) / 2
    camera, drawer = Camera(size, size, focal, focal, middle, middle), open_drawer("raster")
    body = rigid_body(thing.vertices, thing.faces, thing.vertex_colors, OBJECT)
    ahead = np.array([0.0, 0.0, distance])
    poses = [rigid(rotation, ahead - rotation @ center_of(thing)) for rotation in rotations]
    drawings = [drawer.draw([body.placed(pose)], camera) for pose in poses]
    color = np.stack([drawing.color for drawing in drawings])
    depth = np.stack([stored_depth(drawing.depth, distance, thing.diameter) for drawing in drawings])
    return torch.from_numpy(color), torch.from_numpy(depth.astype(np.int32))
