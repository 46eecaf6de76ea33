"""What stands behind a drawn view, and what never does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pairs.format import BLACK, RANDOM
from renderer.backgrounds import before_nothing, before_pattern, before_recording
from renderer.scenery import DrawnView, Scenery, Sensor
from scene.camera import Camera
from scene.crop import CropView
from scene.frame import RgbdFrame
from scene.hand_shape import average_hand
from tests.pairs.samples import wedge
from tests.renderer.fakes import CAMERA
from tests.renderer.test_views import view_of


@pytest.fixture(scope="module")
def scenery() -> Scenery:
    return Scenery.build(wedge(), average_hand())


def frame_of(camera: Camera, depth: float) -> RgbdFrame:
    color = np.full((camera.height, camera.width, 3), (10, 200, 30), np.uint8)
    return RgbdFrame(0, 0.0, color, np.full((camera.height, camera.width), depth, np.float32))


def test_background_shows_behind_and_only_there(scenery: Scenery) -> None:
    view = view_of(scenery)
    view = replace(view, crop=replace(view.crop, camera=CAMERA))
    avoid = CropView(CAMERA, left=0, top=0, side=30, size=48)
    shown = before_recording(view, frame_of(CAMERA, 0.9), avoid, np.random.default_rng(0)).scene
    drawn = view.together.labels > 0
    assert (shown.color[~drawn] == (10, 200, 30)).all()
    np.testing.assert_array_equal(shown.color[drawn], view.together.color[drawn])
    np.testing.assert_allclose(shown.depth[~drawn], 0.9, atol=1e-6)
    np.testing.assert_array_equal(shown.depth[drawn], view.together.depth[drawn])


def test_background_never_comes_before_the_object(scenery: Scenery) -> None:
    view, avoid = view_of(scenery), CropView(CAMERA, left=0, top=0, side=30, size=48)
    shown = before_recording(view, frame_of(CAMERA, 0.2), avoid, np.random.default_rng(0)).scene
    behind = shown.depth[view.together.labels == 0]
    np.testing.assert_allclose(behind, view.center_z + view.diameter / 2, atol=1e-6)
    hole = before_recording(view, frame_of(CAMERA, 0.0), avoid, np.random.default_rng(0)).scene
    assert not hole.depth[view.together.labels == 0].any()


def test_background_avoids_the_recorded_object(scenery: Scenery) -> None:
    view = view_of(scenery)
    # the object fills the left half; pieces come from the right one, which is blue
    frame = frame_of(CAMERA, 0.9)
    frame.color[:, 80:] = (0, 0, 255)
    avoid = CropView(CAMERA, left=-80, top=-20, side=160, size=48)
    for seed in range(10):
        shown = before_recording(view, frame, avoid, np.random.default_rng(seed)).scene
        unchanged = shown is view.noisy_together  # no free place was found
        assert unchanged or (shown.color[view.together.labels == 0] == (0, 0, 255)).all()


def test_frame_without_room_gives_black(scenery: Scenery) -> None:
    view = view_of(scenery)
    everywhere = CropView(CAMERA, left=-50, top=-50, side=400, size=48)
    shown = before_recording(view, frame_of(CAMERA, 0.9), everywhere, np.random.default_rng(0)).scene
    assert shown is view.noisy_together
    small = Camera(20, 20, 150.0, 150.0, 9.5, 9.5)
    avoid = CropView(small, left=0, top=0, side=1, size=48)
    nowhere = before_recording(view, frame_of(small, 0.9), avoid, np.random.default_rng(0))
    assert nowhere.scene is view.noisy_together
    assert (nowhere.kind, nowhere.frame) == (BLACK, -1)


def test_nothing_is_black(scenery: Scenery) -> None:
    behind = before_nothing(view_of(scenery))
    assert (behind.kind, behind.frame) == (BLACK, -1)
    assert not behind.scene.color[behind.scene.labels == 0].any()
    assert not behind.scene.depth[behind.scene.labels == 0].any()


def test_pattern_is_random_and_lies_behind(scenery: Scenery) -> None:
    view: DrawnView = view_of(scenery)
    first, same, other = (before_pattern(view, Sensor("none", 1e-4), np.random.default_rng(seed)) for seed in (0, 0, 1))
    free = view.together.labels == 0
    np.testing.assert_array_equal(first.scene.color, same.scene.color)
    assert (first.scene.color[free] != other.scene.color[free]).any()
    assert first.kind == RANDOM
    assert first.scene.depth[free].min() >= view.center_z + view.diameter / 2 - 1e-6
    np.testing.assert_array_equal(first.scene.color[~free], view.together.color[~free])
    assert first.scene.color[free].std(axis=0).min() > 5
