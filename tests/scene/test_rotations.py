import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.rotations import (
    canonical_quaternion,
    covering_rotations,
    geodesic_angle,
    matrix_from_quaternion,
    matrix_from_rotation_vector,
    quaternion_from_matrix,
    random_rotations,
    rotation_vector_from_matrix,
)

seeds = st.integers(0, 2**32 - 1)


def axis(seed):
    direction = np.random.default_rng(seed).normal(size=3)
    return direction / np.linalg.norm(direction)


@given(seeds, st.floats(0, np.pi))
def test_rotation_vectors_and_matrices_are_inverse_up_to_half_a_turn(seed, angle):
    rotation = matrix_from_rotation_vector(axis(seed) * angle)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    back = rotation_vector_from_matrix(rotation)
    assert np.linalg.norm(back) <= np.pi + 1e-9
    assert geodesic_angle(matrix_from_rotation_vector(back), rotation) < 1e-7


@given(seeds, st.floats(0, np.pi))
def test_the_geodesic_angle_is_the_angle_turned_by(seed, angle):
    start = random_rotations(1, np.random.default_rng(seed))[0]
    turned = start @ matrix_from_rotation_vector(axis(seed) * angle)
    assert geodesic_angle(start, turned) == pytest.approx(angle, abs=1e-7)
    assert geodesic_angle(turned, start) == pytest.approx(angle, abs=1e-7)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-9, 1e-6, np.pi - 1e-6, np.pi])
def test_the_geodesic_angle_keeps_its_digits_near_its_ends(angle):
    rotation = matrix_from_rotation_vector(axis(3) * angle)
    assert geodesic_angle(np.eye(3), rotation) == pytest.approx(angle, rel=1e-6, abs=1e-15)


def test_a_quarter_turn_about_z_takes_x_to_y():
    rotation = matrix_from_rotation_vector(np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(rotation @ [1, 0, 0], [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(quaternion_from_matrix(rotation), [0.5**0.5, 0, 0, 0.5**0.5], atol=1e-15)


@given(seeds)
def test_quaternions_and_matrices_are_inverse_on_the_hemisphere(seed):
    rng = np.random.default_rng(seed)
    quaternion = rng.normal(size=(5, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    back = quaternion_from_matrix(matrix_from_quaternion(quaternion))
    np.testing.assert_allclose(back, canonical_quaternion(quaternion), atol=1e-12)
    assert (back[:, 0] >= 0).all()
    np.testing.assert_allclose(matrix_from_quaternion(-3 * quaternion), matrix_from_quaternion(quaternion), atol=1e-12)


@pytest.mark.parametrize(
    ("given_wxyz", "canonical"),
    [
        ([-1, 0, 0, 0], [1, 0, 0, 0]),
        ([0, -1, 0, 0], [0, 1, 0, 0]),
        ([0, 0.6, -0.8, 0], [0, 0.6, -0.8, 0]),
        ([0, -0.6, 0.8, 0], [0, 0.6, -0.8, 0]),
        ([0, 0, -0.6, 0.8], [0, 0, 0.6, -0.8]),
        ([-0.0, 0, 0, -1], [0, 0, 0, 1]),
        ([-1e-300, 1, 0, 0], [1e-300, -1, 0, 0]),
    ],
)
def test_the_canonical_quaternion_is_unique_on_the_border_too(given_wxyz, canonical):
    given_wxyz, canonical = np.array(given_wxyz, float), np.array(canonical, float)
    np.testing.assert_array_equal(canonical_quaternion(given_wxyz), canonical)
    np.testing.assert_array_equal(canonical_quaternion(-given_wxyz), canonical)


def test_every_function_keeps_leading_shapes():
    vectors = np.random.default_rng(0).normal(size=(2, 4, 3))
    rotations = matrix_from_rotation_vector(vectors)
    assert rotations.shape == (2, 4, 3, 3)
    assert rotation_vector_from_matrix(rotations).shape == (2, 4, 3)
    assert quaternion_from_matrix(rotations).shape == (2, 4, 4)
    assert matrix_from_quaternion(quaternion_from_matrix(rotations)).shape == (2, 4, 3, 3)
    assert geodesic_angle(rotations, np.eye(3)).shape == (2, 4)
    np.testing.assert_allclose(rotations[1, 2], matrix_from_rotation_vector(vectors[1, 2]))


@pytest.mark.parametrize(("count", "farthest_deg"), [(300, 40.0), (2000, 21.0)])
def test_covering_rotations_leave_no_gap(count, farthest_deg):
    """A perfect cover of 300 has balls of about 26 degrees, of 2000 about 14; half as much again is allowed."""
    cover = quaternion_from_matrix(covering_rotations(count))
    asked = quaternion_from_matrix(random_rotations(3000, np.random.default_rng(1)))
    cosine = np.abs(asked @ cover.T).max(axis=1).clip(0, 1)
    assert np.degrees(2 * np.arccos(cosine)).max() < farthest_deg


def test_covering_rotations_are_the_same_at_every_call_and_all_different():
    rotations = covering_rotations(64)
    np.testing.assert_array_equal(rotations, covering_rotations(64))
    apart = geodesic_angle(rotations[:, None], rotations[None]) + 10 * np.eye(64)
    assert np.degrees(apart.min()) > 15


def test_random_rotations_are_uniform():
    """The mean angle between two uniform rotations is pi/2 + 2/pi."""
    rng = np.random.default_rng(0)
    angles = geodesic_angle(random_rotations(4000, rng), random_rotations(4000, rng))
    assert angles.mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.03)
