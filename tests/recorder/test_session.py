from dataclasses import replace

import h5py
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis.extra import numpy as stn

from recorder.session import SESSION, SensorFrame, SessionHeader, SessionWriter, Truth, open_session
from scene.camera import Camera
from scene.errors import InputError, SchemaError
from scene.object_model import ObjectModel
from scene.schema import faults

CAMERA = Camera(8, 6, 10.0, 11.0, 3.5, 2.5)
HEADER = SessionHeader(CAMERA, 0.0005, "test", "42")


def frame(index=0, depth=None, truth=None):
    rng = np.random.default_rng(index)
    depth = rng.integers(0, 65536, (6, 8), np.uint16) if depth is None else depth
    return SensorFrame(rng.integers(0, 256, (6, 8, 3), np.uint8), depth, index / 30, 1e9 + index, index % 2, truth)


def truth_of(index):
    rng = np.random.default_rng(index)
    return Truth(
        camera_from_object=rng.normal(size=(4, 4)),
        joints_camera=rng.normal(size=(21, 3)),
        joint_visible=rng.random(21) < 0.5,
        camera_from_hand=rng.normal(size=(4, 4)),
        hand_angles=rng.normal(size=20),
        object_visibility=np.asarray(rng.random()),
        hand_visibility=np.asarray(np.nan),
    )


def cube():
    mesh = trimesh.creation.box((0.05, 0.06, 0.07))
    return ObjectModel(
        "cube", mesh.vertices, np.asarray(mesh.faces, np.int32), np.full((8, 3), 90, np.uint8), True, "t"
    )


def write(path, frames, header=HEADER, **options):
    with SessionWriter(path, header, **options) as writer:
        for one in frames:
            writer.append(one)
    return path


@pytest.fixture
def session(tmp_path):
    return write(tmp_path / "s.h5", [frame(index) for index in range(3)])


def damaged(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    return path


@given(stn.arrays(np.uint16, (2, 6, 8)))
@settings(max_examples=15)
def test_depth_comes_back_as_it_was_counted(tmp_path_factory, counts):
    path = write(tmp_path_factory.mktemp("s") / "s.h5", [frame(depth=one) for one in counts])
    with open_session(path) as session:
        for index, one in enumerate(counts):
            np.testing.assert_array_equal(session.depth_counts(index), one)
            np.testing.assert_allclose(session.frame(index).depth, one * 0.0005, rtol=1e-6)


def test_all_else_comes_back(tmp_path):
    frames = [frame(index, truth=truth_of(index)) for index in range(3)]
    header = replace(HEADER, hand_side="left", object_model=cube(), distortion=(0.1, 0.2, 0.0, 0.0, 0.3))
    path = write(tmp_path / "s.h5", frames, header, configuration={"seed": 7}, seed=7)
    with open_session(path) as session:
        assert (len(session), session.camera, session.hand_side, session.depth_scale) == (3, CAMERA, "left", 0.0005)
        np.testing.assert_allclose(session.timestamps_s, [0, 1 / 30, 2 / 30])
        np.testing.assert_array_equal(session.dropped_before, [0, 1, 0])
        np.testing.assert_array_equal(session.frame(2).color, frames[2].color)
        np.testing.assert_array_equal(session.object_model.vertices, cube().vertices)
        for index, one in enumerate(frames):
            for name, value in vars(one.truth).items():
                np.testing.assert_array_equal(getattr(session.truth, name)[index], value)
        assert [session.attribute(name) for name in ("sensor", "serial", "seed", "nothing")] == ["test", "42", "7", ""]
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["camera/distortion"], [0.1, 0.2, 0, 0, 0.3])
        assert file["depth"].chunks == (1, 6, 8)
        assert not faults(file, SESSION)


def test_without_object_and_truth_there_is_none(session):
    with open_session(session) as opened:
        assert opened.object_model is None
        assert opened.truth is None


def test_existing_file_is_kept_unless_overwrite(session):
    with pytest.raises(InputError, match="--overwrite"):
        SessionWriter(session, HEADER)
    write(session, [frame()], overwrite=True)
    with open_session(session) as opened:
        assert len(opened) == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_whole_frames_are_kept_when_the_capture_stops(tmp_path, stop):
    def capture():
        with SessionWriter(tmp_path / "s.h5", HEADER) as writer:
            writer.append(frame(0))
            writer.append(frame(1))
            writer._streams["color"].resize(3, axis=0)  # as when the interrupt comes in the middle of a frame
            raise stop

    with pytest.raises(stop):
        capture()
    with open_session(tmp_path / "s.h5") as session:
        assert len(session) == 2
        np.testing.assert_array_equal(session.frame(1).color, frame(1).color)
    assert [path.name for path in tmp_path.iterdir()] == ["s.h5"]


def test_nothing_is_left_of_a_capture_without_frames(tmp_path):
    with SessionWriter(tmp_path / "s.h5", HEADER):
        pass
    assert not list(tmp_path.iterdir())


def test_every_fault_of_a_frame_is_told_at_once(tmp_path):
    with SessionWriter(tmp_path / "s.h5", HEADER) as writer:
        bad = SensorFrame(np.zeros((6, 7, 3), np.uint8), np.zeros((6, 8), np.uint8), float("nan"))
        with pytest.raises(InputError, match=r"frame 0.*color must be.*depth_counts must be.*device_time_s"):
            writer.append(bad)


def test_truth_comes_with_all_frames_or_none(tmp_path):
    with SessionWriter(tmp_path / "s.h5", HEADER) as writer:
        writer.append(frame(0, truth=truth_of(0)))
        with pytest.raises(InputError, match="frame 1 from sensor test: truth must come with every frame or with none"):
            writer.append(frame(1))


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_depth_scale_must_be_positive(scale):
    with pytest.raises(InputError, match="depth scale must be positive"):
        SessionHeader(CAMERA, scale, "test")


