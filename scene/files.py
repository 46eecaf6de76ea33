"""HDF5 files as every stage writes and reads them: complete or absent, checked, and knowing how they were made."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from scene.errors import InputError, SchemaError
from scene.schema import Schema, validate

VERSIONS_RECORDED = ("unocclude", "numpy", "h5py", "scipy", "numba", "open3d-cpu", "pyrender", "pyswarms", "torch")
"""Distributions whose versions go into every file, where they are installed."""
MADE_OF = "exported.json"
"""in every folder that is made here: from what, and that it may be replaced"""


@contextmanager
def new_file(path: Path, schema: Schema, *, overwrite: bool) -> Iterator[h5py.File]:
    """An HDF5 file to fill: written beside its place, validated, then renamed; on any error nothing is left behind."""
    refuse_existing(path, overwrite=overwrite)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with _put_in_place(partial, path), h5py.File(partial, "w") as file:
        stamp_format(file, schema)
        yield file
        validate(file, schema)


@contextmanager
def new_path(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Where to write a file of any kind: beside its place, with its ending, then renamed; on errors nothing is left."""
    refuse_existing(path, overwrite=overwrite)
    partial = path.with_name(f".{os.getpid()}.partial-{path.name}")
    with _put_in_place(partial, path):
        yield partial


@contextmanager
def new_folder(path: Path, made_of: object, *, overwrite: bool) -> Iterator[Path]:
    """A folder to fill, beside its place and then renamed; on any error nothing is left behind.

    Args:
        path: its place; a folder there is replaced with `overwrite` alone, and only if it was made in this way.
        made_of: a dataclass, or what json takes, for the file MADE_OF in it.
        overwrite: replace what an earlier run made.
    """
    refuse_existing(path, overwrite=overwrite, folder=True)
    if path.exists() and not (path / MADE_OF).is_file():
        raise InputError(f"{path} was not made by an export, so it is not replaced; give another --output")
    partial = path.with_name(f".{os.getpid()}.partial-{path.name}")
    try:
        with writing(path):
            partial.mkdir()
            yield partial
            (partial / MADE_OF).write_text(as_json(made_of), encoding="utf-8")
            if path.exists():
                shutil.rmtree(path)
            partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Makes a sentence of what the operating system has against a file or folder: a full disk, no permission."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} could not be written ({error}); free some space or give another --output") from error


@contextmanager
def _put_in_place(partial: Path, path: Path) -> Iterator[None]:
    try:
        with writing(path):
            yield
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def open_file(path: Path, schema: Schema) -> Iterator[h5py.File]:
    """An existing file, open for reading and checked against its schema."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the {schema.format} file that the stage before wrote")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise SchemaError(f"{path} must be an HDF5 file and is damaged, cut short or something else") from error
    with file:
        try:
            validate(file, schema)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # h5py on a damaged inner structure
            raise SchemaError(f"{path} is damaged inside ({error}); copy it again from where it was made") from error
        yield file


def refuse_existing(path: Path, *, overwrite: bool, folder: bool = False) -> None:
    """Raises where a file (or folder) `path` exists and may not be replaced, or its own folder does not exist."""
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; give another --output, or --overwrite to replace it")
    if path.is_dir() and not folder:
        raise InputError(f"{path} is a folder, and a file is to be written; give another --output")
    if not path.absolute().parent.is_dir():
        raise InputError(f"the folder of {path} does not exist; make it first or give another --output")


def stamp_format(file: h5py.File, schema: Schema) -> None:
    """Writes which format this is."""
    file.attrs["format"] = schema.format
    file.attrs["format_version"] = schema.version


def stamp_provenance(
    file: h5py.File, *, configuration: object, seed: int | None, sources: Mapping[str, Path] | None = None
) -> None:
    """Writes the command, its whole configuration, package versions, seed and the hashes of the files it came from.

    Args:
        file: open for writing.
        configuration: the command's frozen dataclass.
        seed: of all randomness; None where there was none.
        sources: role of each input file -> its path.
    """
    file.attrs["command"] = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    file.attrs["configuration"] = as_json(configuration)
    file.attrs["versions"] = json.dumps(installed_versions())
    file.attrs["seed"] = "none" if seed is None else str(seed)
    hashes = {role: {"name": path.name, "sha256": sha256(path)} for role, path in (sources or {}).items()}
    file.attrs["sources"] = json.dumps(hashes)


def as_json(configuration: object) -> str:
    """A dataclass, or what json takes, as JSON; paths become text."""
    plain: Any = configuration
    if dataclasses.is_dataclass(configuration) and not isinstance(configuration, type):
        plain = dataclasses.asdict(configuration)
    return json.dumps(plain, default=str)


def installed_versions() -> dict[str, str]:
    """Version by distribution, of those in VERSIONS_RECORDED that are installed."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in VERSIONS_RECORDED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def sha256(path: Path) -> str:
    """Of the whole file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
