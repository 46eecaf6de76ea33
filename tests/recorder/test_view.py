import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh

from recorder.cli import run
from recorder.depth_span import depth_span
from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth, open_session
from recorder.view.rerun import log_session
from scene.camera import Camera
from scene.depth_picture import HOLE, depth_picture
from scene.object_model import ObjectModel

CAMERA = Camera(64, 48, 60.0, 61.0, 31.5, 23.5)
POSE = np.eye(4)
POSE[:3, 3] = (0.01, 0.02, 0.6)


@pytest.fixture
def session(tmp_path):
    mesh = trimesh.creation.box((0.1, 0.1, 0.1))
    faces, colors = np.asarray(mesh.faces, np.int32), np.full((8, 3), 90, np.uint8)
    header = SessionHeader(
        CAMERA, 0.001, "test", object_model=ObjectModel("cube", mesh.vertices, faces, colors, True, "t")
    )
    with SessionWriter(tmp_path / "s.h5", header) as writer:
        for index in range(6):
            rng = np.random.default_rng(index)
            depth = rng.integers(500, 900, (48, 64), np.uint16)
            depth[:12] = 0
            truth = replace(Truth.unknown(), camera_from_object=POSE if index else np.full((4, 4), np.nan))
            color = rng.integers(0, 256, (48, 64, 3), np.uint8)
            frame = SensorFrame(color, depth, 3 + index / 30, dropped_before=2 * (index == 4), truth=truth)
            writer.append(replace(frame, world_from_camera=np.eye(4) * 2))
    return tmp_path / "s.h5"


def test_the_page_is_one_file_that_tells_facts_and_shows_frames(session, tmp_path, capsys):
    assert run(["view", str(session), "--frames", "3"]) == 0
    page = (tmp_path / "s.html").read_text()
    assert len(page) > 20_000
    assert not re.search(r'(src|href)="(?!data:)', page)
    for words in (
        "Recording s.h5",
        "6 in 0.17 s, 30.0 a second, 2 dropped",
        "cube, 173.2 mm",
        "frame 0, 0.00 s, 25% holes",
        "frame 5",
    ):
        assert words in page
    assert page.count("<figcaption>frame") == 3
    assert "2 of 8 frames were dropped while recording" in page
    assert run(["view", str(session)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(["view", str(session), "--overwrite", "--output", str(tmp_path / "t.html")]) == 0
    assert (tmp_path / "t.html").read_text().count("<figcaption>frame") == 6
    assert run(["view", str(session), "--frames", "0"]) == 2


def test_near_depth_is_light_and_holes_are_grey(session):
    picture = depth_picture(np.array([[0.5, 0.9, 0.0]]), (0.5, 0.9))
    assert picture[0, 0].sum() > 600 > 30 > picture[0, 1].sum()
    assert tuple(picture[0, 2]) == HOLE
    with open_session(session) as opened:
        assert depth_span(opened) == pytest.approx((0.5, 0.9), abs=0.01)


class Told:
    """Stands in for rerun and keeps what it is told."""

    ViewCoordinates = SimpleNamespace(RDF="RDF")

    def __init__(self):
        self.logged = []

    def log(self, entity, what, static=False):
        self.logged.append((entity, what, static))

    def set_time(self, timeline, duration):
        self.logged.append((timeline, duration, False))

    def __getattr__(self, kind):
        def made(*arguments, **options):
            return SimpleNamespace(kind=kind, arguments=arguments, compress=lambda jpeg_quality: "jpeg", **options)

        return made

    def of(self, entity, kind):
        return [what for where, what, _ in self.logged if where == entity and getattr(what, "kind", "") == kind]


def test_rerun_is_told_the_frames_and_units(session):
    told = Told()
    with open_session(session) as opened:
        log_session(told, opened)
    camera = told.of("world/camera", "Pinhole")[0]
    assert (camera.focal_length, camera.principal_point, camera.camera_xyz) == ([60, 61], [32.0, 24.0], "RDF")
    assert told.of("world/camera/depth", "DepthImage")[0].meter == pytest.approx(1000)
    objects = told.of("world/camera/object", "Transform3D")
    assert len(objects) == 5  # unknown in the first frame
    np.testing.assert_array_equal(objects[0].translation, POSE[:3, 3])
    assert len(told.of("world/camera", "Transform3D")) == 6
    assert [time for name, time, _ in told.logged if name == "sensor"] == pytest.approx(
        [index / 30 for index in range(6)]
    )


def test_a_file_for_rerun_is_written(session, tmp_path):
    pytest.importorskip("rerun", reason="rerun-sdk is not installed (extra viewer)")
    assert run(["view", str(session), "--rerun"]) == 0
    assert (tmp_path / "s.rrd").read_bytes()[:3] == b"RRF"
    assert run(["view", str(session), "--rerun"]) == 2


def test_without_rerun_the_line_to_run_is_told(session, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "rerun", None)
    assert run(["view", str(session), "--rerun"]) == 2
    assert "pip install 'unocclude[viewer]'" in capsys.readouterr().err
