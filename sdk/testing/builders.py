"""Short builders for addresses, keys, shares, structs, records and contexts.

Pure and deterministic: the same small number always gives the same value. Keys and signatures
have the right length and are no curve points. Defaults are the reference network's figures.
"""

from __future__ import annotations

from hashlib import sha256

from sdk.committee import shares_data_length
from sdk.events import ClusterSnapshot, LogPosition
from sdk.events.types import ValidatorAdded
from sdk.registry import (
    BASELINE_ETH,
    Cluster,
    EventContext,
    Network,
    Operator,
    Parameters,
    Parties,
    cluster_id,
)
from sdk.types import Address, BlockNumber, FeeUnits, OperatorId, PublicKey, Wei

OPERATOR_FEE_UNITS = 17_700
NETWORK_FEE_UNITS = 35_509
LIQUIDATION_PERIOD_BLOCKS = 50_190
MINIMUM_COLLATERAL_WEI = 940_000_000_000_000
ETHER = 10**18


def address(number: int) -> Address:
    """An address that differs for every number."""
    return Address(sha256(b"address %d" % number).digest()[:20])


def public_key(number: int) -> PublicKey:
    """48 bytes in the place of a validator's public key."""
    return PublicKey(sha256(b"key %d" % number).digest() + bytes(16))


def shares(operators: int = 4, *, number: int = 0) -> bytes:
    """Shares of the right length for a cluster of this size."""
    seed = sha256(b"shares %d" % number).digest()
    length = shares_data_length(operators)
    return (seed * (length // len(seed) + 1))[:length]


def operator_ids(*numbers: int) -> tuple[OperatorId, ...]:
    """Operator ids, 1 to 4 unless given."""
    return tuple(OperatorId(number) for number in numbers or (1, 2, 3, 4))


def at(block: int, log_index: int = 0, *, timestamp_s: int | None = None) -> EventContext:
    """A place in the chain."""
    return EventContext(LogPosition(BlockNumber(block), 0, log_index), timestamp_s)


def snapshot(
    *,
    validators: int = 1,
    network_fee_index: int = 0,
    index: int = 0,
    active: bool = True,
    balance_wei: int = ETHER,
) -> ClusterSnapshot:
    """A cluster's struct."""
    return ClusterSnapshot(validators, network_fee_index, index, active, Wei(balance_wei))


def operator(
    number: int = 1,
    *,
    fee_units: int = OPERATOR_FEE_UNITS,
    effective_balance_eth: int = 0,
    validators: int = 0,
    block: int = 0,
    removed_at: int | None = None,
) -> Operator:
    """An operator with a fresh account."""
    return Operator(
        operator_id=OperatorId(number),
        owner=address(1000 + number),
        public_key=b"operator key %d" % number,
        fee_units=FeeUnits(fee_units),
        block=BlockNumber(block),
        effective_balance_eth=effective_balance_eth,
        validator_count=validators,
        removed_at=None if removed_at is None else BlockNumber(removed_at),
    )


def network(
    *,
    fee_units: int = NETWORK_FEE_UNITS,
    effective_balance_eth: int = 0,
    validators: int = 0,
    credit_units: int = 0,
    debt_units: int = 0,
    period_blocks: int = LIQUIDATION_PERIOD_BLOCKS,
    collateral_wei: int = MINIMUM_COLLATERAL_WEI,
) -> Network:
    """The network's account with a fresh index."""
    return Network(
        fee_units=FeeUnits(fee_units),
        credit_units=FeeUnits(credit_units),
        effective_balance_eth=effective_balance_eth,
        validator_count=validators,
        uncovered_debt_units=FeeUnits(debt_units),
        parameters=Parameters(
            liquidation_period_blocks=period_blocks, minimum_collateral_wei=Wei(collateral_wei)
        ),
    )


def cluster(
    struct: ClusterSnapshot | None = None,
    *,
    owner: Address | None = None,
    ids: tuple[OperatorId, ...] | None = None,
    effective_balance_eth: int | None = None,
) -> Cluster:
    """A cluster whose records agree with its struct, 32 ETH per validator unless given."""
    struct = struct or snapshot()
    owner = owner or address(1)
    ids = ids or operator_ids()
    eth = struct.validator_count * BASELINE_ETH
    return Cluster(
        cluster_id=cluster_id(owner, ids),
        owner=owner,
        operator_ids=ids,
        sequence=1,
        snapshot=struct,
        validator_count=struct.validator_count,
        effective_balance_eth=eth if effective_balance_eth is None else effective_balance_eth,
    )


def parties(
    struct: ClusterSnapshot | None = None,
    *,
    effective_balance_eth: int | None = None,
    fee_units: tuple[int, ...] = (OPERATOR_FEE_UNITS,) * 4,
    network_fee_units: int = NETWORK_FEE_UNITS,
    period_blocks: int = LIQUIDATION_PERIOD_BLOCKS,
    collateral_wei: int = MINIMUM_COLLATERAL_WEI,
) -> Parties:
    """One cluster, its operators and the network, with nobody else in their sums."""
    ids = operator_ids(*range(1, len(fee_units) + 1))
    made = cluster(struct, ids=ids, effective_balance_eth=effective_balance_eth)
    counted = made.snapshot.active
    eth = made.effective_balance_eth if counted else 0
    validators = made.validator_count if counted else 0
    return Parties(
        cluster=made,
        operators=tuple(
            operator(number, fee_units=fee, effective_balance_eth=eth, validators=validators)
            for number, fee in zip(ids, fee_units, strict=True)
        ),
        network=network(
            fee_units=network_fee_units,
            effective_balance_eth=eth,
            validators=validators,
            period_blocks=period_blocks,
            collateral_wei=collateral_wei,
        ),
    )


def validator_added(
    struct: ClusterSnapshot,
    *,
    key: int = 1,
    owner: Address | None = None,
    ids: tuple[OperatorId, ...] | None = None,
    share_bytes: bytes | None = None,
) -> ValidatorAdded:
    """A registration's log."""
    ids = ids or operator_ids()
    return ValidatorAdded(
        owner=owner or address(1),
        operator_ids=ids,
        public_key=public_key(key),
        shares=shares(len(ids), number=key) if share_bytes is None else share_bytes,
        cluster=struct,
    )
