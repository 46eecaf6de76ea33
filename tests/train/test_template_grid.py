"""Templates on a grid: drawn as a clean counterpart is, over all rotations, and used by `train evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pairs.counterparts import Place, Posed, paired
from pairs.format import center_of
from scene.camera import Camera
from scene.crop import crop_about
from scene.drawing import open_drawer
from scene.rotations import covering_rotations, matrix_from_quaternion
from scene.transforms import rigid
from tests.pairs.samples import wedge
from tests.train.patch_samples import patch_folder
from tests.train.samples import learnable_file, quick
from train.cli import run
from train.fit import fit
from train.linemod.patches import read_object_patches
from train.run_folder import RunFolder
from train.template_grid import _drawn, grid_of_pairs, grid_of_patches


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs.h5 and a short run on it, patches and a short run on them."""
    folder = tmp_path_factory.mktemp("grid")
    learnable_file(folder / "pairs.h5", 20)
    fit(quick(folder / "pairs.h5", folder / "run", epochs=1), lambda _: None)
    patch_folder(folder)
    patches = ["--patches", str(folder / "patches"), "--meshes", str(folder / "meshes"), "--object", "wedge"]
    assert run(["fit", *patches, "--views", "10", "--epochs", "1", "--output", str(folder / "colour")]) == 0
    return folder


def test_a_template_is_drawn_as_a_clean_counterpart_is() -> None:
    thing, rotation, distance, size = wedge(), covering_rotations(20)[7], 0.6, 32
    color, depth = _drawn(thing, rotation[None], distance, size)
    ahead = np.array([0.0, 0.0, distance])
    crop = crop_about(Camera(640, 480, 525.0, 525.0, 319.5, 239.5), ahead, thing.diameter, size)
    pose = rigid(rotation, ahead - rotation @ center_of(thing))
    nothing = np.zeros((size, size), np.float32)
    posed = Posed(np.zeros((size, size, 3), np.uint8), nothing, crop.crop_camera, pose, crop.box, crop.inside, None)
    pair = paired(posed, thing, open_drawer("raster"), Place(0, 0, 0))
    assert pair is not None
    np.testing.assert_array_equal(color[0].numpy(), pair.clean.color)
    np.testing.assert_allclose(depth[0].numpy(), pair.clean.depth.astype(int), atol=1)
    assert (color.numpy() > 0).any()


def test_the_nearest_of_the_grid_is_a_rotation_of_it(home: Path) -> None:
    model = RunFolder(home / "run").load_model()
    templates = grid_of_pairs(model, home / "pairs.h5", 150)
    np.testing.assert_allclose(matrix_from_quaternion(templates.quaternion_wxyz), covering_rotations(150), atol=1e-12)
    found, distance = templates.nearest(templates.features[[4, 99]])
    np.testing.assert_array_equal(found, templates.quaternion_wxyz[[4, 99]])
    assert distance.max() < 1e-2


def test_evaluate_takes_the_grid(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", str(home / "run"), str(home / "pairs.h5")]
    for name, options in (("training", []), ("grid", ["--templates", "grid", "--grid-size", "60"])):
        assert run([*command, *options, "--json", str(tmp_path / f"{name}.json")]) == 0
    training, grid = (json.loads((tmp_path / f"{name}.json").read_text())["rows"] for name in ("training", "grid"))
    for read_out, same in (("regression", True), ("nearest_neighbour", False)):
        errors = [
            [row["mean_geodesic_deg"] for row in rows if row["read_out"] == read_out] for rows in (training, grid)
        ]
        assert (errors[0] == errors[1]) is same
    assert run([*command, "--templates", "grid", "--grid-size", "0"]) == 2
    assert "--grid-size must be at least 1, got 0" in capsys.readouterr().err
    assert run(["evaluate", str(home / "colour"), str(home / "pairs.h5"), "--templates", "grid"]) == 2
    assert "this network takes colour alone" in capsys.readouterr().err


def test_patches_have_their_renders_for_a_grid(home: Path, tmp_path: Path) -> None:
    model, renders = RunFolder(home / "colour").load_model(), read_object_patches(home / "patches", "wedge").renders
    templates = grid_of_patches(model, renders)
    assert templates.features.shape == (50, model.settings.feature_length)
    options = ["--patches", str(home / "patches"), "--object", "wedge", "--json", str(tmp_path / "errors.json")]
    assert run(["evaluate", str(home / "colour"), *options, "--templates", "grid"]) == 0
    rows = json.loads((tmp_path / "errors.json").read_text())["rows"]
    assert {row["read_out"] for row in rows} == {"regression", "nearest_neighbour"}
