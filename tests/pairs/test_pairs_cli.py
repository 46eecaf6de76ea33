"""`pairs info` and `pairs view`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from pairs.cli import run
from pairs.format import REAL, RENDERED, Crop, new_pairs, open_pairs
from pairs.page import (
    COLUMNS,
    HIDDEN_COLOR,
    VISIBLE_COLOR,
    chosen_rows,
    contact_row,
    depth_picture,
    nearest_rotations,
    seen_sides,
)
from scene.rotations import matrix_from_rotation_vector
from tests.pairs.samples import SIZE, a_file, a_pair, wedge


def test_info_says_what_a_file_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(a_file(tmp_path / "pairs.h5"))]) == 0
    printed = capsys.readouterr().out
    for words in (
        "12 of 16 x 16 px",
        "wedge",
        "4 train, 4 validation, 4 test",
        "3 real, 9 rendered",
        "50% of the object on average; lost 50% hand",
        "2 frames, the object is LOST",
    ):
        assert words in printed


def test_info_of_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(a_file(tmp_path / "pairs.h5", count=0))]) == 0
    assert "0 of 16 x 16 px" in capsys.readouterr().out


def test_view_writes_one_page_complete_in_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run(["view", str(a_file(tmp_path / "pairs.h5")), "--output", str(page), "--rows", "4"]) == 0
    text = page.read_text()
    assert text.count("<tr><td") == 4
    assert text.count("data:image/png;base64,") == 4 * len(COLUMNS) + 3
    assert "http" not in text
    assert run(["view", str(tmp_path / "pairs.h5"), "--output", str(page)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert run(["view", str(tmp_path / "pairs.h5"), "--output", str(page), "--overwrite", "--rows", "5"]) == 0
    assert page.read_text().count("<tr><td") == 5


def test_view_chooses_by_seed(tmp_path: Path) -> None:
    a_file(tmp_path / "pairs.h5")
    texts = []
    for seed in (0, 0, 1):
        arguments = ["view", str(tmp_path / "pairs.h5"), "--output", str(tmp_path / "page.html"), "--overwrite"]
        assert run([*arguments, "--rows", "4", "--seed", str(seed)]) == 0
        texts.append((tmp_path / "page.html").read_text())
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["view", "--rows", "0"], "--rows must be at least 1, got 0"),
        (["info", "nowhere.h5"], "nowhere.h5 does not exist"),
        (["view", "nowhere.h5"], "nowhere.h5 does not exist"),
    ],
)
def test_errors_are_one_sentence(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_chosen_rows_are_half_real() -> None:
    origin, rng = np.array([0] * 5 + [1] * 50), np.random.default_rng(0)
    assert (origin[chosen_rows(origin, 8, rng)] == 0).sum() == 4
    assert (origin[chosen_rows(origin, 20, rng)] == 0).sum() == 5
    assert len(chosen_rows(origin, 20, rng)) == 20
    assert len(chosen_rows(origin, 99, rng)) == 55
    assert len(chosen_rows(np.zeros(6, int), 4, rng)) == 4


def test_contact_row(tmp_path: Path) -> None:
    with open_pairs(a_file(tmp_path / "pairs.h5")) as pairs:
        pictures = contact_row(pairs, 2)
        assert len(pictures) == len(COLUMNS)
        occluded, _, clean, difference, masks = pictures[:5]
        np.testing.assert_array_equal(difference, np.abs(occluded.astype(int) - clean))
        assert (tuple(masks[5, 5]), tuple(masks[10, 5]), masks[0, 0].tolist()) == (
            HIDDEN_COLOR,
            VISIBLE_COLOR,
            [0, 0, 0],
        )
        assert all(picture.shape == (SIZE, SIZE, 3) for picture in pictures)


def test_depth_picture_by_hand() -> None:
    picture = depth_picture(np.array([[0, 1, 32768, 65535]], np.uint16))
    assert picture[0, :, 0].tolist() == [40, 0, 128, 255]
    assert picture[0, 0].tolist() == [40, 60, 140]


def test_nearest_rotations_by_hand() -> None:
    gallery = matrix_from_rotation_vector(np.array([[0, 0, 0.2], [0, 0, 1.0]]))
    query = matrix_from_rotation_vector(np.array([[0, 0, 0.5], [0, 0, 1.1]]))
    np.testing.assert_allclose(nearest_rotations(query, gallery), [0.3, 0.1], atol=1e-9)


def test_seen_sides_by_hand() -> None:
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[1, :3, :3] = [[0, 1, 0], [0, 0, -1], [-1, 0, 0]]  # the object's x axis points against the line of sight
    longitude, latitude = seen_sides(poses, np.tile(np.eye(3), (2, 1, 1)))
    np.testing.assert_allclose(latitude, [-np.pi / 2, 0])  # the first is seen from below its z axis
    assert longitude[1] == pytest.approx(0)


def test_hash_is_of_the_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hashes = []
    for name, count in (("a.h5", 12), ("b.h5", 12), ("c.h5", 11)):
        assert run(["info", str(a_file(tmp_path / name, count)), "--hash"]) == 0
        hashes.append(capsys.readouterr().out.split()[-1])
    assert hashes[0] == hashes[1] != hashes[2]
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        file["mask_visible"][3, 0, 0] = not file["mask_visible"][3, 0, 0]
        file.attrs["command"] = "another"
    assert run(["info", str(tmp_path / "b.h5"), "--hash"]) == 0
    assert capsys.readouterr().out.split()[-1] != hashes[0]


def test_page_gets_the_files_name(tmp_path: Path) -> None:
    assert run(["view", str(a_file(tmp_path / "mug.h5", count=2))]) == 0
    assert (tmp_path / "mug.html").exists()
    assert "behind: its own" in (tmp_path / "mug.html").read_text()


def test_likeness_is_the_colours_difference_where_real_pairs_show_the_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "pairs.h5"
    with new_pairs(path, wedge(), SIZE, overwrite=False) as writer:
        for row, (origin, levels) in enumerate(((REAL, 10), (REAL, 30), (RENDERED, 90))):
            pair = a_pair(row, rng, origin=origin)
            drawn = np.where(pair.mask_visible[..., None], 100, rng.integers(0, 255, (SIZE, SIZE, 3)))
            recorded = np.where(pair.mask_visible[..., None], 100 - levels, rng.integers(0, 255, (SIZE, SIZE, 3)))
            crops = (Crop(color.astype(np.uint8), pair.clean.depth) for color in (recorded, drawn))
            writer.append(replace(pair, **dict(zip(("occluded", "clean"), crops, strict=True))))
    assert run(["info", str(path)]) == 0
    assert "colours differ by 20.0 of 255" in capsys.readouterr().out


def test_info_tells_whose_hands_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "pairs.h5"
    with new_pairs(path, wedge(), SIZE, overwrite=False) as writer:
        for row, hand in enumerate((0, 0, -1, 3, 1)):
            writer.append(replace(a_pair(row, rng), hand_frame=hand))
    assert run(["info", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "of the drawn: 2 of their frame, 2 of another, 1 without" in printed
    assert "likeness     unknown: no real pair" in printed
