"""What stands where the object was found, while the object is elsewhere, is not the object."""

import numpy as np
import pytest

from scene.camera import Camera
from scene.transforms import rigid
from tracker.left_standing import left_standing

CAMERA = Camera(width=100, height=80, fx=100.0, fy=100.0, cx=49.5, cy=39.5)
REACH = 0.05
SAMPLES = np.random.default_rng(0).uniform(-0.03, 0.03, size=(200, 3)) * (1, 1, 0)  # a card before the camera
TABLE = np.full((80, 100), 1.0)


def at(x: float) -> np.ndarray:
    return rigid(np.eye(3), np.array([x, 0.0, 0.5]))


def with_card(*places: float, depth: float = 0.5) -> np.ndarray:
    """The table, and before it a card at each place."""
    image = TABLE.copy()
    for x in places:
        column = round(CAMERA.fx * x / 0.5 + CAMERA.cx)
        image[33:47, column - 6 : column + 7] = depth
    return image


@pytest.mark.parametrize(
    ("other", "place", "expected"),
    [
        (with_card(0.0, 0.2), 0.2, {3}),
        (with_card(0.2), 0.2, set()),  # there is nothing any more: it was the object
        (with_card(0.0), 0.04, set()),  # the same place
        (np.where(with_card(0.0) < 1, 0.4, with_card(0.2)), 0.2, set()),  # something hides it
        (np.where(with_card(0.0) < 1, 0.0, with_card(0.2)), 0.2, set()),  # nothing was measured
    ],
)
def test_it_stands_there_while_the_object_is_elsewhere(other, place, expected):
    depths = {3: with_card(0.0), 7: other}
    assert left_standing([(3, at(0.0))], [(7, at(place))], depths, CAMERA, SAMPLES, REACH) == expected


def test_what_is_out_of_the_image_or_not_seen_where_it_was_found_says_nothing():
    depths = {3: TABLE, 7: TABLE}
    for x in (0.0, 5.0):
        assert left_standing([(3, at(x))], [(7, at(0.2))], depths, CAMERA, SAMPLES, REACH) == set()


def test_each_frame_is_asked_for_itself():
    depths = {1: with_card(0.0, 0.2), 2: with_card(0.2), 3: with_card(0.0)}
    found = [(1, at(0.2)), (3, at(0.0)), (2, at(0.2))]
    assert left_standing(found, [(1, at(0.2))], depths, CAMERA, SAMPLES, REACH) == {3}
    assert left_standing(found, [], depths, CAMERA, SAMPLES, REACH) == set()
