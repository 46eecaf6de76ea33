"""`renderer make-pairs`: a session and a track with known truth in, a pairs file out."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import h5py
import numpy as np
import pytest

from pairs.content import content_hash
from pairs.format import (
    BLACK,
    OWN,
    RANDOM,
    RECORDING,
    RENDERED,
    SPLIT_NAMES,
    Pair,
    PairsWriter,
    center_of,
    metric_depth,
    open_pairs,
)
from recorder.session import SensorFrame, Session, SessionHeader, SessionWriter, open_session
from renderer.cli import run
from renderer.config import MakePairsConfig
from renderer.parts import parts_folder, prepare_folder
from scene.camera import Camera
from scene.drawing import open_drawer
from scene.errors import InputError
from scene.files import sha256
from scene.rotations import covering_rotations, geodesic_angle
from tests.renderer.fakes import (
    CAMERA,
    FRAMES,
    LOST,
    TRACKED,
    camera_from_object,
    plain_body,
    write_session,
    write_track,
)

QUICK = ("--size", "32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session and its track, and pairs of it with two views a frame."""
    folder = tmp_path_factory.mktemp("pairs")
    write_track(write_session(folder / "session.h5"))
    assert make(folder, "--views-per-frame", "2", output="pairs.h5") == 0
    return folder


def make(folder: Path, *arguments: str, output: str = "other.h5", session: str = "session.h5") -> int:
    paths = [str(folder / session), "--output", str(folder / output), "--overwrite"]
    return run(["make-pairs", *paths, *QUICK, *arguments])


def column(path: Path, field: str) -> np.ndarray:
    with open_pairs(path) as pairs:
        return pairs.column(field)


def test_rows_origins_and_left_out(folder: Path) -> None:
    with open_pairs(folder / "pairs.h5") as pairs:
        real = pairs.origin == 0
        frames = pairs.column("frame_index")
        assert len(pairs) == 3 * real.sum()
        assert (pairs.origin[~real] == RENDERED).all()
        left_out = [frame for frame, _ in pairs.left_out]
        assert sorted([*frames[real], *left_out]) == list(range(FRAMES))
        assert pairs.object_model.name == "wedge"
        assert set(np.unique(pairs.split)) == {0, 1, 2}


def test_real_rows_are_the_recording(folder: Path) -> None:
    with open_pairs(folder / "pairs.h5") as pairs, open_session(folder / "session.h5") as session:
        for row in np.flatnonzero(pairs.origin == 0)[::5]:
            frame = int(pairs.column("frame_index")[row])
            np.testing.assert_allclose(pairs.camera_from_object[row], camera_from_object(frame))
            left, top, right, bottom = pairs.column("crop_box")[row]
            color = session.frame(frame).color
            middle = pairs.read("occluded/color", row, row + 1)[0][16, 16]
            u, v = (left + right) / 2, (top + bottom) / 2
            patch = color[int(v) - 2 : int(v) + 4, int(u) - 2 : int(u) + 4].reshape(-1, 3).astype(int)
            assert (np.abs(patch - middle).sum(axis=1)).min() < 60


def test_pose_maps_back_through_the_crop(folder: Path) -> None:
    """The object drawn with a row's own intrinsics and pose lies on the row's mask."""
    with open_pairs(folder / "pairs.h5") as pairs:
        model, drawer = pairs.object_model, open_drawer("rays")
        for row in range(0, len(pairs), 4):
            camera = Camera.from_matrix(pairs.column("crop_matrix")[row], pairs.size, pairs.size)
            body = plain_body(model).placed(pairs.camera_from_object[row])
            drawn = drawer.draw([body], camera).labels > 0
            mask = pairs.read("mask_amodal", row, row + 1)[0]
            overlap = (drawn & mask).sum() / (drawn | mask).sum()
            # nearest pixels of the recording's coarser grid: the outlines differ by half a pixel
            assert overlap > 0.85


def test_clean_depth_is_the_objects(folder: Path) -> None:
    assert make(folder, "--noise", "none", "--views-per-frame", "1") == 0
    with open_pairs(folder / "other.h5") as pairs:
        model, drawer = pairs.object_model, open_drawer("rays")
        for row in range(0, len(pairs), 5):
            pose = pairs.camera_from_object[row]
            z = float((pose[:3, :3] @ center_of(model) + pose[:3, 3])[2])
            depth = metric_depth(pairs.read("clean/depth", row, row + 1)[0], z, model.diameter)
            camera = Camera.from_matrix(pairs.column("crop_matrix")[row], pairs.size, pairs.size)
            expected = drawer.draw([plain_body(model).placed(pose)], camera).depth
            both = (depth > 0) & (expected > 0)
            assert both.sum() > 50
            # nearest pixels of the recording are up to 1.3 mm beside the crop's, on a surface that may be steep
            assert np.median(np.abs(depth - expected)[both]) < 0.002
            np.testing.assert_array_equal(depth > 0, pairs.read("mask_amodal", row, row + 1)[0])


