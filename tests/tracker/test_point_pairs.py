"""Poses proposed by pairs of oriented points."""

import numpy as np
import pytest

from scene.metrics import rotation_error_deg
from scene.rotations import random_rotations
from tests.tracker.samples import models
from tracker import point_pairs
from tracker.point_pairs import OrientedPoints, observed_normals, proposed_poses

PLACE = np.array([0.02, -0.03, 0.5])


def proposed(seen, *, seed=0, colored=True):
    share = np.full(len(seen.points), 1 / len(seen.points))
    return proposed_poses(seen, share, models(), np.random.default_rng(seed), colored=colored)


def seen_at(rotation, shown=slice(None)):
    """The model's own samples as a camera would see them at a pose."""
    paled = models().sample_features * [point_pairs.PALENESS, point_pairs.PALENESS, 1.0]
    return OrientedPoints(
        (models().samples @ rotation.T + PLACE)[shown], (models().normals @ rotation.T)[shown], paled[shown]
    )


def errors(positions, rotations, rotation):
    away = np.linalg.norm(positions - PLACE, axis=1)
    return away, np.array([rotation_error_deg(proposed, rotation) for proposed in rotations])


@pytest.mark.parametrize("seed", range(3))
def test_many_proposals_are_the_pose_at_which_the_points_were_seen(seed):
    rotation = random_rotations(1, np.random.default_rng(seed))[0]
    positions, rotations = proposed(seen_at(rotation), seed=seed)
    away, turned = errors(positions, rotations, rotation)
    assert ((away < 1e-6) & (turned < 1e-3)).mean() > 0.05
    np.testing.assert_allclose(rotations @ np.swapaxes(rotations, 1, 2) - np.eye(3), 0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(rotations), 1)


def test_a_tenth_of_the_points_is_enough():
    rotation = random_rotations(1, np.random.default_rng(1))[0]
    few = np.random.default_rng(2).choice(240, 24, replace=False)
    positions, rotations = proposed(seen_at(rotation, few))
    away, turned = errors(positions, rotations, rotation)
    assert ((away < 1e-6) & (turned < 1e-3)).sum() > 20


def test_colours_thin_out_what_matches():
    rotation = random_rotations(1, np.random.default_rng(3))[0]
    seen = seen_at(rotation)
    shares = []
    for colored in (True, False):
        away, turned = errors(*proposed(seen, colored=colored), rotation)
        shares.append(((away < 0.01) & (turned < 15)).mean())
    assert shares[0] > shares[1]
    repainted = seen._replace(features=seen.features + 5.0)
    assert len(proposed(repainted)[0]) == 0
    assert len(proposed(repainted, colored=False)[0]) > 0


def test_points_nearer_to_each_other_than_any_two_of_the_object_propose_nothing():
    seen = seen_at(np.eye(3))
    close = seen._replace(points=PLACE + (seen.points - PLACE) * 0.01)
    positions, rotations = proposed(close)
    assert positions.shape == (0, 3)
    assert rotations.shape == (0, 3, 3)


def test_the_same_generator_proposes_the_same():
    first, again = (proposed(seen_at(np.eye(3)), seed=4) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("axis", [0, 1])
def test_normals_of_a_slope_look_at_the_camera(axis):
    x, y = (values.ravel() for values in np.meshgrid(np.linspace(-0.02, 0.02, 30), np.linspace(-0.02, 0.02, 30)))
    rise = np.stack([x, y])[axis]
    points = np.column_stack([x, y, 0.5 + rise])
    middle = np.nonzero(np.hypot(x, y) < 0.005)[0]
    expected = (np.eye(3)[axis] - np.eye(3)[2]) / np.sqrt(2)
    np.testing.assert_allclose(observed_normals(points, middle) - expected, 0, atol=1e-6)
