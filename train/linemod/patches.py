"""The LINEMOD patch layout: folder -> images and rotations.

    real/NAME/real0.png ...     camera images; real/training_split.txt lists the indices of those to train on
    fine/NAME/, coarse/NAME/    renders on black, the rotations of a fine and of a coarse grid of viewpoints
    */NAME/poses.txt            a `# file` line, then `w x y z`: camera_from_object, x right, y down, z forward

Wohlhart and Lepetit, "Learning Descriptors for Object Recognition and 3D Pose Estimation", CVPR 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import imageio.v3 as imageio
import numpy as np

from scene.arrays import Bytes, Floats, Integers
from scene.errors import InputError
from scene.rotations import canonical_quaternion

Kind = Literal["real", "fine", "coarse"]
MESH_NUMBERS = {
    "ape": 1, "benchvise": 2, "cam": 4, "can": 5, "cat": 6, "driller": 8, "duck": 9, "eggbox": 10, "glue": 11,
    "holepuncher": 12, "iron": 13, "lamp": 14, "phone": 15,
}  # fmt: skip
"""name of an object in the layout -> its number among the BOP meshes, obj_NN.ply"""


@dataclass(frozen=True)
class Patches:
    """Images of one object with its rotation."""

    color: Bytes
    """(N, size, size, 3) RGB"""
    quaternion_wxyz: Floats
    """(N, 4) unit, w >= 0: rotation camera_from_object"""

    def __len__(self) -> int:
        return len(self.color)

    def __getitem__(self, rows: Integers) -> Patches:
        return Patches(self.color[rows], self.quaternion_wxyz[rows])


@dataclass(frozen=True)
class ObjectPatches:
    """All there is of one object."""

    name: str
    training: Patches
    """real, of the training split"""
    test: Patches
    """real, all others: nothing but the final table may look at them"""
    renders: Patches
    """fine and coarse, on black"""

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return int(self.training.color.shape[1])


def read_object_patches(folder: Path, name: str) -> ObjectPatches:
    """Reads one object.

    Raises:
        InputError: a folder, file, image or number that is missing or cannot be used.
    """
    real = _read_kind(folder, "real", name)
    chosen = np.zeros(len(real), bool)
    split = _read_split(folder / "real" / "training_split.txt")
    if split.max() >= len(real):
        raise InputError(
            f"training_split.txt must name images that exist, {name} has {len(real)} real ones and it names "
            f"{split.max()}; complete the folder"
        )
    chosen[split] = True
    if chosen.all():
        raise InputError(f"training_split.txt must leave images for the test, and names all of {name}'s")
    renders = [_read_kind(folder, kind, name) for kind in ("fine", "coarse")]
    return ObjectPatches(
        name=name,
        training=real[np.flatnonzero(chosen)],
        test=real[np.flatnonzero(~chosen)],
        renders=Patches(
            np.concatenate([patches.color for patches in renders]),
            np.concatenate([patches.quaternion_wxyz for patches in renders]),
        ),
    )


def mesh_path(folder: Path, name: str) -> Path:
    """The mesh of an object: NAME.ply, or obj_NN.ply by its BOP number."""
    candidates = [folder / f"{name}.ply"]
    if name in MESH_NUMBERS:
        number = MESH_NUMBERS[name]
        candidates += [folder / f"obj_{number:02d}.ply", folder / f"obj_{number:06d}.ply"]
    for path in candidates:
        if path.is_file():
            return path
    wanted = " or ".join(path.name for path in candidates)
    raise InputError(f"{folder} must hold the mesh of {name} as {wanted} and does not; give another --meshes")


def _read_kind(folder: Path, kind: Kind, name: str) -> Patches:
    home = folder / kind / name
    if not home.is_dir():
        there = sorted(path.name for path in (folder / kind).glob("*") if path.is_dir())
        known = f"it has {', '.join(there)}" if there else "it has no objects"
        raise InputError(f"{folder / kind} must have a folder {name}, and {known}; give other --objects or --patches")
    quaternions = _read_poses(home / "poses.txt")
    return Patches(_read_images(home, kind, len(quaternions)), quaternions)


def _read_images(home: Path, kind: Kind, count: int) -> Bytes:
    images = []
    for index in range(count):
        path = home / f"{kind}{index}.png"
        try:
            image = np.asarray(imageio.imread(path, plugin="pillow"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} must be an image, as {home.name}/poses.txt has its pose ({error})") from error
        if image.ndim != 3 or image.shape[0] != image.shape[1] or image.dtype != np.uint8:
            raise InputError(f"{path} must be square, RGB, of 8 bits, got {image.shape} of {image.dtype}")
        images.append(image[..., :3])
    if len({image.shape for image in images}) != 1:
        raise InputError(f"the images in {home} must all have one size; make them alike")
    return np.stack(images)


def _read_poses(path: Path) -> Floats:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        numbers = np.array([[float(word) for word in line.split()] for line in lines if line and line[0] != "#"])
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must hold lines `w x y z` and cannot be read ({error}); complete it") from error
    if numbers.ndim != 2 or numbers.shape[1] != 4 or not np.allclose(np.linalg.norm(numbers, axis=1), 1, atol=1e-3):
        raise InputError(f"{path} must hold unit quaternions w x y z, one a line, and does not; complete it")
    return canonical_quaternion(numbers / np.linalg.norm(numbers, axis=1, keepdims=True))


def _read_split(path: Path) -> Integers:
    try:
        text = path.read_text(encoding="utf-8")
        indices = np.array([int(word) for word in text.replace(",", " ").split()], int)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must list the indices of the training images ({error}); complete it") from error
    if len(indices) == 0 or indices.min() < 0:
        raise InputError(f"{path} must list at least one index, none negative; complete it")
    return indices
