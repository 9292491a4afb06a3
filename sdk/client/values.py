"""What reads of the registry return.

Pure values. Amounts are wei; fees are wei per block and 32 ETH of effective balance; addresses
are EIP-55 texts. What follows from them (burn rate, runway) comes from `sdk.registry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eth_typing import ChecksumAddress

from sdk.client.calls import Block
from sdk.events import ClusterSnapshot
from sdk.registry import Parties, ledger, runway
from sdk.types import BlockNumber, OperatorId, Wei

BLOCKS_PER_DAY = 7_200
"""Slots of a day; missed slots have no block, so days counted with it are a lower bound."""


@dataclass(frozen=True, slots=True)
class OperatorState:
    """An operator as the registry knows it now.

    Attributes:
        validator_count: validators in active clusters.
        whitelisting_contract: None if there is none.
        is_active: false once removed.
        public_key: canonical base64 text as registered; None unless asked for.
    """

    operator_id: OperatorId
    owner: ChecksumAddress
    fee_wei: Wei
    validator_count: int
    whitelisting_contract: ChecksumAddress | None
    is_private: bool
    is_active: bool
    public_key: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredOperatorFee:
    """A fee an operator has announced; times are UNIX seconds."""

    fee_wei: Wei
    begin_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class NetworkParameters:
    """What governance has set, and the network's totals."""

    version: str
    owner: ChecksumAddress
    network_fee_wei: Wei
    liquidation_period_blocks: int
    minimum_collateral_wei: Wei
    minimum_operator_fee_wei: Wei
    maximum_operator_fee_wei: Wei
    fee_increase_limit_per_10000: int
    declare_period_s: int
    execute_period_s: int
    validators_per_operator_limit: int
    validator_count: int
    block: BlockNumber


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """A cluster as its last log carried it, found by a search of the owner's logs."""

    owner: ChecksumAddress
    operator_ids: tuple[OperatorId, ...]
    snapshot: ClusterSnapshot
    snapshot_block: BlockNumber


@dataclass(frozen=True, slots=True)
class ClusterState:
    """A cluster, confirmed by the registry at `block`.

    Attributes:
        snapshot: struct that every call presents.
        source: where the snapshot came from: the registry's logs, or the caller; `new` for a
            cluster that does not exist yet.
        snapshot_block: block of the log that carried it; None unless found in logs.
        block: where everything here holds.
        parties: accounts of cluster, operators and network, for `sdk.registry`.
    """

    owner: ChecksumAddress
    operator_ids: tuple[OperatorId, ...]
    snapshot: ClusterSnapshot
    source: Literal["events", "given", "new"]
    snapshot_block: BlockNumber | None
    block: Block
    parties: Parties

    @property
    def exists(self) -> bool:
        """Whether the registry knows it: its first registration makes it."""
        return self.source != "new"

    @property
    def effective_balance_eth(self) -> int:
        """Whole ETH, over all validators."""
        return self.parties.cluster.effective_balance_eth

    @property
    def balance_wei(self) -> Wei:
        """Balance at `block`, what was used until then taken off."""
        return ledger.settle_cluster(self.parties, at=self.block.number).snapshot.balance_wei

    @property
    def burn_rate_wei(self) -> Wei:
        """Wei per block."""
        return ledger.burn_rate_wei(self.parties)

    @property
    def is_liquidatable(self) -> bool:
        """Whether anyone may liquidate it at `block`."""
        return ledger.is_liquidatable(self.parties, at=self.block.number)

    @property
    def runway_blocks(self) -> int | None:
        """Blocks it stays safe after `block`; None if nothing ends it."""
        return runway.runway_blocks(self.parties, at=self.block.number)

    @property
    def liquidation_block(self) -> BlockNumber | None:
        """First block, from `block` on, in which anyone may liquidate it; None for never."""
        return runway.liquidation_block(self.parties, at=self.block.number)

    @property
    def withdrawable_wei(self) -> Wei:
        """Most that can be withdrawn in the next block."""
        return runway.withdrawable_wei(self.parties, at=self.next_block)

    @property
    def next_block(self) -> BlockNumber:
        """The earliest block that a call prepared now can be in."""
        return BlockNumber(self.block.number + 1)

    @property
    def snapshot_tuple(self) -> tuple[int, int, int, bool, int]:
        """The snapshot as the ABI takes it."""
        each = self.snapshot
        return (
            each.validator_count,
            each.network_fee_index,
            each.index,
            each.active,
            each.balance_wei,
        )
