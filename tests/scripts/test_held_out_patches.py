"""A folder to choose settings by: training images alone, every fifth of them held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts import held_out_patches
from tests.train.patch_samples import patch_folder
from train.linemod.patches import read_object_patches


def test_every_fifth_training_image_is_held_out_and_no_test_image_is_there(tmp_path: Path) -> None:
    patch_folder(tmp_path)
    held_out_patches.main([str(tmp_path / "patches"), str(tmp_path / "held-out")])
    before = read_object_patches(tmp_path / "patches", "wedge")
    chosen = read_object_patches(tmp_path / "held-out", "wedge")
    out = np.arange(len(before.training)) % 5 == 0
    for rows, found in ((out, chosen.test), (~out, chosen.training)):
        np.testing.assert_array_equal(found.color, before.training.color[rows])
        np.testing.assert_allclose(found.quaternion_wxyz, before.training.quaternion_wxyz[rows])
    np.testing.assert_array_equal(chosen.renders.color, before.renders.color)


def test_it_says_how_it_is_used() -> None:
    with pytest.raises(SystemExit, match="usage: held_out_patches"):
        held_out_patches.main([])
