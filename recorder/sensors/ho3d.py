"""A sequence of HO-3D: `rgb/%04d.png|jpg`, `depth/%04d.png`, `meta/%04d.pkl`.

Poses and joints are in OpenGL's camera, metres; rotation vectors; depth is packed into two 8-bit channels. (Hampali et
al., "HOnnotate", CVPR 2020, and the authors' vis_HO3D.py.) The pickles are read by an unpickler that makes nothing but
numbers, text and arrays.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.sensors.images import numbers, read_color, sized_alike
from recorder.sensors.sequence import ImageSequence
from recorder.session import SensorFrame, Truth
from scene.camera import Camera
from scene.errors import InputError
from scene.mano.model import OUR_JOINTS
from scene.pickles import unpickled
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import OPENGL_FROM_OPENCV, apply, rigid

DEPTH_SCALE = 0.00012498664727900177
"""metres a count, as the authors' tool has it"""
LARGEST_PICKLE_BYTES = 10 << 20


def open_ho3d(folder: Path, *, frames_per_s: float) -> ImageSequence:
    """Takes the sequence's folder and the rate, which no file tells."""
    names = [path.stem for path in sorted((folder / "depth").glob("*.png"))]
    if not names:
        raise InputError(f"{folder}/depth must hold the images of an HO-3D sequence and has none; give its folder")
    first = read_meta(folder / f"meta/{names[0]}.pkl")
    matrix = numbers(first.get("camMat"), (3, 3), f"camMat in {folder}/meta/{names[0]}.pkl")
    height, width = read_packed_depth(folder / f"depth/{names[0]}.png").shape

    def read(index: int) -> SensorFrame:
        name = names[index]
        color_path, depth_path = _color_path(folder, name), folder / f"depth/{name}.png"
        color, depth = read_color(color_path), read_packed_depth(depth_path)
        sized_alike(color, depth, color_path, depth_path)
        meta = read_meta(folder / f"meta/{name}.pkl")
        return SensorFrame(color, depth, index / frames_per_s, truth=truth_of(meta, name))

    camera = Camera.from_matrix(matrix, width, height)
    return ImageSequence("ho3d", folder.name, camera, DEPTH_SCALE, len(names), read)


def truth_of(meta: dict[str, Any], name: str) -> Truth:
    """What a frame's table tells, in OpenCV's camera; what it leaves out is unknown."""
    truth = Truth.unknown()
    if meta.get("objRot") is not None and meta.get("objTrans") is not None:
        rotation = matrix_from_rotation_vector(numbers(meta["objRot"], (3,), f"objRot of {name}"))
        pose = OPENGL_FROM_OPENCV @ rigid(rotation, numbers(meta["objTrans"], (3,), f"objTrans of {name}"))
        truth = replace(truth, camera_from_object=pose)
    joints = meta.get("handJoints3D")
    if joints is not None and np.shape(joints) == (21, 3):  # the evaluation split tells the wrist alone
        points = apply(OPENGL_FROM_OPENCV, numbers(joints, (21, 3), f"handJoints3D of {name}"))
        truth = replace(truth, joints_camera=points[list(OUR_JOINTS)])
    return truth


def read_packed_depth(path: Path) -> NDArray[np.uint16]:
    """(height, width) counts: red + 256 green."""
    image = read_color(path).astype(np.uint16)
    return image[..., 0] + 256 * image[..., 1]


def read_meta(path: Path) -> dict[str, Any]:
    """A frame's table; nothing in the file is run."""
    if not path.is_file():
        raise InputError(f"{path} is missing; give --source the folder of a whole HO-3D sequence")
    if path.stat().st_size > LARGEST_PICKLE_BYTES:
        raise InputError(f"{path} must be a table of one frame, and has {path.stat().st_size >> 20} MB; copy it again")
    try:
        meta = unpickled(path.read_bytes(), "a pickle of HO-3D holds numbers alone")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # a damaged pickle raises whatever the step it broke in raises
        raise InputError(f"{path} cannot be read as a table of HO-3D ({error}); copy it again") from error
    if not isinstance(meta, dict):
        raise InputError(f"{path} must be a table of one frame, is a {type(meta).__name__}; copy it again")
    return meta


def _color_path(folder: Path, name: str) -> Path:
    png = folder / f"rgb/{name}.png"
    return png if png.is_file() else png.with_suffix(".jpg")