def test_clean_has_no_hand_and_rendered_has(folder: Path) -> None:
    with open_pairs(folder / "pairs.h5") as pairs:
        rendered, clean = (pairs.column(f"{kind}/depth") > 0 for kind in ("rendered", "clean"))
        assert (rendered.sum(axis=(1, 2)) > clean.sum(axis=(1, 2)) + 30).all()
        assert (pairs.column("clean/color")[pairs.column("mask_amodal").sum(axis=(1, 2)) == 0] == 0).all()
        assert 0.05 < pairs.column("visibility_lost_hand").mean() < 0.9


def test_rendered_looks_like_the_recording(folder: Path) -> None:
    with open_pairs(folder / "pairs.h5") as pairs:
        rows = np.flatnonzero(pairs.origin == 0)
        occluded, rendered = (pairs.column(f"{kind}/color")[rows].astype(int) for kind in ("occluded", "rendered"))
        shown = pairs.column("rendered/depth")[rows] > 0
        assert np.median(np.abs(occluded - rendered)[shown]) < 12


def test_parts_of_the_silhouette_sum_to_one(folder: Path) -> None:
    with open_pairs(folder / "pairs.h5") as pairs:
        lost = sum(pairs.column(f"visibility_lost_{part}") for part in ("hand", "truncation", "other"))
        np.testing.assert_allclose(pairs.visibility + lost, 1)
        seen, whole = (pairs.column(f"mask_{kind}").sum(axis=(1, 2)) for kind in ("visible", "amodal"))
        np.testing.assert_allclose(seen / whole, pairs.visibility)


def test_views_share_the_split_of_their_frame_and_of_their_hand(folder: Path) -> None:
    hand_status = np.where(np.arange(FRAMES) % 3 == 0, LOST, TRACKED)
    session = folder / "lost-hands.h5"
    session.write_bytes((folder / "session.h5").read_bytes())
    write_track(session, hand_status=hand_status)
    assert make(folder, "--views-per-frame", "2", "--hand-transfer", "0", session="lost-hands.h5") == 0
    with open_pairs(folder / "other.h5") as pairs:
        frames, hands = pairs.column("frame_index"), pairs.column("hand_frame")
        split_of = dict(zip(frames.tolist(), pairs.split.tolist(), strict=True))
        assert all(split_of[frame] == split for frame, split in zip(frames.tolist(), pairs.split, strict=True))
        real = pairs.origin == 0
        assert (hands[real & (hand_status[frames] == LOST)] == -1).all()
        borrowed = ~real & (hand_status[frames] == LOST)
        assert borrowed.any()
        for split, hand in zip(pairs.split[borrowed], hands[borrowed], strict=True):
            assert split_of[int(hand)] == split
            assert hand_status[hand] == TRACKED
        assert (hands[hand_status[frames] == TRACKED] == frames[hand_status[frames] == TRACKED]).all()


def test_without_any_hand_there_is_none(folder: Path) -> None:
    session = folder / "no-hand.h5"
    session.write_bytes((folder / "session.h5").read_bytes())
    write_track(session, hand_status=np.full(FRAMES, LOST))
    assert make(folder, "--views-per-frame", "1", session="no-hand.h5") == 0
    assert (column(folder / "other.h5", "hand_frame") == -1).all()
    with open_pairs(folder / "other.h5") as pairs:
        assert pairs.visibility[pairs.origin == RENDERED].min() == 1


def test_same_seed_same_file_other_seed_other_views(folder: Path) -> None:
    poses = []
    for seed in ("0", "0", "1"):
        assert make(folder, "--views-per-frame", "1", "--seed", seed) == 0
        poses.append((column(folder / "other.h5", "camera_from_object"), column(folder / "other.h5", "clean/depth")))
    np.testing.assert_array_equal(poses[0][0], poses[1][0])
    np.testing.assert_array_equal(poses[0][1], poses[1][1])
    assert (poses[0][0] != poses[2][0]).any()


