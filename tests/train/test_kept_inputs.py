"""Inputs that are kept are those that would be made, and are made once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.train.samples import SIZE, learnable_file
from train.config import InputConfig
from train.dataset import open_split
from train.kept_inputs import KeptInputs
from train.preprocessing import network_input

ROWS, CLEAN = np.array([3, 0, 3, 5]), np.array([False, True, True, False])


def test_kept_inputs_are_those_of_the_images_and_need_them_once(tmp_path: Path) -> None:
    config = InputConfig(size=12)
    with open_split(learnable_file(tmp_path / "pairs.h5", 10), "train") as images:
        kept = KeptInputs.of(images, config)
        expected = network_input(*images.images(ROWS, CLEAN), config)
        first = kept.inputs(ROWS, CLEAN)
        torch.testing.assert_close(first, expected, atol=6e-4, rtol=0)  # half a unit of float16
        assert first.is_contiguous(memory_format=torch.channels_last)
        gone = replace(kept, pairs=replace(images, memory={"nothing": torch.empty(0)}))
        assert torch.equal(gone.inputs(ROWS[::-1].copy(), CLEAN[::-1].copy()), first.flip(0))
        first.zero_()
        torch.testing.assert_close(kept.inputs(ROWS, CLEAN), expected, atol=6e-4, rtol=0)


def test_images_that_are_not_shrunk_are_made_at_each_use(tmp_path: Path) -> None:
    with open_split(learnable_file(tmp_path / "pairs.h5", 10), "train") as images:
        kept = KeptInputs.of(images, InputConfig(size=None))
        assert kept.kept is None
        expected = network_input(*images.images(ROWS, CLEAN), kept.config)
        assert torch.equal(kept.inputs(ROWS, CLEAN), expected)
        assert expected.shape == (4, 4, SIZE, SIZE)
