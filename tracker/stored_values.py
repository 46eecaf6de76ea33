"""Trees of dataclasses and named tuples in an HDF5 group and back, bit for bit and without pickles.

The fields' declared types say what stands in the file: arrays become data sets, numbers and words attributes, whatever
has fields a group. What is None is not there.
"""

from __future__ import annotations

import dataclasses
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import h5py
import numpy as np

Kind = Any
"""a type or a type's alias, as annotations have it"""


def write_value(group: h5py.Group, name: str, value: object) -> None:
    """Puts the value under `name`.

    Raises:
        TypeError: it holds something else than arrays, numbers, words, tuples, dataclasses and named tuples.
    """
    if value is None:
        return
    if isinstance(value, np.ndarray):
        group[name] = value
    elif isinstance(value, bool | int | float | str | np.generic):
        group.attrs[name] = value
    else:
        inside = group.create_group(name)
        for key, part in _parts(value).items():
            write_value(inside, key, part)


def read_value(group: h5py.Group, name: str, kind: Kind) -> Any:
    """The value of declared type `kind` under `name`.

    Raises:
        KeyError: it is not there, and `kind` is not a type that may be None.
        TypeError: a kind that write_value does not take.
    """
    options = [part for part in get_args(kind) if part is not NoneType] if _is_union(kind) else [kind]
    if name not in group and name not in group.attrs:
        if len(options) < len(get_args(kind) or (kind,)):
            return None
        raise KeyError(name)
    kind = options[0]
    origin: Any = get_origin(kind) or kind
    if origin is np.ndarray:
        return group[name][()]
    if origin is Literal:
        return type(get_args(kind)[0])(group.attrs[name])
    if origin is tuple:
        return _read_tuple(group[name], get_args(kind))
    if isinstance(origin, type) and issubclass(origin, bool | int | float | str):
        return origin(group.attrs[name])
    if isinstance(origin, type) and (dataclasses.is_dataclass(origin) or hasattr(origin, "_fields")):
        hints = get_type_hints(origin)
        return origin(**{key: read_value(group[name], key, hints[key]) for key in _field_names(origin)})
    raise TypeError(f"{name} is declared as {kind}, which has no place in a file")


def _read_tuple(group: h5py.Group, kinds: tuple[Kind, ...]) -> tuple[Any, ...]:
    count = len(group) + len(group.attrs)
    each = [kinds[0]] * count if kinds[-1] is Ellipsis else kinds
    return tuple(read_value(group, str(at), kind) for at, kind in enumerate(each))


def _parts(value: object) -> dict[str, object]:
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return {str(at): part for at, part in enumerate(value)}
    if dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
        return {name: getattr(value, name) for name in _field_names(type(value))}
    raise TypeError(f"{type(value).__name__} has no place in a file")


def _field_names(kind: type) -> tuple[str, ...]:
    if hasattr(kind, "_fields"):
        return tuple(kind._fields)
    return tuple(field.name for field in dataclasses.fields(kind))


def _is_union(kind: Kind) -> bool:
    origin: Any = get_origin(kind)
    return origin in (Union, UnionType)
