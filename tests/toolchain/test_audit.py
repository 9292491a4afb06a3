"""The page of accepted findings and slither's report are compared in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.audit import Accepted, Finding, accepted_in, compare, findings_in

PAGE = """
| detector | places | why it is accepted |
|---|---|---|
| `assembly` | `Logs.*`, `Layout.load` | gas |
"""
ROWS = [Accepted("assembly", ("Logs.*", "Layout.load"))]
FOUND = [Finding("assembly", "Layout.load"), Finding("assembly", "Logs.added")]


def said(check: str, name: str, parent: dict[str, Any]) -> dict[str, Any]:
    """A finding as slither reports it."""
    element = {"name": name, "type": "function", "type_specific_fields": {"parent": parent}}
    return {"check": check, "elements": [element]}


def test_rows_are_read_and_headings_are_not() -> None:
    assert accepted_in(PAGE) == ROWS


def test_accepted_findings_need_no_attention() -> None:
    assert compare(FOUND, ROWS) == []


def test_finding_without_a_row_is_reported() -> None:
    unknown = Finding("reentrancy-eth", "Layout.load")
    assert compare([*FOUND, unknown], ROWS) == ["new: reentrancy-eth: Layout.load"]


def test_row_without_a_finding_is_reported() -> None:
    assert compare(FOUND[1:], ROWS) == ["no longer found: assembly: Layout.load"]


def test_places_are_named_by_contract_and_function() -> None:
    parent = {"name": "Logs", "type": "contract", "type_specific_fields": {}}
    twice = [said("assembly", "added", parent), said("assembly", "added", parent)]
    assert findings_in({"results": {"detectors": twice}}) == [Finding("assembly", "Logs.added")]
    assert findings_in({"results": {}}) == []


def test_every_row_of_the_page_is_read(root: Path) -> None:
    page = (root / "docs/static-analysis.md").read_text()
    section = page.split("## slither", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == len(accepted_in(section)) > 0
