"""Recordings made by others, written here by hand from their specifications, and what of them is in the session."""

import json
import os
import pickle

import imageio.v3 as imageio
import numpy as np
import pytest
import trimesh
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from recorder.cli import run
from recorder.sensors.ho3d import read_meta
from recorder.sensors.tum import associated
from recorder.session import HAND_LABEL, NOT_LABELLED, OBJECT_LABEL, open_session
from scene.errors import InputError

HEIGHT, WIDTH = 12, 16
TRIES = 12
POSE = np.eye(4)
POSE[:3, :3] = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()
POSE[:3, 3] = (0.05, -0.08, 0.6)
"""camera_from_object, OpenCV's axes, metres"""


def images(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), rng.integers(400, 900, (HEIGHT, WIDTH), np.uint16)


def put(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(path, image)


def cube_file(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.creation.box((size, size, 1.5 * size)).export(path)


def captured(source, output, *options):
    assert run(["capture", "--source", str(source), "--output", str(output), *options]) == 0
    return open_session(output)


# --- the layout of FoundationPose and YCBInEOAT


@pytest.fixture
def foundation(tmp_path):
    root = tmp_path / "mug"
    for index in range(3):
        color, depth = images(index)
        put(root / f"rgb/{index:04d}.png", color)
        put(root / f"depth/{index:04d}.png", depth)
    np.savetxt(root / "cam_K.txt", [[20, 0, 7.5], [0, 21, 5.5], [0, 0, 1]])
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:6, 3:9] = 255
    put(root / "masks/0000.png", mask)
    put(root / "masks_hand/0000.png", np.roll(mask, 4, axis=1))
    (root / "annotated_poses").mkdir()
    for index in range(3):  # YCBInEOAT counts them from 0
        np.savetxt(root / f"annotated_poses/{index:07d}.txt", POSE + np.eye(4, k=3) * index)
    cube_file(root / "mesh/textured_simple.obj", 0.08)
    return root


def test_a_folder_brings_masks_poses_and_mesh(foundation, tmp_path):
    with captured(foundation, tmp_path / "s.h5") as session:
        assert session.attribute("sensor") == "folder"
        np.testing.assert_allclose(session.truth.camera_from_object[0], POSE)
        assert session.truth.camera_from_object[2][0, 3] == pytest.approx(2.05)
        assert np.isnan(session.truth.joints_camera).all()
        assert session.object_model.diameter == pytest.approx(0.08 * np.sqrt(2 + 1.5**2), rel=1e-4)
        labels = session.labels(0)
        assert (labels[3, 4], labels[3, 8], labels[3, 11], labels[0, 0]) == (OBJECT_LABEL, HAND_LABEL, HAND_LABEL, 0)
        assert (session.labels(1) == NOT_LABELLED).all()
        np.testing.assert_array_equal(session.depth_counts(2), images(2)[1])


def test_poses_must_fit_the_images(foundation, tmp_path, capsys):
    (foundation / "annotated_poses/0000001.txt").unlink()
    assert run(["capture", "--source", str(foundation), "--output", str(tmp_path / "s.h5")]) == 2
    assert "must hold a pose of each image" in capsys.readouterr().err


def test_a_pose_must_be_a_matrix(foundation, tmp_path, capsys):
    (foundation / "annotated_poses/0000000.txt").write_text("1 2 3")
    assert run(["capture", "--source", str(foundation), "--output", str(tmp_path / "s.h5")]) == 2
    assert "must be 16 numbers" in capsys.readouterr().err


# --- TUM RGB-D


@pytest.fixture
def tum(tmp_path):
    root = tmp_path / "freiburg"
    lists = {"rgb": ["# color images", "# timestamp filename"], "depth": ["# depth maps"]}
    for index in range(4):
        color, depth = images(index)
        put(root / f"rgb/{index}.png", color)
        lists["rgb"].append(f"{1000 + index / 30:.6f} rgb/{index}.png")
        if index != 1:  # the depth of one image was lost
            put(root / f"depth/{index}.png", depth)
            lists["depth"].append(f"{1000.005 + index / 30:.6f}\tdepth/{index}.png")
    for name, lines in lists.items():
        (root / f"{name}.txt").write_text("\n".join(lines) + "\n")
    x, y, z, w = Rotation.from_matrix(POSE[:3, :3]).as_quat()
    pose = f"0.05 -0.08 0.6 {x} {y} {z} {w}"
    (root / "groundtruth.txt").write_text(f"# timestamp tx ty tz qx qy qz qw\n1000.001,{pose.replace(' ', ',')}\n")
    return root


def test_tum_is_matched_scaled_and_placed_in_the_world(tum, tmp_path):
    with captured(tum, tmp_path / "s.h5", "--intrinsics", "525", "526", "7.5", "5.5") as session:
        assert (session.attribute("sensor"), len(session), session.depth_scale) == ("tum", 3, 1 / 5000)
        np.testing.assert_allclose(session.timestamps_s - 1000, [0, 2 / 30, 3 / 30], atol=1e-6)
        np.testing.assert_array_equal(session.dropped_before, [0, 1, 0])
        np.testing.assert_array_equal(session.depth_counts(1), images(2)[1])
        np.testing.assert_allclose(session.world_from_camera[0], POSE, atol=1e-9)
        assert np.isnan(session.world_from_camera[1:]).all()
        assert (session.camera.fx, session.camera.fy, session.camera.cx, session.camera.cy) == (525, 526, 7.5, 5.5)
        assert session.truth is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: None, "give --intrinsics FX FY CX CY"),
        (lambda root: (root / "depth.txt").write_text("5 depth/0.png\n"), "within 0.02 s"),
        (lambda root: (root / "depth.txt").write_text("# nothing\n"), "at least one line"),
        (lambda root: (root / "depth.txt").write_text("1000.0 ../../secret.png\n"), "inside of it"),
        (lambda root: (root / "depth.txt").write_text("noon depth/0.png\n"), "must be 1 numbers"),
    ],
)
def test_what_is_wrong_with_tum_is_said(tum, tmp_path, change, message, capsys):
    change(tum)
    assert run(["capture", "--source", str(tum), "--output", str(tmp_path / "s.h5")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s.h5").exists()


@given(st.lists(st.integers(0, 200), unique=True), st.lists(st.integers(0, 200), unique=True))
@settings(max_examples=60)
def test_association_is_the_greedy_one_over_all_pairs(first, second):
    first_s, second_s = np.sort(np.array(first, float)) / 100, np.sort(np.array(second, float)) / 100 + 0.003
    every = sorted(
        (abs(a - b), i, j) for i, a in enumerate(first_s) for j, b in enumerate(second_s) if abs(a - b) < 0.02
    )
    expected = []
    for _, i, j in every:
        if all(i != other and j != another for other, another in expected):
            expected.append((i, j))
    assert associated(first_s, second_s, 0.02) == sorted(expected)


# --- BOP


@pytest.fixture
def bop(tmp_path):
    scene = tmp_path / "data/test/000007"
    camera, poses, info = {}, {}, {}
    for image_id, scale in ((3, 0.1), (4, 0.2)):
        color, depth = images(image_id)
        put(scene / f"rgb/{image_id:06d}.png", color)
        put(scene / f"depth/{image_id:06d}.png", depth)
        world = {"cam_R_w2c": POSE[:3, :3].ravel().tolist(), "cam_t_w2c": [100.0, 0, 0]}
        camera[str(image_id)] = {"cam_K": [20, 0, 7.5, 0, 21, 5.5, 0, 0, 1], "depth_scale": scale, **world}
        other = {"obj_id": 2, "cam_R_m2c": np.eye(3).ravel().tolist(), "cam_t_m2c": [0, 0, 900.0]}
        this = {"obj_id": 5, "cam_R_m2c": POSE[:3, :3].ravel().tolist(), "cam_t_m2c": (POSE[:3, 3] * 1000).tolist()}
        poses[str(image_id)] = [other, this] if image_id == 3 else [other]
        info[str(image_id)] = [{"visib_fract": 0.9}, {"visib_fract": 0.4}]
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[1, 2] = 255
    put(scene / "mask_visib/000003_000001.png", mask)
    for name, table in (("scene_camera", camera), ("scene_gt", poses), ("scene_gt_info", info)):
        (scene / f"{name}.json").write_text(json.dumps(table))
    cube_file(tmp_path / "data/models/obj_000005.ply", 80.0)
    return scene


def test_bop_comes_in_metres(bop, tmp_path):
    with captured(bop, tmp_path / "s.h5", "--object-id", "5", "--fps", "10") as session:
        assert (session.attribute("sensor"), session.attribute("serial")) == ("bop", "data/test/000007")
        np.testing.assert_allclose(session.timestamps_s, [0.3, 0.4])
        np.testing.assert_allclose(session.truth.camera_from_object[0], POSE, atol=1e-12)
        assert np.isnan(session.truth.camera_from_object[1]).all()
        np.testing.assert_allclose(session.truth.object_visibility, [0.4, np.nan])
        # the depth of both images in the counts of the first
        assert session.depth_scale == pytest.approx(0.0001)
        np.testing.assert_array_equal(session.depth_counts(0), images(3)[1])
        np.testing.assert_array_equal(session.depth_counts(1), images(4)[1] * 2)
        # a point of the world goes through w2c in millimetres
        world_from_camera = session.world_from_camera[0]
        np.testing.assert_allclose(np.linalg.inv(world_from_camera)[:3, 3], [0.1, 0, 0], atol=1e-12)
        np.testing.assert_allclose(np.linalg.inv(world_from_camera)[:3, :3], POSE[:3, :3], atol=1e-12)
        assert [session.labels(0)[1, 2], session.labels(0).sum(), session.labels(1).sum()] == [2, 2, 0]
        assert session.object_model.diameter == pytest.approx(0.08 * np.sqrt(2 + 1.5**2), rel=1e-4)


def other_camera(bop):
    table = json.loads((bop / "scene_camera.json").read_text())
    table["4"]["cam_K"][0] = 30
    (bop / "scene_camera.json").write_text(json.dumps(table))


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda bop: None, "", "shows the objects [2, 5]; choose one with --object-id"),
        (lambda bop: None, "--object-id 9", "given is 9"),
        (other_camera, "--object-id 5", "cam_K of image 4"),
        (lambda bop: (bop / "scene_camera.json").write_text("{"), "", "cannot be read as a table"),
        (lambda bop: (bop / "scene_camera.json").write_text('{"3": {"cam_model": {}}}'), "--object-id 5", "cam_K"),
        (lambda bop: (bop / "scene_camera.json").write_text("{}"), "", "name no image"),
    ],
)
def test_what_is_wrong_with_a_scene_is_said(bop, tmp_path, change, options, message, capsys):
    change(bop)
    assert run(["capture", "--source", str(bop), "--output", str(tmp_path / "s.h5"), *options.split()]) == 2
    assert message in capsys.readouterr().err


