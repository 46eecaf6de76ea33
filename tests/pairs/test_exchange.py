"""Exports hold what their formats ask for; a BOP export comes back as it was; patches get their counterparts."""

from __future__ import annotations

import errno
import io
import itertools
import json
import os
import tarfile
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from pairs.cli import run
from pairs.export_coco import run_lengths
from pairs.export_images import bop_box, depth_counts
from pairs.format import REAL, metric_depth, new_pairs, open_pairs
from pairs.import_patches import patch_camera, patch_center, patch_pose, read_kind
from scene.drawing import OBJECT, open_drawer, rigid_body
from scene.object_model import load_object
from scene.rotations import matrix_from_quaternion, quaternion_from_matrix, random_rotations
from tests.pairs.samples import SIZE, a_file, wedge
from tests.pairs.test_check import good_pair

DATA = Path(os.environ.get("UNOCCLUDE_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real patches are not at {DATA}; set UNOCCLUDE_DATA")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exchange") / "pairs.h5"
    rng = np.random.default_rng(0)
    with new_pairs(path, wedge(), SIZE, overwrite=False) as writer:
        for row in range(9):
            writer.append(good_pair(row, rng, row // 3))
    return path


def exported(path: Path, to: str, *arguments: str) -> Path:
    output = path.parent / to
    assert run(["export", str(path), "--format", to, "--output", str(output), "--overwrite", *arguments]) == 0
    return output


def test_bop_field_by_field(path: Path) -> None:
    folder = exported(path, "bop")
    info = json.loads((folder / "models" / "models_info.json").read_text())["1"]
    assert info["diameter"] == pytest.approx(1000 * wedge().diameter)
    assert [info[f"size_{axis}"] for axis in "xyz"] == pytest.approx([60, 30, 20])
    assert load_object(folder / "models" / "obj_000001.ply", "mm").diameter == pytest.approx(wedge().diameter)
    assert set(json.loads((folder / "camera.json").read_text())) == {
        "fx", "fy", "cx", "cy", "depth_scale", "width", "height",
    }  # fmt: skip
    with open_pairs(path) as pairs:
        for row, split in ((0, "train"), (4, "val"), (8, "test")):
            scene = folder / split / "000000"
            entry = json.loads((scene / "scene_camera.json").read_text())[str(row)]
            np.testing.assert_allclose(entry["cam_K"], pairs.column("crop_matrix")[row].ravel())
            (pose,) = json.loads((scene / "scene_gt.json").read_text())[str(row)]
            np.testing.assert_allclose(pose["cam_R_m2c"], pairs.camera_from_object[row, :3, :3].ravel())
            np.testing.assert_allclose(pose["cam_t_m2c"], 1000 * pairs.camera_from_object[row, :3, 3])
            assert pose["obj_id"] == 1
            (facts,) = json.loads((scene / "scene_gt_info.json").read_text())[str(row)]
            assert (facts["px_count_all"], facts["px_count_visib"], facts["visib_fract"]) == (64, 32, 0.5)
            assert facts["bbox_obj"] == [4, 4, 7, 7]
            assert facts["bbox_visib"] == [4, 8, 7, 3]
            color = imageio.imread(scene / "rgb" / f"{row:06d}.png")
            np.testing.assert_array_equal(color, pairs.read("occluded/color", row, row + 1)[0])
            counts = imageio.imread(scene / "depth" / f"{row:06d}.png")
            z = counts[counts > 0] * entry["depth_scale"] / 1000
            assert counts.dtype == np.uint16
            assert 0.46 < z.min() < z.max() < 0.54
            mask = imageio.imread(scene / "mask_visib" / f"{row:06d}_000000.png") > 0
            np.testing.assert_array_equal(mask, pairs.read("mask_visible", row, row + 1)[0])


def test_bop_comes_back(path: Path) -> None:
    folder, back = exported(path, "bop"), path.parent / "back.h5"
    arguments = ["--size", str(SIZE), "--visibility", "0", "--splits.test", "0", "--splits.validation", "0"]
    assert run(["import-bop", str(folder), "val", "--output", str(back), "--overwrite", *arguments]) == 0
    with open_pairs(path) as pairs, open_pairs(back) as again:
        assert len(again) == 3
        assert (again.origin == REAL).all()
        np.testing.assert_allclose(again.camera_from_object, pairs.camera_from_object[3:6], atol=1e-9)
        np.testing.assert_allclose(again.column("crop_matrix"), pairs.column("crop_matrix")[3:6], atol=1e-6)
        np.testing.assert_array_equal(again.column("occluded/color"), pairs.column("occluded/color")[3:6])
        drawn = again.column("mask_amodal")
        assert (drawn.sum(axis=(1, 2)) > 5).all()
        assert not (again.column("mask_visible") & ~pairs.column("mask_visible")[3:6]).any()
        model, pose = again.object_model, again.camera_from_object[0]
        z = metric_depth(again.read("clean/depth", 0, 1)[0], _center_z(pose), model.diameter)
        assert np.abs(z[drawn[0]] - pose[2, 3]).max() < model.diameter


def _center_z(pose: np.ndarray) -> float:
    return float((pose[:3, :3] @ [0.03, 0.015, 0.01] + pose[:3, 3])[2])


def test_coco(path: Path) -> None:
    folder = exported(path, "coco")
    table = json.loads((folder / "train.json").read_text())
    assert set(table) == {"info", "licenses", "categories", "images", "annotations"}
    assert [image["file_name"] for image in table["images"]] == [f"train/{row:06d}.png" for row in range(3)]
    annotation = table["annotations"][1]
    assert (annotation["image_id"], annotation["bbox"], annotation["area"]) == (1, [4, 8, 8, 4], 32)
    counts, (height, width) = annotation["segmentation"]["counts"], annotation["segmentation"]["size"]
    values = np.repeat(np.arange(len(counts)) % 2, counts).reshape((height, width), order="F").astype(bool)
    with open_pairs(path) as pairs:
        np.testing.assert_array_equal(values, pairs.read("mask_visible", 1, 2)[0])
    assert (folder / "test" / "000008.png").is_file()


def test_run_lengths_by_hand() -> None:
    assert run_lengths(np.array([[True, False], [True, True]])) == [0, 2, 1, 1]
    assert run_lengths(np.zeros((2, 2), bool)) == [4]
    assert bop_box(np.zeros((3, 3), bool)) == [-1, -1, -1, -1]


def test_folder_and_webdataset_hold_the_same(path: Path) -> None:
    folder, shards = exported(path, "folder"), exported(path, "webdataset", "--shard-rows", "2")
    assert sorted(shard.name for shard in shards.glob("*.tar"))[:2] == ["test-000000.tar", "test-000001.tar"]
    with tarfile.open(shards / "train-000001.tar") as tar:
        names = tar.getnames()
        assert {name.split(".")[0] for name in names} == {"000002"}
        color = imageio.imread(io.BytesIO(tar.extractfile("000002.clean.png").read()))  # type: ignore[union-attr]
        for name in names:
            assert (folder / "train" / name).read_bytes() == tar.extractfile(name).read()  # type: ignore[union-attr]
    with open_pairs(path) as pairs:
        np.testing.assert_array_equal(color, pairs.read("clean/color", 2, 3)[0])
        facts = json.loads((folder / "train" / "000002.json").read_text())
        np.testing.assert_allclose(facts["camera_from_object"], pairs.camera_from_object[2])
        assert (facts["origin"], facts["depth_unit_m"], facts["recording"]) == ("rendered", 1e-4, "unknown")
        assert facts["background"] == "its own"
        for name in ("background_frame", "hand_frame", "visibility_lost_hand"):
            assert facts[name] == pairs.column(name)[2]


def test_clipped_depth_is_no_measurement(tmp_path: Path) -> None:
    with open_pairs(a_file(tmp_path / "pairs.h5")) as pairs:
        stored = pairs.read("occluded/depth", 0, 1)[0]
        clipped = (stored == 1) | (stored == 65535)
        counts = depth_counts(pairs, "occluded", 0)
        np.testing.assert_array_equal(counts == 0, (stored == 0) | clipped)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "--format", "webdataset", "--shard-rows", "0"], "--shard-rows must be at least 1, got 0"),
        (["export", "nowhere.h5", "--format", "coco"], "nowhere.h5 does not exist"),
        (["import-bop", "nowhere", "test"], "the object's mesh nowhere/models/obj_000001.ply does not exist"),
        (["import-bop", "nowhere", "test", "--size", "2"], "--size must be 8 to 1024 pixels, got 2"),
        (["import-patches", "nowhere", "cat", "cat.ply"], "the object's mesh cat.ply does not exist"),
    ],
)
def test_errors_are_one_sentence(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_existing_folder_is_kept_unless_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = exported(path, "coco")
    assert run(["export", str(path), "--format", "coco", "--output", str(folder)]) == 2
    assert "exists already" in capsys.readouterr().err
    (folder / "exported.json").unlink()  # a folder of somebody else's
    assert run(["export", str(path), "--format", "coco", "--output", str(folder), "--overwrite"]) == 2
    assert "was not made by an export, so it is not replaced" in capsys.readouterr().err
    assert not list(path.parent.glob(".*"))


def test_no_space_for_an_export_is_one_sentence(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run(["export", str(path), "--format", "folder", "--output", str(path.parent / "full")]) == 2
    error = capsys.readouterr().err
    assert "full could not be written ([Errno 28] No space left on device); free some space" in error
    assert not list(path.parent.glob("*full*"))


CENTER = np.array([0.02, 0.01, 0.005])


def write_patches(folder: Path, count: int = 4) -> Path:
    """Renders of the wedge in the patch layout, and its mesh in millimetres."""
    drawer, camera, model, rng = open_drawer("rays"), patch_camera(64), wedge(), np.random.default_rng(0)
    for kind in ("real", "fine", "coarse"):
        (folder / kind / "wedge").mkdir(parents=True)
        lines = []
        for index in range(count):
            rotation = random_rotations(1, rng)[0]
            body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
            drawn = drawer.draw([body.placed(patch_pose(rotation, CENTER))], camera)
            imageio.imwrite(folder / kind / "wedge" / f"{kind}{index}.png", drawn.color)
            numbers = " ".join(map(str, -quaternion_from_matrix(rotation)))  # either sign is that rotation
            lines += [f"# {kind}{index}.png", numbers]
        (folder / kind / "wedge" / "poses.txt").write_text("\n".join(lines) + "\n")
    (folder / "real" / "training_split.txt").write_text("0, 2")
    mesh = model.mesh.copy()
    mesh.apply_scale(1000)
    mesh.export(folder / "wedge.ply")
    return folder


def test_patches_get_counterparts(tmp_path: Path) -> None:
    folder, output = write_patches(tmp_path), tmp_path / "patches.h5"
    assert run(["import-patches", str(folder), "wedge", str(folder / "wedge.ply"), "--output", str(output)]) == 0
    with open_pairs(output) as pairs:
        assert (len(pairs), pairs.size) == (12, 64)
        assert pairs.split.tolist() == [0, 2, 0, 2] + [0] * 8
        assert pairs.origin.tolist() == [0] * 4 + [1] * 8
        assert [recording.name for recording in pairs.recordings] == ["real/wedge", "fine/wedge", "coarse/wedge"]
        # the same drawer's light, seen with a coarser back-end's rounding: image and counterpart are one picture
        same = np.abs(pairs.column("occluded/color").astype(int) - pairs.column("clean/color")).max(axis=-1) <= 4
        assert same.mean() > 0.97  # outlines may lie a pixel beside each other, as the boxes that are fitted are whole
        assert not pairs.column("occluded/depth").any()
        rotation = matrix_from_quaternion(pairs.quaternion_wxyz)
        np.testing.assert_allclose(rotation, pairs.camera_from_object[:, :3, :3], atol=1e-9)
        middle = pairs.camera_from_object @ np.array([*CENTER, 1])
        np.testing.assert_allclose(middle[:, :3], np.tile([0, 0, 0.6], (12, 1)), atol=0.0015)  # half a pixel


@needs_data
@pytest.mark.parametrize(("name", "number", "least"), [("cat", 6, 0.9), ("ape", 1, 0.75), ("cam", 4, 0.9)])
def test_counterparts_lie_on_real_patches(name: str, number: int, least: float) -> None:
    """The layout's own renders on black tell where the object is: silhouettes overlap."""
    model = load_object(DATA / "linemod-meshes" / f"obj_{number:02d}.ply", "mm")
    body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
    patches = [patch[1:] for patch in itertools.islice(read_kind(DATA / "linemod-patches", "fine", name), 0, 1000, 40)]
    center, overlaps = patch_center(model, patches[::2]), []
    for color, rotation in patches[1::2]:
        drawn = open_drawer("raster").draw([body.placed(patch_pose(rotation, center))], patch_camera(64))
        seen, shown = color.max(axis=-1) > 8, drawn.labels > 0
        overlaps.append((seen & shown).sum() / (seen | shown).sum())
    assert np.median(overlaps) > least


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("real/training_split.txt", "a, b", "must list whole numbers"),
        ("real/training_split.txt", None, "must list the real images to train on and does not exist"),
        ("fine/wedge/poses.txt", None, "poses.txt must list the patches and does not exist"),
        ("fine/wedge/poses.txt", "# fine0.png\n1 0 0\n", "line 2 of"),
        ("fine/wedge/poses.txt", "# other.png\n1 0 0 0\n", "names other.png, which does not exist beside it"),
    ],
)
def test_patches_that_cannot_be_read(
    tmp_path: Path, file: str, text: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_patches(tmp_path, 3)
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    arguments = ["import-patches", str(folder), "wedge", str(folder / "wedge.ply")]
    assert run([*arguments, "--output", str(tmp_path / "patches.h5")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "patches.h5").exists()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("scene_gt.json", "{", "must be JSON and is not"),
        ("scene_camera.json", "{}", "must give cam_K for image 6"),
        ("scene_camera.json", None, "must exist in a scene of BOP's layout and does not"),
        ("rgb/000007.png", None, "must exist in rgb/ or gray/ and does not"),
        ("scene_gt.json", "{}", "must show object 1 at least 0.1 visible somewhere and does not"),
    ],
)
def test_bop_that_cannot_be_read(
    path: Path, file: str, text: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(path, "bop")
    target = folder / "test" / "000000" / file
    if text is None:
        target.unlink()
    else:
        target.write_text(text)
    capsys.readouterr()
    arguments = ["--output", str(path.parent / "bad.h5"), "--splits.test", "0", "--splits.validation", "0"]
    assert run(["import-bop", str(folder), "test", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert not (path.parent / "bad.h5").exists()
