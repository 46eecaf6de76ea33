"""Lamp, colours and skin of a recording are found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recorder.session import open_session
from renderer.appearance import Appearance, Sight, Surface, fitted, fitted_to
from renderer.scenery import Configuration, Scenery
from scene.arrays import Floats
from scene.crop import crop_about
from scene.drawing import HAND, OBJECT, SKIN_COLOR, Light, open_drawer
from scene.hand_shape import average_hand
from scene.object_model import ObjectModel
from tests.pairs.samples import wedge
from tests.renderer.fakes import LIGHT, SKIN, camera_from_object, hand_pose, write_session

FRAMES = 8


def fine_wedge() -> ObjectModel:
    """With triangles of some pixels, as a scan has: light and colour are blended between vertices."""
    mesh = wedge().mesh
    for _ in range(4):
        mesh = mesh.subdivide()
    colors = np.array(mesh.visual.vertex_colors[:, :3])
    return replace(
        wedge(), vertices=np.array(mesh.vertices), faces=np.array(mesh.faces, np.int32), vertex_colors=colors
    )


def scenery(model: ObjectModel | None = None) -> Scenery:
    return Scenery.build(model or fine_wedge(), average_hand())


def sights(folder: Path, *, hand: bool = True, model: ObjectModel | None = None, light: Light = LIGHT) -> list[Sight]:
    model, plain = model or fine_wedge(), scenery()
    path = write_session(folder / "session.h5", frames=FRAMES, model=model, light=light)
    with open_session(path) as recording:
        return [
            Sight(
                recording.frame(at),
                crop_about(recording.camera, plain.center_camera(camera_from_object(at)), 0.08, 48),
                Configuration(camera_from_object(at), hand_pose(at) if hand else None),
            )
            for at in range(len(recording))
        ]


def recolored(model: ObjectModel, colors: Floats) -> ObjectModel:
    return replace(model, vertex_colors=np.rint(np.clip(colors, 0, 255)).astype(np.uint8))


def errors(drawn: Scenery, seen: list[Sight], label: int) -> float:
    """Mean absolute difference of colour where the drawing shows what was recorded, levels."""
    drawer, found = open_drawer("rays"), []
    for sight in seen:
        drawing = drawer.draw(drawn.bodies(sight.configuration), sight.crop.camera, drawn.light)
        same = (drawing.labels == label) & (np.abs(drawing.depth - sight.frame.depth) < 0.002)
        found.append(np.abs(drawing.color[same].astype(float) - sight.frame.color[same]).mean())
    return float(np.mean(found))


def test_lamp_gains_and_skin_are_found(tmp_path: Path) -> None:
    lamp = np.array([0.8, -0.3, -0.5])
    light = Light(lamp / np.linalg.norm(lamp), 0.4, 0.6, np.array([0.9, 0.7, 0.8]))
    seen = sights(tmp_path, light=light)
    found = fitted_to(scenery(), seen, open_drawer("rays"))
    assert found.light.direction_camera @ light.direction_camera > np.cos(np.deg2rad(6))
    assert found.light.ambient == pytest.approx(0.4, abs=0.05)
    assert found.light.ambient + found.light.diffuse == pytest.approx(1)
    np.testing.assert_allclose(found.light.color, light.color, atol=0.05)
    np.testing.assert_allclose(found.look.color, SKIN, atol=8)
    for label in (OBJECT, HAND):
        assert errors(found, seen, label) < 4 < 15 < errors(scenery(), seen, label)


def test_a_scan_in_linear_light_gets_the_cameras_tone(tmp_path: Path) -> None:
    encoded = recolored(fine_wedge(), 255 * (fine_wedge().vertex_colors / 255) ** (1 / 2.2))
    seen = sights(tmp_path, model=encoded)
    found = fitted_to(scenery(), seen, open_drawer("rays"))
    assert errors(found, seen, OBJECT) < 6 < 20 < errors(scenery(), seen, OBJECT)
    scale = found.light.color / LIGHT.color / (LIGHT.ambient + LIGHT.diffuse)
    np.testing.assert_allclose(found.object_body.vertex_colors * scale, encoded.vertex_colors, atol=12)


def test_a_mesh_that_is_too_dark_makes_no_hand_white(tmp_path: Path) -> None:
    seen = sights(tmp_path)
    dark = scenery(recolored(fine_wedge(), fine_wedge().vertex_colors / 3))
    found = fitted_to(dark, seen, open_drawer("rays"))
    assert found.light.color.max() <= 1.001
    assert errors(found, seen, OBJECT) < 8
    assert errors(found, seen, HAND) < 4


def test_a_mesh_that_is_too_pale_leaves_the_hand_its_colour(tmp_path: Path) -> None:
    seen = sights(tmp_path, model=recolored(fine_wedge(), fine_wedge().vertex_colors * 0.4))
    found = fitted_to(scenery(), seen, open_drawer("rays"))
    assert max(found.look.color) <= 255
    assert errors(found, seen, OBJECT) < 4
    assert errors(found, seen, HAND) < 4


def test_without_a_hand_the_skin_stays(tmp_path: Path) -> None:
    seen = sights(tmp_path, hand=False)
    found = fitted_to(scenery(), seen, open_drawer("rays"))
    assert found.look.color == SKIN_COLOR
    assert errors(found, seen, OBJECT) < 6


def test_where_pixels_do_not_tell_the_plain_appearance_holds() -> None:
    count = 500
    color, normal = np.full((count, 3), 0.5), np.tile([0.0, 0.0, -1.0], (count, 1))
    wall = Surface(color, normal, np.full((count, 3), 0.4), np.zeros(count, bool))
    found = fitted(wall)  # one colour, one normal: gain, lamp and tone could all be what makes it darker
    np.testing.assert_allclose(found.expected(wall), 0.4, atol=0.01)
    assert found.tone == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(found.light.direction_camera, Appearance.plain().light.direction_camera, atol=0.1)


def test_nothing_to_fit_to_changes_nothing(tmp_path: Path) -> None:
    plain = scenery()
    assert fitted_to(plain, [], open_drawer("rays")) is plain
    seen = sights(tmp_path)[:1]
    away = replace(seen[0], frame=replace(seen[0].frame, depth=np.zeros_like(seen[0].frame.depth)))
    assert fitted_to(plain, [away], open_drawer("rays")) is plain
