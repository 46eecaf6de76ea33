"""A file format is one table: name, shape, dtype, unit, frame, meaning. Writer, validator and docs use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import h5py
import numpy as np

from scene.errors import SchemaError

LARGEST_DATASET_BYTES = 1 << 41
"""A data set that claims more (2 TiB uncompressed) is damaged or hostile."""


@dataclass(frozen=True)
class Field:
    """One data set of a format."""

    name: str
    """path inside the file"""
    shape: tuple[int | str, ...]
    """a word stands for a length, the same in every field of the file that uses the word"""
    dtype: str
    """numpy's name of the type; `str` for variable-length UTF-8"""
    unit: str
    """"" where there is none"""
    frame: str
    """coordinate frame, "" where there is none"""
    meaning: str
    """one sentence, with the meaning of NaN and 0 where they have one"""
    optional: bool = False
    """the field may be absent"""


@dataclass(frozen=True)
class Schema:
    """A file format."""

    format: str
    """the word in the file's attribute `format`"""
    version: int
    """raised when a reader of the version before could misread"""
    purpose: str
    """one sentence for docs/formats.md"""
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field of that name; KeyError where the table has none."""
        return {field.name: field for field in self.fields}[name]


def stored_dtype(field: Field) -> np.dtype[np.generic]:
    """What h5py takes as `dtype` for this field."""
    return h5py.string_dtype() if field.dtype == "str" else np.dtype(field.dtype)


def faults(file: h5py.File, schema: Schema) -> list[str]:
    """All the ways in which `file` departs from `schema`, each as a clause; empty where it keeps to it."""
    found: list[str] = []
    lengths: dict[str, int] = {}
    for field in schema.fields:
        linked = _linked(file, field.name)
        if linked == "missing":
            if not field.optional:
                found.append(f"'{field.name}' is missing")
        elif linked == "elsewhere":
            found.append(f"'{field.name}' is a link to elsewhere, which is never followed")
        else:
            found += _field_faults(file, field, lengths)
    return found


def _linked(file: h5py.File, name: str) -> Literal["missing", "elsewhere", "here"]:
    """How a path is reached: a link in any of its parents can lead out of the file as well as one at its end."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        try:
            link = file.get("/".join(parts[:end]), getlink=True)
        except (KeyError, RuntimeError, OSError):
            link = None
        if link is None:
            return "missing"
        if not isinstance(link, h5py.HardLink):
            return "elsewhere"
    return "here"


def _field_faults(file: h5py.File, field: Field, lengths: dict[str, int]) -> list[str]:
    dataset = file[field.name]
    if not isinstance(dataset, h5py.Dataset):
        return [f"'{field.name}' must be a data set"]
    if dataset.external or dataset.is_virtual:
        return [f"'{field.name}' keeps its data in another file, which is never read"]
    if dataset.dtype != stored_dtype(field):
        return [f"'{field.name}' must be {field.dtype}, is {dataset.dtype}"]
    if len(dataset.shape) != len(field.shape):
        return [f"'{field.name}' must have shape {field.shape}, has {dataset.shape}"]
    if dataset.size * dataset.dtype.itemsize > LARGEST_DATASET_BYTES:
        return [f"'{field.name}' claims {dataset.shape} values, more than any recording holds"]
    for expected, given in zip(field.shape, dataset.shape, strict=True):
        if given != (lengths.setdefault(expected, given) if isinstance(expected, str) else expected):
            wanted = lengths[expected] if isinstance(expected, str) else expected
            return [f"'{field.name}' must have shape {field.shape} with {expected} = {wanted}, has {dataset.shape}"]
    return []


def validate(file: h5py.File, schema: Schema) -> None:
    """Raises one SchemaError that lists every fault of an open file."""
    name, version = file.attrs.get("format"), file.attrs.get("format_version")
    if name != schema.format:
        given = f"it says {name!r}" if isinstance(name, str) else "it names no format"
        raise SchemaError(f"{file.filename} must be a {schema.format} file, {given}; give the file of that stage")
    if version != schema.version:
        raise SchemaError(
            f"{file.filename} is {schema.format} version {version}, this program reads version {schema.version}; "
            "make it again or use the release that wrote it"
        )
    found = faults(file, schema)
    if found:
        raise SchemaError(f"{file.filename} does not keep to the {schema.format} format: {'; '.join(found)}")
