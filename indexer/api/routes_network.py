"""The network: `/v1/network`, its parameters with the blocks that set them, and its growth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import MOST_BLOCK, Asked
from indexer.api.branches import Branch
from indexer.api.envelope import Reply
from indexer.api.scalars import (
    AddressText,
    BlockText,
    TimeText,
    WeiText,
    address_text,
    optional_address,
    time_text,
)
from indexer.queries.errors import NotFound
from indexer.queries.growth import active_clusters
from indexer.queries.network import (
    MOST_POINTS,
    SETTERS,
    Point,
    network,
    parameter_blocks,
    series,
    totals,
)
from indexer.queries.reading import View
from sdk.registry import BASELINE_ETH, Network, ledger
from sdk.types import BlockNumber
from sdk.units import units_to_wei

router = Branch(prefix="/v1/network", tags=["network"])
BLOCKS_PER = {"hour": 300, "day": 7_200, "week": 50_400}
"""Of 12 s each."""


class ParameterOut(BaseModel):
    """A parameter and when it last changed."""

    value: str | int | bool | None = Field(description="Amounts in wei, in decimal.")
    since_block: BlockText | None = Field(description="Null: as deployed.")


class TotalsOut(BaseModel):
    """What there is."""

    operators: int
    private_operators: int
    removed_operators: int
    clusters: int = Field(description="Active ones.")
    liquidated_clusters: int
    validators: int = Field(description="In active clusters.")
    effective_balance_eth: int = Field(description="In active clusters.")
    divergences: int = Field(description="Logs that contradict those before them; should be 0.")


class NetworkOut(BaseModel):
    """The registry as a whole."""

    contract: AddressText
    implementation: AddressText | None
    parameters: dict[str, ParameterOut]
    totals: TotalsOut
    network_fee_wei: WeiText = Field(description="Wei per block and 32 ETH.")
    earnings_wei: WeiText = Field(description="Wei that the network may withdraw.")
    uncovered_debt_wei: WeiText = Field(description="Usage that nobody has paid for yet.")


class PointOut(BaseModel):
    """A value at a block; the time is that of the last block with logs until then."""

    block: BlockText
    timestamp: TimeText | None
    value: str = Field(description="A count, or wei in decimal.")


class SeriesOut(BaseModel):
    """How one figure moved."""

    metric: str
    interval_blocks: int
    points: list[PointOut]


Metric = Literal[
    "validators", "operators", "clusters", "effective_balance", "fee", "burn", "earnings"
]


@router.get("", response_model=Reply[NetworkOut])
def get_network(ask: Asked) -> Response:
    """Parameters and totals."""

    def find(view: View) -> NetworkOut:
        net = network(view)
        settled = ledger.settle_network(net, at=view.at)
        return NetworkOut(
            contract=address_text(view.position.contract),
            implementation=optional_address(net.parameters.implementation),
            parameters=_parameters(net, parameter_blocks(view)),
            totals=_totals(view, net),
            network_fee_wei=str(units_to_wei(net.fee_units)),
            earnings_wei=str(units_to_wei(settled.credit_units)),
            uncovered_debt_wei=str(units_to_wei(settled.uncovered_debt_units)),
        )

    return ask.answer(find)


@router.get("/history", response_model=Reply[SeriesOut])
def get_history(
    ask: Asked,
    metric: Annotated[Metric, Query(description="Which figure.")] = "validators",
    interval: Annotated[
        Literal["hour", "day", "week"], Query(description="Between two points, 12 s a block.")
    ] = "day",
    from_block: Annotated[int | None, Query(ge=0, le=MOST_BLOCK)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_POINTS)] = 100,
) -> Response:
    """One figure at equal distances, the last at the answer's block, the oldest first."""
    step = BLOCKS_PER[interval]

    def find(view: View) -> SeriesOut:
        first = max(view.position.first_block, from_block or 0)
        if first > view.at:
            raise NotFound(f"block {first} is after block {view.at}", code="block_not_indexed")
        count = min(limit, (view.at - first) // step + 1)
        blocks = [BlockNumber(view.at - step * place) for place in reversed(range(count))]
        points = series(view, blocks)
        return SeriesOut(
            metric=metric,
            interval_blocks=step,
            points=[
                PointOut(
                    block=point.block,
                    timestamp=time_text(point.timestamp_s),
                    value=str(value),
                )
                for point, value in zip(points, _figures(view, metric, points), strict=True)
            ],
        )

    return ask.answer(find)


def _figures(view: View, metric: Metric, points: Sequence[Point]) -> list[int]:
    """The figure at each of some points."""
    if metric == "clusters":
        return active_clusters(view, [each.block for each in points])
    return list(map(_VALUES[metric], points))


def _burn(point: Point) -> int:
    """What all clusters pay the network per block."""
    net = point.network
    return units_to_wei(net.fee_units) * net.effective_balance_eth // BASELINE_ETH


_VALUES: dict[str, Callable[[Point], int]] = {
    "validators": lambda point: point.network.validator_count,
    "operators": lambda point: point.operators,
    "effective_balance": lambda point: point.network.effective_balance_eth,
    "fee": lambda point: units_to_wei(point.network.fee_units),
    "burn": _burn,
    "earnings": lambda point: units_to_wei(
        ledger.settle_network(point.network, at=point.block).credit_units
    ),
}


def _totals(view: View, net: Network) -> TotalsOut:
    found = totals(view)
    return TotalsOut(
        operators=found.operators,
        private_operators=found.private_operators,
        removed_operators=found.removed_operators,
        clusters=found.clusters,
        liquidated_clusters=found.liquidated_clusters,
        validators=net.validator_count,
        effective_balance_eth=net.effective_balance_eth,
        divergences=found.divergences,
    )


def _parameters(net: Network, since: dict[str, BlockNumber]) -> dict[str, ParameterOut]:
    return {
        name: ParameterOut(value=_plain(name, net), since_block=since.get(name)) for name in SETTERS
    }


def _plain(name: str, net: Network) -> str | int | bool | None:
    if name == "fee_wei":
        return str(units_to_wei(net.fee_units))
    value: Any = getattr(net.parameters, name)
    match value:
        case bytes():
            return address_text(value)
        case bool() | None:
            return value
        case int() if name.endswith("_wei"):
            return str(value)
        case _:
            return int(value)
