"""A small folder in the layout of the LINEMOD patches, drawn from a mesh of our own; and that mesh."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from scene.arrays import Bytes, Floats
from scene.camera import Camera
from scene.drawing import OBJECT, open_drawer, rigid_body
from scene.object_model import ObjectModel
from scene.rotations import covering_rotations, matrix_from_rotation_vector, quaternion_from_matrix, random_rotations
from tests.pairs.samples import wedge

SIZE, SCALE = 32, 220.0
OBJECT_FROM_MESH = np.array([[0.0, -1, 0, 0.004], [1, 0, 0, -0.006], [0, 0, 1, 0.003], [0, 0, 0, 1]])
"""a quarter of a turn and a shift, which the fit has to find"""


def drawn(model: ObjectModel, rotation: Floats) -> Bytes:
    """The mesh on black."""
    body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
    pose = np.eye(4)
    pose[:3, :3], pose[2, 3] = rotation, 0.6
    camera = Camera(SIZE, SIZE, SCALE * 0.6, SCALE * 0.6, (SIZE - 1) / 2, (SIZE - 1) / 2)
    return open_drawer("raster").draw([body.placed(pose @ OBJECT_FROM_MESH)], camera).color


def patch_folder(home: Path, real: int = 12) -> None:
    """Writes home/patches and home/meshes/wedge.ply, in millimetres; half of the real images are to train on."""
    model, rng = wedge(), np.random.default_rng(0)
    (home / "meshes").mkdir()
    mesh = model.mesh
    mesh.apply_scale(1000)
    mesh.export(home / "meshes" / "wedge.ply")
    near = matrix_from_rotation_vector(rng.uniform(-0.6, 0.6, (real, 3)))
    _write(home / "patches", "real", [_before(drawn(model, one), rng) for one in near], near)
    fine, coarse = covering_rotations(40), random_rotations(10, rng)
    for kind, rotations in (("fine", fine), ("coarse", coarse)):
        _write(home / "patches", kind, [drawn(model, one) for one in rotations], rotations)
    (home / "patches" / "real" / "training_split.txt").write_text(", ".join(map(str, range(0, real, 2))))


def _before(image: Bytes, rng: np.random.Generator) -> Bytes:
    background = rng.integers(0, 255, image.shape, np.uint8)
    return np.where(image.max(axis=-1, keepdims=True) > 0, image, background)


def _write(home: Path, kind: str, images: list[Bytes], rotations: Floats) -> None:
    folder = home / kind / "wedge"
    folder.mkdir(parents=True)
    lines = []
    for index, (image, rotation) in enumerate(zip(images, rotations, strict=True)):
        imageio.imwrite(folder / f"{kind}{index}.png", image)
        lines += [f"# {kind}{index}.png", " ".join(map(str, quaternion_from_matrix(rotation)))]
    (folder / "poses.txt").write_text("\n".join(lines))
