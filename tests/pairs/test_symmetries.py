"""The object's symmetries go with its pairs, wherever these go."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pairs.cli import run
from pairs.format import open_pairs
from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import SYMMETRY_FIELDS, Symmetries, turn_about, write_symmetries
from tests.pairs.samples import SIZE, a_file
from tests.pairs.test_rearrange import a_recording

HALF_TURN = turn_about(matrix_from_rotation_vector(np.array([0, 0, np.pi])), np.array([0.01, 0, 0]))
KNOWN = Symmetries(np.stack([np.eye(4), HALF_TURN]), np.array([[1.0, 0, 0]]), np.array([[0, 0.02, 0]]))


def with_symmetries(path: Path) -> Path:
    with h5py.File(path, "r+") as file:
        for field in SYMMETRY_FIELDS:
            del file[field.name]
        write_symmetries(file, KNOWN)
    return path


def assert_known(path: Path) -> None:
    with open_pairs(path) as pairs:
        np.testing.assert_allclose(pairs.symmetries.discrete, KNOWN.discrete, atol=1e-12)
        np.testing.assert_allclose(pairs.symmetries.axes, KNOWN.axes)
        np.testing.assert_allclose(pairs.symmetries.offsets, KNOWN.offsets, atol=1e-12)


def test_files_of_earlier_releases_know_none(tmp_path: Path) -> None:
    path = a_file(tmp_path / "pairs.h5")
    with h5py.File(path, "r+") as file:
        del file["symmetries"]
    with open_pairs(path) as pairs:
        assert not pairs.symmetries.any


def test_merged_and_divided_pairs_keep_them(tmp_path: Path) -> None:
    paths = [with_symmetries(a_recording(tmp_path / f"{at}.h5", f"{at}", seed=at)) for at in range(3)]
    merged, divided = tmp_path / "merged.h5", tmp_path / "split.h5"
    assert run(["merge", *map(str, paths), "--output", str(merged)]) == 0
    assert_known(merged)
    assert run(["split", str(merged), "--output", str(divided)]) == 0
    assert_known(divided)


def test_they_go_through_bop_in_its_form(tmp_path: Path) -> None:
    path = with_symmetries(a_file(tmp_path / "pairs.h5"))
    assert run(["export", str(path), "--format", "bop", "--output", str(tmp_path / "bop")]) == 0
    info = json.loads((tmp_path / "bop/models/models_info.json").read_text())["1"]
    assert info["symmetries_continuous"] == [{"axis": [1.0, 0.0, 0.0], "offset": [0.0, 20.0, 0.0]}]
    np.testing.assert_allclose(np.reshape(info["symmetries_discrete"][0], (4, 4))[:3, 3], [20, 0, 0], atol=1e-9)
    arguments = ["--size", str(SIZE), "--visibility", "0", "--splits.test", "0", "--splits.validation", "0"]
    back = tmp_path / "back.h5"
    assert run(["import-bop", str(tmp_path / "bop"), "val", "--output", str(back), *arguments]) == 0
    assert_known(back)


@pytest.mark.parametrize("content", ['{"2": {"symmetries_discrete": [[1]]}}', "{}"])
def test_of_an_object_that_the_data_set_does_not_name_none_are_known(tmp_path: Path, content: str) -> None:
    path = a_file(tmp_path / "pairs.h5")
    assert run(["export", str(path), "--format", "bop", "--output", str(tmp_path / "bop")]) == 0
    (tmp_path / "bop/models/models_info.json").write_text(content)
    back = tmp_path / "back.h5"
    arguments = ["--size", str(SIZE), "--visibility", "0", "--splits.test", "0", "--splits.validation", "0"]
    assert run(["import-bop", str(tmp_path / "bop"), "val", "--output", str(back), *arguments]) == 0
    with open_pairs(back) as pairs:
        assert not pairs.symmetries.any
