"""Work shared by a few threads, its results in order: the compiled kernels let go of Python's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

THREADS = min(os.cpu_count() or 1, 8)
_here = threading.local()


def shared(work: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
    """`work` of each part, side by side; what one of the threads shares out it does itself.

    The caller takes parts, too: to wake another thread and wait for it costs as much as some evaluations.
    """
    todo = list(enumerate(parts))
    if getattr(_here, "shares", False) or len(todo) == 1:  # of a single piece, parts may be shared out
        return [work(part) for _, part in todo]
    done: dict[int, Result] = {}
    left = iter(todo)

    def take() -> None:
        for at, part in left:
            done[at] = work(part)

    helpers = [_threads().submit(take) for _ in range(min(THREADS, len(todo)) - 1)]
    try:
        with _sharing():
            take()
    finally:
        for helper in helpers:
            helper.result()
    return [done[at] for at, _ in todo]


def both(one: Callable[[], Part], other: Callable[[], Result]) -> tuple[Part, Result]:
    """What two pieces of work come to, side by side."""
    if getattr(_here, "shares", False):
        return one(), other()
    later = _threads().submit(other)
    return one(), later.result()


def slices(count: int) -> list[slice]:
    """Equal shares of `count` for the threads."""
    edges = (count * part // THREADS for part in range(THREADS + 1))
    return [slice(low, high) for low, high in pairwise(edges) if high > low]


@contextmanager
def _sharing() -> Iterator[None]:
    """Marks this thread as one that shares work, for the body."""
    _here.shares = True
    try:
        yield
    finally:
        _here.shares = False


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, initializer=_mark)


def _mark() -> None:
    _here.shares = True
