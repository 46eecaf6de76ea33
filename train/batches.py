"""Batch formation (sections 3.5 and 4.1): which images stand together in a batch, and which of them form pairs.

A batch of 100 pairs has 300 samples in three parts of equal length, row by row of the same index:
    anchors       occluded images, every training pair once in an epoch
    partners      images near the anchor in pose for the first half, far from it for the second, occluded or clean
    counterparts  the clean images of the anchors, at the very same pose
Equation 3 joins anchors and partners, equation 5 anchors and counterparts. The samples are the same with and without
equation 5, so that a comparison of the two shows the term and not the images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scene.arrays import Booleans, Floats, Integers

NEAR_SHARE = 0.05
"""a near partner is drawn from this share of all poses, those nearest to the anchor"""
FAR_SHARE = 0.5
"""a far partner is drawn from this share of all poses, those farthest from the anchor"""


@dataclass(frozen=True)
class Batch:
    """Rows of the training set and which image of each; three parts of equal length: see the module's text."""

    rows: Integers
    """(3 P,) indices into the training set"""
    clean: Booleans
    """(3 P,) the clean image, else the occluded one"""

    @property
    def pairs(self) -> int:
        """P, of anchors, of partners and of counterparts."""
        return len(self.rows) // 3


def epoch_batches(quaternions: Floats, pairs: int, *, formed: bool, rng: np.random.Generator) -> Iterator[Batch]:
    """The batches of one epoch.

    Args:
        quaternions: (N, 4) unit, wxyz, of the training set.
        pairs: P, in each batch; fewer where the training set is smaller.
        formed: half of the partners near and half far; otherwise partners at random.
        rng: decides order and partners.
    """
    pairs = min(pairs, len(quaternions))
    order = rng.permutation(len(quaternions))
    for start in range(0, len(order), pairs):
        # the last batch is filled up from the front, so that all batches weigh the same
        anchors = np.resize(np.roll(order, -start), pairs)
        yield _batch(anchors, quaternions, formed=formed, rng=rng)


def batches_an_epoch(count: int, pairs: int) -> int:
    """How many batches `epoch_batches` yields for `count` training pairs."""
    return -(-count // min(pairs, count))


def _batch(anchors: Integers, quaternions: Floats, *, formed: bool, rng: np.random.Generator) -> Batch:
    partners = _partners(anchors, quaternions, rng) if formed else rng.integers(len(quaternions), size=len(anchors))
    occluded, clean = np.zeros(len(anchors), bool), np.ones(len(anchors), bool)
    return Batch(
        rows=np.concatenate([anchors, partners, anchors]),
        clean=np.concatenate([occluded, rng.random(len(anchors)) < 0.5, clean]),
    )


def _partners(anchors: Integers, quaternions: Floats, rng: np.random.Generator) -> Integers:
    """(P,) rows: near their anchor for the first half, far from it for the second; never the anchor itself."""
    others = len(quaternions) - 1
    closeness = np.abs(quaternions[anchors] @ quaternions.T)  # |cos(half the angle)|: the nearer of q and -q
    closeness[np.arange(len(anchors)), anchors] = np.inf  # the anchor comes first, and is skipped below
    half = len(anchors) // 2
    near_count, far_count = max(1, round(NEAR_SHARE * others)), max(1, round(FAR_SHARE * others))
    # parted, not sorted: which of the near ones is the nearest does not matter
    near = np.argpartition(-closeness[:half], (0, near_count), axis=1)[:, 1 : near_count + 1]
    far = np.argpartition(closeness[half:], far_count - 1, axis=1)[:, :far_count]
    return np.concatenate([_one_of_each(near, rng), _one_of_each(far, rng)])


def _one_of_each(rows: Integers, rng: np.random.Generator) -> Integers:
    """(P, K) -> (P,) a random one of each line."""
    chosen: Integers = rows[np.arange(len(rows)), rng.integers(rows.shape[1], size=len(rows))]
    return chosen
