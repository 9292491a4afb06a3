"""Writes the pages of docs/ that are tables of the product: `make docs`.

A test compares each page with its table, so neither can change alone: docs/failure-reasons.md, from
`operator_node.duties.reasons`; and between marks that name them, two tables of docs/protocol.md,
from `operator_node.validation` and `operator_node.wire.faults`, and the one of docs/metrics.md,
from `operator_node.api.metrics`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from operator_node.api.metrics import Metrics
from operator_node.duties.reasons import Reason
from operator_node.validation.rules import Rule
from operator_node.wire.faults import Fault

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"

FAILURE_REASONS: Final = """# How duties end

Every duty ends with exactly one of these words. The word is the same in the log, in the metrics, in
the API and here, and no other word can be given: the list is closed
(`operator_node.duties.reasons`). A record of the duty holds the facts beside the word, such as the
operators that were missing.

"Whose" says where the cause lies: with nobody, with this operator's own node, with a co-operator,
with an upstream such as a beacon node, or with the chain.

| reason | whose | cause | what to do |
|---|---|---|---|
{rows}

This page is written by `make docs`; change the table in the module, not here.
"""


def failure_reasons() -> str:
    """The page of all reasons, in the order in which the module lists them."""
    rows = [
        f"| `{reason}` | {reason.whose} | {reason.cause} | {reason.advice} |" for reason in Reason
    ]
    return FAILURE_REASONS.format(rows="\n".join(rows))


def gossip_rules() -> str:
    """The rules in the order in which they are applied."""
    rows = [
        f"| {rule.number} | {rule.outcome.value} | {rule.says} | `{rule.name.lower()}` |"
        for rule in Rule
    ]
    return "\n".join(["| rule | outcome | broken by | word |", "|---|---|---|---|", *rows])


def faults() -> str:
    """Every fault by number."""
    rows = [f"| {fault.value} | `{fault.name.lower()}` |" for fault in Fault]
    return "\n".join(["| number | fault |", "|---|---|", *rows])


def metrics() -> str:
    """Every metric of the operator node, in the order in which it is registered."""
    rows = []
    for collector in Metrics().collectors:
        labels = ", ".join(f"`{label}`" for label in collector.labels)
        rows.append(f"| `{collector.name}` | {collector.kind} | {labels} | {collector.text} |")
    return "\n".join(["| name | kind | labels | meaning |", "|---|---|---|---|", *rows])


TABLES: Final[dict[str, dict[str, Callable[[], str]]]] = {
    "protocol.md": {"gossip rules": gossip_rules, "faults": faults},
    "metrics.md": {"metrics": metrics},
}
"""Tables inside pages of docs/, by page and by the name in their marks."""


def with_tables(page: str) -> str:
    """The page as it is, with its tables written anew.

    Raises:
        ValueError: the page has lost a table's marks.
    """
    text = (DOCS / page).read_text()
    for name, table in TABLES[page].items():
        begin, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"docs/{page} has lost the marks of {name!r}")
        text = f"{before}{begin}{table()}\n{end}{after}"
    return text


PAGES: Final[dict[str, Callable[[], str]]] = {
    "failure-reasons.md": failure_reasons,
    **{page: partial(with_tables, page) for page in TABLES},
}
"""File name in docs/ and what writes its text."""


def main(folder: Path = DOCS) -> int:
    """Writes every page; says which of them changed."""
    for name, text in PAGES.items():
        page, wanted = folder / name, text()
        if not page.is_file() or page.read_text() != wanted:
            page.write_text(wanted)
            sys.stdout.write(f"docs/{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
