"""How urgent funds are, in words and on the gauge."""

from __future__ import annotations

import pytest

from indexer.api.schemas import ClusterOut
from indexer.explorer.funds import DAY_BLOCKS, GAUGE_DAYS, runway, together


def cluster(
    *,
    blocks: int | None = None,
    status: str = "active",
    is_liquidatable: bool = False,
    validators: int = 1,
    balance: int = 0,
) -> ClusterOut:
    """What the API says of a cluster, as far as the runway asks."""
    return ClusterOut.model_construct(
        status=status,
        is_liquidatable=is_liquidatable,
        runway_blocks=blocks,
        validators=validators,
        liquidation_block=None if blocks is None else 1_000 + blocks,
        balance_wei=str(balance),
    )


@pytest.mark.parametrize(
    ("blocks", "kind", "text"),
    [
        (0, "bad", "0 seconds"),
        (299, "bad", "59 minutes"),
        (3 * DAY_BLOCKS + 600, "bad", "3 days 2 hours"),
        (7 * DAY_BLOCKS - 1, "bad", "6 days 23 hours"),
        (7 * DAY_BLOCKS, "warn", "7 days"),
        (30 * DAY_BLOCKS, "good", "30 days"),
        (4_000 * DAY_BLOCKS, "good", "4,000 days"),
    ],
)
def test_a_shorter_runway_is_more_urgent(blocks: int, kind: str, text: str) -> None:
    found = runway(cluster(blocks=blocks))
    assert (found.kind, found.text) == (kind, text)
    assert found.days == blocks // DAY_BLOCKS
    assert 0 <= found.gauge_days <= GAUGE_DAYS


def test_a_cluster_that_is_due_or_ended_has_no_time_to_show() -> None:
    due = runway(cluster(blocks=0, is_liquidatable=True))
    assert (due.kind, due.text, due.gauge_days) == ("bad", "Liquidatable now", 0)
    ended = runway(cluster(status="liquidated"))
    assert (ended.kind, ended.text, ended.days) == ("bad", "Liquidated", None)


def test_what_never_ends_says_why() -> None:
    assert runway(cluster()).text == "No end"
    assert runway(cluster(validators=0)).text == "No validators"
    assert runway(cluster()).gauge_days == 0


def test_an_owner_sees_the_sum_of_balances_and_the_cluster_that_ends_first() -> None:
    ended = cluster(status="liquidated", balance=7)
    late, soon = cluster(blocks=9_000, balance=10), cluster(blocks=300, balance=5)
    found = together([ended, late, soon])
    assert found.balance_wei == 22
    assert found.shortest is not None
    assert found.shortest.cluster is soon
    assert found.shortest.runway.text == "1 hour"
    assert together([ended]).shortest is None
    assert together([]).balance_wei == 0
