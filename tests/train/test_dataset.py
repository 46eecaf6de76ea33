"""The rows of a split come out as stored, from memory and from disk alike, and poses turn back to the camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pairs.format import open_pairs
from scene.errors import InputError
from scene.rotations import geodesic_angle
from tests.train.samples import SIZE, learnable_file
from train.dataset import BEHIND, HAND, OBJECT, has_split, open_split


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_file(tmp_path_factory.mktemp("dataset") / "pairs.h5", 20)


@pytest.mark.parametrize("memory_limit", [0, 1 << 30])
def test_images_are_the_files(pairs: Path, memory_limit: int) -> None:
    with open_pairs(pairs) as file, open_split(pairs, "test", memory_limit=memory_limit) as images:
        assert bool(images.memory) == bool(memory_limit)
        assert len(images) == 4
        assert images.size == SIZE
        color, depth = images.images(np.array([3, 0, 3]), np.array([True, False, False]))
        assert depth.dtype == torch.int32
        rows = images.rows[[3, 0, 3]]
        for at, (view, row) in enumerate(zip(("clean", "occluded", "occluded"), rows, strict=True)):
            np.testing.assert_array_equal(color[at], file.read(f"{view}/color", row, row + 1)[0])
            np.testing.assert_array_equal(depth[at], file.read(f"{view}/depth", row, row + 1)[0])


@pytest.mark.parametrize("options", [{"memory_limit": 0}, {}, {"layers": True}])
def test_layers_tell_object_hand_and_what_is_behind(pairs: Path, options: dict[str, Any]) -> None:
    with open_pairs(pairs) as file, open_split(pairs, "test", **options) as images:
        assert ("layers" in images.memory) == ("layers" in options)
        layers = images.layers(np.array([2, 1])).numpy()
        rows = images.rows[[2, 1]]
        color = file.read_rows("occluded/color", rows)
        np.testing.assert_array_equal(layers == HAND, (color == 128).all(axis=-1))
        np.testing.assert_array_equal(layers == BEHIND, (color == 90).all(axis=-1))
        np.testing.assert_array_equal(layers == OBJECT, file.read_rows("mask_visible", rows))
        np.testing.assert_array_equal(images.in_hand, np.arange(len(images)))


def test_learnt_rotation_turns_back_to_the_camera(pairs: Path) -> None:
    with open_pairs(pairs) as file, open_split(pairs, "train") as images:
        stored = file.camera_from_object[images.rows, :3, :3]
        assert geodesic_angle(images.camera_rotation(images.quaternion_wxyz), stored).max() < 1e-9
        assert not np.allclose(np.abs(images.quaternion_wxyz), np.abs(file.quaternion_wxyz[images.rows]))
        np.testing.assert_array_equal(images.visibility, file.visibility[images.rows])


def test_a_split_without_pairs_is_refused(tmp_path: Path) -> None:
    pairs = learnable_file(tmp_path / "pairs.h5", 6, splits=(0,))
    assert has_split(pairs, "train")
    assert not has_split(pairs, "test")
    with pytest.raises(InputError, match="must have pairs in its test split and has none"), open_split(pairs, "test"):
        pass
