"""Freed memory is kept: what a large tensor lay in is there for the next, without the system's clearing it anew."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from scene.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(30):
    torch.ones(1 << 24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kind: str) -> int:
    """Pages that the system cleared for thirty tensors of 64 MB, one after the other."""
    found = subprocess.run([sys.executable, "-c", FAULTS, kind], capture_output=True, text=True, check=True)
    return int(found.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU C library's")
def test_no_pages_are_cleared_anew() -> None:
    assert faults("kept") < 0.5 * faults("as it is")  # the heap has to grow to its size first
