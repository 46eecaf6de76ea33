"""What a batch holds: anchors, partners half near and half far, counterparts; and that the seed decides."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scene.arrays import Floats
from scene.rotations import quaternion_from_matrix, random_rotations
from train.batches import Batch, batches_an_epoch, epoch_batches


def poses(count: int = 300) -> Floats:
    return quaternion_from_matrix(random_rotations(count, np.random.default_rng(5)))


def one_epoch(quaternions: Floats, pairs: int, *, formed: bool = True, seed: int = 0) -> list[Batch]:
    return list(epoch_batches(quaternions, pairs, formed=formed, rng=np.random.default_rng(seed)))


def partner_angles(batch: Batch, quaternions: Floats) -> Floats:
    anchors, partners, _ = np.split(batch.rows, 3)
    return 2 * np.arccos(np.clip(np.abs((quaternions[anchors] * quaternions[partners]).sum(1)), 0, 1))


def test_a_batch_of_the_paper_has_300_samples() -> None:
    batch = one_epoch(poses(), 100)[0]
    assert batch.pairs == 100
    assert len(batch.rows) == len(batch.clean) == 300


def test_half_the_partners_are_near_and_half_far() -> None:
    quaternions = poses()
    closeness = np.abs(quaternions @ quaternions.T)
    for batch in one_epoch(quaternions, 100):
        anchors, partners, _ = np.split(batch.rows, 3)
        farther_than_partner = (closeness[anchors] < closeness[anchors, partners][:, None]).mean(axis=1)
        assert (farther_than_partner[:50] > 0.94).all()
        assert (farther_than_partner[50:] <= 0.5).all()
        angles = partner_angles(batch, quaternions)
        assert angles[:50].max() < angles[50:].min()


def test_nearness_does_not_see_the_sign_of_a_quaternion() -> None:
    quaternions = poses()
    flipped = quaternions * np.where(np.arange(len(quaternions)) % 2, -1, 1)[:, None]
    for one, other in zip(one_epoch(quaternions, 100), one_epoch(flipped, 100), strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)


def test_partners_at_random_are_neither_near_nor_far() -> None:
    quaternions = poses()
    angles = np.concatenate([partner_angles(batch, quaternions) for batch in one_epoch(quaternions, 100, formed=False)])
    formed = np.concatenate([partner_angles(batch, quaternions) for batch in one_epoch(quaternions, 100)])
    assert np.percentile(angles, 40) > 2 * np.percentile(formed, 40)


def test_counterparts_are_the_clean_images_of_the_anchors() -> None:
    for batch in one_epoch(poses(), 100):
        anchors, _, counterparts = np.split(batch.rows, 3)
        anchor_clean, partner_clean, counterpart_clean = np.split(batch.clean, 3)
        np.testing.assert_array_equal(anchors, counterparts)
        assert not anchor_clean.any()
        assert counterpart_clean.all()
        assert 0.2 < partner_clean.mean() < 0.8


@settings(max_examples=40)
@given(st.integers(4, 60), st.integers(1, 80))
def test_an_epoch_shows_each_pair_as_anchor(count: int, pairs: int) -> None:
    batches = one_epoch(poses(count), pairs)
    assert len(batches) == batches_an_epoch(count, pairs)
    assert {batch.pairs for batch in batches} == {min(count, pairs)}
    anchors = np.concatenate([np.split(batch.rows, 3)[0] for batch in batches])
    assert set(anchors) == set(range(count))
    for batch in batches:
        first, partners, _ = np.split(batch.rows, 3)
        assert (first != partners).all()


def test_the_seed_decides() -> None:
    quaternions = poses()
    for one, same in zip(one_epoch(quaternions, 100), one_epoch(quaternions, 100), strict=True):
        np.testing.assert_array_equal(one.rows, same.rows)
    other = one_epoch(quaternions, 100, seed=1)
    assert (one_epoch(quaternions, 100)[0].rows != other[0].rows).any()