# --- HO-3D


@pytest.fixture
def ho3d(tmp_path):
    root, opengl = tmp_path / "train/ABF10", np.diag([1.0, -1, -1])
    for index in range(2):
        color, counts = images(index)
        put(root / f"rgb/{index:04d}.png", color)
        put(root / f"depth/{index:04d}.png", np.dstack([counts % 256, counts // 256, counts * 0]).astype(np.uint8))
        meta = {
            "objRot": Rotation.from_matrix(opengl @ POSE[:3, :3]).as_rotvec().reshape(3, 1).astype(np.float32),
            "objTrans": (opengl @ POSE[:3, 3]).astype(np.float32),
            "camMat": np.array([[20, 0, 7.5], [0, 21, 5.5], [0, 0, 1]]),
            "handJoints3D": np.arange(63).reshape(21, 3) * [0.01, 0.001, -0.01] - [0, 0, 0.5],
            "objName": "003_cracker_box",
        }
        if index == 1:
            meta |= {"objRot": None, "handJoints3D": np.zeros(3)}
        (root / "meta").mkdir(exist_ok=True)
        (root / f"meta/{index:04d}.pkl").write_bytes(pickle.dumps(meta, protocol=2))
    return root


def test_ho3d_comes_in_opencv_axes(ho3d, tmp_path):
    with captured(ho3d, tmp_path / "s.h5") as session:
        assert session.attribute("sensor") == "ho3d"
        assert session.depth_scale == pytest.approx(0.000125, rel=1e-3)
        np.testing.assert_array_equal(session.depth_counts(0), images(0)[1])
        np.testing.assert_allclose(session.truth.camera_from_object[0], POSE, atol=1e-6)
        joints = session.truth.joints_camera[0]
        # ours 1 is the thumb's first joint, MANO's 13; y and z change sign
        np.testing.assert_allclose(joints[1], [39 * 0.01, -40 * 0.001, 41 * 0.01 + 0.5])
        np.testing.assert_allclose(joints[20], [60 * 0.01, -61 * 0.001, 62 * 0.01 + 0.5])
        assert np.isnan(session.truth.camera_from_object[1]).all()
        assert np.isnan(session.truth.joints_camera[1]).all()


class Hostile:
    def __reduce__(self):
        return os.system, ("echo harm",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(Hostile()), r"this one wants .*system: do not use it"),
        (pickle.dumps({"objRot": 1})[:-3], "cannot be read as a table of HO-3D"),
        (pickle.dumps([1]), "must be a table of one frame, is a list"),
        (b"", "cannot be read"),
    ],
)
def test_a_pickle_is_never_run(tmp_path, content, message, capfd):
    (tmp_path / "0.pkl").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_meta(tmp_path / "0.pkl")
    assert "harm" not in capfd.readouterr().out


# --- DexYCB


@pytest.fixture
def dexycb(tmp_path):
    camera = tmp_path / "dex/20200709-subject-01/20200709_141754/836212060125"
    for index in range(2):
        color, _ = images(index)
        big = np.full((480, 640), 700 + index, np.uint16)
        put(camera / f"color_{index:06d}.jpg", np.full((480, 640, 3), color[0, 0, 0], np.uint8))
        put(camera / f"aligned_depth_to_color_{index:06d}.png", big)
        seg = np.zeros((480, 640), np.uint8)
        seg[0, :4] = (5, 15, 255, 0)
        poses = np.stack([np.eye(4)[:3], POSE[:3]]).astype(np.float32)
        joints = np.arange(63, dtype=np.float32).reshape(1, 21, 3) / 100
        if index == 1:
            poses[1], joints = 0, -np.ones((1, 21, 3), np.float32)
        np.savez(camera / f"labels_{index:06d}.npz", seg=seg, pose_y=poses, pose_m=np.zeros((1, 51)), joint_3d=joints)
    meta = {"num_frames": 2, "ycb_ids": [5, 15], "ycb_grasp_ind": 1, "mano_sides": ["left"]}
    (camera.parent / "meta.yml").write_text(yaml.safe_dump(meta))
    calibration = tmp_path / "dex/calibration/intrinsics/836212060125_640x480.yml"
    calibration.parent.mkdir(parents=True)
    calibration.write_text(yaml.safe_dump({"color": {"fx": 614.0, "fy": 613.0, "ppx": 318.0, "ppy": 241.0}}))
    return camera


def test_dexycb_gives_the_grasped_object_and_the_hand(dexycb, tmp_path):
    with captured(dexycb, tmp_path / "s.h5") as session:
        assert (session.attribute("sensor"), session.attribute("serial")) == ("dexycb", "836212060125")
        assert (session.hand_side, session.depth_scale, session.camera.fx, session.camera.cy) == (
            "left",
            0.001,
            614,
            241,
        )
        np.testing.assert_allclose(session.truth.camera_from_object[0], POSE, atol=1e-6)
        np.testing.assert_allclose(session.truth.joints_camera[0].ravel(), np.arange(63) / 100, atol=1e-6)
        assert np.isnan(session.truth.camera_from_object[1]).all()
        assert np.isnan(session.truth.joints_camera[1]).all()
        np.testing.assert_array_equal(session.labels(0)[0, :4], [0, OBJECT_LABEL, HAND_LABEL, 0])
    with captured(dexycb, tmp_path / "o.h5", "--object-id", "5", "--hand", "right") as session:
        np.testing.assert_allclose(session.truth.camera_from_object[0], np.eye(4))
        assert (session.labels(0)[0, 0], session.hand_side) == (OBJECT_LABEL, "right")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: (root.parent / "meta.yml").write_text("ycb_ids: [1"), "cannot be read as a table"),
        (lambda root: (root.parent / "meta.yml").write_text("ycb_ids: [1]"), "must list ycb_ids and ycb_grasp_ind"),
        (lambda root: (root.parent / "meta.yml").write_text("!!python/object/apply:os.getcwd []"), "cannot be read"),
        (lambda root: np.savez(root / "labels_000000.npz", seg=np.array([{}])), "must hold seg, pose_y and joint_3d"),
        (lambda root: (root / "labels_000001.npz").write_bytes(b"no zip"), "must hold seg, pose_y and joint_3d"),
    ],
)
def test_what_is_wrong_with_dexycb_is_said(dexycb, tmp_path, change, message, capsys):
    change(dexycb)
    assert run(["capture", "--source", str(dexycb), "--output", str(tmp_path / "s.h5")]) == 2
    assert message in capsys.readouterr().err


