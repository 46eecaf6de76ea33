"""The pairs file: what is written is read, a bad file is refused, depth maps back."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairs.format import (
    PAIRS,
    center_of,
    metric_depth,
    new_pairs,
    normalised_depth,
    open_pairs,
    stored_depth,
)
from scene.errors import InputError, SchemaError
from tests.pairs.samples import SIZE, a_file, a_pair, wedge


def test_written_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [a_pair(row, rng) for row in range(150)]  # more than two blocks
    with new_pairs(tmp_path / "pairs.h5", wedge(), SIZE, overwrite=False) as writer:
        for row in rows:
            writer.append(row)
        assert writer.count == 150
    with open_pairs(tmp_path / "pairs.h5") as pairs:
        assert (len(pairs), pairs.size) == (150, SIZE)
        for at in (0, 63, 64, 149):
            np.testing.assert_array_equal(pairs.read("occluded/color", at, at + 1)[0], rows[at].occluded.color)
            np.testing.assert_array_equal(pairs.read("rendered/depth", at, at + 1)[0], rows[at].rendered.depth)
            np.testing.assert_array_equal(pairs.read("clean/color", at, at + 1)[0], rows[at].clean.color)
            np.testing.assert_array_equal(pairs.read("mask_visible", at, at + 1)[0], rows[at].mask_visible)
            np.testing.assert_array_equal(pairs.camera_from_object[at], rows[at].camera_from_object)
        assert pairs.column("frame_index").tolist() == list(range(150))
        assert pairs.object_model.name == "wedge"
        assert pairs.left_out == []


def test_rows_in_any_order(tmp_path: Path) -> None:
    with open_pairs(a_file(tmp_path / "pairs.h5")) as pairs:
        rows = np.array([7, 2, 2, 11, 0])
        picked = pairs.read_rows("clean/color", rows)
        np.testing.assert_array_equal(picked, pairs.read("clean/color", 0, 12)[rows])
        assert pairs.read_rows("clean/color", []).shape == (0, SIZE, SIZE, 3)


def test_left_out_frames_are_listed_in_order(tmp_path: Path) -> None:
    with open_pairs(a_file(tmp_path / "pairs.h5")) as pairs:
        assert pairs.left_out == [(12, "the object is LOST"), (13, "the object is LOST")]
        assert pairs.attribute("no such thing") == ""
        assert float(pairs.attribute("diameter")) == pytest.approx(wedge().diameter)


def test_empty_file_can_be_read(tmp_path: Path) -> None:
    with open_pairs(a_file(tmp_path / "pairs.h5", count=0)) as pairs:
        assert len(pairs) == 0
        assert pairs.visibility.shape == (0,)


def test_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    path = a_file(tmp_path / "pairs.h5")
    with pytest.raises(InputError, match="exists already"), new_pairs(path, wedge(), SIZE, overwrite=False):
        pass
    with new_pairs(path, wedge(), SIZE, overwrite=True):
        pass
    with open_pairs(path) as pairs:
        assert len(pairs) == 0


def test_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted() -> None:
        with new_pairs(tmp_path / "pairs.h5", wedge(), SIZE, overwrite=False) as writer:
            writer.append(a_pair(0, np.random.default_rng(0)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_crop_of_another_size_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"crops must be 16 px wide in this file, got \(8, 8\)"),
        new_pairs(tmp_path / "pairs.h5", wedge(), SIZE, overwrite=False) as writer,
    ):
        writer.append(a_pair(0, np.random.default_rng(0), size=8))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("visibility", 1.5, r"visibility must lie in 0\.\.1"),
        ("visibility", np.nan, r"visibility must lie in 0\.\.1"),
        ("split", 3, "split must be 0, 1 or 2"),
        ("origin", 2, "origin must be 0 or 1"),
        ("camera_from_object", np.nan, "every pair must have a pose"),
        ("quaternion_wxyz", 0.9, "quaternions must be unit"),
        ("quaternion_wxyz", [1, 0, 0, 0], "must be the rotation of camera_from_object"),
    ],
)
def test_values_that_cannot_be(tmp_path: Path, field: str, value: object, message: str) -> None:
    path = a_file(tmp_path / "pairs.h5")
    with h5py.File(path, "r+") as file:
        file[field][1] = value
    with pytest.raises(SchemaError, match=message), open_pairs(path):
        pass


def test_missing_field_is_named(tmp_path: Path) -> None:
    path = a_file(tmp_path / "pairs.h5")
    with h5py.File(path, "r+") as file:
        del file["clean/depth"]
    with pytest.raises(SchemaError, match="'clean/depth' is missing"), open_pairs(path):
        pass


def test_every_field_says_what_it_means() -> None:
    assert all(len(field.meaning) >= 8 for field in PAIRS.fields)


@given(st.floats(0.6, 2.0), st.floats(0.02, 0.5), st.floats(-0.99, 0.99))
def test_depth_maps_back(center_z: float, diameter: float, offset: float) -> None:
    depth = np.array([center_z + offset * diameter, 0.0])
    stored = stored_depth(depth, center_z, diameter)
    back = metric_depth(stored, center_z, diameter)
    # half a step of 1/32767 diameter, and float32
    assert abs(back[0] - depth[0]) < diameter / 32767 + 1e-6
    assert (stored[1], back[1]) == (0, 0)


def test_stored_depth_by_hand() -> None:
    depth = np.array([0.5, 0.56, 0.44, 3.0, 0.1, 0.0])
    np.testing.assert_array_equal(stored_depth(depth, 0.5, 0.06), [32768, 65535, 1, 65535, 1, 0])
    assert normalised_depth(np.array([1.0, 32768.0, 65535.0])).tolist() == [-1.0, 0.0, 1.0]


def test_center_is_the_middle_of_the_box() -> None:
    np.testing.assert_allclose(center_of(wedge()), [0.03, 0.015, 0.01])


def test_random_rows_read_fast(tmp_path: Path) -> None:
    path = a_file(tmp_path / "pairs.h5", count=200, size=96)
    with open_pairs(path) as pairs:
        rows = np.random.default_rng(0).permutation(200)
        start = time.perf_counter()
        pairs.read_rows("occluded/color", rows)
        rate = 200 / (time.perf_counter() - start)
    assert rate > 1000  # several thousand on a busy machine; reading whole blocks for single rows is slower than this
