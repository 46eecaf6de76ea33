"""Masks and the parts of what is lost, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.visibility import TOLERANCE, hidden_by_itself, real_visibility, rendered_visibility
from scene.camera import Camera
from scene.drawing import HAND, OBJECT, Body, open_drawer, painted

ALONE = np.array([[0.5, 0.5, 0.5, 0.5, 0.0]])
INSIDE = np.ones((1, 5), bool)
NO_HAND = np.array([[OBJECT, OBJECT, OBJECT, OBJECT, 0]], np.uint8)


def test_measured_object_is_visible_and_nearer_hides_it() -> None:
    observed = np.array([[0.5, 0.5 + 0.9 * TOLERANCE, 0.45, 0.6, 0.45]])
    found = real_visibility(ALONE, ALONE, NO_HAND, observed, INSIDE)
    assert found.amodal.tolist() == [[True, True, True, True, False]]
    assert found.visible.tolist() == [[True, True, False, False, False]]
    assert (found.fraction, found.lost_hand, found.lost_other, found.lost_truncation) == (0.5, 0.25, 0.25, 0)


def test_no_measurement_hides_only_under_the_drawn_hand() -> None:
    labels = np.array([[OBJECT, HAND, OBJECT, HAND, 0]], np.uint8)
    together = np.array([[0.5, 0.47, 0.5, 0.493, 0]])
    observed = np.array([[0.0, 0.0, 0.5, 0.499, 0.9]])
    found = real_visibility(ALONE, together, labels, observed, INSIDE)
    # second: hand and no measurement; fourth: the measurement says object, closer to it than to the drawn hand
    assert found.visible.tolist() == [[True, False, True, True, False]]


def test_hand_closer_to_the_measurement_hides() -> None:
    labels = np.array([[HAND, HAND, HAND, HAND, 0]], np.uint8)
    found = real_visibility(ALONE, ALONE - 0.006, labels, np.full((1, 5), 0.495), INSIDE)
    assert not found.visible.any()
    assert found.lost_hand == 1


def test_truncation_is_counted_once() -> None:
    inside = np.array([[True, True, False, False, False]])
    observed = np.array([[0.5, 0.4, 0.0, 0.0, 0.0]])
    found = real_visibility(ALONE, ALONE, NO_HAND, observed, inside)
    assert (found.fraction, found.lost_hand, found.lost_truncation, found.lost_other) == (0.25, 0.25, 0.5, 0)


def test_parts_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        alone = np.where(rng.random((8, 8)) < 0.6, rng.uniform(0.4, 0.6, (8, 8)), 0)
        observed = np.where(rng.random((8, 8)) < 0.9, rng.uniform(0.35, 0.65, (8, 8)), 0)
        labels = rng.integers(0, 3, (8, 8)).astype(np.uint8)
        found = real_visibility(alone, alone - 0.03, labels, observed, rng.random((8, 8)) < 0.8)
        assert found.fraction + found.lost_hand + found.lost_truncation + found.lost_other == pytest.approx(1)
        assert not (found.visible & ~found.amodal).any()


def test_drawn_crop_goes_by_labels() -> None:
    labels = np.array([[OBJECT, HAND, OBJECT, OBJECT, HAND]], np.uint8)
    found = rendered_visibility(ALONE, labels, np.array([[True, True, True, False, True]]))
    assert found.visible.tolist() == [[True, False, True, False, False]]
    assert (found.fraction, found.lost_hand, found.lost_truncation) == (0.5, 0.25, 0.25)


def test_object_out_of_view_has_no_visibility() -> None:
    found = rendered_visibility(np.zeros((1, 5)), NO_HAND, INSIDE)
    assert np.isnan(found.fraction)


SQUARE = np.array([[-0.1, -0.1, 0], [0.1, -0.1, 0], [0.1, 0.1, 0], [-0.1, 0.1, 0]])
FACES = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
"""its front is towards -z, where the camera is"""


def plates(*depths: float, faces: np.ndarray = FACES) -> Body:
    """Squares that look equally large to the camera."""
    vertices = np.concatenate([SQUARE * depth + [0, 0, depth] for depth in depths])
    return painted(vertices, np.concatenate([faces + 4 * at for at in range(len(depths))]), (9, 9, 9), OBJECT)


def test_what_the_object_hides_of_itself() -> None:
    camera = Camera(100, 100, 200.0, 200.0, 49.5, 49.5)
    for body, expected in (
        (plates(1.0), 0.0),
        (plates(1.0, 1.2), 0.5),
        (plates(1.0, 1.2, 1.4), 2 / 3),
        (plates(1.0, faces=FACES[:, ::-1]), 0.0),  # nothing faces the camera
    ):
        drawing = open_drawer("raster").draw([body], camera)
        assert hidden_by_itself(body, drawing, camera) == pytest.approx(expected, abs=0.01)