def test_labels_that_unpack_to_more_than_a_frame_are_refused(dexycb, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("recorder.sensors.dexycb.LARGEST_LABELS_BYTES", 1000)
    assert run(["capture", "--source", str(dexycb), "--output", str(tmp_path / "s.h5")]) == 2
    assert "must hold the labels of one frame" in capsys.readouterr().err


def test_a_layout_that_tells_nothing_is_not_guessed(tmp_path, capsys):
    (tmp_path / "rgb").mkdir()
    assert run(["capture", "--source", str(tmp_path)]) == 2
    assert "is none that is known" in capsys.readouterr().err


@pytest.mark.parametrize("layout", ["foundation", "tum", "bop", "ho3d", "dexycb"])
@pytest.mark.filterwarnings("ignore")  # readers of images warn of what they find in damaged ones
def test_damage_of_any_file_is_told_in_a_sentence(request, layout, tmp_path):
    source = request.getfixturevalue(layout)
    files = sorted(path for path in (tmp_path if layout == "dexycb" else source).rglob("*") if path.is_file())
    rng = np.random.default_rng(0)
    options = ["--object-id", "5"] if layout in ("bop", "dexycb") else []
    options += ["--intrinsics", "20", "21", "7.5", "5.5"] if layout == "tum" else []
    for _ in range(TRIES):
        path = files[rng.integers(len(files))]
        content = path.read_bytes()
        changed = bytearray(content)
        for at in rng.integers(0, len(changed), 12):
            changed[at] = rng.integers(256)
        path.write_bytes(changed if rng.random() < 0.7 else content[: rng.integers(len(content))])
        command = ["capture", "--sensor", layout.replace("foundation", "folder"), "--source", str(source)]
        assert run([*command, "--output", str(tmp_path / "damaged.h5"), "--overwrite", *options]) in (0, 2)
        path.write_bytes(content)
