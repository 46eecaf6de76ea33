"""Pages that are made from code are up to date; what pages point to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scene.schema import Field, Schema
from scripts.write_format_docs import PAGE, SCHEMAS, page, section

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_formats_page_is_made_of_the_schema_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/write_format_docs.py"


def test_every_field_is_a_row() -> None:
    text = page()
    for schema in SCHEMAS:
        for field in schema.fields:
            assert f"`{field.name}`" in text


def test_a_section_by_hand() -> None:
    schema = Schema("toy", 3, "To play with.", (Field("a/b", ("frames", 2), "int8", "m", "camera", "x | y", True),))
    assert section(schema).splitlines()[-1] == (r"| `a/b` (optional) | (frames, 2) | int8 | m | camera | x \| y |")
    assert "## toy, version 3" in section(schema)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", path.read_text(encoding="utf-8"))
    missing = [target for pair in targets for target in pair if target and not (path.parent / target).exists()]
    assert missing == []
