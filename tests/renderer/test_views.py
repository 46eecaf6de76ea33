"""New views keep the grasp, stay in the image and show what their pose says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from renderer.scenery import Configuration, DrawnView, Scenery, Sensor, draw_view
from renderer.views import Stand, random_turn, regrasped, seen_rotation, turned, varied_light
from scene.camera import Camera
from scene.crop import crop_about
from scene.drawing import HAND, Light, open_drawer
from scene.hand_shape import average_hand
from scene.object_model import ObjectModel
from scene.rotations import geodesic_angle
from scene.transforms import inverse, rigid
from tests.pairs.samples import wedge
from tests.renderer.fakes import CAMERA, camera_from_object, hand_pose

LARGE = Camera(width=320, height=240, fx=150.0, fy=150.0, cx=159.5, cy=119.5)
TRACKED = Configuration(camera_from_object(0), hand_pose(0))


@pytest.fixture(scope="module")
def scenery() -> Scenery:
    return Scenery.build(wedge(), average_hand())


def view_of(scenery: Scenery, noise: str = "none", seed: int = 0) -> DrawnView:
    crop = crop_about(CAMERA, scenery.center_camera(TRACKED.camera_from_object), scenery.model.diameter, 48)
    return draw_view(scenery, TRACKED, crop, open_drawer("rays"), Sensor(noise, 1e-4), np.random.default_rng(seed))  # type: ignore[arg-type]


def test_turned_views_keep_the_grasp_and_stay_in_the_image(scenery: Scenery) -> None:
    stand, rng = Stand(LARGE, 0.3, 0.6), np.random.default_rng(0)
    before = inverse(TRACKED.camera_from_object) @ TRACKED.hand.camera_from_hand
    for _ in range(50):
        view, crop = turned(scenery, TRACKED, random_turn(np.pi, rng), stand, 48, rng)
        np.testing.assert_allclose(inverse(view.camera_from_object) @ view.hand.camera_from_hand, before, atol=1e-9)
        assert crop.inside.all()
        center = scenery.center_camera(view.camera_from_object)
        assert 0.3 <= center[2] <= 0.6
        np.testing.assert_allclose(crop.crop_camera.project(center), 23.5, atol=1e-6)


def test_turn_is_at_most_the_angle_asked_for(scenery: Scenery) -> None:
    rng = np.random.default_rng(0)
    for largest, least in ((0.2, 0.0), (np.pi, 1.5)):
        stand, angles = Stand(LARGE, 0.3, 0.6), []
        for _ in range(40):
            view, _ = turned(scenery, TRACKED, random_turn(largest, rng), stand, 48, rng)
            seen = [seen_rotation(scenery, pose) for pose in (TRACKED.camera_from_object, view.camera_from_object)]
            angles.append(float(geodesic_angle(*seen)))
        assert least <= max(angles) <= largest + 1e-9


def test_stand_goes_a_little_beyond_the_recording() -> None:
    stand = Stand.around(CAMERA, np.array([0.5, 0.4, 0.6]))
    assert stand.nearest == pytest.approx(0.4 / 1.15)
    assert stand.farthest == pytest.approx(0.6 * 1.15)


def test_regrasped_holds_as_elsewhere() -> None:
    other = Configuration(camera_from_object(9), hand_pose(4))
    held = regrasped(Configuration(camera_from_object(0), None), other)
    np.testing.assert_allclose(held.camera_from_object, camera_from_object(0))
    np.testing.assert_allclose(
        inverse(held.camera_from_object) @ held.hand.camera_from_hand,
        inverse(other.camera_from_object) @ other.hand.camera_from_hand,
        atol=1e-9,
    )
    assert regrasped(TRACKED, Configuration(camera_from_object(1), None)) is TRACKED


def test_light_varies_little() -> None:
    rng, light = np.random.default_rng(0), Light.default()
    varied = [varied_light(light, rng) for _ in range(50)]
    assert all(np.linalg.norm(other.direction_camera) == pytest.approx(1) for other in varied)
    gains = np.array([other.color[0] for other in varied])
    assert gains.min() >= 0.85
    assert gains.max() <= 1.15
    assert np.ptp(gains) > 0.1
    assert np.mean([other.direction_camera @ light.direction_camera for other in varied]) > 0.7


def test_only_the_hand_differs(scenery: Scenery) -> None:
    view = view_of(scenery, "structured-light")
    no_hand = view.together.labels != HAND
    assert (view.together.labels == HAND).any()
    np.testing.assert_array_equal(view.together.color[no_hand], view.alone.color[no_hand])
    # colour noise is the same where the same is shown
    np.testing.assert_array_equal(view.noisy_together.color[no_hand], view.noisy_alone.color[no_hand])
    assert not view.clean.color[view.clean.depth == 0].all()


def test_noise_changes_depth_and_colour_and_none_does_not(scenery: Scenery) -> None:
    noisy, plain = view_of(scenery, "structured-light"), view_of(scenery)
    np.testing.assert_array_equal(plain.noisy_alone.depth, plain.alone.depth)
    np.testing.assert_array_equal(plain.noisy_alone.color, plain.alone.color)
    both = (noisy.noisy_alone.depth > 0) & (noisy.alone.depth > 0)
    error = (noisy.noisy_alone.depth - noisy.alone.depth)[both]
    assert 0.0005 < error.std() < 0.01
    assert (noisy.noisy_alone.color != noisy.alone.color).any()
    assert not noisy.noisy_alone.color[noisy.alone.labels == 0].any()


def test_noise_follows_the_generator(scenery: Scenery) -> None:
    first, same, other = (view_of(scenery, "structured-light", seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.noisy_alone.depth, same.noisy_alone.depth)
    assert (first.noisy_alone.depth != other.noisy_alone.depth).any()


def an_l(depth: float) -> ObjectModel:
    """A flat L, 6 cm and 4 cm long, one arm thicker than the other: no turn or mirror image of it looks the same."""
    outline = np.array([[0, 0], [60, 0], [60, 15], [12, 15], [12, 40], [0, 40]]) / 1000
    vertices = np.column_stack([outline, np.full(6, depth)])
    faces = np.array([[0, 2, 1], [0, 3, 2], [0, 4, 3], [0, 5, 4]], np.int32)
    return ObjectModel("L", vertices, faces, np.full((6, 3), 200, np.uint8), True, "built in the tests")


OUTWARDS = np.array([-1, 1, -1, 1, 1, 1])
"""from the centre of a border's pixel to the border: left, right, top, bottom, and those of the inner corner"""


