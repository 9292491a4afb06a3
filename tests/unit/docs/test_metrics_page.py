"""The page of metrics lists what the node serves, no more and no less."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from deploy import pages
from operator_node.api import Metrics
from tests.unit.docs.pages import DOCS, table

PAGE = "metrics.md"


def test_page_holds_the_table_as_the_module_has_it() -> None:
    assert (DOCS / PAGE).read_text() == pages.with_tables(PAGE), "run `make docs`"


def test_every_metric_served_has_a_row_with_its_kind() -> None:
    served = {
        (f"{family.name}_total" if family.type == "counter" else family.name): family.type
        for family in text_string_to_metric_families(Metrics().text().decode())
    }
    documented = {name: kind for name, kind, *_ in table(PAGE, "Metrics of the operator node")}
    assert documented == served