def test_options_are_followed(folder: Path) -> None:
    assert make(folder, "--views-per-frame", "0", "--size", "24", "--noise", "none") == 0
    with open_pairs(folder / "other.h5") as pairs:
        assert pairs.size == 24
        assert (pairs.origin == 0).all()
        assert (pairs.attribute("noise"), pairs.attribute("drawer")) == ("none", "raster")
    assert make(folder, "--views-per-frame", "3", "--view-angle-deg", "1") == 0
    with open_pairs(folder / "other.h5") as pairs:
        seen = np.swapaxes(pairs.column("camera_from_view"), 1, 2) @ pairs.camera_from_object[:, :3, :3]
        first = np.flatnonzero(pairs.origin == 0)
        turned = geodesic_angle(seen[first], seen[first + 1])
        assert np.rad2deg(turned).max() <= 1
    assert make(folder, "--views-per-frame", "0", "--splits.test", "0", "--splits.validation", "0") == 0
    assert (column(folder / "other.h5", "split") == SPLIT_NAMES.index("train")).all()


def test_drawn_views_show_the_object(folder: Path) -> None:
    assert make(folder, "--views-per-frame", "3", "--view-angle-deg", "180", "--selection.visibility", "0.5") == 0
    with open_pairs(folder / "other.h5") as pairs:
        drawn = pairs.origin == RENDERED
        assert drawn.any()
        assert pairs.visibility[drawn].min() >= 0.5


