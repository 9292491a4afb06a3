"""How a cluster's balance came about: calls that moved it, and its course as a chart.

Pure. Steps are the API's (`indexer.api.routes_clusters.StepOut`), one per log, the newest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from indexer.api.routes_clusters import StepOut
from indexer.api.schemas import ClusterOut
from indexer.explorer.charts import Chart, Point, chart
from indexer.explorer.figures import amount_text, ether_text, moment, moment_text
from sdk.types import BlockNumber

_LEAST_SHARE: Final = 3
"""An axis from 0 leaves balance and limit a third of its height at least, or it begins higher."""


@dataclass(frozen=True, slots=True)
class Move:
    """A call that moved the balance; a bulk call has many logs with one struct.

    Attributes:
        newest: its last log, with the balance afterwards.
        logs: how many it has.
        in_wei: paid in by all of them.
        out_wei: paid out, to a liquidator, too; None if that is unknown.
        fees_wei: used since the call before, None where it cannot be told apart.
    """

    newest: StepOut
    logs: int
    in_wei: int
    out_wei: int | None
    fees_wei: int | None


def moves(steps: Sequence[StepOut]) -> list[Move]:
    """Steps by call, the newest first."""
    found = []
    for _, logs in groupby(steps, key=lambda each: (each.transaction_hash, each.event)):
        parts = list(logs)
        found.append(
            Move(
                newest=parts[0],
                logs=len(parts),
                in_wei=sum(int(each.in_wei) for each in parts),
                out_wei=_sum([each.out_wei for each in parts]),
                fees_wei=_sum([each.fees_wei for each in parts]),
            )
        )
    return found


def balance_chart(
    steps: Sequence[StepOut], cluster: ClusterOut, *, at: BlockNumber, now_s: int | None
) -> Chart | None:
    """A balance from its steps, falling between them and ending at the page's block.

    Args:
        steps: the newest first.
        cluster: as it is at the block.
        at: the page's block.
        now_s: its time, if it is known.
    """
    points: list[Point] = []
    for each in reversed(steps):
        when = _when(each.timestamp, each.block)
        after_wei = int(each.balance_wei)
        if each.out_wei is not None and points:
            before_wei = after_wei - int(each.in_wei) + int(each.out_wei)
            if before_wei != after_wei:
                points.append(Point(each.block, before_wei, when))
        points.append(Point(each.block, after_wei, when))
    if not points:
        return None
    points.append(Point(at, int(cluster.balance_wei), _when(now_s, at)))
    is_burning = cluster.status == "active" and cluster.validators > 0
    limit_wei = int(cluster.collateral_wei)
    marks = [(limit_wei, f"Liquidation below {ether_text(limit_wei)} ETH")] if is_burning else []
    values = [each.y for each in points] + [value for value, _ in marks]
    extent = max(values) - min(values)
    is_close = bool(marks) and 0 < extent * _LEAST_SHARE < max(values)
    return chart(
        "Balance",
        points,
        show=lambda wei: " ".join(amount_text(wei)),
        show_tick=lambda wei: f"{ether_text(wei)} ETH",
        from_zero=not is_close,
        marks=marks,
    )


def _sum(parts: Sequence[str | None]) -> int | None:
    known = [int(each) for each in parts if each is not None]
    return sum(known) if len(known) == len(parts) else None


def _when(value: str | int | None, block: int) -> str:
    when = moment(value)
    return f"block {block:,}" if when is None else moment_text(when)
