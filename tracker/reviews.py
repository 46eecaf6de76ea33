"""When the object, or the hand, is searched for anew: often while in doubt; ever less while searches agree, or fail.

A wrong pose can look right for long, so that one that is in no doubt is searched for, too. But a search takes as long
as several frames, and one that finds what is followed already speaks for the next frames as well. Where several in a
row found nothing the next will hardly do, until more is seen that looks like what is looked for: then it is made at
once. (Not so of hands, which are always in reach of the next search as long as the object is.)
"""

from __future__ import annotations

from dataclasses import dataclass

SEARCH_EVERY, FEW_FAILED, RARELY = 3, 4, 12
"""frames, in doubt; the failures in a row, from each of which on it is twice as many; and at most"""
MOST_EVERY = 48
"""frames, however many searches agreed"""


@dataclass(frozen=True)
class Reviews:
    """The searches so far."""

    last: int = -SEARCH_EVERY
    """frame of the latest"""
    agreed: int = 0
    """of the latest ones, how many in a row found what was followed"""
    failed: int = 0
    """the same for those that found nothing"""

    def due(self, index: int, every: int, *, doubtful: bool, more_seen: bool = False) -> bool:
        """Whether to search in the frame `index`.

        Args:
            index: of the frame, later or earlier than those before.
            every: frames from one search to the next where nothing is in doubt and the last did not agree.
            doubtful: whether there is doubt.
            more_seen: whether there is more than in the last search that looks like what is looked for.
        """
        if doubtful:
            wait = 1 if more_seen else min(SEARCH_EVERY << self.failed // FEW_FAILED, RARELY)
        else:
            wait = min(every << self.agreed, MOST_EVERY)
        return abs(index - self.last) >= wait

    def searched(self, index: int, *, agreed: bool, found: bool = True, more_seen: bool = False) -> Reviews:
        """With one more: whether it found what was followed, and anything, and whether there was more to be seen.

        Those that failed before there was more to be seen say nothing of the next.
        """
        failed = 0 if found else 1 if more_seen else self.failed + 1
        return Reviews(index, self.agreed + 1 if agreed else 0, failed)
