"""Poses while the simulated sensor runs, and what is refused before or after it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from recorder.session import SensorFrame
from recorder.simulation.objects import built_in
from scene.camera import Camera
from train import live as live_module
from train.cli import run
from train.config import Predict
from train.live import live
from train.model import Model, Settings, Templates, new_network
from train.run_folder import RunFolder

SIZE = 32


def untrained(name: str, *, channels: int = 4) -> Model:
    """With fresh weights, of that object."""
    diameter = built_in("belt").diameter if channels == 4 else 0.0
    settings = Settings("residual", SIZE, SIZE, channels, 8, True, True, "cut", "best", name, diameter)
    torch.manual_seed(0)
    templates = Templates(torch.eye(8)[:4], np.eye(4))
    return Model(new_network(settings), settings, templates)


class Still:
    """Five frames of a grey wall, the first of which has no depth."""

    name, serial, depth_scale, total, object_model, hand_side, notes = "still", "", 0.001, 5, None, None, ""
    camera = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)

    def __enter__(self) -> Still:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def frames(self) -> Iterator[SensorFrame]:
        for index in range(5):
            color, depth = np.full((48, 64, 3), 128, np.uint8), np.full((48, 64), 500 * (index > 0), np.uint16)
            yield SensorFrame(color, depth, index / 30)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "open_sensor", lambda config, model: Still())


def test_the_simulated_sensor_is_asked_about_frame_by_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    RunFolder(tmp_path / "run").save_model(untrained("belt"))
    output, pictures = tmp_path / "poses.json", tmp_path / "pictures"
    options = ["--sensor", "simulated", "--frames", "2", "--output", str(output), "--overlay", str(pictures)]
    assert run(["predict", str(tmp_path / "run"), *options]) == 0
    said = capsys.readouterr().out
    assert "frame 0: quaternion wxyz" in said
    assert "frame 1: quaternion wxyz" in said
    poses = json.loads(output.read_text())["poses"]
    assert [pose["image"] for pose in poses] == ["frame 0", "frame 1"]
    assert len(list(pictures.iterdir())) == 2


def test_frames_without_depth_at_the_pixel_are_told_and_left_out(still: None) -> None:
    lines: list[str] = []
    queries, poses = live(Predict(Path("run"), sensor="auto", frames=3, at=(30, 20)), untrained("belt"), lines.append)
    assert [pose.name for pose in poses] == [query.name for query in queries] == ["frame 1", "frame 2"]
    assert lines[0] == "frame 0: nothing measured about the pixel"


def test_ctrl_c_ends_and_keeps_what_was_said(still: None) -> None:
    def stop(line: str) -> None:
        if line.startswith("frame 2"):
            raise KeyboardInterrupt

    _, poses = live(Predict(Path("run"), sensor="auto"), untrained("belt"), stop)
    assert [pose.name for pose in poses] == ["frame 1", "frame 2"]


def test_a_network_of_colour_alone_takes_the_square_of_each_frame(still: None) -> None:
    config = Predict(Path("run"), sensor="auto", crop=(0, 0, 40, 40), frames=2)
    queries, poses = live(config, untrained("cat", channels=3), lambda _: None)
    assert len(poses) == 2
    assert queries[0].color.shape == (SIZE, SIZE, 3)


def test_the_network_is_made_ready_for_one_image_once(still: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, other = [], untrained("belt", channels=4).network

    def ready(network: torch.nn.Module) -> torch.nn.Module:
        asked.append(network)
        return other

    monkeypatch.setattr(live_module, "for_one_image", ready)
    seen: list[int] = []
    other.register_forward_hook(lambda *_: seen.append(1))
    model = untrained("belt")
    live(Predict(Path("run"), sensor="auto", frames=3), model, lambda _: None)
    assert asked == [model.network]
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "give a file, a folder or --sensor"),
        (("image.png", "--frames", "2"), "--frames is of --sensor"),
        (("--sensor", "simulated", "--frames", "0"), "--frames must be at least 1"),
        (("--sensor", "auto", "--camera", "k.txt"), "a --sensor brings its own"),
        (("--sensor", "simulated"), "this network was trained on cat"),
        (("--sensor", "realsense", "--frames", "1"), ""),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    options: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    RunFolder(tmp_path / "run").save_model(untrained("cat"))
    assert run(["predict", str(tmp_path / "run"), *options, "--output", str(tmp_path / "poses.json")]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "poses.json").exists()


def test_nothing_measured_anywhere_is_refused(still: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    RunFolder(tmp_path / "run").save_model(untrained("belt"))
    options = ["--sensor", "auto", "--frames", "1", "--output", str(tmp_path / "poses.json")]
    assert run(["predict", str(tmp_path / "run"), *options]) == 2
    assert "there must be depth about --at in some frame of sensor still" in capsys.readouterr().err
