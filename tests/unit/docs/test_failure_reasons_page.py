"""The page of failure reasons says what the module says, no more and no less."""

from __future__ import annotations

from deploy import pages
from operator_node.duties.reasons import Reason
from tests.unit.docs.pages import DOCS, table

PAGE = "failure-reasons.md"


def test_page_is_what_the_module_writes() -> None:
    assert (DOCS / PAGE).read_text() == pages.failure_reasons(), "run `make docs`"


def test_page_has_one_row_per_reason_in_the_order_of_the_module() -> None:
    rows = table(PAGE, "How duties end")
    assert [word for word, *_ in rows] == [str(reason) for reason in Reason]
    assert all(len(row) == 4 and all(row) for row in rows)


def test_no_reason_breaks_its_row() -> None:
    texts = [f"{reason.cause}{reason.advice}" for reason in Reason]
    assert not [text for text in texts if "|" in text or "\n" in text]


def test_words_can_be_metric_labels() -> None:
    words = [reason.word for reason in Reason]
    assert all(word.isidentifier() and word == word.lower() for word in words)
    assert len(set(words)) == len(words)
