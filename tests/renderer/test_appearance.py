"""Light and skin of a recording are found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recorder.session import open_session
from renderer.appearance import FEWEST_PIXELS, Sight, fitted_to
from renderer.scenery import Configuration, Scenery
from scene.crop import crop_about
from scene.drawing import SKIN_COLOR, Light, open_drawer
from scene.hand_shape import average_hand
from tests.pairs.samples import wedge
from tests.renderer.fakes import LIGHT, SKIN, camera_from_object, hand_pose, write_session


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp("appearance") / "session.h5", frames=12)


def sights(path: Path, *, hand: bool) -> list[Sight]:
    with open_session(path) as recording:
        scenery = Scenery.build(wedge(), average_hand())
        return [
            Sight(
                recording.frame(at),
                crop_about(recording.camera, scenery.center_camera(camera_from_object(at)), 0.08, 48),
                Configuration(camera_from_object(at), hand_pose(at) if hand else None),
            )
            for at in range(len(recording))
        ]


def test_gains_and_skin_are_found(session: Path) -> None:
    fitted = fitted_to(Scenery.build(wedge(), average_hand()), sights(session, hand=True), open_drawer("rays"))
    np.testing.assert_allclose(fitted.light.color, LIGHT.color, atol=0.05)
    np.testing.assert_allclose(fitted.look.color, SKIN, atol=12)
    np.testing.assert_array_equal(fitted.light.direction_camera, Light.default().direction_camera)


def test_without_a_hand_the_skin_stays(session: Path) -> None:
    fitted = fitted_to(Scenery.build(wedge(), average_hand()), sights(session, hand=False), open_drawer("rays"))
    assert fitted.look.color == SKIN_COLOR
    np.testing.assert_allclose(fitted.light.color, LIGHT.color, atol=0.08)


def test_nothing_to_fit_to_changes_nothing() -> None:
    scenery = Scenery.build(wedge(), average_hand())
    assert fitted_to(scenery, [], open_drawer("rays")) is scenery
    assert FEWEST_PIXELS > 0
