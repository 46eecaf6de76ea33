"""Hands of other pairs: what hides what, and that a training set shows them where its recipe says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.train.samples import learnable_file, quick
from train.batches import Batch
from train.config import Fit, InputConfig
from train.dataset import BEHIND, HAND, OBJECT, open_split, several_recordings
from train.kept_inputs import KeptInputs
from train.other_hands import quarter_turns, with_hands_of
from train.source import PairSource

FAR = 1.0


def test_hands_hide_what_is_farther_and_backgrounds_fill_what_is_empty() -> None:
    # six pixels in a row; the object is at depth 0 in the first three and absent from the others
    clean = torch.zeros(1, 4, 1, 6)
    clean[0, 3] = torch.tensor([0.0, 0, 0, FAR, FAR, FAR])
    donor = torch.full((1, 4, 1, 6), 0.25)
    donor[0, 3] = torch.tensor([-0.1, 0.1, -0.1, 0.3, -0.2, 0.7])
    layers = torch.tensor([[[HAND, HAND, OBJECT, HAND, OBJECT, BEHIND]]], dtype=torch.uint8)
    mixed = with_hands_of(clean, donor, layers)
    assert mixed[0, 3, 0].tolist() == torch.tensor([-0.1, 0, 0, 0.3, FAR, 0.7]).tolist()
    assert mixed[0, 0, 0].tolist() == [0.25, 0, 0, 0.25, 0, 0.25]


def test_a_background_is_never_before_the_object() -> None:
    clean, donor = torch.zeros(1, 4, 1, 1), torch.full((1, 4, 1, 1), -0.5)
    assert torch.equal(with_hands_of(clean, donor, torch.full((1, 1, 1), BEHIND, dtype=torch.uint8)), clean)


def test_images_and_layers_turn_alike() -> None:
    layers = torch.arange(9, dtype=torch.uint8).view(1, 3, 3)
    images = layers[:, None].float().expand(1, 4, 3, 3)
    found = [quarter_turns(images, layers, np.random.default_rng(seed)) for seed in range(20)]
    assert all(torch.equal(turned[:, 0], by.float()) for turned, by in found)
    assert len({tuple(by.flatten().tolist()) for _, by in found}) == 4


def test_a_share_of_the_occluded_images_shows_another_hand(tmp_path: Path) -> None:
    batch = Batch(np.arange(12), np.repeat([False, True], [8, 4]))
    with open_split(learnable_file(tmp_path / "pairs.h5", 20), "train", layers=True) as images:
        own = PairSource(KeptInputs.of(images, InputConfig(size=10)))

        def changed(source: PairSource) -> torch.Tensor:
            expected, made = (one.inputs(batch, np.random.default_rng(4))[0] for one in (own, source))
            return (made != expected).flatten(1).any(dim=1)

        assert not changed(own).any()
        some, every = changed(replace(own, other_hands=0.5)), changed(replace(own, other_hands=1.0))
        assert 0 < int(some.sum()) < 8
        assert every.tolist() == [True] * 8 + [False] * 4
        without = replace(images, in_hand=np.array([], np.int64))
        assert not changed(replace(own, kept=replace(own.kept, pairs=without), other_hands=1.0)).any()


def test_a_file_of_one_recording_is_told_from_one_of_several(tmp_path: Path) -> None:
    assert not several_recordings(learnable_file(tmp_path / "one.h5", 10))
    assert several_recordings(learnable_file(tmp_path / "two.h5", 10, recordings=2))


def test_best_shows_other_hands_where_images_vary_and_clean_ones_are_there(tmp_path: Path) -> None:
    best: dict[str, object] = {"recipe": "best", "learning_rate": None}

    def share(**options: object) -> float:
        config: Fit = quick(tmp_path / "pairs.h5", tmp_path, **(best | options))
        return config.changed_hands

    assert share() > 0
    assert share(recipe="best-own-hands") == share(augment=False) == share(images="occluded") == 0
    assert share(recipe="srn") == 0
