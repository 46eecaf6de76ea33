"""Memory that a step has freed is kept for the next one. In: nothing. Out: nothing; the process' allocator is set.

The GNU C library gives blocks above 32 MB back to the system as soon as they are freed, and the system clears every
page of those that it hands out again: at 96 pixels that takes a sixth of a step of the paper's network.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""of malloc.h"""
LARGEST_INT = 2**31 - 1


def keep_freed_memory() -> bool:
    """From now on, for the whole process; tells whether its C library can (elsewhere steps only take longer)."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # blocks of any size come from the heap, and the heap does not shrink
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, LARGEST_INT))
