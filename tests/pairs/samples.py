"""Small pairs and files of pairs for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pairs.format import RENDERED, Crop, Pair, center_of, new_pairs, stored_depth
from scene.object_model import ObjectModel
from scene.rotations import quaternion_from_matrix, random_rotations
from scene.transforms import rigid

SIZE = 16


def wedge() -> ObjectModel:
    """A 6 cm object without symmetry whose frame is not at its middle."""
    vertices = np.array([[0, 0, 0], [0.06, 0, 0], [0, 0.03, 0], [0, 0, 0.02], [0.03, 0.03, 0.02]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 4, 3], [2, 3, 4], [1, 2, 4]], np.int32)
    colors = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200], [200, 200, 30], [200, 30, 200]], np.uint8)
    return ObjectModel("wedge", vertices, faces, colors, True, "built in the tests")


def a_pair(row: int, rng: np.random.Generator, *, size: int = SIZE, split: int = 0, origin: int = RENDERED) -> Pair:
    """A pair whose crops are noise, of frame `row`."""
    model = wedge()
    pose = rigid(random_rotations(1, rng)[0], np.array([0.0, 0.0, 0.5]))
    z = float((pose[:3, :3] @ center_of(model))[2] + 0.5)
    amodal = np.zeros((size, size), bool)
    amodal[4:12, 4:12] = True
    visible = amodal.copy()
    visible[4:8] = False

    def crop() -> Crop:
        depth = np.where(amodal, rng.uniform(0.47, 0.53, (size, size)), 0)
        return Crop(rng.integers(0, 255, (size, size, 3)).astype(np.uint8), stored_depth(depth, z, model.diameter))

    return Pair(
        occluded=crop(),
        rendered=crop(),
        clean=crop(),
        mask_amodal=amodal,
        mask_visible=visible,
        quaternion_wxyz=quaternion_from_matrix(pose[:3, :3]),
        camera_from_object=pose,
        camera_from_view=np.eye(3),
        crop_matrix=np.array([[100.0, 0, 7.5], [0, 100, 7.5], [0, 0, 1]]),
        crop_box=np.array([0.0, 0, 16, 16]),
        visibility=0.5,
        visibility_lost_hand=0.5,
        visibility_lost_self=0.0,
        visibility_lost_truncation=0.0,
        visibility_lost_other=0.0,
        confidence=0.9,
        frame_index=row,
        hand_frame=row,
        timestamp_s=row / 30,
        split=split,
        origin=origin,
    )


def a_file(path: Path, count: int = 12, *, size: int = SIZE) -> Path:
    """A file of `count` pairs, every fourth of which is real, of splits 0, 1, 2 in turn by thirds."""
    rng = np.random.default_rng(0)
    with new_pairs(path, wedge(), size, overwrite=False) as writer:
        for row in range(count):
            split, origin = min(2, 3 * row // max(count, 1)), int(row % 4 != 0)
            writer.append(a_pair(row, rng, size=size, split=split, origin=origin))
        writer.leave_out(count + 1, "the object is LOST")
        writer.leave_out(count, "the object is LOST")
    return path
