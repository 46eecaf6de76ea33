"""Poses of a session's frames: cut where the track has the object, or about a pixel; else a sentence says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pairs.format import stored_depth
from recorder.session import open_session
from renderer.tracked import matched
from scene.crop import cut_color, cut_nearest
from tests.pairs.samples import wedge
from tests.renderer.fakes import ABSENT, LOST, TRACKED, a_track, write_session
from tests.train.samples import SIZE, learnable_file, quick
from tracker.track import new_track, track_path_of
from train.cli import run
from train.config import Predict
from train.fit import fit
from train.run_folder import RunFolder
from train.session_queries import session_queries

FRAMES = 4
STATUS = np.array([TRACKED, LOST, ABSENT, TRACKED])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and a session of the same object with its track."""
    folder = tmp_path_factory.mktemp("session")
    fit(quick(learnable_file(folder / "pairs.h5", 20), folder / "run", epochs=1), lambda _: None)
    session = write_session(folder / "session.h5", frames=FRAMES)
    with new_track(track_path_of(session), a_track(session, frames=FRAMES, status=STATUS), overwrite=False):
        pass
    return folder


def predicted(home: Path, output: Path, *options: str) -> int:
    return run(["predict", str(home / "run"), str(home / "session.h5"), "--output", str(output), *options])


def test_frames_with_the_object_get_poses(home: Path, tmp_path: Path) -> None:
    output, pictures = tmp_path / "poses.json", tmp_path / "pictures"
    assert predicted(home, output, "--overlay", str(pictures)) == 0
    assert [pose["image"] for pose in json.loads(output.read_text())["poses"]] == ["frame 0", "frame 3"]
    assert sorted(path.name for path in pictures.iterdir()) == ["00000-frame-0.png", "00001-frame-3.png"]


def test_a_crop_is_the_one_that_make_pairs_cuts(home: Path) -> None:
    settings = RunFolder(home / "run").load_model().settings
    query = session_queries(Predict(home / "run", home / "session.h5"), settings)[1]
    with open_session(home / "session.h5") as session:
        tracked, frame = matched(session, track_path_of(session.path), SIZE), session.frame(3)
        crop = tracked.crop(3)
        center = tracked.scenery.center_camera(tracked.track.camera_from_object[3])
        np.testing.assert_array_equal(query.color, cut_color(frame.color, session.camera, crop))
        depth = cut_nearest(frame.depth, session.camera, crop)
        np.testing.assert_array_equal(query.depth, stored_depth(depth, center[2], wedge().diameter))
    np.testing.assert_allclose(query.camera_from_view @ [0, 0, 1], center / np.linalg.norm(center))


def test_without_a_track_a_pixel_says_where_the_object_stays(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, nowhere = tmp_path / "poses.json", str(tmp_path / "absent.h5")
    assert predicted(home, output, "--track", nowhere) == 2
    assert f"its track {nowhere} is missing; run: tracker run" in capsys.readouterr().err
    assert predicted(home, output, "--track", nowhere, "--at", "62", "57") == 0
    assert len(json.loads(output.read_text())["poses"]) == FRAMES
    assert predicted(home, output, "--overwrite", "--at", "500", "57") == 2
    assert "--at must lie in the image of 160 x 120 pixels, got 500 57" in capsys.readouterr().err


def test_the_track_of_another_session_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track = a_track(home / "session.h5", frames=FRAMES, session_sha256="0" * 64)
    with new_track(tmp_path / "other.track.h5", track, overwrite=False):
        pass
    assert predicted(home, tmp_path / "poses.json", "--track", str(tmp_path / "other.track.h5")) == 2
    assert "other.track.h5 must be the track of" in capsys.readouterr().err
    lost = a_track(home / "session.h5", frames=FRAMES, status=np.full(FRAMES, LOST))
    with new_track(tmp_path / "lost.track.h5", lost, overwrite=False):
        pass
    assert predicted(home, tmp_path / "poses.json", "--track", str(tmp_path / "lost.track.h5")) == 2
    assert "the object must be found in some frame of" in capsys.readouterr().err


def test_another_object_is_refused(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = wedge()
    model = type(small)("crumb", small.vertices / 2, small.faces, small.vertex_colors, True, "built in the tests")
    session = write_session(tmp_path / "crumb.h5", model=model, frames=1)
    assert run(["predict", str(home / "run"), str(session), "--output", str(tmp_path / "poses.json")]) == 2
    said = capsys.readouterr().err
    assert "this network was trained on wedge of" in said
    assert "shows crumb of" in said
