"""A plan holds each frame's real pair and all its views once, whatever the parts are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.config import MakePairsConfig
from renderer.parts import MARK, inputs_hash, parts_folder, prepare_folder
from renderer.plan import VIEWS_A_TASK, planned
from renderer.selection import Selection
from scene.rotations import geodesic_angle


def selection(count: int) -> Selection:
    frames = np.arange(count) * 2
    return Selection(frames, np.arange(count) * 3 // max(count, 1), ())


@given(st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_every_row_is_planned_once(count: int, views: int, balanced: bool) -> None:
    config = MakePairsConfig(views_per_frame=views, balance_rotations=balanced and views > 0)
    tasks = [task for part in planned(selection(count), config) for task in part]
    assert [task.frame for task in tasks if task.first == 0] == selection(count).frames.tolist()
    for frame in selection(count).frames.tolist():
        mine = [task for task in tasks if task.frame == frame]
        made = [view for task in mine for view in range(task.first, task.first + task.views)]
        assert made == list(range(views))
        assert all(task.views <= VIEWS_A_TASK for task in mine)
        assert all((task.seen is not None) == config.balance_rotations for task in mine)


def test_balanced_rotations_are_spread_in_each_split() -> None:
    tasks = [task for part in planned(selection(30), MakePairsConfig(balance_rotations=True)) for task in part]
    for code in range(3):
        seen = np.concatenate([task.seen for task in tasks if task.split == code and task.seen is not None])
        assert len(seen) == 80
        nearest = [np.sort(geodesic_angle(one, seen))[1] for one in seen]
        assert np.rad2deg(min(nearest)) > 20  # 80 at random have a pair within some degrees


def test_balanced_rotations_of_another_seed_are_others() -> None:
    first, second = (
        np.concatenate([task.seen for part in planned(selection(9), config) for task in part if task.seen is not None])
        for config in (MakePairsConfig(balance_rotations=True, seed=seed) for seed in (0, 1))
    )
    nearest = [geodesic_angle(one, second).min() for one in first]
    assert np.rad2deg(np.median(nearest)) > 5


def test_tasks_have_random_numbers_of_their_own() -> None:
    tasks = [task for part in planned(selection(3), MakePairsConfig(views_per_frame=20)) for task in part]
    drawn = {task.rng(seed).random() for task in tasks for seed in (0, 1)}
    assert len(drawn) == 2 * len(tasks)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"workers": 3, "overwrite": True, "output": Path("b.h5")}, True),
        ({"seed": 1}, False),
        ({"size": 64}, False),
        ({"backgrounds": "black"}, False),
    ],
)
def test_parts_belong_to_their_inputs(change: dict[str, object], same: bool) -> None:
    one, two = MakePairsConfig(), MakePairsConfig(**change)  # type: ignore[arg-type]
    assert (inputs_hash(one, ["a"], "raster") == inputs_hash(two, ["a"], "raster")) == same
    assert inputs_hash(one, ["a"], "raster") != inputs_hash(one, ["b"], "raster")
    assert inputs_hash(one, ["a"], "raster") != inputs_hash(one, ["a"], "rays")


def test_folder_keeps_parts_of_the_same_inputs_only(tmp_path: Path) -> None:
    output = tmp_path / "pairs.h5"
    folder = prepare_folder(output, "one")
    assert folder == parts_folder(output)
    (folder / "000000.h5").touch()
    (folder / ".000001.h5.77.partial").touch()
    assert [path.name for path in sorted(prepare_folder(output, "one").iterdir())] == ["000000.h5", MARK]
    assert [path.name for path in prepare_folder(output, "two").iterdir()] == [MARK]
