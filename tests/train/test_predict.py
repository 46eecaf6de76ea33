"""Poses of images, folders and pairs files; what the network was not trained for is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import imageio.v3 as imageio
import numpy as np
import pytest

from pairs.format import TEST, open_pairs
from scene.metrics import rotation_error_deg
from tests.train.patch_samples import patch_folder
from tests.train.samples import SIZE, learnable_file, quick
from train.cli import run
from train.evaluate import evaluate
from train.fit import fit
from train.run_folder import RunFolder


@pytest.fixture(scope="module")
def rgbd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs.h5 and a run on it."""
    home = tmp_path_factory.mktemp("predict")
    learnable_file(home / "pairs.h5")
    fit(quick(home / "pairs.h5", home / "run", epochs=4), lambda _: None)
    return home


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with patches and a short run on them."""
    home = tmp_path_factory.mktemp("colour")
    patch_folder(home)
    arguments = ["--patches", str(home / "patches"), "--meshes", str(home / "meshes"), "--object", "wedge"]
    assert run(["fit", *arguments, "--views", "40", "--epochs", "1", "--output", str(home / "run")]) == 0
    return home


def poses_of(path: Path) -> list[dict[str, list[float]]]:
    found: list[dict[str, list[float]]] = json.loads(path.read_text())["poses"]
    return found


def test_poses_of_a_pairs_file_are_camera_from_object(rgbd: Path, tmp_path: Path) -> None:
    output, pictures = tmp_path / "poses.json", tmp_path / "pictures"
    command = ["predict", str(rgbd / "run"), str(rgbd / "pairs.h5"), "--output", str(output)]
    assert run([*command, "--overlay", str(pictures)]) == 0
    with open_pairs(rgbd / "pairs.h5") as file:
        true, test = file.camera_from_object[:, :3, :3], file.split == TEST
    poses = poses_of(output)
    assert len(poses) == len(true) == len(list(pictures.iterdir()))
    error = rotation_error_deg(np.array([pose["camera_from_object"] for pose in poses]), true)
    expected = evaluate(RunFolder(rgbd / "run").load_model(), rgbd / "pairs.h5").row("occluded", "regression")
    assert expected is not None
    assert np.median(error[test]) == pytest.approx(expected.median_geodesic_deg, abs=1e-3)
    confidence = np.array([pose["confidence"] for pose in poses])
    assert ((confidence >= 0) & (confidence <= 1)).all()
    assert imageio.imread(next(pictures.iterdir())).shape == (4 * SIZE, 4 * SIZE, 3)
    assert run(command) == 2
    assert run([*command, "--overwrite", "--overlay", str(pictures)]) == 0
    assert run(["predict", *command[1:3], "--output", str(tmp_path / "b.json"), "--overlay", str(pictures)]) == 2


def test_a_file_that_is_neither_session_nor_pairs_is_refused(
    rgbd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format"], file.attrs["format_version"] = "something", 1
    command = ["predict", str(rgbd / "run"), str(tmp_path / "other.h5"), "--output", str(tmp_path / "poses.json")]
    assert run(command) == 2
    assert "must be a session or a pairs file" in capsys.readouterr().err


def test_a_frame_is_cut_about_the_point_given(rgbd: Path, tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "color.png", np.full((60, 80, 3), 90, np.uint8))
    depth = np.zeros((60, 80), np.uint16)
    depth[20:40, 30:50] = 500
    imageio.imwrite(tmp_path / "depth.png", depth)
    np.savetxt(tmp_path / "K.txt", [[100, 0, 40], [0, 100, 30], [0, 0, 1]])
    files = ["--depth", str(tmp_path / "depth.png"), "--camera", str(tmp_path / "K.txt")]
    command = ["predict", str(rgbd / "run"), str(tmp_path / "color.png"), "--output", str(tmp_path / "poses.json")]
    assert run([*command, *files, "--at", "40", "30"]) == 0
    assert len(poses_of(tmp_path / "poses.json")) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "this network takes RGB-D: beside the image it needs --depth, --camera"),
        (["--at", "90", "30"], "--at must lie in the image of 80 x 60 pixels, got 90 30"),
        (["--at", "2", "2"], "there must be depth about --at 2 2 and nothing was measured there"),
        (["--at", "2", "2", "--depth-unit", "0"], "--depth-unit must be positive, got 0"),
    ],
)
def test_frames_that_cannot_be_cut_are_refused(
    rgbd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    imageio.imwrite(tmp_path / "color.png", np.zeros((60, 80, 3), np.uint8))
    imageio.imwrite(tmp_path / "depth.png", np.zeros((60, 80), np.uint16))
    np.savetxt(tmp_path / "K.txt", [[100, 0, 40], [0, 100, 30], [0, 0, 1]])
    files = ["--depth", str(tmp_path / "depth.png"), "--camera", str(tmp_path / "K.txt")] if options else []
    output = ["--output", str(tmp_path / "poses.json")]
    assert run(["predict", str(rgbd / "run"), str(tmp_path / "color.png"), *output, *files, *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "poses.json").exists()


def test_a_patch_and_a_folder_of_patches(colour: Path, tmp_path: Path) -> None:
    images, output = colour / "patches" / "real" / "wedge", tmp_path / "poses.json"
    command = ["predict", str(colour / "run"), "--output", str(output), "--overwrite"]
    assert run([*command, str(images / "real0.png")]) == 0
    one = poses_of(output)[0]
    np.testing.assert_allclose(np.linalg.norm(one["quaternion_wxyz"]), 1)
    assert run([*command, str(images)]) == 0
    assert len(poses_of(output)) == len(list(images.glob("*.png")))


def test_the_square_of_crop_is_what_is_looked_at(colour: Path, tmp_path: Path) -> None:
    patch = imageio.imread(colour / "patches" / "real" / "wedge" / "real0.png")
    wide = np.zeros((70, 90, 3), np.uint8)
    wide[5 : 5 + len(patch), 9 : 9 + len(patch)] = patch
    imageio.imwrite(tmp_path / "wide.png", wide)
    imageio.imwrite(tmp_path / "patch.png", patch)
    command, box = ["predict", str(colour / "run")], ["9", "5", str(9 + len(patch)), str(5 + len(patch))]
    outputs = [tmp_path / "wide.json", tmp_path / "patch.json"]
    assert run([*command, str(tmp_path / "wide.png"), "--crop", *box, "--output", str(outputs[0])]) == 0
    assert run([*command, str(tmp_path / "patch.png"), "--output", str(outputs[1])]) == 0
    assert poses_of(outputs[0])[0]["quaternion_wxyz"] == poses_of(outputs[1])[0]["quaternion_wxyz"]


def test_the_example_in_the_docs_runs_without_this_package(
    colour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    page = (Path(__file__).parents[2] / "docs" / "train.md").read_text(encoding="utf-8")
    lines = page[page.index("    import numpy as np, onnxruntime") :].split("\n\n")[0].splitlines()
    assert run(["export", str(colour / "run"), "--output", str(tmp_path / "network.onnx")]) == 0
    patch = colour / "patches" / "real" / "wedge" / "real0.png"
    (tmp_path / "patch.png").write_bytes(patch.read_bytes())
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    exec("\n".join(line[4:] for line in lines), known)
    output = tmp_path / "poses.json"
    assert run(["predict", str(colour / "run"), "patch.png", "--output", str(output)]) == 0
    expected = np.array(poses_of(output)[0]["quaternion_wxyz"])
    assert abs(known["quaternion_wxyz"][0] @ expected) == pytest.approx(1, abs=1e-5)


def test_images_it_was_not_trained_for_are_refused(
    colour: Path, rgbd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imageio.imwrite(tmp_path / "grey.png", np.zeros((32, 32), np.uint8))
    imageio.imwrite(tmp_path / "small.png", np.zeros((20, 31, 3), np.uint8))
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty").mkdir()
    small = str(tmp_path / "small.png")
    for source, sentence in [
        ([str(tmp_path / "grey.png")], "must be a colour image of 8 bits"),
        ([small], "was trained on patches of 32 x 32 pixels, small.png has 31 x 20"),
        ([small, "--crop", "0", "0", "40", "40"], "--crop must be a square inside the image of 31 x 20 pixels"),
        ([small, "--depth", small], "this network takes colour alone, got --depth"),
        ([small, "--track", small], "--track is of a session, and"),
        ([str(tmp_path / "text.png")], "must be an image and cannot be read"),
        ([str(tmp_path / "empty")], "must hold images and has none"),
        ([str(tmp_path / "absent")], "does not exist; give an image, a folder of images, a session or a pairs file"),
        ([str(rgbd / "pairs.h5")], "this network takes colour alone"),
    ]:
        assert run(["predict", str(colour / "run"), "--output", str(tmp_path / "poses.json"), *source]) == 2
        assert sentence in capsys.readouterr().err
    assert run(["evaluate", str(colour / "run"), str(rgbd / "pairs.h5")]) == 2
    assert "a pairs file holds RGB-D crops and this network takes colour alone" in capsys.readouterr().err
