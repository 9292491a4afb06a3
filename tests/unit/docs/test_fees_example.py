"""The life of a cluster in docs/fees.md adds up, to the wei."""

from __future__ import annotations

from tests.unit.docs import fees_example


def test_every_figure_of_the_page_is_what_the_ledger_computes() -> None:
    assert fees_example.claims() == fees_example.figures(fees_example.story())


def test_page_tells_the_figures_in_the_order_in_which_they_arise() -> None:
    found = fees_example.figures(fees_example.story())
    assert list(fees_example.claims()) == list(found)
    assert [block for block, _ in found] == sorted(block for block, _ in found)


def test_story_shows_a_shortfall_that_the_network_cannot_bear() -> None:
    told = fees_example.story()
    claims = fees_example.claims()
    assert claims[told.late_liquidation, "uncovered debt"] != "0 units"
    assert claims[told.liquidation, "left to the owner"] != "0 ETH"
