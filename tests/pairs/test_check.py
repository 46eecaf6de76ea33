"""`pairs check` finds what is planted, and nothing in a good file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from pairs.cli import run
from pairs.config import CheckConfig
from pairs.format import Pair, center_of, new_pairs
from scene.camera import Camera
from scene.crop import crop_about
from scene.errors import InputError
from scene.transforms import apply
from tests.pairs.samples import SIZE, a_pair, wedge

CAMERA = Camera(200, 200, 150.0, 150.0, 99.5, 99.5)


def good_pair(row: int, rng: np.random.Generator, split: int) -> Pair:
    """At odds with nothing: the crop lies about the object."""
    pair = a_pair(row, rng, split=split)
    crop = crop_about(CAMERA, apply(pair.camera_from_object, center_of(wedge())[None])[0], wedge().diameter, SIZE)
    return replace(pair, crop_matrix=crop.crop_camera.matrix, background_frame=row)


def write(path: Path, changes: dict[int, dict[str, object]]) -> Path:
    """Twelve rows of three splits, with fields of some rows replaced."""
    rng = np.random.default_rng(0)
    with new_pairs(path, wedge(), SIZE, overwrite=False) as writer:
        for row in range(12):
            writer.append(replace(good_pair(row, rng, row // 4), **changes.get(row, {})))  # type: ignore[arg-type]
    return path


def test_a_good_file_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(write(tmp_path / "pairs.h5", {}))]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 6
    assert all(line.endswith("? no") for line in printed)


@pytest.mark.parametrize(
    ("changes", "question", "rows"),
    [
        ({9: {"frame_index": 2}}, "is a frame in two splits", "yes, 2 of 12 rows: 2, 9"),
        ({9: {"hand_frame": 2}}, "is a hand from a frame of another split", "yes, 1 of 12 rows: 9"),
        ({5: {"background_frame": 11}}, "is a background from a frame of another split", "yes, 1 of 12 rows: 5"),
        ({3: {"visibility": 0.9}}, "does the visible mask leave the amodal one", "yes, 1 of 12 rows: 3"),
        ({3: {"mask_visible": np.ones((SIZE, SIZE), bool)}}, "does the visible mask leave", "yes, 1 of 12 rows: 3"),
        ({7: {"crop_matrix": np.eye(3)}}, "does the object's centre lie away", "yes, 1 of 12 rows: 7"),
    ],
)
def test_what_is_planted_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[int, dict[str, object]], question: str, rows: str
) -> None:
    path = write(tmp_path / "pairs.h5", changes)
    assert run(["check", str(path)]) == 2
    printed = capsys.readouterr()
    assert any(line.startswith(question) and line.endswith(rows) for line in printed.out.splitlines())
    assert printed.out.count("? no") == 5
    assert "must pass every check and fails 1 of 6" in printed.err
    assert printed.err.count("\n") == 1


def test_a_near_duplicate_across_the_split_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "pairs.h5", {})
    with h5py.File(path, "r+") as file:  # row 10 looks as row 1 does, at the same pose, but for a level of noise
        for field in ("camera_from_object", "quaternion_wxyz", "crop_matrix", "occluded/color"):
            file[field][10] = file[field][1]
        file["occluded/color"][10] = np.clip(file["occluded/color"][1].astype(int) + 1, 0, 255)
    assert run(["check", str(path)]) == 2
    assert "is there a near-duplicate of it in the train split? yes, 1 of 12 rows: 10" in capsys.readouterr().out
    assert run(["check", str(path), "--duplicate-levels", "0.5"]) == 0
    capsys.readouterr()
    with h5py.File(path, "r+") as file:  # the same picture at another pose is no duplicate
        for field in ("camera_from_object", "quaternion_wxyz", "crop_matrix"):
            file[field][10] = file[field][11]
    assert run(["check", str(path)]) == 0


def test_frames_of_different_recordings_are_not_one(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.h5", {9: {"frame_index": 2, "hand_frame": 2, "background_frame": 2, "recording": 1}})
    assert run(["check", str(path)]) == 0


def test_check_that_would_find_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="must be told by positive differences, got 0 levels"):
        CheckConfig(duplicate_levels=0)


def test_check_of_an_empty_file(tmp_path: Path) -> None:
    with new_pairs(tmp_path / "pairs.h5", wedge(), SIZE, overwrite=False):
        pass
    assert run(["check", str(tmp_path / "pairs.h5")]) == 0
