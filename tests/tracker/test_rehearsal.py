"""The first frames are followed until the hand is known, and then tracking begins where it would have."""

from types import SimpleNamespace

import pytest

from tracker.rehearsal import MOST, rehearse


class Tracker:
    """Notes what it is given; it knows the hand's size after so many frames."""

    def __init__(self, known_after):
        self.known_after, self.calls = known_after, []

    def track(self, frame):
        self.calls.append(frame)

    def return_to_anchor(self):
        self.calls.append("anchor")

    def keep_size(self):
        self.calls.append("size")

    @property
    def state(self):
        tracked = sum(call not in ("anchor", "size") for call in self.calls)
        return SimpleNamespace(sizes=SimpleNamespace(known=tracked >= self.known_after))


@pytest.mark.parametrize(
    ("known_after", "calls"),
    [
        (2, [5, 6, "anchor", "size"]),
        (4, [5, 6, 7, "anchor", 4, "anchor", "size"]),
        (99, [5, 6, 7, "anchor", 4, 3, 2, 1, 0, "anchor", "size"]),
    ],
)
def test_frames_are_followed_either_way_until_the_hand_is_known(known_after, calls):
    tracker = Tracker(known_after)
    rehearse(tracker, (range(5, 8), range(4, -1, -1)), lambda index: index)
    assert tracker.calls == calls


def test_a_long_recording_is_not_followed_to_its_end():
    tracker = Tracker(10**6)
    rehearse(tracker, (range(10, 1000), range(9, -1, -1)), lambda index: index)
    assert tracker.calls == [*range(10, 10 + MOST), "anchor", *range(9, -1, -1), "anchor", "size"]
