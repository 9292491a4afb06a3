"""A cluster's accounts as records of `sdk.registry`, read from the registry's views at one block.

Pure operations. Nothing is computed here: burn rate, runway and every effect of a call come from
`sdk.registry`, which is the contract's own arithmetic.
"""

from __future__ import annotations

from typing import Final

from eth_typing import ChecksumAddress

from sdk.client.addresses import to_checksum, to_raw
from sdk.client.calls import Block, Deployment, call, call_one
from sdk.client.contract_errors import ERRORS, UnknownRevert
from sdk.client.operation import Operation
from sdk.client.values import NetworkParameters, OperatorState
from sdk.events import ClusterSnapshot
from sdk.registry import Cluster, Network, Operator, Parameters, Parties, cluster_id, new_cluster
from sdk.types import BlockNumber, FeeUnits, OperatorId, Wei
from sdk.units import units_down, units_exact

NO_SUCH_FUNCTION: Final = (UnknownRevert, ERRORS["UnknownFunction"])
"""How a registry answers to a view that it does not have."""
_ZERO_ADDRESS: Final = "0x" + 40 * "0"


def read_parties(
    deployment: Deployment,
    owner: ChecksumAddress,
    ids: tuple[OperatorId, ...],
    snapshot: ClusterSnapshot,
    *,
    block: Block,
    is_new: bool,
) -> Operation[Parties]:
    """The accounts that a call on this cluster touches, as stored at `block`.

    A registry without views of its accounts (SSV's own) shows settled sums instead; the result
    then stands for the same balances, only as if settled at `block`.

    Raises:
        RegistryError: the snapshot is not the cluster's.
    """
    cluster = new_cluster(to_raw(owner), ids, sequence=0)
    try:
        if not is_new:
            cluster = yield from _cluster(deployment, cluster, snapshot, block)
        network = yield from _network(deployment, block)
        operators = []
        for operator_id in ids:
            operator = yield from _operator(deployment, operator_id, block)
            operators.append(operator)
    except NO_SUCH_FUNCTION:
        return (
            yield from _settled_parties(
                deployment, owner, ids, snapshot, block=block, is_new=is_new
            )
        )
    return Parties(cluster, tuple(operators), network)


def _cluster(
    deployment: Deployment, empty: Cluster, snapshot: ClusterSnapshot, block: Block
) -> Operation[Cluster]:
    _, eth, sequence = yield from call(
        deployment, "getClusterHash", bytes(empty.cluster_id), block=block.number
    )
    return Cluster(
        cluster_id=empty.cluster_id,
        owner=empty.owner,
        operator_ids=empty.operator_ids,
        sequence=sequence,
        snapshot=snapshot,
        validator_count=snapshot.validator_count,
        effective_balance_eth=eth,
    )


def _operator(deployment: Deployment, operator_id: OperatorId, block: Block) -> Operation[Operator]:
    at = block.number
    stored, fee_wei, index, balance_wei, eth, validators = yield from call(
        deployment, "getOperatorAccounting", operator_id, block=at
    )
    state = yield from read_operator(deployment, operator_id, block=at)
    return Operator(
        operator_id=operator_id,
        owner=to_raw(state.owner),
        public_key=b"",
        fee_units=units_exact(fee_wei, what="operator fee"),
        block=BlockNumber(stored),
        index_units=FeeUnits(index),
        credit_units=units_down(balance_wei),
        effective_balance_eth=eth,
        validator_count=validators,
        is_private=state.is_private,
        removed_at=None if state.is_active else at,
    )


def _network(deployment: Deployment, block: Block) -> Operation[Network]:
    at = block.number
    stored, fee_wei, index, balance_wei, eth, validators, debt_wei = yield from call(
        deployment, "getNetworkAccounting", block=at
    )
    return Network(
        fee_units=units_exact(fee_wei, what="network fee"),
        index_units=FeeUnits(index),
        credit_units=units_down(balance_wei),
        block=BlockNumber(stored),
        effective_balance_eth=eth,
        validator_count=validators,
        uncovered_debt_units=units_down(debt_wei),
        parameters=(yield from _parameters(deployment, at)),
    )


def _parameters(deployment: Deployment, at: BlockNumber) -> Operation[Parameters]:
    period = yield from call_one(deployment, "getLiquidationThresholdPeriod", block=at)
    collateral = yield from call_one(deployment, "getMinimumLiquidationCollateral", block=at)
    return Parameters(liquidation_period_blocks=period, minimum_collateral_wei=Wei(collateral))


