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
    options = {"depth_scale": 0.001, "frames_per_s": 30.0, **options}
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
