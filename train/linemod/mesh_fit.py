"""Where a mesh lies in the object frame of the patches, and how large a metre is in them: found from the given renders.

The patches' rotations are of LINEMOD's own meshes, whose frames differ from those of other releases of the same objects
by a shift, and for some (the ape) by half a turn. Nothing says so in the files, so the renders that come with the
patches decide: of the 24 rotations of a cube the one whose drawings have the renders' colours, then scale and shift
in closed form from areas and centroids of the silhouettes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from scene.arrays import Booleans, Bytes, Floats
from scene.camera import Camera
from scene.drawing import OBJECT, Body, Drawer, Light, rigid_body
from scene.errors import InputError
from scene.object_model import ObjectModel
from scene.rotations import matrix_from_quaternion
from train.linemod.patches import Patches

DISTANCES = (0.4, 0.5, 0.6, 0.8, 1.2)
"""metres from camera to object that are tried; perspective is all that tells them apart"""
VIEWS_TO_TURN, VIEWS_TO_FIT, REFINEMENTS = 20, 100, 3
WORST_MISMATCH = 0.15
"""pixels in which the silhouettes differ / pixels of the renders: a right mesh has 0.02 to 0.04"""
ALBEDO = Light(np.array([0.0, 0.0, -1.0]), 1.0, 0.0, np.ones(3))
"""colours as they are, lit by nothing"""


@dataclass(frozen=True)
class MeshFit:
    """How to draw a mesh so that it stands as in the patches."""

    object_from_mesh: Floats
    """(4, 4) metres"""
    scale: float
    """pixels that a metre has at the object's centre"""
    distance: float
    """metres from the camera to the object's centre"""
    mismatch: float
    """pixels in which the silhouettes of drawings and renders differ / pixels of the renders"""

    def camera(self, size: int) -> Camera:
        """Of a patch of `size` pixels."""
        focal, middle = self.scale * self.distance, (size - 1) / 2
        return Camera(size, size, focal, focal, middle, middle)

    def camera_from_mesh(self, camera_from_object: Floats) -> Floats:
        """(3, 3) rotation -> (4, 4) that places the mesh."""
        pose = np.eye(4)
        pose[:3, :3], pose[2, 3] = camera_from_object, self.distance
        placed: Floats = pose @ self.object_from_mesh
        return placed


def body_of(model: ObjectModel) -> Body:
    """The mesh as something to draw."""
    return rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)


def fit_mesh(model: ObjectModel, renders: Patches, drawer: Drawer) -> MeshFit:
    """Finds rotation, shift, scale and distance.

    Args:
        model: the mesh.
        renders: of the same object on black.
        drawer: any back-end.

    Raises:
        InputError: no rotation of the mesh looks like the renders.
    """
    body = body_of(model)
    scale = _first_scale(model, renders)
    turned = _turned(body, scale, _thinned(renders, VIEWS_TO_TURN), drawer)
    shown = _thinned(renders, VIEWS_TO_FIT)
    fits = [_refined(replace(turned, distance=distance), body, shown, drawer) for distance in DISTANCES]
    best = min(fits, key=lambda fit: fit.mismatch)
    if best.mismatch > WORST_MISMATCH:
        raise InputError(
            f"the mesh {model.source} must look like the renders, and its silhouettes differ from theirs by "
            f"{100 * best.mismatch:.0f}%; give the mesh of the same object in --meshes"
        )
    return best


def silhouettes(color: Bytes) -> Booleans:
    """(N, H, W, 3) on black -> (N, H, W)."""
    shown: Booleans = color.max(axis=-1) > 0
    return shown


def _thinned(renders: Patches, count: int) -> Patches:
    return renders[np.linspace(0, len(renders) - 1, min(count, len(renders))).astype(int)]


def _first_scale(model: ObjectModel, renders: Patches) -> float:
    """The widest render is about as wide as the mesh's diameter."""
    masks = silhouettes(renders.color)
    widths = np.maximum(masks.any(axis=1).sum(axis=1), masks.any(axis=2).sum(axis=1))
    return float(widths.max() / model.diameter)


def _draw(fit: MeshFit, body: Body, renders: Patches, drawer: Drawer) -> Bytes:
    camera = fit.camera(renders.color.shape[1])
    rotations = matrix_from_quaternion(renders.quaternion_wxyz)
    placed = [body.placed(fit.camera_from_mesh(rotation)) for rotation in rotations]
    return np.stack([drawer.draw([one], camera, ALBEDO).color for one in placed])


def _turned(body: Body, scale: float, renders: Patches, drawer: Drawer) -> MeshFit:
    """The one of a cube's rotations whose drawings, moved onto the renders, have their colours."""
    fits = []
    for rotation in Rotation.create_group("O").as_matrix():
        object_from_mesh = np.eye(4)
        object_from_mesh[:3, :3] = rotation
        fits.append(MeshFit(object_from_mesh, scale, DISTANCES[-1], 1.0))
    differences = [_color_difference(_draw(fit, body, renders, drawer), renders.color) for fit in fits]
    return fits[int(np.argmin(differences))]


def _color_difference(drawn: Bytes, given: Bytes) -> float:
    """Mean absolute difference after each drawing is moved, by whole pixels, onto the render's centroid."""
    _, centers = _areas_and_centers(silhouettes(drawn))
    _, targets = _areas_and_centers(silhouettes(given))
    shifts = np.rint(targets - centers).astype(int)
    moved = [np.roll(image, (dv, du), (0, 1)) for image, (du, dv) in zip(drawn, shifts, strict=True)]
    return float(np.abs(np.stack(moved).astype(float) - given).mean())


def _areas_and_centers(masks: Booleans) -> tuple[Floats, Floats]:
    """(N, H, W) -> (N,) pixels and (N, 2) mean u, v of each."""
    v, u = np.mgrid[: masks.shape[1], : masks.shape[2]]
    area = np.maximum(masks.sum(axis=(1, 2)), 1).astype(float)
    return area, np.stack([(masks * u).sum(axis=(1, 2)), (masks * v).sum(axis=(1, 2))], axis=1) / area[:, None]


def _refined(fit: MeshFit, body: Body, renders: Patches, drawer: Drawer) -> MeshFit:
    """Scale from the silhouettes' areas; shift by least squares, as a centroid moves by scale * rotation @ shift."""
    given = silhouettes(renders.color)
    areas, centers = _areas_and_centers(given)
    across = matrix_from_quaternion(renders.quaternion_wxyz)[:, :2].reshape(-1, 3)
    for left in range(REFINEMENTS, -1, -1):
        drawn = silhouettes(_draw(fit, body, renders, drawer))
        if not left:
            return replace(fit, mismatch=float((drawn != given).sum() / max(given.sum(), 1)))
        drawn_areas, drawn_centers = _areas_and_centers(drawn)
        shift = np.linalg.lstsq(fit.scale * across, (centers - drawn_centers).ravel(), rcond=None)[0]
        object_from_mesh = fit.object_from_mesh.copy()
        object_from_mesh[:3, 3] += shift
        scale = fit.scale * float(np.sqrt(areas / drawn_areas).mean())
        fit = replace(fit, object_from_mesh=object_from_mesh, scale=scale)
    raise AssertionError("the last turn of the loop returns")
