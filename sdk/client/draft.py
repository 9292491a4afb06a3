"""A call on the registry before anybody signs it: what, for whom, and when it stays valid.

Pure values. `prepared` gives them verbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from sdk.client.abi import encode_call, functions
from sdk.client.values import BLOCKS_PER_DAY, ClusterState
from sdk.errors import UsageError
from sdk.events import Event
from sdk.registry import Parties, ledger, runway
from sdk.types import BlockNumber, Wei
from sdk.units import format_ether


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A call with all its arguments.

    Attributes:
        function: ABI name.
        arguments: as the ABI takes them.
        action: what it does, in words.
        sender: account that has to send it; None if the result does not depend on it.
        cluster: the cluster it touches, as found; its snapshot is among the arguments.
        after: accounts of that cluster after the call, if it is in the next block.
        nonces: registration nonces that it uses up, in order.
        items: validators in it.
    """

    function: str
    arguments: tuple[Any, ...]
    action: str
    sender: ChecksumAddress | None = None
    value_wei: int = 0
    cluster: ClusterState | None = None
    after: Parties | None = None
    nonces: tuple[int, ...] = ()
    items: int = 1

    def __post_init__(self) -> None:
        if self.value_wei < 0:
            raise UsageError(f"{self.value_wei} wei cannot be sent", code="argument_range")

    @property
    def presents_snapshot(self) -> bool:
        """Whether the call is void as soon as its cluster changes."""
        return "cluster" in functions()[self.function].input_names

    @property
    def call_data(self) -> HexBytes:
        """Selector and encoded arguments."""
        return HexBytes(encode_call(self.function, self.arguments))


@dataclass(frozen=True, slots=True)
class Forecast:
    """A cluster's funds at one block, at present fees.

    Attributes:
        runway_blocks: None if nothing ends it.
    """

    balance_wei: Wei
    burn_rate_wei: Wei
    runway_blocks: int | None
    liquidation_block: BlockNumber | None
    is_active: bool

    def __str__(self) -> str:
        if not self.is_active:
            return f"liquidated, holding {format_ether(self.balance_wei)} ETH"
        if self.runway_blocks is None:
            return f"{format_ether(self.balance_wei)} ETH, never liquidatable"
        return (
            f"{format_ether(self.balance_wei)} ETH, runway {self.runway_blocks} blocks (at least "
            f"{self.runway_blocks // BLOCKS_PER_DAY} days), liquidatable from block "
            f"{self.liquidation_block}"
        )


def forecast(parties: Parties, *, at: BlockNumber) -> Forecast:
    """The cluster's funds at `at`."""
    return Forecast(
        balance_wei=ledger.settle_cluster(parties, at=at).snapshot.balance_wei,
        burn_rate_wei=ledger.burn_rate_wei(parties),
        runway_blocks=runway.runway_blocks(parties, at=at),
        liquidation_block=runway.liquidation_block(parties, at=at),
        is_active=parties.cluster.snapshot.active,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call will do and cost, as known now.

    Attributes:
        gas: estimate without margin.
        gas_cost_wei: at the present base fee and tip.
        most_gas_cost_wei: with the margin, at the highest fee it would pay.
        nonces: registration nonces used up.
        before: the cluster's funds now; None if no cluster is touched, or it is new.
        after: the same after the call.
    """

    action: str
    function: str
    registry: ChecksumAddress
    sender: ChecksumAddress
    value_wei: int
    calldata_bytes: int
    gas: int
    gas_cost_wei: int
    most_gas_cost_wei: int
    nonces: tuple[int, ...]
    before: Forecast | None
    after: Forecast | None

    def lines(self) -> list[str]:
        """The plan for a person, one fact a line."""
        told = [
            self.action,
            f"call: {self.function} of {self.registry}, from {self.sender}",
            f"ether sent: {format_ether(self.value_wei)} ETH",
            f"gas: {self.gas}, about {format_ether(self.gas_cost_wei)} ETH, at most "
            f"{format_ether(self.most_gas_cost_wei)} ETH",
            f"calldata: {self.calldata_bytes} bytes",
        ]
        if self.nonces:
            told.append(f"registration nonces used up: {_span(self.nonces)}")
        if self.before is not None:
            told.append(f"cluster before: {self.before}")
        if self.after is not None:
            told.append(f"cluster after: {self.after}")
        return told


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that succeeded.

    Attributes:
        gas_price_wei: paid per gas.
        events: what the registry logged in it, in order.
    """

    transaction_hash: HexBytes
    block_number: BlockNumber
    gas_used: int
    gas_price_wei: int
    events: tuple[Event, ...]

    @property
    def gas_cost_wei(self) -> int:
        """What the gas cost."""
        return self.gas_used * self.gas_price_wei


def _span(nonces: tuple[int, ...]) -> str:
    return str(nonces[0]) if len(nonces) == 1 else f"{nonces[0]} to {nonces[-1]}"
