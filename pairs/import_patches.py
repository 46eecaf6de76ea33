"""The LINEMOD patch layout, joined with the object's mesh, in; pairs out.

    real/NAME/*.png         camera images; real/training_split.txt lists the indices of those to train on
    fine/NAME/, coarse/NAME/   renders on black
    */NAME/poses.txt        a `# file` line, then `w x y z`: camera_from_object, x right, y down, z forward

Wohlhart and Lepetit, "Learning Descriptors for Object Recognition and 3D Pose Estimation", CVPR 2015. Patches have
neither depth nor intrinsics: they show a cube of PATCH_SIDE, scaled to 64 pixels, about a point of the object that is
not the origin of the BOP mesh. Side and distance were fitted to the outlines of renders of cat and cam (a quarter of a
pixel remains); the point is fitted to those of each object when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from scipy.optimize import least_squares
from scipy.spatial import ConvexHull

from pairs.config import ImportPatchesConfig
from pairs.counterparts import Place, Posed, paired
from pairs.format import REAL, RENDERED, Recording, new_pairs
from scene.arrays import Bytes, Floats, Integers
from scene.camera import Camera
from scene.drawing import open_drawer
from scene.errors import InputError
from scene.files import stamp_provenance
from scene.object_model import ObjectModel, load_object
from scene.progress import track
from scene.rotations import matrix_from_quaternion
from scene.splits import TEST, TRAIN
from scene.transforms import apply, rigid

KINDS = ("real", "fine", "coarse")
PATCH_SIDE = 0.202
"""metres"""
DISTANCE = 0.6
"""metres at which the patches' perspective is theirs"""
BLACK = 8
"""levels up to which a render shows nothing"""
FITTED_PATCHES = 34
"""renders whose outlines tell about which point of the object patches lie"""


def import_patches(config: ImportPatchesConfig) -> int:
    """Runs the command; the number of rows.

    Raises:
        InputError: a folder, image, line or index that is missing or cannot be used.
    """
    model, drawer = load_object(config.mesh, "mm"), open_drawer("raster")
    patches = [(at, *patch) for at, kind in enumerate(KINDS) for patch in read_kind(config.patches, kind, config.name)]
    if not patches:
        raise InputError(f"{config.patches} must hold patches of {config.name} and holds none; complete the folder")
    size = patches[0][2].shape[0]
    center = patch_center(model, [patch[2:] for patch in patches if patch[0] > 0])
    chosen = set(_training_indices(config.patches / "real" / "training_split.txt").tolist())
    with new_pairs(config.output, model, size, overwrite=config.overwrite) as writer:
        writer.recordings = [Recording(f"{kind}/{config.name}") for kind in KINDS]
        for kind, index, color, rotation in track(patches, "patches"):
            trained = kind > 0 or index in chosen
            place = Place(index, TRAIN if trained else TEST, RENDERED if kind else REAL, kind)
            pair = paired(_posed(color, rotation, center), model, drawer, place)
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
    return Camera(64, 64, focal, focal, 31.5, 31.5).resized(size, size)


def patch_pose(rotation: Floats, center_object: Floats) -> Floats:
    """(3, 3) and (3,) metres -> (4, 4) camera_from_object with that point in the middle of the patch."""
    return rigid(rotation, np.array([0, 0, DISTANCE]) - rotation @ center_object)


def patch_center(model: ObjectModel, renders: Sequence[tuple[Bytes, Floats]]) -> Floats:
    """(3,) metres, object frame: the point in the middle of every patch, by least squares of the outlines' boxes.

    Args:
        model: the object.
        renders: images on black and their rotations; without any, the mesh's origin is taken.
    """
    shown = [(image, turn) for image, turn in renders[:: len(renders) // FITTED_PATCHES + 1] if image.max() > BLACK]
    if not shown:
        return np.zeros(3)
    hull = model.vertices[ConvexHull(model.vertices).vertices]
    seen = np.array([_box(np.argwhere(image.max(axis=-1) > BLACK)[:, ::-1]) for image, _ in shown])
    camera = patch_camera(len(shown[0][0]))

    def errors(center: Floats) -> Floats:
        boxes = [_box(camera.project(apply(patch_pose(turn, center), hull))) for _, turn in shown]
        flat: Floats = (np.array(boxes) - seen).ravel()
        return flat

    found: Floats = least_squares(errors, np.zeros(3), loss="soft_l1", x_scale=0.01).x
    return found


def _box(pixels: Floats | Integers) -> Floats:
    """(N, 2) -> (4,) least and greatest column and row."""
    return np.array([*pixels.min(axis=0), *pixels.max(axis=0)], float)


def _posed(color: Bytes, rotation: Floats, center: Floats) -> Posed:
    size = len(color)
    return Posed(
        color=color,
        depth=np.zeros((size, size), np.float32),
        camera=patch_camera(size),
        camera_from_object=patch_pose(rotation, center),
        crop_box=np.array([-0.5, -0.5, size - 0.5, size - 0.5]),
        inside=np.ones((size, size), bool),
        visible=None,
    )
