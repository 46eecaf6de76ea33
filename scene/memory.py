"""Memory that was freed is kept for what comes next. In: nothing. Out: nothing; the process' allocator is set.

The GNU C library gives large blocks back to the system as soon as they are freed, and the system clears every page of
those that it hands out again: of training with the paper's network at 96 pixels that takes a sixth, and more of making
a frame ready for tracking.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""of malloc.h"""
LARGEST_INT = 2**31 - 1


def keep_freed_memory() -> bool:
    """From now on, for the whole process; tells whether its C library can (elsewhere work only takes longer)."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # blocks of any size come from the heap, and the heap does not shrink
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, LARGEST_INT))
