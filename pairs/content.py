"""One hash of all that a file of pairs holds, whatever wrote it: equal content, equal hash."""

from __future__ import annotations

import hashlib

import numpy as np

from pairs.format import IMAGE_FIELDS, PAIRS, PairsFile
from scene.schema import Field

ROWS_AT_A_TIME = 256


def content_hash(pairs: PairsFile) -> str:
    """SHA-256 over name, type, shape and values of all data sets; attributes and packing do not count."""
    digest = hashlib.sha256()
    for field in sorted(PAIRS.fields, key=lambda field: field.name):
        if field.name in pairs.file:
            _add(pairs, field, digest)
    return digest.hexdigest()


def _add(pairs: PairsFile, field: Field, digest: hashlib._Hash) -> None:
    stored = pairs.file[field.name]
    digest.update(f"{field.name} {field.dtype} {stored.shape};".encode())
    if field.dtype == "str":
        digest.update("\0".join(stored.asstr()[:]).encode())
    elif field in IMAGE_FIELDS:
        for start in range(0, len(pairs), ROWS_AT_A_TIME):
            rows = np.arange(start, min(start + ROWS_AT_A_TIME, len(pairs)))
            digest.update(pairs.read_rows(field.name, rows).tobytes())
    else:
        digest.update(np.ascontiguousarray(stored[()]).tobytes())
