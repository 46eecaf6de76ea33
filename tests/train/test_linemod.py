"""LINEMOD patches: read as they are, refused where broken; the mesh's place is found; compare fills its cells once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from scene.drawing import open_drawer
from scene.errors import InputError
from scene.object_model import load_object
from scene.rotations import geodesic_angle, matrix_from_quaternion
from tests.train.patch_samples import OBJECT_FROM_MESH, SCALE, SIZE, patch_folder
from train.batches import Batch
from train.cli import run
from train.compare import cells
from train.config import Compare, Fit
from train.linemod.mesh_fit import fit_mesh
from train.linemod.patches import mesh_path, read_object_patches
from train.linemod.source import LARGEST_TURN as PATCH_TURN
from train.linemod.source import open_patches
from train.linemod.view_bank import LARGEST_TURN, near_rotations
from train.recipes import RECIPES


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("linemod")
    patch_folder(folder)
    return folder


def test_the_split_is_the_folders(home: Path) -> None:
    read = read_object_patches(home / "patches", "wedge")
    assert (len(read.training), len(read.test), len(read.renders), read.size) == (6, 6, 50, SIZE)
    np.testing.assert_array_equal(read.training.color[1], imageio.imread(home / "patches/real/wedge/real2.png"))
    np.testing.assert_array_equal(read.test.color[0], imageio.imread(home / "patches/real/wedge/real1.png"))
    assert (read.training.quaternion_wxyz[:, 0] >= 0).all()


def test_the_fit_finds_turn_shift_and_scale(home: Path) -> None:
    model = load_object(mesh_path(home / "meshes", "wedge"), "mm")
    fit = fit_mesh(model, read_object_patches(home / "patches", "wedge").renders, open_drawer("raster"))
    assert geodesic_angle(fit.object_from_mesh[:3, :3], OBJECT_FROM_MESH[:3, :3]) < 1e-6
    np.testing.assert_allclose(fit.object_from_mesh[:3, 3], OBJECT_FROM_MESH[:3, 3], atol=0.0008)
    assert fit.scale == pytest.approx(SCALE, rel=0.03)
    assert fit.mismatch < 0.06


def test_another_objects_mesh_is_refused(home: Path, tmp_path: Path) -> None:
    import trimesh

    trimesh.creation.cylinder(radius=3, height=90).export(tmp_path / "wedge.ply")
    model = load_object(tmp_path / "wedge.ply", "mm")
    with pytest.raises(InputError, match="must look like the renders, and its silhouettes differ"):
        fit_mesh(model, read_object_patches(home / "patches", "wedge").renders, open_drawer("raster"))


def test_views_lie_near_the_training_poses(home: Path) -> None:
    training = read_object_patches(home / "patches", "wedge").training.quaternion_wxyz
    views = near_rotations(training, 200, np.random.default_rng(0))
    angles = geodesic_angle(views[:, None], matrix_from_quaternion(training)[None]).min(axis=1)
    assert angles.max() <= LARGEST_TURN + 1e-9
    assert angles.max() > 0.5 * LARGEST_TURN


def test_a_source_gives_images_of_the_rotations_it_names(home: Path) -> None:
    source = open_patches(home / "patches", home / "meshes", "wedge", 30, 0)
    source = source.for_recipe(RECIPES["best"], 1.0)
    assert (source.size, source.channels) == (SIZE, 3)
    rows = np.flatnonzero(source.items < 6)[:3]
    expected = source.patches.training.quaternion_wxyz[source.items[rows]]
    np.testing.assert_array_equal(source.quaternion_wxyz[rows], expected)
    inputs, quaternions = source.templates(np.random.default_rng(0))
    assert inputs.shape == (36, 3, SIZE, SIZE)
    assert quaternions.shape == (36, 4)
    torch.testing.assert_close(inputs[0, :, 4, 5], torch.from_numpy(source.patches.training.color[0, 4, 5]) / 255 - 0.5)


def test_a_source_has_the_recipes_share_of_real_images_and_varies_as_told(home: Path) -> None:
    opened = open_patches(home / "patches", home / "meshes", "wedge", 30, 0)
    recipes = [replace(RECIPES["best"], real_share=share) for share in (0.4, 0.8)]
    sources = [opened.for_recipe(recipe, part) for recipe, part in zip(recipes, (1.0, 0.1), strict=True)]
    for source, recipe in zip(sources, recipes, strict=True):
        assert (source.items < 6).mean() == pytest.approx(recipe.real_share, abs=0.05)
        assert set(source.items) == set(range(36))
    rows = np.full(60, 2)
    full, mild = (opened.synthesis.images(rows, np.zeros(60), np.random.default_rng(0), part) for part in (1.0, 0.1))
    assert mild.std(dim=0).mean() < 0.9 * full.std(dim=0).mean()
    batch = Batch(np.full(300, 2), np.zeros(300, bool))
    turned = [source.inputs(batch, np.random.default_rng(0))[1].numpy() for source in sources]
    true = matrix_from_quaternion(opened.quaternion_wxyz[2])
    angles = [geodesic_angle(matrix_from_quaternion(found), true[None]).max() for found in turned]
    np.testing.assert_allclose(angles, [PATCH_TURN, 0.1 * PATCH_TURN], rtol=0.1)


def test_fixed_images_are_each_made_once(home: Path) -> None:
    source = open_patches(home / "patches", home / "meshes", "wedge", 30, 0)
    fixed = source.fixed(0.0, np.random.default_rng(0))
    rows = np.arange(36)
    batch = Batch(rows, np.zeros(36, bool))
    (once, true), (again, _) = (fixed.inputs(batch, np.random.default_rng(seed)) for seed in (1, 2))
    assert (fixed.size, fixed.channels, len(fixed.quaternion_wxyz)) == (SIZE, 3, 36)
    torch.testing.assert_close(once, again, rtol=0, atol=0)
    torch.testing.assert_close(once, fixed.images[:24], rtol=0, atol=0)
    real = torch.from_numpy(source.patches.training.color).permute(0, 3, 1, 2) / 255 - 0.5
    torch.testing.assert_close(once[:6], real)
    np.testing.assert_allclose(true.numpy(), source.quaternion_wxyz, atol=1e-6)
    assert fixed.templates(np.random.default_rng(0))[0] is fixed.images


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("real/wedge/real3.png", "must be an image, as wedge/poses.txt has its pose"),
        ("fine/wedge/poses.txt", "must hold lines `w x y z`"),
        ("real/training_split.txt", "must list the indices of the training images"),
    ],
)
def test_a_missing_file_is_one_sentence(tmp_path: Path, broken: str, sentence: str) -> None:
    patch_folder(tmp_path)
    (tmp_path / "patches" / broken).unlink()
    with pytest.raises(InputError, match=sentence):
        read_object_patches(tmp_path / "patches", "wedge")


def test_broken_numbers_and_names_are_one_sentence(tmp_path: Path) -> None:
    patch_folder(tmp_path)
    patches = tmp_path / "patches"
    with pytest.raises(InputError, match="must have a folder duck, and it has wedge"):
        read_object_patches(patches, "duck")
    with pytest.raises(InputError, match=r"must hold the mesh of duck as duck\.ply or obj_09\.ply"):
        mesh_path(tmp_path / "meshes", "duck")
    everything = " ".join(map(str, range(12)))
    refusals = {"99": "must name images that exist", "": "at least one index", everything: "leave images for the test"}
    for text, sentence in refusals.items():
        (patches / "real" / "training_split.txt").write_text(text)
        with pytest.raises(InputError, match=sentence):
            read_object_patches(patches, "wedge")
    (patches / "real/wedge/poses.txt").write_text("1 1 0 0\n")
    with pytest.raises(InputError, match="must hold unit quaternions"):
        read_object_patches(patches, "wedge")


def compare_arguments(home: Path, output: Path) -> list[str]:
    folders = ["--patches", str(home / "patches"), "--meshes", str(home / "meshes"), "--objects", "wedge"]
    return ["compare", *folders, "--steps", "1", "--views", "20", "--output", str(output)]


def test_compare_fills_its_cells_once(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, numbers = tmp_path / "out", tmp_path / "numbers.json"
    arguments = [*compare_arguments(home, output), "--recipes", "srn", "wohlhart", "best", "--json", str(numbers)]
    assert run(arguments) == 0
    written = json.loads(numbers.read_text())
    found = {(row["recipe"], row["object"], row["read_out"]): row for row in written["rows"]}
    assert set(found) == {
        ("srn", "wedge", "regression"), ("srn", "wedge", "nearest_neighbour"),
        ("wohlhart", "wedge", "nearest_neighbour"),
        ("best", "wedge", "regression"), ("best", "wedge", "nearest_neighbour"),
    }  # fmt: skip
    for row in written["rows"]:
        assert row["count"] == 6
        assert row["visibility"] == "all"
        assert {"mean_euler_deg", "mean_geodesic_deg", "median_geodesic_deg"} <= set(row)
    page = (output / "index.html").read_text()
    assert "data:image/png;base64" in page
    assert "http" not in page
    model = output / "wedge" / "srn" / "model.pt"
    before = model.read_bytes()
    assert [row["recipe"] for row in written["rows"]] == ["srn", "srn", "wohlhart", "best", "best"]
    said = capsys.readouterr().out
    assert said.index("wedge, best") < said.index("wedge, srn") < said.index("wedge, wohlhart")
    assert run(arguments) == 0  # as after an interruption
    assert capsys.readouterr().out.count("finished already") == 3
    assert model.read_bytes() == before
    assert json.loads(numbers.read_text())["rows"] == written["rows"]
    numbers.write_text("{}")
    assert run(arguments) == 2  # of somebody else
    assert "numbers.json exists already" in capsys.readouterr().err
    assert run([*arguments, "--overwrite", "--again"]) == 0
    assert "finished already" not in capsys.readouterr().out


def test_fit_and_evaluate_on_patches(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ["--patches", str(home / "patches"), "--meshes", str(home / "meshes"), "--object", "wedge"]
    output = ["--output", str(tmp_path / "run")]
    assert run(["fit", *folders, *output, "--views", "20", "--epochs", "1", "--batch-pairs", "8"]) == 0
    written = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    errors = ["--json", str(tmp_path / "errors.json")]
    assert run(["evaluate", str(tmp_path / "run"), "--patches", folders[1], "--object", "wedge", *errors]) == 0
    assert json.loads((tmp_path / "errors.json").read_text()) == written
    assert "real" in capsys.readouterr().out


def test_how_much_patches_vary_is_the_recipes_unless_said(home: Path, tmp_path: Path) -> None:
    assert Fit(recipe="srn").patch_variation == RECIPES["srn"].variation != Fit(recipe="best").patch_variation
    assert Fit(variation=0.0).patch_variation == 0.0
    compared = Compare(patches=home, meshes=home, objects=("wedge",), recipes=("srn",), variation=0.25)
    assert [cell.config.variation for cell in cells(compared)] == [0.25]
    folders = ["--patches", str(home / "patches"), "--meshes", str(home / "meshes"), "--object", "wedge"]
    losses = []
    for name, options in (("usual", []), ("same", ["--variation", "0.5"]), ("still", ["--variation", "0"])):
        run_of = ["--output", str(tmp_path / name), "--views", "20", "--epochs", "1", "--recipe", "srn", *options]
        assert run(["fit", *folders, *run_of]) == 0
        losses.append((tmp_path / name / "log.csv").read_text().splitlines()[1].split(",")[2])
    assert losses[0] == losses[1] != losses[2]


def test_images_are_fixed_and_signs_those_of_a_hemisphere_where_that_is_asked(home: Path, tmp_path: Path) -> None:
    options = ["--fixed-images", "--loss.sign", "hemisphere"]
    folders = ["--patches", str(home / "patches"), "--meshes", str(home / "meshes"), "--objects", "wedge"]
    logs = {}
    for name, asked in (("neither", []), ("fixed", options[:1]), ("both", options)):
        output = ["--output", str(tmp_path / name), "--views", "20", "--steps", "1", "--recipes", "srn", *asked]
        assert run(["compare", *folders, *output]) == 0
        logs[name] = (tmp_path / name / "wedge" / "srn" / "log.csv").read_text().splitlines()[1].split(",")[2]
    assert len(set(logs.values())) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fit", "--variation", "1.5"], "--variation must be from 0 to 1, got 1.5"),
        (["compare", "x.h5", "--variation", "-1"], "--variation must be from 0 to 1"),
        (["compare"], "there must be something to compare on"),
        (["compare", "--objects", "ape"], "--objects are looked for in --patches and --meshes"),
        (["compare", "--patches", "p", "--meshes", "m"], "there must be something to compare on"),
        (["compare", "x.h5", "--patches", "p"], "--patches needs to know which objects"),
        (["compare", "absent.h5", "--output", "out"], "absent.h5 does not exist"),
        (["fit", "--patches", "p"], "--patches, --meshes and --object go together"),
        (["fit", "--occlusion", "--images", "clean"], "ties occluded to clean images and needs both"),
        (["evaluate", "--patches", "p"], "--patches and --object go together"),
    ],
)
def test_contradictions_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_one_rate_of_all_cells_takes_the_place_of_the_recipes() -> None:
    compared = Compare((Path("a.h5"),), Path("p"), Path("m"), ("cat",), ("srn", "best"), learning_rate=0.05)
    rates = [cell.config.first_rate for cell in cells(compared)]
    assert rates == [0.05] * len(rates)
    assert len(rates) > 4
    usual = [cell.config.first_rate for cell in cells(replace(compared, learning_rate=None))]
    assert usual[:2] == [RECIPES["srn"].learning_rate, RECIPES["best"].learning_rate]
    with pytest.raises(InputError, match="--learning-rate must be positive, got 0"):
        cells(replace(compared, learning_rate=0.0))