@pytest.mark.parametrize("name", ["raster", "rays"])
def test_crops_show_a_known_shape_where_its_pose_says(name: str) -> None:
    """Each border within half a pixel of the recording and half of the crop, and on average nearer."""
    camera, rng = replace(LARGE, fx=400.0, fy=400.0), np.random.default_rng(0)
    shape, drawer = Scenery.build(an_l(0.0), average_hand()), open_drawer(name)  # type: ignore[arg-type]
    errors = []
    for _ in range(60):
        pose = rigid(np.eye(3), np.array([*rng.uniform(-0.05, 0.05, 2), 0.5]))
        crop = crop_about(camera, shape.center_camera(pose), shape.model.diameter, 96)
        view = draw_view(shape, Configuration(pose, None), crop, drawer, Sensor("none", 1e-4), rng)
        v, u = np.nonzero(view.clean.depth)
        corners = crop.crop_camera.project(shape.model.vertices + pose[:3, 3])
        (left, top), (_, _), (right, inner), (inner_right, _), (_, bottom) = corners[:5]
        seen = [u.min(), u.max(), v.min(), v.max(), v[u > (inner_right + right) / 2].max(), u[v > inner + 3].max()]
        borders = np.array(seen) + 0.5 * OUTWARDS
        errors.append(borders - [left, right, top, bottom, inner, inner_right])
    assert np.abs(errors).max() <= 0.5 * crop.size / crop.side + 0.5
    assert np.abs(np.mean(errors, axis=0)).max() < 0.35
