"""Pickles that strangers made: numbers, text and arrays come out, and nothing in the file is run.

In: the bytes of a pickle, and which further classes a stand-in takes the place of. Out: what was pickled.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from scene.errors import InputError

Harmless = Mapping[tuple[str, str], Any]
"""(module, name) -> what is called in its place"""
_arrays, _numeric = import_module("numpy._core.multiarray"), import_module("numpy._core.numeric")
ARRAYS: Harmless = MappingProxyType(
    {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        **{(f"numpy.{core}.multiarray", "scalar"): _arrays.scalar for core in ("core", "_core")},
        **{(f"numpy.{core}.multiarray", "_reconstruct"): _arrays._reconstruct for core in ("core", "_core")},
        **{(f"numpy.{core}.numeric", "_frombuffer"): _numeric._frombuffer for core in ("core", "_core")},
        ("_codecs", "encode"): lambda text, encoding: text.encode(encoding),
    }
)
"""all that a pickle of arrays calls, of Python 2 or 3"""


def unpickled(content: bytes, holds: str, harmless: Harmless = ARRAYS) -> Any:
    """What a pickle of Python 2 or 3 holds.

    Args:
        content: of the file.
        holds: what such files hold, for the sentence: "a pickle of HO-3D holds numbers alone".
        harmless: all that it may call.

    Raises:
        InputError: it wants to call something else.
        Exception: of any kind, where it is damaged: whatever the step that it breaks in raises.
    """
    return _Restricted(content, holds, harmless).load()


class _Restricted(pickle.Unpickler):
    def __init__(self, content: bytes, holds: str, harmless: Harmless) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._holds, self._harmless = holds, harmless

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._harmless:
            raise InputError(f"{self._holds}, this one wants {module}.{name}: do not use it")
        return self._harmless[module, name]
