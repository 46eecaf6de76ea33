"""The LINEMOD patch layout, joined with the object's mesh, in; pairs out.

    real/NAME/*.png         camera images; real/training_split.txt lists the indices of those to train on
    fine/NAME/, coarse/NAME/   renders on black
    */NAME/poses.txt        a `# file` line, then `w x y z`: camera_from_object, x right, y down, z forward

Wohlhart and Lepetit, "Learning Descriptors for Object Recognition and 3D Pose Estimation", CVPR 2015. Patches have
neither depth nor intrinsics: they show a cube of PATCH_SIDE about the object, scaled to 64 pixels. Its side and centre
were measured on the renders of three objects against their meshes (scale within 2 %, place within 2 px).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from pairs.config import ImportPatchesConfig
from pairs.counterparts import Place, Posed, paired
from pairs.format import REAL, RENDERED, Recording, new_pairs
from scene.arrays import Bytes, Floats, Integers
from scene.camera import Camera
from scene.drawing import open_drawer
from scene.errors import InputError
from scene.files import stamp_provenance
from scene.object_model import load_object
from scene.progress import track
from scene.rotations import matrix_from_quaternion
from scene.splits import TEST, TRAIN
from scene.transforms import rigid

KINDS = ("real", "fine", "coarse")
PATCH_SIDE = 0.2
"""metres"""
ORIGIN_PX = (31.5, 29.5)
"""where the origin of the mesh lies in a patch of 64 pixels"""
DISTANCE = 0.8
"""metres at which counterparts are drawn: the middle of LINEMOD's cameras; patches do not tell theirs"""


def import_patches(config: ImportPatchesConfig) -> int:
    """Runs the command; the number of rows.

    Raises:
        InputError: a folder, image, line or index that is missing or cannot be used.
    """
    model, drawer = load_object(config.mesh, "mm"), open_drawer("raster")
    patches = [(at, *patch) for at, kind in enumerate(KINDS) for patch in read_kind(config.patches, kind, config.name)]
    size = patches[0][2].shape[0]
    chosen = set(_training_indices(config.patches / "real" / "training_split.txt").tolist())
    with new_pairs(config.output, model, size, overwrite=config.overwrite) as writer:
        writer.recordings = [Recording(f"{kind}/{config.name}") for kind in KINDS]
        for kind, index, color, rotation in track(patches, "patches"):
            trained = kind > 0 or index in chosen
            place = Place(index, TRAIN if trained else TEST, RENDERED if kind else REAL, kind)
            pair = paired(_posed(color, rotation), model, drawer, place)
            if pair is None:
                raise InputError(
                    f"{config.mesh} must show in the patches of {config.name} and covers no pixel of "
                    f"{KINDS[kind]} image {index}; give the mesh of that object, in millimetres"
                )
            writer.append(pair)
        stamp_provenance(writer.file, configuration=config, seed=None, sources={"mesh": config.mesh})
        writer.file.attrs["noise"], writer.file.attrs["drawer"] = "none", drawer.name
        return writer.count


def read_kind(folder: Path, kind: str, name: str) -> Iterator[tuple[int, Bytes, Floats]]:
    """Of each patch of a kind: its index, (size, size, 3) RGB and (3, 3) rotation camera_from_object."""
    poses = folder / kind / name / "poses.txt"
    if not poses.is_file():
        raise InputError(
            f"{poses} must list the patches and does not exist; give the folder that holds real/ and fine/"
        )
    lines = poses.read_text(encoding="utf-8").split("\n")
    for index, (file, numbers) in enumerate(zip(lines[::2], lines[1::2], strict=False)):
        try:
            rotation = matrix_from_quaternion(np.array([float(number) for number in numbers.split()]).reshape(4))
        except ValueError as error:
            raise InputError(f"line {2 * index + 2} of {poses} must be w x y z, is {numbers!r}") from error
        image = poses.parent / file.removeprefix("#").strip()
        if not image.is_file():
            raise InputError(f"{poses} names {image.name}, which does not exist beside it; complete the folder")
        yield index, np.asarray(imageio.imread(image))[..., :3], rotation


def _training_indices(path: Path) -> Integers:
    if not path.is_file():
        raise InputError(f"{path} must list the real images to train on and does not exist; complete the folder")
    try:
        return np.array([int(word) for word in path.read_text(encoding="utf-8").replace(",", " ").split()], np.int64)
    except ValueError as error:
        raise InputError(f"{path} must list whole numbers ({error}); restore the file") from error


def patch_camera(size: int) -> Camera:
    """The camera that shows the cube at DISTANCE in so many pixels."""
    focal = 64 / PATCH_SIDE * DISTANCE
    return Camera(64, 64, focal, focal, *ORIGIN_PX).resized(size, size)


def _posed(color: Bytes, rotation: Floats) -> Posed:
    size = len(color)
    return Posed(
        color=color,
        depth=np.zeros((size, size), np.float32),
        camera=patch_camera(size),
        camera_from_object=rigid(rotation, np.array([0, 0, DISTANCE])),
        crop_box=np.array([-0.5, -0.5, size - 0.5, size - 0.5]),
        inside=np.ones((size, size), bool),
        visible=None,
    )
