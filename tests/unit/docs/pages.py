"""Reads the tables of a page in docs/, so that tests can compute what it claims."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def table(page: str, heading: str, *, number: int = 0) -> list[list[str]]:
    """Rows of a table below a heading, header and ruler left out; cells as plain text.

    Args:
        page: file name in docs/.
        heading: text of the heading, without its marks.
        number: which of the section's tables, counted from 0.
    """
    text = (DOCS / page).read_text()
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    assert section, f"docs/{page} has no section {heading!r}"
    found = re.findall(r"(?:^\|.*\n)+", section[1], re.M)
    assert len(found) > number, f"section {heading!r} of docs/{page} has {len(found)} tables"
    return [cells(line) for line in found[number].splitlines()[2:]]


def cells(line: str) -> list[str]:
    """A row's cells without padding and code marks."""
    return [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]


def integer(text: str) -> int:
    """`7,200 blocks` as 7200."""
    found = re.match(r"[\d,]+", text)
    assert found, f"{text!r} does not begin with a number"
    return int(found[0].replace(",", ""))
