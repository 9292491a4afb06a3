"""The tables of the protocol's page are those of the product."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import pages
from operator_node.validation.rules import Rule
from operator_node.wire.faults import Fault
from tests.unit.docs.pages import DOCS, table

PAGE = "protocol.md"


def test_page_holds_the_tables_as_the_modules_have_them() -> None:
    assert (DOCS / PAGE).read_text() == pages.with_tables(PAGE), "run `make docs`"


def test_every_gossip_rule_has_its_row() -> None:
    numbers = [number for number, *_ in table(PAGE, "Gossip validation")]
    assert numbers == [rule.number for rule in Rule]


def test_every_fault_has_its_row() -> None:
    assert [word for _, word in table(PAGE, "Faults")] == [fault.name.lower() for fault in Fault]


def test_writing_again_changes_nothing_and_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pages.main(tmp_path) == 0
    told = [f"docs/{name}: written" for name in pages.PAGES]
    assert capsys.readouterr().out.splitlines() == told
    assert pages.main(tmp_path) == 0
    assert capsys.readouterr().out == ""
    for name, text in pages.PAGES.items():
        assert (tmp_path / name).read_text() == text()
