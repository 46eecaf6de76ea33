"""Silence for libraries written in C that print what is wrong with a file, past sys.stderr, beside our one sentence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def standard_error_muted() -> Iterator[None]:
    """What the process writes to its standard error meanwhile is lost; errors that are raised are not."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
