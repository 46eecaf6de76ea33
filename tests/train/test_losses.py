"""The losses against numbers worked out by hand, at the hemisphere's border, and where their gradients go."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scene.rotations import canonical_quaternion, matrix_from_rotation_vector, quaternion_from_matrix
from train.config import LossConfig
from train.losses import (
    TRIPLET_MARGIN,
    all_pairs_term,
    feature_term,
    logarithmic,
    matrix_of,
    matrix_term,
    occlusion_term,
    pose_distance,
    principal_direction,
    regression_term,
    same_pose_term,
    total,
    triplet_term,
)
from train.network import SiameseRegressionNetwork

angles = st.floats(0.01, 3.1)


def rows(*values: list[float]) -> torch.Tensor:
    return torch.tensor(values)


def quaternion(rotation_vector: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(quaternion_from_matrix(matrix_from_rotation_vector(rotation_vector)))[None]


def test_pose_distance_by_hand() -> None:
    identity, half_turn = rows([1, 0, 0, 0]), rows([0, 1, 0, 0])
    assert pose_distance(identity, identity).item() == 0
    assert pose_distance(identity, -identity).item() == 0
    assert pose_distance(identity, half_turn).item() == 2  # the largest there is
    assert pose_distance(rows([0.5, 0, 0, 0]), identity).item() == 0.25


def test_regression_term_by_hand() -> None:
    predicted = rows([1.0, 0, 0, 0], [0.6, 0.8, 0, 0])
    true = rows([1.0, 0, 0, 0], [1.0, 0, 0, 0])
    torch.testing.assert_close(regression_term(predicted, true), torch.tensor([0.0, 0.8]))


def test_of_one_hemisphere_the_regression_term_sees_the_sign() -> None:
    direction = rows([1.0, 0, 0, 0])[0]
    predicted = rows([1.0, 0, 0, 0], [-1.0, 0, 0, 0])
    for true in (predicted, -predicted, predicted.abs()):
        torch.testing.assert_close(regression_term(predicted, true, direction), torch.tensor([0.0, 4.0]))


def test_the_principal_direction_is_the_one_about_which_rotations_lie_whatever_their_signs() -> None:
    expected = quaternion(np.array([0.0, 0.0, 2.8])).float()
    around = [quaternion(np.array([0.3 * np.cos(turn), 0.3 * np.sin(turn), 2.8])).float() for turn in range(40)]
    signs = torch.where(torch.arange(40) % 3 == 0, -1.0, 1.0)[:, None]
    direction = principal_direction(signs * torch.cat(around))
    assert (direction * expected).sum() > 0.99
    torch.testing.assert_close(direction, principal_direction(torch.cat(around)))


def test_feature_term_by_hand() -> None:
    features = (rows([1.0, 0.0]), rows([0.0, 1.0]))  # squared distance 2
    poses = (rows([1.0, 0, 0, 0]), rows([0.6, 0.8, 0, 0]))  # squared distance 0.8
    assert feature_term(features, poses, "squared").item() == pytest.approx(1.44)
    assert feature_term(features, poses, "absolute").item() == pytest.approx(1.2)


def test_feature_term_is_never_negative_where_features_collapse() -> None:
    collapsed = rows([1.0, 0.0])
    poses = (rows([1.0, 0, 0, 0]), rows([0.0, 1, 0, 0]))
    assert feature_term((collapsed, collapsed), poses, "squared").item() == 4
    assert feature_term((collapsed, collapsed), poses, "absolute").item() == 2


def test_occlusion_term_by_hand() -> None:
    assert occlusion_term(rows([1.0, 0.0]), rows([0.0, 1.0])).item() == 2
    assert occlusion_term(rows([0.6, 0.8]), rows([0.6, 0.8])).item() == 0


def test_total_weighs_the_means() -> None:
    terms = {"regression": torch.tensor([1.0, 3.0]), "feature": torch.tensor([5.0]), "occlusion": torch.tensor([7.0])}
    weights = LossConfig(regression_weight=10, feature_weight=100, occlusion_weight=1000)
    assert total(terms, weights).item() == 20 + 500 + 7000
    assert total({"regression": torch.tensor([1.0, 3.0])}, LossConfig()).item() == 2


@given(angles, st.integers(0, 1000))
def test_distance_does_not_see_the_sign(angle: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    a, b = quaternion(axis / np.linalg.norm(axis) * angle), quaternion(rng.normal(size=3))
    torch.testing.assert_close(pose_distance(a, b), pose_distance(-a, b))
    torch.testing.assert_close(pose_distance(a, b), pose_distance(b, a))


@given(st.integers(0, 1000))
def test_neighbours_across_the_hemispheres_border_are_near(seed: int) -> None:
    axis = np.random.default_rng(seed).normal(size=3)
    axis /= np.linalg.norm(axis)
    before, after = quaternion(axis * (np.pi - 1e-3)), quaternion(axis * (np.pi + 1e-3))
    assert (before * after).sum() < -0.99  # stored with opposite signs
    assert pose_distance(before, after).item() < 1e-5
    on_border = torch.from_numpy(canonical_quaternion(np.concatenate([[0.0], axis])))[None]
    assert pose_distance(on_border, before).item() < 1e-5
    assert pose_distance(on_border, after).item() < 1e-5


@given(angles)
def test_distance_grows_with_the_angle(angle: float) -> None:
    identity, turned = quaternion(np.zeros(3)), quaternion(np.array([0, 0, angle]))
    assert pose_distance(identity, turned).item() == pytest.approx(2 - 2 * np.cos(angle / 2), abs=1e-9)


def gradients(term: str) -> dict[str, bool]:
    """Which layers get a gradient of one term: table 1."""
    torch.manual_seed(0)
    network = SiameseRegressionNetwork(16, 8)
    predicted = network(torch.randn(4, 4, 16, 16))
    poses = torch.nn.functional.normalize(torch.randn(4, 4), dim=1)
    halves, pose_halves = predicted.features.chunk(2), poses.chunk(2)
    terms = {
        "regression": lambda: regression_term(predicted.quaternion_wxyz, poses),
        "feature": lambda: feature_term((halves[0], halves[1]), (pose_halves[0], pose_halves[1]), "squared"),
        "occlusion": lambda: occlusion_term(halves[0], halves[1]),
    }
    terms[term]().mean().backward()
    layers = dict(network.named_children())
    return {name: layer.weight.grad is not None and bool(layer.weight.grad.any()) for name, layer in layers.items()}


def test_pose_layer_learns_from_the_regression_alone() -> None:
    assert all(gradients("regression").values())
    for term in ("feature", "occlusion"):
        reached = gradients(term)
        assert not reached.pop("pose")
        assert all(reached.values())


def test_triplets_by_hand() -> None:
    anchor, near, far = rows([0.0, 0.0]), rows([0.1, 0.0]), rows([0.0, 0.1])
    assert triplet_term(anchor, near, far).item() == pytest.approx(1 - 0.01 / (0.01 + TRIPLET_MARGIN))
    assert triplet_term(anchor, near, rows([0.0, 9.0])).item() == 0
    assert same_pose_term(anchor, far).item() == pytest.approx(0.01)


def test_all_pairs_are_the_pairs() -> None:
    torch.manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(5, 8), dim=1)
    poses = torch.nn.functional.normalize(torch.randn(5, 4), dim=1)
    terms = all_pairs_term(features, poses, "squared").view(5, 5)
    for first in range(5):
        one = (features[first].expand(5, 8), features), (poses[first].expand(5, 4), poses)
        torch.testing.assert_close(terms[first], feature_term(*one, "squared"), atol=1e-5, rtol=1e-4)


@given(angles)
def test_distance_of_matrices_is_that_of_the_angle(angle: float) -> None:
    identity, turned = torch.eye(3)[None].double(), quaternion(np.array([0, angle, 0]))
    assert matrix_term(identity, turned).item() == pytest.approx(2 * np.sqrt(2) * np.sin(angle / 2), abs=1e-4)
    np.testing.assert_allclose(matrix_of(turned)[0], matrix_from_rotation_vector(np.array([0, angle, 0])), atol=1e-12)


def test_logarithmic_by_hand() -> None:
    """Three times as far is not three times as bad."""
    found = logarithmic(torch.tensor([0.0, 0.1, 0.3]))
    torch.testing.assert_close(found, torch.log(torch.tensor([1.0, 2.0, 4.0])))
