"""Work shared by threads comes back in order, whatever their number, also from within shared work."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracker.samples import drawn
from tracker import threads
from tracker.refine import HAND_NUMBERS, refined, refined_each
from tracker.threads import both, shared, slices


def test_results_come_in_order():
    assert shared(lambda number: number**2, range(100)) == [number**2 for number in range(100)]


def test_shared_work_may_share_out_work():
    assert shared(lambda tens: sum(shared(lambda ones: tens + ones, range(3))), [10, 20, 30, 40, 50]) == [
        3 * tens + 3 for tens in (10, 20, 30, 40, 50)
    ]


def test_parts_of_a_single_piece_of_work_are_shared_out():
    together = threading.Barrier(2, timeout=10)  # passed only where two are at it at once
    with ThreadPoolExecutor(2) as pool, pytest.MonkeyPatch.context() as patched:
        patched.setattr(threads, "THREADS", 2)
        patched.setattr(threads, "_threads", lambda: pool)
        assert shared(lambda _: len(shared(lambda _: together.wait(), range(2))), ["one"]) == [2]


def test_both_are_done_also_from_within_shared_work():
    assert both(lambda: "one", lambda: 2) == ("one", 2)
    assert shared(lambda number: both(lambda: number, lambda: -number), range(5)) == [(n, -n) for n in range(5)]


@given(st.integers(0, 200))
def test_slices_take_each_once(count: int):
    taken = [index for part in slices(count) for index in range(count)[part]]
    assert taken == list(range(count))
    assert len(slices(count)) <= threads.THREADS


@pytest.mark.parametrize("count", [1, 2, 5])
def test_slopes_are_the_same_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch, count: int):
    scene = drawn()
    base, _ = scene.problem.residuals(scene.truth)
    by_itself = [scene.problem.jacobian(scene.truth, HAND_NUMBERS[[at]], base)[:, 0] for at in range(len(HAND_NUMBERS))]
    with ThreadPoolExecutor(count) as pool:
        monkeypatch.setattr(threads, "THREADS", count)
        monkeypatch.setattr(threads, "_threads", lambda: pool)
        np.testing.assert_array_equal(scene.problem.jacobian(scene.truth, HAND_NUMBERS, base).T, by_itself)


def test_each_is_refined_as_by_itself():
    scene = drawn()
    starts = scene.truth + np.random.default_rng(0).normal(size=(3, 32)) * 0.01
    for (vector, objective), start in zip(refined_each(scene.problem, starts, HAND_NUMBERS, 3), starts, strict=True):
        alone, value = refined(scene.problem, start, HAND_NUMBERS, 3)
        np.testing.assert_array_equal(vector, alone)
        assert objective == value
