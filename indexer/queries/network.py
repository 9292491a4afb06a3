"""The network: its account and parameters, what it adds up to, and how it grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    and_,
    case,
    column,
    func,
    lateral,
    select,
    true,
    values,
)

from indexer.project.records import NETWORK
from indexer.queries.prepared import Moment, Prepared
from indexer.queries.reading import View
from indexer.queries.records import columns_of, network_of
from indexer.store.tables import (
    block,
    cluster_version,
    divergence,
    log,
    network_version,
    operator_version,
)
from sdk.registry import Network
from sdk.types import BlockNumber

MOST_POINTS: Final = 400
"""Of one series: a year of days and some more."""

SETTERS: Final = {
    "liquidation_period_blocks": "LiquidationThresholdPeriodUpdated",
    "minimum_collateral_wei": "MinimumLiquidationCollateralUpdated",
    "fee_increase_limit_per_10000": "OperatorFeeIncreaseLimitUpdated",
    "declare_period_s": "DeclareOperatorFeePeriodUpdated",
    "execute_period_s": "ExecuteOperatorFeePeriodUpdated",
    "maximum_operator_fee_wei": "OperatorMaximumFeeUpdated",
    "minimum_operator_fee_wei": "MinimumOperatorEthFeeUpdated",
    "validators_per_operator_limit": "ValidatorsPerOperatorLimitUpdated",
    "beacon_verifier": "BeaconVerifierUpdated",
    "verifier_is_frozen": "BeaconVerifierFrozen",
    "implementation": "Upgraded",
    "upgrades_renounced": "UpgradeRightRenounced",
    "owner": "OwnershipTransferred",
    "pending_owner": "OwnershipTransferStarted",
    "fee_wei": "NetworkFeeUpdated",
}
"""Which event sets which parameter."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts at a block. `operators` and `clusters` are those that exist and are active."""

    operators: int
    private_operators: int
    removed_operators: int
    clusters: int
    liquidated_clusters: int
    divergences: int


@dataclass(frozen=True, slots=True)
class Point:
    """The network at a past block.

    Attributes:
        timestamp_s: of the newest block kept that is not newer; None before the first.
    """

    block: BlockNumber
    timestamp_s: int | None
    network: Network
    operators: int


def network(view: View) -> Network:
    """The network's record; that of an empty registry before its first log."""

    def read() -> Network:
        row = view.ask_first(_NETWORK)
        return Network() if row is None else network_of(row)

    return view.remembered("network", read)


def totals(view: View) -> Totals:
    """What there is."""
    return view.remembered("totals", lambda: Totals(*view.ask_first(_TOTALS)))


def parameter_blocks(view: View) -> dict[str, BlockNumber]:
    """For each parameter the block of its last change; those of deployment are not in it."""

    def read() -> dict[str, BlockNumber]:
        blocks = {row.name: BlockNumber(row.block_number) for row in view.ask(_SETTERS)}
        return {name: blocks[event] for name, event in SETTERS.items() if event in blocks}

    return view.remembered("parameter_blocks", read)


def series(view: View, blocks: Sequence[BlockNumber]) -> list[Point]:
    """The network at each of some blocks, at most `MOST_POINTS`, all up to the view's own."""
    asked = values(column("place", Integer), column("number", BigInteger), name="asked").data(
        list(enumerate(blocks[:MOST_POINTS])) or [(0, -1)]
    )
    version = lateral(
        select(*columns_of(NETWORK))
        .where(network_version.c.valid_from <= asked.c.number)
        .order_by(network_version.c.valid_from.desc())
        .limit(1)
    ).alias("version")
    dated = lateral(
        select(block.c.timestamp_s)
        .where(block.c.number <= asked.c.number)
        .order_by(block.c.number.desc())
        .limit(1)
    ).alias("dated")
    rows = view.rows(
        select(*version.c, asked.c.number.label("asked_number"), dated.c.timestamp_s)
        .select_from(asked.join(version, true()).outerjoin(dated, true()))
        .order_by(asked.c.place)
    )
    counts = _operator_counts(view, [BlockNumber(row.asked_number) for row in rows])
    return [
        Point(
            block=BlockNumber(row.asked_number),
            timestamp_s=row.timestamp_s,
            network=network_of(row),
            operators=count,
        )
        for row, count in zip(rows, counts, strict=True)
    ]


def _operator_counts(view: View, blocks: Sequence[BlockNumber]) -> list[int]:
    """Operators that existed at each of some ascending blocks: there are few logs of the kind."""
    if not blocks:
        return []
    change = case((log.c.name == "OperatorAdded", 1), else_=-1)
    rows = view.rows(
        select(log.c.block_number, func.sum(change).label("change"))
        .where(
            log.c.name.in_(("OperatorAdded", "OperatorRemoved")),
            log.c.block_number <= blocks[-1],
        )
        .group_by(log.c.block_number)
        .order_by(log.c.block_number)
    )
    counts, total, place = [], 0, 0
    for number in blocks:
        while place < len(rows) and rows[place].block_number <= number:
            total += int(rows[place].change)
            place += 1
        counts.append(total)
    return counts


_NETWORK: Final = Prepared(
    lambda moment: (
        select(*columns_of(NETWORK))
        .where(moment.holds(network_version))
        .order_by(network_version.c.valid_from.desc())
        .limit(1)
    )
)


def _totals(moment: Moment) -> Select[Any]:
    """In the order of the fields of `Totals`."""
    live = operator_version.c.removed_at.is_(None)
    active = cluster_version.c.snapshot_active
    operators = select(
        func.count().filter(live).label("live"),
        func.count().filter(and_(live, operator_version.c.is_private)).label("private"),
        func.count().filter(~live).label("removed"),
    ).where(moment.holds(operator_version))
    clusters = select(
        func.count().filter(active).label("active"),
        func.count().filter(~active).label("liquidated"),
    ).where(moment.holds(cluster_version))
    found = select(func.count().label("divergences")).where(divergence.c.block_number <= moment.at)
    return select(
        *(column for part in (operators, clusters, found) for column in part.subquery().c)
    )


def _setters(moment: Moment) -> Select[Any]:
    names = values(column("name", log.c.name.type), name="setter").data(
        [(event,) for event in SETTERS.values()]
    )
    newest = lateral(
        select(log.c.block_number)
        .where(log.c.name == names.c.name, log.c.block_number <= moment.at)
        .order_by(log.c.block_number.desc(), log.c.log_index.desc())
        .limit(1)
    ).alias("newest")
    return select(names.c.name, newest.c.block_number).join(newest, true())


_TOTALS: Final = Prepared(_totals)
_SETTERS: Final = Prepared(_setters)
