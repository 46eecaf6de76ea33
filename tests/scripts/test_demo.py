"""The demo's end: tables from the JSON files, pictures with an outline; and that it empties no stranger's folder."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from scene.camera import Camera
from scene.drawing import open_drawer
from scene.transforms import rigid
from scripts.demo_pictures import image_data
from scripts.demo_report import RUNS, TRACK_COLUMNS, pose_figures, track_figures
from tests.pairs.samples import wedge
from tracker.evaluate import ErrorRow
from tracker.overlay import object_body, outline, with_skeleton

DEMO = Path(__file__).parent.parent.parent / "scripts" / "demo.sh"


def row(image: str, read_out: str, mean: float) -> dict[str, object]:
    return {
        "image": image,
        "read_out": read_out,
        "visibility": "all",
        "count": 7,
        "mean_geodesic_deg": mean,
        "mean_euler_deg": mean / 2,
    }


def test_pose_table_sets_the_runs_side_by_side(tmp_path: Path) -> None:
    for (_, folder), mean in zip(RUNS, (10.0, 20.0), strict=True):
        (tmp_path / folder).mkdir()
        rows = [row("occluded", "regression", mean), row("occluded", "nearest_neighbour", mean + 1)]
        (tmp_path / folder / "evaluation.json").write_text(json.dumps({"rows": rows}))
    figures = pose_figures(tmp_path)
    assert figures.headings[2:4] == ("regression with", "regression without")
    assert figures.rows == (("occluded, all", "7", "10.0 (5.0)", "20.0 (10.0)", "11.0 (5.5)", "21.0 (10.5)"),)


def test_track_table_holds_what_the_tracker_wrote() -> None:
    told = {"visibility": "all", "frames": 120, "tracked": 118, "median_rotation_deg": 1.234, "right": 0.975}
    row = ErrorRow(**{field.name: told.get(field.name) for field in fields(ErrorRow)})  # type: ignore[arg-type]
    figures = track_figures({"rows": [asdict(row)]})
    shown = dict(zip(TRACK_COLUMNS, figures.rows[0], strict=True))
    assert len(figures.headings) == len(TRACK_COLUMNS)
    assert [shown[name] for name in told] == ["all", "120", "118", "1.23", "0.97"]
    assert shown["hand_visible_joint_mm"] == "-"


def test_outline_goes_around_the_silhouette() -> None:
    camera, model = Camera(64, 64, 300.0, 300.0, 31.5, 31.5), wedge()
    around = outline(object_body(model), rigid(np.eye(3), np.array([0.0, 0.0, 0.5])), camera, open_drawer("rays"))
    assert around.any()
    column, line = camera.project(np.array([0.015, 0.008, 0.5])).round().astype(int)
    assert not around[line, column]  # inside of the object
    assert not around[0, 0]


def test_skeleton_skips_joints_that_are_not_known() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    assert not with_skeleton(picture, np.full((21, 2), np.nan)).any()
    assert with_skeleton(picture, np.linspace(2, 30, 42).reshape(21, 2)).any()


def test_pictures_stand_inside_the_page() -> None:
    assert image_data(np.zeros((4, 4, 3), np.uint8)).startswith("data:image/png;base64,iVBOR")


def test_demo_does_not_empty_a_folder_of_somebody_else(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("mine")
    done = subprocess.run([DEMO, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "exists and was not made by this command" in done.stderr
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("script", ["setup.sh", "demo.sh"])
def test_scripts_are_sound_shell(script: str) -> None:
    subprocess.run(["bash", "-n", DEMO.parent / script], check=True)
