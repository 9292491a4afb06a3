"""What the contract's views must answer at a block, if the tables are right.

Pure: records in, calls with their expected answers out. Every view is named with the record that
determines it; docs/contracts.md describes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any, Final

from sdk.registry import Account, Cluster, Network, Operator, RegistryState, ledger
from sdk.types import BlockNumber, keccak256
from sdk.units import units_to_wei

_NOBODY: Final = "0x" + "00" * 20
COMMITMENT_BYTES: Final = 24
"""Of the hash of a struct's words that the contract keeps, the first ones."""


@dataclass(frozen=True, slots=True)
class Question:
    """One call of a view.

    Attributes:
        kind: cluster, operator, owner or network.
        subject: operator id, or hex of a cluster id or address; empty for the network.
        function: name of the view.
        expected: its answer, decoded.
    """

    kind: str
    subject: str
    function: str
    arguments: tuple[Any, ...]
    expected: tuple[Any, ...]


def about_cluster(state: RegistryState, cluster: Cluster, *, at: BlockNumber) -> Iterator[Question]:
    """What callers of a cluster see: balance, burn rate, whether it can be liquidated."""
    parties = state.parties(cluster)
    snapshot = cluster.snapshot
    subject = "0x" + cluster.cluster_id.hex()
    named = (_address(cluster.owner), list(cluster.operator_ids), astuple(snapshot))
    answers: dict[str, int | bool] = {
        "getBurnRate": ledger.burn_rate_wei(parties),
        "isLiquidatable": ledger.is_liquidatable(parties, at=at),
        "isLiquidated": not snapshot.active,
    }
    if snapshot.active:
        settled = ledger.settle_cluster(parties, at=at).snapshot
        answers["getBalance"] = settled.balance_wei
        answers["getEffectiveBalance"] = cluster.effective_balance_eth
    for function, answer in answers.items():
        yield Question("cluster", subject, function, named, (answer,))
    yield about_word(cluster)


def about_operator(operator: Operator, *, at: BlockNumber) -> Iterator[Question]:
    """An operator's facts, its earnings, and the fee that it announced."""
    subject = str(operator.operator_id)
    named = (operator.operator_id,)
    facts = (
        _address(operator.owner),
        units_to_wei(operator.fee_units),
        operator.validator_count,
        _address(operator.whitelisting_contract),
        operator.is_private,
        operator.removed_at is None,
    )
    yield Question("operator", subject, "getOperatorById", named, (facts,))
    earned = units_to_wei(ledger.settle_operator(operator, at=at).credit_units)
    yield Question("operator", subject, "getOperatorEarnings", named, (earned,))
    fee = operator.declared_fee
    if fee is None:
        declared: tuple[Any, ...] = (False, 0, 0, 0)
    else:
        declared = (True, units_to_wei(fee.fee_units), fee.begin_s, fee.end_s)
    yield Question("operator", subject, "getOperatorDeclaredFee", named, (declared,))


def about_owner(account: Account) -> Iterator[Question]:
    """An owner's nonce and fee recipient."""
    subject = "0x" + account.owner.hex()
    named = (_address(account.owner),)
    yield Question("owner", subject, "getOwnerNonce", named, (account.next_nonce,))
    recipient = _address(account.fee_recipient)
    yield Question("owner", subject, "getFeeRecipient", named, (recipient,))


def about_network(
    network: Network, *, operators: int, clusters: int, at: BlockNumber
) -> Iterator[Question]:
    """The network's account, what governance set, and how much of everything there is.

    Args:
        network: its record.
        operators: highest operator id, 0 for none.
        clusters: how many were ever created.
        at: block of the answers.
    """
    settled = ledger.settle_network(network, at=at)
    rules = network.parameters
    earned = units_to_wei(settled.credit_units)
    answers: dict[str, tuple[Any, ...]] = {
        "getRegistryCounters": (operators, clusters, network.validator_count, at),
        "getNetworkAccounting": (
            at,
            units_to_wei(network.fee_units),
            settled.index_units,
            earned,
            network.effective_balance_eth,
            network.validator_count,
            units_to_wei(settled.uncovered_debt_units),
        ),
        "getNetworkFee": (units_to_wei(network.fee_units),),
        "getNetworkEarnings": (earned,),
        "getNetworkValidatorsCount": (network.validator_count,),
        "getLiquidationThresholdPeriod": (rules.liquidation_period_blocks,),
        "getMinimumLiquidationCollateral": (rules.minimum_collateral_wei,),
        "getOperatorFeeIncreaseLimit": (rules.fee_increase_limit_per_10000,),
        "getOperatorFeePeriods": ((rules.declare_period_s, rules.execute_period_s),),
        "getMaximumOperatorFee": (rules.maximum_operator_fee_wei,),
        "getMinimumOperatorEthFee": (rules.minimum_operator_fee_wei,),
        "getValidatorsPerOperatorLimit": (rules.validators_per_operator_limit,),
        "getBeaconVerifier": (_address(rules.beacon_verifier), rules.verifier_is_frozen),
        "owner": (_address(rules.owner),),
        "pendingOwner": (_address(rules.pending_owner),),
    }
    for function, answer in answers.items():
        yield Question("network", "", function, (), answer)


def about_word(cluster: Cluster) -> Question:
    """What the contract itself keeps of a cluster, inactive ones included."""
    struct = b"".join(int(value).to_bytes(32, "big") for value in astuple(cluster.snapshot))
    kept = keccak256(struct)[:COMMITMENT_BYTES]
    answer = (kept.ljust(32, b"\0"), cluster.effective_balance_eth, cluster.sequence)
    subject = "0x" + cluster.cluster_id.hex()
    return Question("cluster", subject, "getClusterHash", (cluster.cluster_id,), answer)


def _address(address: bytes | None) -> str:
    """As the decoder gives it: lower case."""
    return _NOBODY if address is None else "0x" + address.hex()
