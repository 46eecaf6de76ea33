"""Splits are blocks of time with a gap: no frame of one is near a frame of another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.errors import InputError
from scene.splits import GAP, TEST, TRAIN, VALIDATION, SplitConfig, split_of_frames


@given(
    st.lists(st.floats(0, 0.5), min_size=0, max_size=120),
    st.floats(0, 0.4),
    st.floats(0, 0.4),
    st.integers(1, 5),
    st.floats(0, 1),
)
def test_frames_of_different_splits_are_a_gap_apart(
    steps: list[float], validation: float, test: float, cycles: int, gap_s: float
) -> None:
    times = np.cumsum(steps)
    split = split_of_frames(times, SplitConfig(validation, test, cycles, gap_s))
    kept = np.flatnonzero(split != GAP)
    for code in (TRAIN, VALIDATION, TEST):
        ours, others = times[kept[split[kept] == code]], times[kept[split[kept] != code]]
        if len(ours) and len(others):
            assert np.abs(ours[:, None] - others).min() >= gap_s - 1e-9


def test_parts_are_those_asked_for() -> None:
    times = np.arange(1000) / 30
    split = split_of_frames(times, SplitConfig(validation=0.1, test=0.3, cycles=1, gap_s=0))
    np.testing.assert_array_equal(split[:600], TRAIN)
    np.testing.assert_array_equal(split[600:700], VALIDATION)
    np.testing.assert_array_equal(split[700:], TEST)


def test_cycles_repeat_and_gaps_are_left_out() -> None:
    times = np.arange(100) / 10
    split = split_of_frames(times, SplitConfig(validation=0.2, test=0.2, cycles=2, gap_s=0.4))
    runs = split[np.flatnonzero(np.diff(split, prepend=-9))]
    assert runs.tolist() == [TRAIN, GAP, VALIDATION, GAP, TEST, GAP, TRAIN, GAP, VALIDATION, GAP, TEST]
    # +-0.2 s about a border half way between two frames, 0.1 s apart: two on each side
    assert (split == GAP).sum() == 5 * 4


def test_no_frames() -> None:
    assert split_of_frames(np.zeros(0), SplitConfig()).shape == (0,)


def test_frames_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="in the order of time to be split; sort"):
        split_of_frames(np.array([0.0, 2.0, 1.0]), SplitConfig())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": -0.1}, "must not be negative and leave some to train, got -0.1 and 0.2"),
        ({"validation": 0.5, "test": 0.5}, "leave some to train, got 0.5 and 0.5"),
        ({"cycles": 0}, "a cycle and no negative gap, got 0"),
        ({"gap_s": -1.0}, "no negative gap, got 2 and -1.0 s"),
    ],
)
def test_splits_that_cannot_be(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SplitConfig(**options)  # type: ignore[arg-type]
