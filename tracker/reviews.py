"""When the object is searched for in the whole view: often while in doubt; without any, ever less while searches agree.

A wrong pose can look right for long, so that one that is in no doubt is searched for, too. But a search takes as long
as several frames, and one that finds what is followed already speaks for the next frames as well. (Not so of hands:
their searches find better ones also where the last did not, docs/tracking.md.)
"""

from __future__ import annotations

from dataclasses import dataclass

SEARCH_EVERY = 3
"""frames, in doubt"""
MOST_EVERY = 48
"""frames, however many searches agreed"""


@dataclass(frozen=True)
class Reviews:
    """The searches so far."""

    last: int = -SEARCH_EVERY
    """frame of the latest"""
    agreed: int = 0
    """of the latest ones, how many in a row found what was followed"""

    def due(self, index: int, every: int, *, doubtful: bool) -> bool:
        """Whether to search in the frame `index`.

        Args:
            index: of the frame, later or earlier than those before.
            every: frames from one search to the next where nothing is in doubt and the last did not agree.
            doubtful: whether there is doubt.
        """
        wait = SEARCH_EVERY if doubtful else min(every << self.agreed, MOST_EVERY)
        return abs(index - self.last) >= wait

    def searched(self, index: int, *, agreed: bool) -> Reviews:
        """With one more."""
        return Reviews(index, self.agreed + 1 if agreed else 0)
