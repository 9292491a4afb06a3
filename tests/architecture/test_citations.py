"""What a docstring cites of a page, the page has."""

from __future__ import annotations

import re
from pathlib import Path

CITATION = re.compile(
    r'docs/([a-z-]+\.md), ("[A-Z][^"]*"(?:(?:,| and|,? \([^)]*\)(?: and|,)?) "[A-Z][^"]*")*)'
)
TITLE = re.compile(r'"([^"]*)"')
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def test_every_cited_section_exists(project_files: list[Path]) -> None:
    missing = []
    for path in project_files:
        if path.suffix != ".py":
            continue
        text = re.sub(r"\s+(?:# )?", " ", path.read_text())
        for page, titles in CITATION.findall(text):
            headings = HEADING.findall((Path("docs") / page).read_text())
            missing += [
                f"{path}: docs/{page}, {title!r}"
                for title in TITLE.findall(titles)
                if title not in headings
            ]
    assert missing == []