def test_truncated_file_is_refused(session):
    session.write_bytes(session.read_bytes()[:-900])
    with pytest.raises(SchemaError, match="damaged"), open_session(session):
        pass


def test_a_folder_in_the_way_is_told_and_the_recording_kept(tmp_path):
    """Before recording it is refused; one that comes into the way later costs no frame."""
    writer = SessionWriter(tmp_path / "s.h5", HEADER, overwrite=True)
    writer.append(frame())
    (tmp_path / "s.h5").mkdir()
    with pytest.raises(InputError, match=r"cannot be put in its place .*recorder repair"):
        writer.close()
    with pytest.raises(InputError, match="is a folder, and a file is to be written"):
        SessionWriter(tmp_path / "s.h5", HEADER, overwrite=True)
    with open_session(next(tmp_path.glob(".s.h5.*.partial"))) as session:
        assert len(session) == 1


@pytest.mark.parametrize(("group", "field"), [("object", "object/faces"), ("truth", "truth/hand_angles")])
def test_half_a_group_is_refused(tmp_path, group, field):
    header = replace(HEADER, object_model=cube())
    path = write(tmp_path / "s.h5", [frame(truth=truth_of(0))], header)
    with h5py.File(path, "r+") as file:
        del file[field]
    with open_session(path) as session, pytest.raises(SchemaError, match=f"lacks a part of {group}/"):
        _ = session.truth, session.object_model


def test_labels_and_camera_poses_come_back(tmp_path):
    labels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    frames = [replace(frame(index), labels=labels + index, world_from_camera=np.eye(4) * index) for index in range(2)]
    with open_session(write(tmp_path / "s.h5", frames)) as session:
        np.testing.assert_array_equal(session.labels(1), labels + 1)
        np.testing.assert_array_equal(session.world_from_camera[1], np.eye(4))
        assert session.truth is None


def test_without_labels_and_camera_poses_there_are_none(session):
    with open_session(session) as opened:
        assert opened.labels(0) is None
        assert opened.world_from_camera is None


def test_a_damaged_frame_is_told_when_it_is_read(session):
    with h5py.File(session) as file:
        where = file["color"].id.get_chunk_info(1).byte_offset
    content = bytearray(session.read_bytes())
    content[where : where + 40] = bytes(40)
    session.write_bytes(content)
    with open_session(session) as opened:
        assert opened.frame(0).index == 0
        with pytest.raises(SchemaError, match=r"frame 1 of 'color' .* is damaged .*recorder repair"):
            opened.frame(1)


def test_an_unfinished_recording_is_sent_to_repair(tmp_path):
    with SessionWriter(tmp_path / "s.h5", HEADER) as writer:
        writer.append(frame())
        with (
            pytest.raises(InputError, match=r"goes on, or that was killed.*recorder repair"),
            open_session(writer.partial),
        ):
            pass


def absurd_width(file):
    for name in ("color", "depth", "labels"):
        dtype = file[name].dtype
        shape = (3, 6, 20_000, 3)[: file[name].ndim]
        del file[name]
        file.create_dataset(name, shape, dtype, chunks=(1, 6, 8, 3)[: len(shape)])


def absurd_chunk(file):
    del file["labels"]
    file.create_dataset("labels", (3, 6, 8), "u1", maxshape=(None, 6, 8), chunks=(40_000_000, 6, 8))


@pytest.mark.parametrize(
    ("change", "message"),
    [(absurd_width, "'color' claims 20000 width"), (absurd_chunk, "'labels' is packed in pieces of")],
)
def test_absurd_sizes_are_refused(tmp_path, change, message):
    frames = [replace(frame(index), labels=np.zeros((6, 8), np.uint8)) for index in range(3)]
    with pytest.raises(SchemaError, match=message), open_session(damaged(write(tmp_path / "s.h5", frames), change)):
        pass


def test_links_to_elsewhere_are_refused(session, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.zeros(3)

    def linked(file):
        del file["host_time_s"]
        file["host_time_s"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")

    with pytest.raises(SchemaError, match="link to elsewhere"), open_session(damaged(session, linked)):
        pass


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"), open_session(tmp_path / "none.h5"):
        pass


def eight_bit_depth(file):
    counts = (file["depth"][:] // 256).astype(np.uint8)
    del file["depth"]
    file["depth"] = counts


def other_length(file):
    file["color"].resize(2, axis=0)


def nan_intrinsics(file):
    file["camera/matrix"][0, 0] = np.nan


def no_scale(file):
    file["depth_scale"][()] = 0.0


def no_hand(file):
    file.attrs["hand_side"] = "both"


def no_frames(file):
    for name in ("color", "depth", "device_time_s", "host_time_s", "dropped_before"):
        file[name].resize(0, axis=0)


def missing(file):
    del file["device_time_s"]


def other_version(file):
    file.attrs["format_version"] = 99


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (eight_bit_depth, "'depth' must be uint16, is uint8"),
        (other_length, "with frames = 2"),
        (nan_intrinsics, "camera that cannot be"),
        (no_scale, "positive depth_scale"),
        (no_hand, "hand_side right, left or unknown"),
        (no_frames, "at least one frame"),
        (missing, "'device_time_s' is missing"),
        (other_version, "version 99"),
    ],
)
def test_damaged_session_is_refused_with_its_fault(session, change, message):
    with pytest.raises(SchemaError, match=message), open_session(damaged(session, change)):
        pass
