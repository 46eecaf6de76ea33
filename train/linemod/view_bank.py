"""Renders of a mesh near the training poses, kept as colour and normals so that each use can light them anew.

In: the mesh, where it lies (mesh_fit), the training rotations. Out: a bank of views. Turns about the line of sight are
left to the use (synthesis turns the image), so that a few thousand views cover all that a camera sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Bytes, Floats
from scene.drawing import Drawer
from scene.object_model import ObjectModel
from scene.progress import track
from scene.rotations import matrix_from_quaternion, matrix_from_rotation_vector, quaternion_from_matrix
from train.linemod.mesh_fit import ALBEDO, MeshFit, body_of

LARGEST_TURN = np.radians(25.0)
"""between a training pose and a view: about the widest gap between neighbouring training poses"""


@dataclass(frozen=True)
class ViewBank:
    """Views of one object, alone."""

    albedo: Bytes
    """(N, size, size, 3) RGB without light, black where the object is not"""
    normals: Bytes
    """(N, size, size, 3) outward unit normal in the camera's axes, as 128 + 127 n; 0 where the object is not"""
    quaternion_wxyz: Floats
    """(N, 4) rotation camera_from_object"""

    def __len__(self) -> int:
        return len(self.albedo)


def make_bank(
    model: ObjectModel, fit: MeshFit, training: Floats, count: int, size: int, drawer: Drawer, rng: np.random.Generator
) -> ViewBank:
    """Draws `count` views, each a training pose turned about a random axis.

    Args:
        model: the mesh.
        fit: how it lies in the object's frame.
        training: (M, 4) wxyz, rotations of the training images.
        count: views to draw.
        size: pixels along a side.
        drawer: any back-end.
        rng: chooses the poses.
    """
    rotations = near_rotations(training, count, rng)
    body, camera = body_of(model), fit.camera(size)
    assert body.normals is not None
    as_color = np.rint(128 + 127 * body.normals).astype(np.uint8)
    painted = replace(body, vertex_colors=as_color)
    albedo = np.empty((count, size, size, 3), np.uint8)
    normals = np.empty_like(albedo)
    for at, rotation in enumerate(track(rotations, f"draw {model.name}")):
        pose = fit.camera_from_mesh(rotation)
        albedo[at] = drawer.draw([body.placed(pose)], camera, ALBEDO).color
        drawn = drawer.draw([painted.placed(pose)], camera, ALBEDO).color
        normals[at] = _in_camera_axes(drawn, pose[:3, :3])
    return ViewBank(albedo, normals, quaternion_from_matrix(rotations))


def near_rotations(training: Floats, count: int, rng: np.random.Generator) -> Floats:
    """(M, 4) -> (count, 3, 3): random ones of them, turned by up to LARGEST_TURN, evenly in that ball."""
    axes = rng.normal(size=(count, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    turns = axes * LARGEST_TURN * rng.random((count, 1)) ** (1 / 3)
    chosen = matrix_from_quaternion(training[rng.integers(len(training), size=count)])
    rotations: Floats = matrix_from_rotation_vector(turns) @ chosen
    return rotations


def _in_camera_axes(drawn: Bytes, camera_from_mesh: Floats) -> Bytes:
    """Normals as colours in the mesh's axes -> the same in the camera's."""
    shown = drawn.any(axis=-1, keepdims=True)
    turned = (drawn.astype(np.float32) - 128) @ camera_from_mesh.T.astype(np.float32)
    length = np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1)
    packed: Bytes = np.where(shown, np.rint(128 + 127 * turned / length), 0).astype(np.uint8)
    return packed
