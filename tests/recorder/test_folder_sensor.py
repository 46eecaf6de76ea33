import os
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from recorder.cli import run
from recorder.sensors.folder import open_folder
from recorder.sensors.sequence import SequenceSensor
from recorder.session import open_session
from scene.errors import InputError

DATA = Path(os.environ.get("UNOCCLUDE_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real recordings are not at {DATA}; set UNOCCLUDE_DATA")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for kind, images in (
        ("rgb", rng.integers(0, 256, (3, 12, 16, 3), np.uint8)),
        ("depth", rng.integers(0, 65536, (3, 12, 16), np.uint16)),
    ):
        (tmp_path / kind).mkdir()
        for index, image in enumerate(images):
            imageio.imwrite(tmp_path / kind / f"{index:05d}.png", image)
    np.savetxt(tmp_path / "cam_K.txt", [[20, 0, 7.5], [0, 21, 5.5], [0, 0, 1]])
    return tmp_path


def frames(folder, **options):
    options = {"intrinsics": None, "depth_scale": 0.001, "frames_per_s": 30.0, **options}
    with SequenceSensor("folder", lambda: open_folder(folder, **options)) as sensor:
        return sensor, list(sensor.frames())


def test_images_come_in_order_and_unchanged(folder):
    sensor, given = frames(folder, depth_scale=0.0002, frames_per_s=10.0)
    assert (sensor.total, sensor.camera.fx, sensor.camera.cy, sensor.depth_scale) == (3, 20, 5.5, 0.0002)
    assert [one.device_time_s for one in given] == [0, 0.1, 0.2]
    for index, one in enumerate(given):
        np.testing.assert_array_equal(one.color, imageio.imread(folder / "rgb" / f"{index:05d}.png"))
        np.testing.assert_array_equal(one.depth_counts, imageio.imread(folder / "depth" / f"{index:05d}.png"))


def test_jpeg_and_alpha_are_taken(folder):
    image = imageio.imread(folder / "rgb/00000.png")
    (folder / "rgb/00000.png").unlink()
    imageio.imwrite(folder / "rgb/00000.jpg", image)
    imageio.imwrite(folder / "rgb/00001.png", np.dstack([image, image[..., :1]]))
    assert [one.color.shape for one in frames(folder)[1]] == [(12, 16, 3)] * 3


def without_color(folder):
    for path in (folder / "rgb").iterdir():
        path.unlink()
    (folder / "rgb").rmdir()


def test_depth_alone_is_taken(folder, tmp_path):
    without_color(folder)
    output = tmp_path / "s.h5"
    assert run(["capture", "--source", str(folder), "--output", str(output)]) == 0
    assert run(["check", str(output)]) in (0, 2)  # made of noise, which it says
    with open_session(output) as session:
        assert (len(session), session.colored, session.frame(1).colored) == (3, False, False)
        assert not session.frame(1).color.any()
        np.testing.assert_array_equal(session.depth_counts(1), imageio.imread(folder / "depth/00001.png"))


def test_a_flat_folder_of_depth_comes_in_the_order_of_its_numbers(folder, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for name, index in (("30", 0), ("110", 2), ("90", 1)):
        (folder / f"depth/0000{index}.png").rename(flat / f"{name}.png")
    sensor, given = frames(flat, intrinsics=(30.0, 31.0, 7.0, 5.0))
    assert (sensor.camera.fx, sensor.camera.fy, sensor.camera.cx, sensor.camera.cy) == (30, 31, 7, 5)
    for name, one in zip(("30", "90", "110"), given, strict=True):
        np.testing.assert_array_equal(one.depth_counts, imageio.imread(flat / f"{name}.png"))
        assert one.color is None


def test_intrinsics_that_are_given_count_in_place_of_those_in_the_folder(folder):
    assert frames(folder, intrinsics=(30.0, 31.0, 7.0, 5.0))[0].camera.fx == 30


def test_layouts_that_are_nothing_without_colour_are_refused_and_the_others_written(folder, tmp_path, capsys):
    without_color(folder)
    session = tmp_path / "s.h5"
    assert run(["capture", "--source", str(folder), "--output", str(session)]) == 0
    for name in ("tum", "bop"):
        assert run(["export", str(session), "--format", name]) == 2
        assert f"a {name} export must have colour, and {session} is depth alone" in capsys.readouterr().err
    assert run(["export", str(session)]) == 0
    assert sorted(path.name for path in (tmp_path / "s.folder").iterdir()) == ["cam_K.txt", "depth", "exported.json"]
    assert run(["capture", "--source", str(tmp_path / "s.folder"), "--output", str(tmp_path / "again.h5")]) == 0
    assert run(["view", str(session)]) == 0
    assert "Black, for there is no colour, and depth" in (tmp_path / "s.html").read_text()
    assert "depth alone" in (tmp_path / "s.html").read_text()


def eight_bit(folder):
    imageio.imwrite(folder / "depth/00001.png", np.zeros((12, 16), np.uint8))


def grey(folder):
    imageio.imwrite(folder / "rgb/00001.png", np.zeros((12, 16), np.uint8))


def other_size(folder):
    imageio.imwrite(folder / "rgb/00001.png", np.zeros((10, 16, 3), np.uint8))


def no_intrinsics(folder):
    (folder / "cam_K.txt").unlink()


def eight_numbers(folder):
    np.savetxt(folder / "cam_K.txt", np.ones((2, 4)))


def nan_intrinsics(folder):
    np.savetxt(folder / "cam_K.txt", np.full((3, 3), np.nan))


def alone(folder):
    (folder / "depth/00002.png").unlink()


def no_depth(folder):
    for path in (folder / "depth").iterdir():
        path.unlink()


def broken(folder):
    path = folder / "depth/00001.png"
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (eight_bit, "16-bit grey image of depth"),
        (grey, "8-bit RGB image"),
        (other_size, "registered and of one size.*16x10.*16x12"),
        (no_intrinsics, "cam_K.txt is missing"),
        (eight_numbers, "nine numbers"),
        (nan_intrinsics, "focal lengths must be positive and finite"),
        (alone, "1 have none.*00002"),
        (no_depth, "has none"),
        (broken, "cannot be read as an image"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(folder, change, message):
    change(folder)
    with pytest.raises(InputError, match=message):
        frames(folder)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="--source must be a folder"):
        frames(tmp_path / "none")


@needs_data
def test_a_real_recording_of_depth_alone_is_kept_without_loss(tmp_path):
    output, source = tmp_path / "s.h5", DATA / "bare-hand"
    given = "--intrinsics 476.007 476.007 313.683 242.755 --depth-scale 0.000125"
    assert run(f"capture --sensor folder --source {source} {given} --output {output}".split()) == 0
    with open_session(output) as session:
        assert (len(session), session.depth_scale) == (8, 0.000125)
        np.testing.assert_array_equal(session.depth_counts(4), imageio.imread(source / "110.png"))


@needs_data
@pytest.mark.parametrize(
    ("name", "mesh", "count"), [("hand-mug", "mug.ply", 76), ("generated/camera-fast", "mesh.ply", 72)]
)
def test_real_recording_is_kept_without_loss(tmp_path, name, mesh, count):
    output = tmp_path / "s.h5"
    source = DATA / name
    assert run(f"capture --sensor folder --source {source} --object {source / mesh} --output {output}".split()) == 0
    depths = sorted((source / "depth").iterdir())
    with open_session(output) as session:
        assert len(session) == count == len(depths)
        for index in (0, count // 2, count - 1):
            np.testing.assert_array_equal(session.depth_counts(index), imageio.imread(depths[index]))
        assert session.object_model.colored
        assert session.truth is None


def test_what_is_no_image_is_one_sentence(folder, tmp_path, capsys):
    next((folder / "depth").iterdir()).write_bytes(b"no image at all")
    assert run(["capture", "--source", str(folder), "--output", str(tmp_path / "s.h5")]) == 2
    said = capsys.readouterr().err
    assert "cannot be read as an image" in said.splitlines()[-1]  # behind the line of the recording
    assert "pip install" not in said  # of other decoders, none of which a stranger's file gets to see
