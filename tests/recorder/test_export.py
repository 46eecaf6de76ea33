"""What is exported and imported again is what was recorded, truth included."""

import json
from dataclasses import replace

import imageio.v2 as imageio
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from recorder.cli import run
from recorder.session import NOT_LABELLED, SensorFrame, SessionHeader, SessionWriter, Truth, open_session
from scene.camera import Camera
from scene.object_model import ObjectModel

CAMERA = Camera(32, 24, 40.0, 41.0, 15.5, 11.25)


def frames():
    for index in range(4):
        rng = np.random.default_rng(index)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = Rotation.random(random_state=index).as_matrix(), rng.normal(size=3)
        truth = replace(Truth.unknown(), camera_from_object=pose if index else np.full((4, 4), np.nan))
        labels = rng.integers(0, 3, (24, 32), np.uint8) if index != 2 else np.full((24, 32), NOT_LABELLED, np.uint8)
        color, depth = rng.integers(0, 256, (24, 32, 3), np.uint8), rng.integers(0, 12000, (24, 32), np.uint16)
        world = np.linalg.inv(pose) if index != 1 else np.full((4, 4), np.nan)
        yield SensorFrame(color, depth, 5 + index / 20, truth=truth, labels=labels, world_from_camera=world)


@pytest.fixture
def session(tmp_path):
    mesh = trimesh.creation.box((0.05, 0.06, 0.07))
    colors = np.arange(24, dtype=np.uint8).reshape(8, 3) * 10
    model = ObjectModel("cube", mesh.vertices, np.asarray(mesh.faces, np.int32), colors, True, "t")
    with SessionWriter(tmp_path / "s.h5", SessionHeader(CAMERA, 0.001, "test", object_model=model)) as writer:
        for frame in frames():
            writer.append(frame)
    return tmp_path / "s.h5"


def again(tmp_path, source, *options):
    assert run(["capture", "--source", str(source), "--output", str(tmp_path / "again.h5"), *options]) == 0
    return open_session(tmp_path / "again.h5")


def same_images(before, after, counts_per_count=1):
    assert (len(before), before.camera) == (len(after), after.camera)
    for index in range(len(before)):
        np.testing.assert_array_equal(before.frame(index).color, after.frame(index).color)
        np.testing.assert_array_equal(before.depth_counts(index) * counts_per_count, after.depth_counts(index))


def test_a_folder_comes_back(session, tmp_path):
    assert run(["export", str(session)]) == 0
    with open_session(session) as before, again(tmp_path, tmp_path / "s.folder", "--fps", "20") as after:
        same_images(before, after)
        np.testing.assert_allclose(before.truth.camera_from_object, after.truth.camera_from_object, atol=1e-12)
        for index in range(4):
            np.testing.assert_array_equal(before.labels(index), after.labels(index))
        np.testing.assert_allclose(before.object_model.vertices, after.object_model.vertices, atol=1e-7)
        np.testing.assert_array_equal(before.object_model.vertex_colors, after.object_model.vertex_colors)


def test_a_tum_sequence_comes_back(session, tmp_path):
    assert run(["export", str(session), "--format", "tum", "--output", str(tmp_path / "t")]) == 0
    with open_session(session) as before, again(tmp_path, tmp_path / "t") as after:
        same_images(before, after, counts_per_count=5)
        np.testing.assert_allclose(before.timestamps_s, after.timestamps_s, atol=1e-9)
        np.testing.assert_allclose(before.world_from_camera, after.world_from_camera, atol=1e-8)


def test_a_bop_scene_comes_back(session, tmp_path):
    assert run(["export", str(session), "--format", "bop"]) == 0
    root = tmp_path / "s.bop"
    with open_session(session) as before, again(tmp_path, root / "test/000001") as after:
        same_images(before, after)
        np.testing.assert_allclose(before.truth.camera_from_object, after.truth.camera_from_object, atol=1e-12)
        np.testing.assert_allclose(before.world_from_camera[0], after.world_from_camera[0], atol=1e-12)
        np.testing.assert_array_equal(before.labels(1) == 2, after.labels(1) == 2)
        np.testing.assert_allclose(before.object_model.vertices, after.object_model.vertices, atol=1e-7)
    info = json.loads((root / "models/models_info.json").read_text())["1"]
    assert info["diameter"] == pytest.approx(np.linalg.norm([50, 60, 70]))
    assert (info["min_x"], info["size_z"]) == (pytest.approx(-25), pytest.approx(70))
    assert json.loads((root / "test/000001/scene_camera.json").read_text())["0"]["depth_scale"] == pytest.approx(1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio's reader leaves pipes open
def test_a_video_shows_colour_and_depth(session, tmp_path):
    assert run(["export", str(session), "--format", "video"]) == 0
    with imageio.get_reader(tmp_path / "s.mp4") as video:
        assert video.get_data(0).shape == (24, 64, 3)
        assert video.get_meta_data()["fps"] == pytest.approx(20)
    assert run(["export", str(session), "--format", "video", "--fps", "5", "--output", str(tmp_path / "b.mp4")]) == 0
    with imageio.get_reader(tmp_path / "b.mp4") as video:
        assert video.get_meta_data()["fps"] == pytest.approx(5)


def test_only_an_earlier_export_is_replaced(session, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    for options, message in (("", "--overwrite"), ("--overwrite", "was not made by an export")):
        assert run(["export", str(session), "--output", str(mine), *options.split()]) == 2
        assert message in capsys.readouterr().err
    assert [path.name for path in mine.iterdir()] == ["letter.txt"]
    assert run(["export", str(session)]) == 0
    (tmp_path / "s.folder/rgb/000003.png").unlink()
    assert run(["export", str(session), "--overwrite"]) == 0
    assert (tmp_path / "s.folder/rgb/000003.png").exists()
    assert run(["export", str(session), "--fps", "3"]) == 2
    assert "--format video alone" in capsys.readouterr().err