def test_selection_options_reach_the_frames(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make(folder, "--selection.confidence", "0.95") == 2
    error = capsys.readouterr().err
    assert "at least one frame of" in error
    assert f"confidence below 0.95 ({FRAMES})" in error


def test_provenance(folder: Path) -> None:
    with open_pairs(folder / "pairs.h5") as pairs:
        sources = json.loads(pairs.attribute("sources"))
        assert sources["session"]["name"] == "session.h5"
        assert sources["track"]["name"] == "session.track.h5"
        assert json.loads(pairs.attribute("configuration"))["views_per_frame"] == 2
        assert pairs.attribute("seed") == "0"


def test_says_what_was_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make(folder, "--views-per-frame", "1") == 0
    printed = capsys.readouterr().out
    real = int((column(folder / "other.h5", "origin") == 0).sum())
    assert f"{2 * real} pairs in" in printed
    assert f"{real} real, {real} drawn views" in printed
    assert f"{FRAMES - real} frames left out: within 0.05 s of another split" in printed or real == FRAMES


def test_track_of_another_session_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = folder / "changed.h5"
    session.write_bytes((folder / "session.h5").read_bytes())
    with h5py.File(session, "r+") as file:
        file.attrs["serial"] = "another"
    assert make(folder, "--track", str(folder / "session.track.h5"), session="changed.h5") == 2
    error = capsys.readouterr().err
    assert "must be the track of" in error
    assert f"run: tracker run {session}" in error
    assert error.count("\n") == 1


def test_session_without_an_object_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "session.h5"
    with open_session(write_session(tmp_path / "with.h5", frames=2)) as session:
        header = SessionHeader(CAMERA, 0.0005, "fake")
        with SessionWriter(path, header) as writer:
            for index in range(2):
                writer.append(_recorded(session, index))
    write_track(path, frames=2)
    assert run(["make-pairs", str(path), "--output", str(tmp_path / "pairs.h5"), *QUICK]) == 2
    assert "must hold the object's mesh and has none; capture it again with --object" in capsys.readouterr().err


def _recorded(session: Session, index: int) -> SensorFrame:
    frame = session.frame(index)
    return SensorFrame(frame.color, session.depth_counts(index), frame.timestamp_s)


def test_all_frames_lost_is_refused_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = folder / "lost.h5"
    session.write_bytes((folder / "session.h5").read_bytes())
    write_track(session, status=np.full(FRAMES, LOST))
    assert make(folder, output="none.h5", session="lost.h5") == 2
    assert f"the object is LOST ({FRAMES}); track the session better" in capsys.readouterr().err
    assert not list(folder.glob("*none*"))


def test_missing_track_and_existing_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = folder / "untracked.h5"
    session.write_bytes((folder / "session.h5").read_bytes())
    assert make(folder, session="untracked.h5") == 2
    assert "untracked.track.h5 does not exist" in capsys.readouterr().err
    before = (folder / "pairs.h5").read_bytes()
    assert run(["make-pairs", str(folder / "session.h5"), "--output", str(folder / "pairs.h5"), *QUICK]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (folder / "pairs.h5").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 4}, "--size must be 8 to 1024 pixels, got 4"),
        ({"views_per_frame": -1}, "--views-per-frame must not be negative, got -1"),
        ({"view_angle_deg": 0.0}, "--view-angle-deg must be above 0 and at most 180, got 0.0"),
        ({"view_angle_deg": 190.0}, "at most 180, got 190.0"),
        ({"balance_rotations": True, "views_per_frame": 0}, "--balance-rotations needs drawn views"),
        ({"hand_transfer": 1.5}, r"--hand-transfer must lie in 0\.\.1, got 1.5"),
        ({"workers": -1}, "--workers must not be negative, got -1"),
    ],
)
def test_configurations_that_make_no_pairs(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MakePairsConfig(**options)  # type: ignore[arg-type]


def hash_of(path: Path) -> str:
    with open_pairs(path) as pairs:
        return content_hash(pairs)


def test_content_is_the_same_for_any_number_of_workers(folder: Path) -> None:
    assert make(folder, "--views-per-frame", "2", "--workers", "2") == 0
    assert hash_of(folder / "other.h5") == hash_of(folder / "pairs.h5")  # which this process made by itself


KILLED_AFTER_PARTS = """
import os, sys
import renderer.parts
from renderer.cli import run
from scene.hand_surface import HandSurface
build = HandSurface.build
HandSurface.build = staticmethod(lambda shape: build(shape, spacing=0.006))  # as in the tests' own process
write, done = renderer.parts.write_part, []
def write_some(*arguments):
    if done:
        os.kill(os.getpid(), 9)
    done.append(write(*arguments))
    return done[-1]
renderer.parts.write_part = write_some
run(sys.argv[1:])
"""


def test_killed_and_run_again_is_as_if_never_killed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = folder / "killed.h5"
    arguments = ["make-pairs", str(folder / "session.h5"), "--output", str(output), *QUICK, "--views-per-frame", "2"]
    killed = subprocess.run([sys.executable, "-c", KILLED_AFTER_PARTS, *arguments, "--workers", "1"], check=False)
    assert killed.returncode == -9
    assert not output.exists()
    assert len(list(parts_folder(output).glob("*.h5"))) == 1
    assert run(arguments) == 0
    assert "went on from 1 parts that an interrupted run had made" in capsys.readouterr().out
    assert not parts_folder(output).exists()
    assert hash_of(output) == hash_of(folder / "pairs.h5")


def test_parts_of_other_inputs_are_not_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = prepare_folder(folder / "other.h5", "of something else")
    (left / "000000.h5").write_bytes(b"of another run")
    assert make(folder, "--views-per-frame", "1") == 0
    assert "went on from" not in capsys.readouterr().out


def test_no_room_is_said_before_anything_is_made(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    assert make(folder, output="large.h5") == 2
    error = capsys.readouterr().err
    assert "GB are free beside" in error
    assert "free some space, give another --output or fewer --views-per-frame" in error
    assert not list(folder.glob("*large*"))


def test_disk_that_fills_up_is_one_sentence_and_what_is_done_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    append = PairsWriter.append

    def full(writer: PairsWriter, pair: Pair) -> None:
        written.append(pair)
        if len(written) > 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(writer, pair)

    with monkeypatch.context() as patch:
        patch.setattr(PairsWriter, "append", full)
        assert make(folder, "--views-per-frame", "2", output="full.h5") == 2
    error = capsys.readouterr().err.splitlines()[-1]  # after the bar
    assert "could not be written ([Errno 28] No space left on device); free some space" in error
    assert not (folder / "full.h5").exists()
    assert make(folder, "--views-per-frame", "2", output="full.h5") == 0
    assert "went on from 1 parts" in capsys.readouterr().out
    assert hash_of(folder / "full.h5") == hash_of(folder / "pairs.h5")


def test_balanced_views_cover_all_rotations(folder: Path) -> None:
    largest = []
    for option in ("--balance-rotations", "--no-balance-rotations"):
        assert make(folder, "--views-per-frame", "8", option, "--noise", "none", "--selection.visibility", "0") == 0
        with open_pairs(folder / "other.h5") as pairs:
            drawn = (pairs.origin == RENDERED) & (pairs.split == 0)
            seen = np.swapaxes(pairs.column("camera_from_view"), 1, 2) @ pairs.camera_from_object[:, :3, :3]
        nearest = [geodesic_angle(turn[None], seen[drawn]).min() for turn in covering_rotations(60)]
        largest.append(np.rad2deg(max(nearest)))
    assert largest[0] < 50 < 70 < largest[1]


def test_backgrounds_are_those_asked_for(folder: Path) -> None:
    for name, code in (("black", BLACK), ("random", RANDOM), ("recording", RECORDING)):
        assert make(folder, "--views-per-frame", "1", "--backgrounds", name) == 0
        with open_pairs(folder / "other.h5") as pairs:
            drawn = pairs.origin == RENDERED
            background, frames = pairs.column("background"), pairs.column("background_frame")
            assert (background[~drawn] == OWN).all()
            assert set(background[drawn]) <= {code, BLACK}  # a frame may have no room for a piece
            assert (background == code).any()
            assert ((frames >= 0) == (background == RECORDING)).all()
            split_of = dict(zip(pairs.column("frame_index").tolist(), pairs.split.tolist(), strict=True))
            cut = np.flatnonzero(frames >= 0)
            assert all(split_of[int(frames[row])] == pairs.split[row] for row in cut)


def test_hands_vary_in_drawn_views_only(folder: Path) -> None:
    looks = {}
    for hands in ("tracked", "varied"):
        assert make(folder, "--views-per-frame", "1", "--hands", hands, "--noise", "none", "--hand-transfer", "0") == 0
        with open_pairs(folder / "other.h5") as pairs:
            drawn = pairs.origin == RENDERED
            color, hand = pairs.column("rendered/color"), (pairs.column("clean/depth") == 0)
            hand &= pairs.column("rendered/depth") > 0
            looks[hands] = [np.median(color[row][hand[row]], axis=0) for row in np.flatnonzero(drawn)]
            real = color[~drawn]
        looks[hands + " real"] = real
    np.testing.assert_array_equal(looks["tracked real"], looks["varied real"])
    shades = {name: np.array([look / look.sum() for look in looks[name]]) for name in ("tracked", "varied")}
    tracked, varied = (shades[name].std(axis=0).max() for name in ("tracked", "varied"))
    assert varied > 3 * tracked


def test_hands_are_transferred_as_often_as_asked(folder: Path) -> None:
    for part in ("0", "1"):
        assert make(folder, "--views-per-frame", "3", "--hand-transfer", part) == 0
        with open_pairs(folder / "other.h5") as pairs:
            drawn = pairs.origin == RENDERED
            own = (pairs.column("hand_frame") == pairs.column("frame_index"))[drawn]
            split_of = dict(zip(pairs.column("frame_index").tolist(), pairs.split.tolist(), strict=True))
            hands = pairs.column("hand_frame")[drawn].tolist()
            assert [split_of[hand] for hand in hands] == pairs.split[drawn].tolist()
        assert own.all() if part == "0" else own.mean() < 0.5


def test_rows_know_their_recording(folder: Path) -> None:
    with open_pairs(folder / "pairs.h5") as pairs, open_session(folder / "session.h5") as session:
        assert [recording.name for recording in pairs.recordings] == ["session.h5"]
        assert pairs.recordings[0].sha256 == sha256(session.path)
        assert (pairs.column("recording") == 0).all()


class BrokenPool:
    """A pool whose workers have ended."""

    def __init__(self, *arguments: object) -> None:
        del arguments

    def __enter__(self) -> BrokenPool:
        return self

    def __exit__(self, *arguments: object) -> None:
        del arguments

    def submit(self, *arguments: object) -> Future[int]:
        raise BrokenProcessPool("a process was terminated")


def test_worker_that_dies_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("renderer.parts.ProcessPoolExecutor", BrokenPool)
        assert make(folder, "--views-per-frame", "2", "--workers", "2") == 2
    error = capsys.readouterr().err
    assert "a worker process ended by itself" in error
    assert "with fewer --workers" in error


def test_object_cut_by_the_image_is_truncated(folder: Path) -> None:
    session = folder / "cut.h5"
    session.write_bytes((folder / "session.h5").read_bytes())
    poses = np.stack([camera_from_object(frame) for frame in range(FRAMES)])
    poses[:, 0, 3] += 0.4 * 79.5 / 150 + 0.02  # the middle of the object to the right border
    write_track(session, camera_from_object=poses)
    arguments = ("--views-per-frame", "0", "--selection.inside", "0.2")
    assert make(folder, *arguments, session="cut.h5") == 0
    assert column(folder / "other.h5", "visibility_lost_truncation").max() > 0.2


def test_the_tracks_symmetries_go_into_the_pairs(folder: Path, tmp_path: Path) -> None:
    track = tmp_path / "symmetric.track.h5"
    shutil.copyfile(folder / "session.track.h5", track)
    half_turn = np.diag([-1.0, -1, 1, 1])
    with h5py.File(track, "r+") as file:
        del file["symmetries/discrete"]
        file["symmetries/discrete"] = np.stack([np.eye(4), half_turn])
    output = tmp_path / "symmetric.h5"
    arguments = [str(folder / "session.h5"), "--track", str(track), "--output", str(output), "--views-per-frame", "0"]
    assert run(["make-pairs", *arguments, *QUICK]) == 0
    with open_pairs(output) as pairs:
        np.testing.assert_array_equal(pairs.symmetries.discrete, [np.eye(4), half_turn])
