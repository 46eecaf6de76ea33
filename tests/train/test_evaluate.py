"""Errors in degrees: by hand, by visibility, in both read-outs; and the commands that print them."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from scene.errors import InputError
from scene.metrics import VISIBILITY_EDGES, mean_euler_error_deg, rotation_error_deg
from scene.rotations import matrix_from_rotation_vector, random_rotations
from tests.train.samples import learnable_file, quick
from train.cli import run
from train.errors import bootstrap_interval, visibility_ranges
from train.evaluate import evaluate
from train.fit import fit
from train.model import Templates
from train.report import gap_lines
from train.symmetry import nearest_equivalent, symmetry_rotations


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_file(tmp_path_factory.mktemp("evaluate") / "pairs.h5")


def test_euler_error_by_hand() -> None:
    yaw = matrix_from_rotation_vector(np.array([0, 0, np.radians(30)]))
    assert mean_euler_error_deg(yaw, np.eye(3)) == pytest.approx(10)  # 30 degrees on one of three axes
    assert rotation_error_deg(yaw, np.eye(3)) == pytest.approx(30)
    before, after = (matrix_from_rotation_vector(np.array([0, 0, np.radians(angle)])) for angle in (179.0, -179.0))
    assert mean_euler_error_deg(before, after) == pytest.approx(2 / 3)  # wrapped


def test_euler_angles_are_intrinsic_zyx() -> None:
    def turn(axis: int, angle: float) -> np.ndarray:
        return matrix_from_rotation_vector(np.eye(3)[axis] * np.radians(angle))

    rotation, other = (turn(2, z) @ turn(1, y) @ turn(0, x) for z, y, x in ((10, 20, 30), (13, 26, 39)))
    assert mean_euler_error_deg(rotation, other) == pytest.approx((3 + 6 + 9) / 3)


def test_a_rotation_has_no_error_against_itself() -> None:
    rotations = random_rotations(50, np.random.default_rng(0))
    assert mean_euler_error_deg(rotations, rotations).max() == 0
    assert rotation_error_deg(rotations, rotations).max() < 1e-6


def test_visibility_ranges_cover_everything_once() -> None:
    ranges = visibility_ranges(np.array([0.0, 0.2, 0.39, 0.99, 1.0]))
    assert ranges.pop("all").all()
    assert len(ranges) == len(VISIBILITY_EDGES) - 1
    np.testing.assert_array_equal(np.sum(list(ranges.values()), axis=0), 1)
    np.testing.assert_array_equal(ranges["0.2-0.4"], [False, True, True, False, False])
    np.testing.assert_array_equal(ranges["0.8-1.0"], [False, False, False, True, True])


def test_nearest_neighbour_is_the_nearest_template() -> None:
    templates, poses = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    found, distance = Templates(templates, poses).nearest(torch.tensor([[0.9, 0.1], [0.2, 0.7]]))
    torch.testing.assert_close(distance, torch.tensor([0.02, 0.13]).sqrt())
    np.testing.assert_array_equal(found, poses[[1, 0]])


def test_rows_of_ranges_add_up_to_the_whole(pairs: Path, tmp_path: Path) -> None:
    evaluation = evaluate(fit(quick(pairs, tmp_path / "run"), lambda _: None), pairs)
    assert evaluation.count == 16
    for image in ("occluded", "clean"):
        for read_out in ("regression", "nearest_neighbour"):
            rows = [row for row in evaluation.rows if (row.image, row.read_out) == (image, read_out)]
            assert rows[0].visibility == "all"
            assert sum(row.count for row in rows[1:]) == rows[0].count == 16
            mean = sum(row.count * row.mean_geodesic_deg for row in rows[1:]) / 16
            assert mean == pytest.approx(rows[0].mean_geodesic_deg)
            shares = [rows[0].under_deg[limit] for limit in ("5", "10", "20")]
            assert shares == sorted(shares)
    assert evaluation.row("clean", "regression", "0.0-0.2") is None


def test_the_files_symmetries_count_unless_others_are_declared(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "symmetric.h5"
    path.write_bytes(pairs.read_bytes())
    half_turn = np.diag([-1.0, -1, 1, 1])
    with h5py.File(path, "r+") as file:
        del file["symmetries/discrete"]
        file["symmetries/discrete"] = np.stack([np.eye(4), half_turn])
    seen: list[np.ndarray] = []

    def nearest(estimated: np.ndarray, true: np.ndarray, symmetries: np.ndarray) -> np.ndarray:
        seen.append(symmetries)
        return nearest_equivalent(estimated, true, symmetries)

    monkeypatch.setattr("train.evaluate.nearest_equivalent", nearest)
    model = fit(quick(pairs, tmp_path / "run"), lambda _: None)
    evaluate(model, path)
    np.testing.assert_array_equal(seen.pop(), [np.eye(3), half_turn[:3, :3]])
    evaluate(model, path, ("none",))
    np.testing.assert_array_equal(seen.pop(), [np.eye(3)])
    evaluate(model, path, ("x3",))
    assert len(seen.pop()) == 3


def test_fit_prints_the_test_table(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pairs.h5").write_bytes(pairs.read_bytes())
    assert run(["fit", "--occlusion", "--epochs", "1", "--batch-pairs", "16"]) == 0
    printed = capsys.readouterr().out
    assert "recipe best with the occlusion term" in printed
    assert "pose error on 16 test poses of pairs.h5, degrees" in printed
    written = json.loads(Path("run/evaluation.json").read_text())
    assert {row["read_out"] for row in written["rows"]} == {"regression", "nearest_neighbour"}
    assert run(["evaluate", "run", "pairs.h5", "--json", "errors.json"]) == 0
    assert json.loads(Path("errors.json").read_text()) == written
    assert run(["evaluate", "run", "pairs.h5", "--json", "errors.json"]) == 2
    assert "errors.json exists already" in capsys.readouterr().err
    assert run(["evaluate", "run", "pairs.h5", "--json", "errors.json", "--overwrite"]) == 0
    assert run(["evaluate", "run", "pairs.h5", "--json", "absent/errors.json"]) == 2
    assert run(["evaluate", "run", "pairs.h5", "--page", "errors.html"]) == 0
    page = Path("errors.html").read_text()
    assert page.count("data:image/png;base64") >= 3
    assert "http" not in page
    assert run(["evaluate", "run", "pairs.h5", "--page", "errors.html"]) == 2


def test_fit_without_test_pairs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = learnable_file(tmp_path / "pairs.h5", 6, splits=(0,))
    assert run(["fit", str(pairs), "--output", str(tmp_path / "run"), "--epochs", "1"]) == 0
    assert "has no test pairs" in capsys.readouterr().out


def test_a_missing_pairs_file_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["fit", "--occlusion"]) == 2
    assert capsys.readouterr().err == (
        "train: pairs.h5 does not exist; give the pairs file that the stage before wrote\n"
    )


def test_bootstrap_interval_holds_the_mean_and_narrows_with_more_images() -> None:
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = bootstrap_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)  # twice 1.96 standard errors
    few_low, few_high = bootstrap_interval(values[:25])
    assert few_high - few_low > 2 * (high - low)


def test_an_equivalent_pose_is_no_error() -> None:
    rotations = random_rotations(20, np.random.default_rng(0))
    half = matrix_from_rotation_vector(np.array([0, 0, np.pi]))
    found = nearest_equivalent(rotations @ half, rotations, symmetry_rotations(("z2",)))
    assert rotation_error_deg(found, rotations).max() < 1e-6
    assert (
        rotation_error_deg(nearest_equivalent(rotations @ half, rotations, symmetry_rotations(())), rotations).min()
        > 179
    )
    about = matrix_from_rotation_vector(np.array([0, 1.234, 0]))
    found = nearest_equivalent(rotations @ about, rotations, symmetry_rotations(("yinf",)))
    assert rotation_error_deg(found, rotations).max() < 0.6  # half a step
    assert len(symmetry_rotations(("x2", "y2"))) == 4


@pytest.mark.parametrize("word", ["z", "w2", "z1", "z0", "2z"])
def test_words_that_are_no_symmetry_are_refused(word: str) -> None:
    with pytest.raises(InputError, match="--symmetry must be an axis and a number of positions"):
        symmetry_rotations((word,))


def test_the_gap_is_that_of_the_same_poses(pairs: Path, tmp_path: Path) -> None:
    evaluation = evaluate(fit(quick(pairs, tmp_path / "run"), lambda _: None), pairs)
    occluded, clean = (one for one in evaluation.estimates if one.read_out == "regression")
    assert occluded.visibility is not None
    seen = occluded.visibility >= 0.4
    expected = (occluded.geodesic_deg - clean.geodesic_deg)[seen].mean()
    gap = next(gap for gap in evaluation.gaps if gap.read_out == "regression")
    assert (gap.count, gap.mean_geodesic_deg) == (seen.sum(), pytest.approx(expected))
    assert gap.interval_deg[0] < expected < gap.interval_deg[1]
    medians = np.median(occluded.geodesic_deg[seen]) - np.median(clean.geodesic_deg[seen])
    assert gap.median_geodesic_deg == pytest.approx(medians)
    assert gap.occluded_median_deg == pytest.approx(float(np.median(occluded.geodesic_deg[seen])))
    assert f"{medians:+.1f} by the medians" in " ".join(gap_lines(evaluation))
