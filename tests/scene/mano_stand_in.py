"""In place of MANO's licensed file: our own hand in the same layout, as .npz and as a pickle of Python 2.

778 vertices of our surface, in a frame of its own, with slightly bent fingers as MANO's flat hand has them.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
from pathlib import Path
from typing import ClassVar
from unittest import mock

import numpy as np
from scipy.sparse import csc_matrix
from scipy.spatial import cKDTree

from scene.hand_pose import HandPose, bones, joints, rest_angles
from scene.hand_shape import HandShape, average_hand
from scene.hand_surface import HandSurface
from scene.object_model import farthest_points
from scene.rotations import matrix_from_rotation_vector, rotation_vector_from_matrix
from scene.transforms import rigid

OURS_IN_MANO = [0, 13, 14, 15, 1, 2, 3, 4, 5, 6, 10, 11, 12, 7, 8, 9]
"""MANO's joint of each of our bones: palm, thumb, index, middle, ring, little"""
TIPS = [744, 320, 443, 554, 671]
MANO_FROM_HAND = rigid(matrix_from_rotation_vector(np.array([0.7, -1.9, 0.4])), np.array([0.09, 0.006, -0.01]))
PARENTS = [4294967295, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14]


def slightly_bent() -> np.ndarray:
    """(20,) radians."""
    return np.deg2rad(np.array([[4, 6, 3, 8], [3, 5, 6, 4], [-2, 7, 3, 3], [0, 4, 8, 2], [-5, 6, 4, 5]])).ravel()


def stand_in(shape: HandShape | None = None, angles: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The arrays of the file; the flat hand is `shape` at `angles`."""
    shape = shape or average_hand()
    angles = slightly_bent() if angles is None else angles
    pose = HandPose(MANO_FROM_HAND, angles)
    surface = HandSurface.build(shape, spacing=0.005)
    kept = farthest_points(surface.vertices, 778)
    vertices, weights = surface.posed(pose)[kept], surface.weights[kept]
    ours = joints(shape, pose)
    last = (ours[4::4] - ours[3::4]) / shape.phalanx_lengths[:, 2:]
    vertices[TIPS], weights[TIPS] = ours[4::4] + shape.radii[:, 3:] * last, np.eye(16)[3::3]
    at_rest, mano_weights = np.zeros((16, 3)), np.zeros((778, 16))
    at_rest[OURS_IN_MANO] = ours[
        [0, *(joint for finger in range(5) for joint in range(4 * finger + 1, 4 * finger + 4))]
    ]
    mano_weights[:, OURS_IN_MANO] = weights
    rng = np.random.default_rng(0)
    return {
        "v_template": vertices,
        "shapedirs": shape_directions(vertices, at_rest[0], rng),
        "posedirs": rng.normal(size=(778, 3, 135)) * 1e-4,
        "J_regressor": regressor(vertices, at_rest),
        "weights": mano_weights,
        "hands_mean": relative_pose(shape, angles, rest_angles()),
        "hands_components": np.linalg.qr(rng.normal(size=(45, 45)))[0],
        "hands_coeffs": rng.normal(size=(5, 45)),
        "kintree_table": np.array([PARENTS, range(16)], np.int64),
        "f": rng.integers(0, 778, (1538, 3)).astype(np.uint32),
        "J": at_rest,
    }


def shape_directions(vertices: np.ndarray, wrist: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(778, 3, 10): larger, longer, broader, thicker, and some others that matter less."""
    hand = (vertices - wrist) @ MANO_FROM_HAND[:3, :3]
    stretches = [np.eye(3) * 0.05, *(np.diag(row) for row in np.eye(3) * 0.03)]
    stretches += [rng.normal(size=(3, 3)) * 0.004 for _ in range(6)]
    return np.stack([hand @ stretch.T @ MANO_FROM_HAND[:3, :3].T for stretch in stretches], axis=-1)


def regressor(vertices: np.ndarray, at_rest: np.ndarray) -> np.ndarray:
    """(16, 778) by which joints follow the vertices around them, under any affine map."""
    rows = np.zeros((16, 778))
    for row, joint, near in zip(rows, at_rest, cKDTree(vertices).query(at_rest, 30)[1], strict=True):
        conditions = np.vstack([vertices[near].T, np.ones(30)])
        row[near] = np.linalg.lstsq(conditions, np.append(joint, 1.0), rcond=None)[0]
    return rows


def relative_pose(shape: HandShape, at_rest: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(45,) MANO's rotation vectors that bring our hand from `at_rest` to `angles`."""
    turns = [bones(shape, now)[:, :3, :3] for now in (at_rest, angles)]
    came = MANO_FROM_HAND[:3, :3] @ turns[1] @ np.swapaxes(turns[0], 1, 2) @ MANO_FROM_HAND[:3, :3].T
    in_mano = np.zeros((16, 3, 3))
    in_mano[OURS_IN_MANO] = came
    parents = [0, *PARENTS[1:]]
    return rotation_vector_from_matrix(np.swapaxes(in_mano[parents], 1, 2) @ in_mano)[1:].ravel()


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez(path, **arrays)
    return path


def write_pickle(path: Path, arrays: dict[str, object]) -> Path:
    """As the published file: of Python 2, with objects of chumpy and a sparse matrix of an old scipy."""
    path.write_bytes(python_2_pickle(published(arrays)))
    return path


def published(arrays: dict[str, object]) -> dict[str, object]:
    """With shapedirs as chumpy's choice of entries of a larger array, and v_template as its plain array, too."""
    larger = np.concatenate([np.asarray(arrays["shapedirs"]), np.ones((778, 3, 10))], axis=2)
    chosen = np.arange(larger.size).reshape(larger.shape)[:, :, :10].ravel()
    select = {"a": Ch({"x": larger, **BOOKKEEPING}), "idxs": chosen, "preferred_shape": (778, 3, 10), **BOOKKEEPING}
    return {
        **arrays,
        "shapedirs": Select(select),
        "v_template": Ch({"x": arrays["v_template"], **BOOKKEEPING}),
        "J_regressor": csc_matrix(arrays["J_regressor"]),
        "bs_type": "lrotmin",
        "bs_style": "lbs",
    }


BOOKKEEPING = {"_dirty_vars": set("x"), "_itr": None, "_depends_on_deps": {}}


class Ch:
    def __init__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)


class Select(Ch):
    pass


Ch.__module__, Select.__module__ = "chumpy.ch", "chumpy.reordering"


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes bytes and words as Python 2 wrote its strings."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_string(self, text: str | bytes) -> None:
        content = text.encode("latin1") if isinstance(text, str) else text
        self.write(b"T" + struct.pack("<i", len(content)) + content)
        self.memoize(text)

    dispatch[bytes] = dispatch[str] = save_string


def python_2_pickle(value: object) -> bytes:
    """Protocol 2, with the names that modules had then."""
    modules = {name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")}
    modules["chumpy.ch"].Ch, modules["chumpy.reordering"].Select = Ch, Select  # type: ignore[attr-defined]
    stream = io.BytesIO()
    with mock.patch.dict(sys.modules, modules):
        _Python2Pickler(stream, protocol=2).dump(value)
    content = stream.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    return content.replace(b"cscipy.sparse._csc\n", b"cscipy.sparse.csc\n")