def _settled_parties(
    deployment: Deployment,
    owner: ChecksumAddress,
    ids: tuple[OperatorId, ...],
    snapshot: ClusterSnapshot,
    *,
    block: Block,
    is_new: bool,
) -> Operation[Parties]:
    """Accounts with indexes of zero at `block`, so that nothing is outstanding."""
    at = block.number
    balance_wei, eth = snapshot.balance_wei, 0
    if snapshot.active and not is_new:
        each = snapshot
        struct = (
            each.validator_count,
            each.network_fee_index,
            each.index,
            each.active,
            each.balance_wei,
        )
        balance_wei = yield from call_one(deployment, "getBalance", owner, ids, struct, block=at)
        eth = yield from call_one(deployment, "getEffectiveBalance", owner, ids, struct, block=at)
    operators = []
    for operator_id in ids:
        state = yield from read_operator(deployment, operator_id, block=at)
        operators.append(_settled_operator(state, at))
    fee_wei = yield from call_one(deployment, "getNetworkFee", block=at)
    raw = to_raw(owner)
    return Parties(
        cluster=Cluster(
            cluster_id=cluster_id(raw, ids),
            owner=raw,
            operator_ids=ids,
            sequence=0,
            snapshot=ClusterSnapshot(
                snapshot.validator_count, 0, 0, snapshot.active, Wei(balance_wei)
            ),
            validator_count=snapshot.validator_count,
            effective_balance_eth=eth,
        ),
        operators=tuple(operators),
        network=Network(
            fee_units=units_exact(fee_wei, what="network fee"),
            block=at,
            effective_balance_eth=eth,
            validator_count=snapshot.validator_count,
            parameters=(yield from _parameters(deployment, at)),
        ),
    )


def _settled_operator(state: OperatorState, at: BlockNumber) -> Operator:
    return Operator(
        operator_id=state.operator_id,
        owner=to_raw(state.owner),
        public_key=b"",
        fee_units=units_exact(state.fee_wei, what="operator fee"),
        block=at,
        effective_balance_eth=2**31,  # unknown; only sums of others depend on it
        validator_count=2**31,
        removed_at=None if state.is_active else at,
    )


def read_operator(
    deployment: Deployment, operator_id: int, *, block: BlockNumber | str = "latest"
) -> Operation[OperatorState]:
    """An operator's state; one that never existed has the zero address as owner."""
    found = yield from call_one(deployment, "getOperatorById", operator_id, block=block)
    owner, fee_wei, validators, contract, is_private, is_active = found
    return OperatorState(
        operator_id=OperatorId(operator_id),
        owner=_checksum(owner),
        fee_wei=Wei(fee_wei),
        validator_count=validators,
        whitelisting_contract=None if contract == _ZERO_ADDRESS else _checksum(contract),
        is_private=is_private,
        is_active=is_active,
    )


def is_known(state: OperatorState) -> bool:
    """Whether an operator with this id was ever registered."""
    return state.owner != _ZERO_ADDRESS


def read_parameters(deployment: Deployment, *, block: BlockNumber) -> Operation[NetworkParameters]:
    """What governance has set."""

    def one(name: str) -> Operation[int]:
        value: int = yield from call_one(deployment, name, block=block)
        return value

    periods = yield from call_one(deployment, "getOperatorFeePeriods", block=block)
    version = yield from call_one(deployment, "getVersion", block=block)
    owner = yield from call_one(deployment, "owner", block=block)
    return NetworkParameters(
        version=version,
        owner=_checksum(owner),
        network_fee_wei=Wei((yield from one("getNetworkFee"))),
        liquidation_period_blocks=(yield from one("getLiquidationThresholdPeriod")),
        minimum_collateral_wei=Wei((yield from one("getMinimumLiquidationCollateral"))),
        minimum_operator_fee_wei=Wei((yield from one("getMinimumOperatorEthFee"))),
        maximum_operator_fee_wei=Wei((yield from one("getMaximumOperatorFee"))),
        fee_increase_limit_per_10000=(yield from one("getOperatorFeeIncreaseLimit")),
        declare_period_s=periods[0],
        execute_period_s=periods[1],
        validators_per_operator_limit=(yield from one("getValidatorsPerOperatorLimit")),
        validator_count=(yield from one("getNetworkValidatorsCount")),
        block=block,
    )


def _checksum(found: str) -> ChecksumAddress:
    """An address as the ABI decoder gives it, which is lower case."""
    return to_checksum(found.lower())
