"""Fixtures of the tracker's tests."""

import pytest

from tracker import hand_search, initialisation, point_pairs


def make_quick(change):
    """The search of the whole view, which the options do not reach, at a hundredth of its work.

    `change` is setattr or does the same.
    """
    change(point_pairs, "PAIRS", 200)
    for name, value in {"POINTS": 200, "PROMISING": 4, "KEPT": 2}.items():
        change(initialisation, name, value)
    for name, value in {"DRAWN": 60, "KEPT": (8, 4), "SWARMS": 1, "PARTICLES": 8, "GENERATIONS": 4}.items():
        change(hand_search, name, value)


@pytest.fixture
def quick(monkeypatch):
    """As make_quick, for one test."""
    make_quick(monkeypatch.setattr)
