"""Calls made of logs, and the course of a balance between them."""

from __future__ import annotations

from typing import Any

from indexer.api.routes_clusters import StepOut
from indexer.api.schemas import ClusterOut
from indexer.explorer.steps import balance_chart, moves
from sdk.types import BlockNumber

ETHER = 10**18


def step(block: int, balance: int, **more: Any) -> StepOut:
    """A log that left this balance, in ether."""
    values: dict[str, Any] = {
        "event": "ClusterDeposited",
        "block": block,
        "timestamp": None,
        "transaction_hash": f"0x{block:064x}",
        "balance_wei": str(balance * ETHER),
        "in_wei": "0",
        "out_wei": "0",
        "fees_wei": "0",
    }
    return StepOut.model_construct(**values | more)


def cluster(balance: int, *, status: str = "active") -> ClusterOut:
    """What the API says of a cluster, as far as the chart asks."""
    return ClusterOut.model_construct(
        status=status, validators=1, balance_wei=str(balance * ETHER), collateral_wei=str(ETHER)
    )


def test_the_logs_of_a_bulk_call_are_one_move_with_its_payment() -> None:
    bulk = {"event": "ValidatorAdded", "transaction_hash": "0x07"}
    newest_first = [
        step(9, 5, out_wei=str(ETHER)),
        step(7, 6, **bulk),
        step(7, 6, **bulk),
        step(7, 6, in_wei=str(2 * ETHER), fees_wei="3", **bulk),
        step(4, 4),
    ]
    found = moves(newest_first)
    assert [each.logs for each in found] == [1, 3, 1]
    assert (found[1].in_wei, found[1].out_wei, found[1].fees_wei) == (2 * ETHER, 0, 3)
    assert found[0].out_wei == ETHER
    assert found[1].newest.balance_wei == str(6 * ETHER)


def test_what_a_bounty_took_stays_unknown() -> None:
    found = moves([step(9, 0, event="ClusterLiquidated", out_wei=None, fees_wei=None)])
    assert (found[0].out_wei, found[0].fees_wei) == (None, None)


def test_a_balance_falls_until_each_payment_and_ends_at_the_page() -> None:
    steps = [step(200, 9, in_wei=str(3 * ETHER)), step(100, 8)]
    made = balance_chart(steps, cluster(7), at=BlockNumber(300), now_s=None)
    assert made is not None
    assert [(each.x, each.value) for each in made.rows] == [
        (300, "7 ETH"),
        (200, "9 ETH"),
        (200, "6 ETH"),
        (100, "8 ETH"),
    ]
    assert [each.label for each in made.marks] == ["Liquidation below 1 ETH"]
    assert made.latest == "7 ETH"


def test_a_bounty_is_a_step_and_not_a_slope() -> None:
    steps = [
        step(545, 1, event="ClusterLiquidated", out_wei=str(7 * ETHER), fees_wei=str(ETHER)),
        step(206, 9),
    ]
    made = balance_chart(steps, cluster(1, status="liquidated"), at=BlockNumber(600), now_s=None)
    assert made is not None
    assert [(each.x, each.value) for each in made.rows] == [
        (600, "1 ETH"),
        (545, "1 ETH"),
        (545, "8 ETH"),
        (206, "9 ETH"),
    ]
    assert moves(steps)[0].out_wei == 7 * ETHER


def test_balance_and_limit_are_told_apart_if_they_are_close() -> None:
    close = [step(100, 60), step(200, 50)][::-1]
    made = balance_chart(
        close,
        cluster(49).model_copy(update={"collateral_wei": str(47 * ETHER)}),
        at=BlockNumber(300),
        now_s=None,
    )
    assert made is not None
    assert made.area == ""
    limit, lowest = made.marks[0].place, made.ticks[0]
    assert lowest.label == "45 ETH"
    # The end of the line stands off the limit by a tenth of the height.
    ends = float(made.line.rsplit(" ", 1)[1])
    assert limit - ends > made.height / 10
    far = balance_chart([step(100, 60)], cluster(49), at=BlockNumber(300), now_s=None)
    assert far is not None
    assert far.ticks[0].label == "0 ETH"


def test_a_liquidated_cluster_has_no_limit_and_one_without_steps_no_chart() -> None:
    ended = balance_chart(
        [step(9, 0)], cluster(0, status="liquidated"), at=BlockNumber(10), now_s=None
    )
    assert ended is not None
    assert ended.marks == ()
    assert balance_chart([], cluster(0), at=BlockNumber(10), now_s=None) is None
