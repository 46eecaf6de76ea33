"""`pairs merge` and `pairs split`: rows stay what they were, splits become what was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pairs.cli import run
from pairs.format import Recording, new_pairs, open_pairs
from tests.pairs.samples import SIZE, a_file, a_pair, wedge


def a_recording(path: Path, name: str, count: int = 10, *, seed: int = 0, size: int = SIZE) -> Path:
    """Rows of one recording, all in the train split; every second is a view of the frame before it."""
    rng = np.random.default_rng(seed)
    with new_pairs(path, wedge(), size, overwrite=False) as writer:
        writer.recordings = [Recording(name, name * 4)]
        for row in range(count):
            frame = row // 2 * 2
            pair = replace(a_pair(frame, rng, size=size, origin=row % 2), hand_frame=frame, background_frame=frame)
            writer.append(pair)
        writer.leave_out(count + 5, "the object is LOST")
    return path


def test_merged_rows_are_those_of_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [a_recording(tmp_path / f"{name}.h5", name, seed=seed) for seed, name in enumerate("ab")]
    output = tmp_path / "all.h5"
    assert run(["merge", *map(str, paths), "--output", str(output)]) == 0
    assert f"20 pairs in {output}" in capsys.readouterr().out
    with open_pairs(output) as merged:
        assert [recording.name for recording in merged.recordings] == ["a", "b"]
        assert merged.column("recording").tolist() == [0] * 10 + [1] * 10
        assert len(merged.left_out) == 2
        for at, path in enumerate(paths):
            with open_pairs(path) as part:
                rows = np.arange(10)
                for field in ("occluded/color", "rendered/depth", "mask_visible"):
                    np.testing.assert_array_equal(merged.read_rows(field, rows + 10 * at), part.read_rows(field, rows))
                np.testing.assert_array_equal(merged.camera_from_object[rows + 10 * at], part.camera_from_object)


def test_a_recording_in_two_files_is_one(tmp_path: Path) -> None:
    paths = [a_recording(tmp_path / f"{at}.h5", "same", seed=at) for at in range(2)]
    assert run(["merge", *map(str, paths), "--output", str(tmp_path / "all.h5")]) == 0
    with open_pairs(tmp_path / "all.h5") as merged:
        assert merged.recordings == [Recording("same", "same" * 4)]
        assert (merged.column("recording") == 0).all()


def test_files_from_before_recordings_were_named_merge(tmp_path: Path) -> None:
    paths = [a_file(tmp_path / f"{at}.h5") for at in range(2)]
    assert run(["merge", *map(str, paths), "--output", str(tmp_path / "all.h5")]) == 0
    with open_pairs(tmp_path / "all.h5") as merged:
        assert merged.column("recording").tolist() == [0] * 12 + [1] * 12


def test_other_sizes_and_objects_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = a_recording(tmp_path / "a.h5", "a")
    other = replace(wedge(), vertices=wedge().vertices * 2, name="large wedge")
    with new_pairs(tmp_path / "b.h5", other, SIZE, overwrite=False):
        pass
    for path, message in (
        (tmp_path / "b.h5", "merged files must be of one object"),
        (a_recording(tmp_path / "c.h5", "c", size=24), "merged crops must be of one size"),
    ):
        assert run(["merge", str(first), str(path), "--output", str(tmp_path / "all.h5")]) == 2
        assert message in capsys.readouterr().err
    assert run(["merge", str(first), "--output", str(tmp_path / "all.h5")]) == 2
    assert "needs at least two files, got 1" in capsys.readouterr().err
    assert not (tmp_path / "all.h5").exists()


@pytest.fixture
def three(tmp_path: Path) -> Path:
    paths = [a_recording(tmp_path / f"{name}.h5", name, seed=seed) for seed, name in enumerate("abc")]
    assert run(["merge", *map(str, paths), "--output", str(tmp_path / "all.h5")]) == 0
    return tmp_path / "all.h5"


def test_split_by_recording(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = three.with_name("split.h5")
    assert run(["split", str(three), "--output", str(output)]) == 0
    with open_pairs(output) as pairs:
        assert pairs.split.tolist() == [0] * 10 + [1] * 10 + [2] * 10
        assert [recording.name for recording in pairs.recordings] == ["a", "b", "c"]
    arguments = ["split", str(three), "--output", str(output), "--overwrite", "--splits.validation", "0"]
    assert run(arguments) == 0
    with open_pairs(output) as pairs:
        assert pairs.split.tolist() == [0] * 20 + [2] * 10
    capsys.readouterr()
    assert run(["split", str(three.with_name("a.h5")), "--output", str(output), "--overwrite"]) == 2
    error = capsys.readouterr().err
    assert "must have rows of at least 3 recordings to be split by them, has 1; give --by time" in error


def test_split_by_time_drops_the_gap(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = three.with_name("split.h5")
    arguments = ["--by", "time", "--splits.validation", "0", "--splits.test", "0.4", "--splits.cycles", "1"]
    assert run(["split", str(three), "--output", str(output), *arguments, "--splits.gap-s", "0.1"]) == 0
    with open_pairs(output) as pairs:
        frames, split = pairs.column("frame_index"), pairs.split
        # frames 0 2 4 6 8 of each, 1/15 s apart: those about the border between 4 and 6 are too near to it
        assert sorted(set(frames[split == 0].tolist())) == [0, 2]
        assert sorted(set(frames[split == 2].tolist())) == [8]
        assert len(pairs) == 3 * 6
    assert "12 rows left out: near another split in time" in capsys.readouterr().out


def test_rows_with_a_hand_that_went_to_another_split_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    with new_pairs(tmp_path / "pairs.h5", wedge(), SIZE, overwrite=False) as writer:
        for frame in range(10):
            writer.append(a_pair(frame, rng))
        writer.append(replace(a_pair(0, rng), hand_frame=9))
        writer.append(replace(a_pair(9, rng), background_frame=1))
    arguments = ["--by", "time", "--splits.validation", "0", "--splits.cycles", "1", "--splits.gap-s", "0"]
    assert run(["split", str(tmp_path / "pairs.h5"), "--output", str(tmp_path / "split.h5"), *arguments]) == 0
    assert "2 rows left out: hand or background from a frame that is now in another split" in capsys.readouterr().out
    assert run(["check", str(tmp_path / "split.h5")]) == 2  # the made-up crops are not about the object
    printed = capsys.readouterr().out
    assert "is a hand from a frame of another split? no" in printed
    assert "is a background from a frame of another split? no" in printed
