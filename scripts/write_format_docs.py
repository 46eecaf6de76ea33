"""Writes docs/formats.md from the schema tables, so that page and code agree. Run it after a schema changes."""

from __future__ import annotations

from pathlib import Path

from pairs.format import PAIRS
from recorder.session import SESSION
from scene.schema import Field, Schema
from tracker.track import TRACK

SCHEMAS = (SESSION, TRACK, PAIRS)
PAGE = Path(__file__).parent.parent / "docs" / "formats.md"
HEAD = """# File formats

Made by `python scripts/write_format_docs.py` from the schema tables in the code: do not edit.

All files are HDF5. Each carries the attributes `format`, `format_version`, `command`, `configuration`, `versions`,
`seed` and `sources` (names and SHA-256 of the files it was made from). A word in a shape is a length, the same wherever
the file uses the word. Links to other files and pickled content are refused. Words and frames:
[conventions.md](conventions.md).
"""
COLUMNS = ("data set", "shape", "type", "unit", "frame", "meaning")


def page(schemas: tuple[Schema, ...] = SCHEMAS) -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(schema) for schema in schemas)])


def section(schema: Schema) -> str:
    """Heading and table of one format."""
    lines = [f"## {schema.format}, version {schema.version}", "", schema.purpose, ""]
    lines += [" | ".join(["", *COLUMNS, ""]).strip(), "|---" * len(COLUMNS) + "|"]
    lines += [" | ".join(["", *cells(field), ""]).strip() for field in schema.fields]
    return "\n".join(lines) + "\n"


def cells(field: Field) -> tuple[str, ...]:
    """One row of the table."""
    shape = "(" + ", ".join(map(str, field.shape)) + ")"
    name = f"`{field.name}`" + (" (optional)" if field.optional else "")
    return name, shape, field.dtype, field.unit, field.frame, field.meaning.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.name)
