"""Calls on the registry as calldata, from the tables alone: unsigned, and never sent from here.

Pure. The same checks as the SDK's client makes before it prepares a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sdk.client.abi import encode_call
from sdk.errors import ChainError, InputError
from sdk.events import ClusterSnapshot
from sdk.registry import Cluster, Parties, ledger, runway
from sdk.types import Address, BlockNumber, Wei

STALE: Final = "Void as soon as the cluster changes; check the snapshot before sending."


@dataclass(frozen=True, slots=True)
class DraftCall:
    """A call that somebody else signs.

    Attributes:
        sender: account that has to send it, None for anyone.
        balance_after_wei: what is left in the next block, None where that is not foreseen.
        snapshot: the cluster's struct among the arguments, if there is one.
        nonces: registration nonces that it uses up.
    """

    function: str
    data: bytes
    value_wei: Wei
    sender: Address | None
    balance_after_wei: Wei | None
    warnings: tuple[str, ...]
    snapshot: ClusterSnapshot | None = None
    nonces: tuple[int, ...] = ()


def plain(function: str, arguments: tuple[Any, ...], *, sender: Address | None) -> DraftCall:
    """A call that takes no ether and touches no cluster."""
    return DraftCall(function, encode_call(function, arguments), Wei(0), sender, None, ())


def deposit(parties: Parties, *, amount_wei: Wei, at: BlockNumber) -> DraftCall:
    """Adds to a cluster's balance; anyone may, strangers at least the minimum collateral."""
    _require_amount(amount_wei)
    cluster = parties.cluster
    least = parties.network.parameters.minimum_collateral_wei
    warnings = [STALE]
    if amount_wei < least:
        warnings.append(f"Below {least} wei only the owner may deposit.")
    if not cluster.snapshot.active:
        warnings.append("The cluster is liquidated, and a deposit does not reactivate it.")
    left = ledger.settle_cluster(parties, at=BlockNumber(at + 1)).snapshot.balance_wei
    return DraftCall(
        function="deposit",
        data=encode_call(
            "deposit",
            (cluster.owner, cluster.operator_ids, snapshot_tuple(cluster.snapshot)),
        ),
        value_wei=amount_wei,
        sender=None,
        balance_after_wei=Wei(left + amount_wei),
        warnings=tuple(warnings),
        snapshot=cluster.snapshot,
    )


def withdraw(parties: Parties, *, amount_wei: Wei, at: BlockNumber) -> DraftCall:
    """Takes from the balance what the cluster does not need to stay safe.

    Raises:
        ChainError: `underfunded`.
    """
    _require_amount(amount_wei)
    cluster, following = parties.cluster, BlockNumber(at + 1)
    most = runway.withdrawable_wei(parties, at=following)
    if amount_wei > most:
        raise ChainError(
            f"{amount_wei} wei cannot be withdrawn: at most {most} wei",
            code="underfunded",
            hint="With validators, the collateral or the liquidation period's fees must stay.",
        )
    left = ledger.settle_cluster(parties, at=following).snapshot.balance_wei
    return DraftCall(
        function="withdraw",
        data=encode_call(
            "withdraw", (cluster.operator_ids, amount_wei, snapshot_tuple(cluster.snapshot))
        ),
        value_wei=Wei(0),
        sender=cluster.owner,
        balance_after_wei=Wei(left - amount_wei),
        warnings=(STALE,),
        snapshot=cluster.snapshot,
    )


def liquidate(parties: Parties, *, at: BlockNumber) -> DraftCall:
    """Stops a cluster that cannot pay; its owner may at any time.

    Raises:
        ChainError: `cluster_liquidated`.
    """
    cluster = parties.cluster
    if not cluster.snapshot.active:
        raise ChainError("the cluster is liquidated already", code="cluster_liquidated")
    warnings = [STALE]
    if not ledger.is_liquidatable(parties, at=BlockNumber(at + 1)):
        warnings.append("In the next block only the owner may liquidate it.")
    return DraftCall(
        function="liquidate",
        data=liquidation_call(cluster),
        value_wei=Wei(0),
        sender=None,
        balance_after_wei=None,
        warnings=tuple(warnings),
        snapshot=cluster.snapshot,
    )


def reactivate(parties: Parties, *, amount_wei: Wei, at: BlockNumber) -> DraftCall:
    """Starts a liquidated cluster again, with all its validators.

    Raises:
        ChainError: `cluster_active`, `underfunded`.
    """
    cluster = parties.cluster
    if cluster.snapshot.active:
        raise ChainError("the cluster is active", code="cluster_active", hint="Deposit instead.")
    least = runway.deposit_needed_wei(parties, for_blocks=0, at=BlockNumber(at + 1))
    if amount_wei < least:
        raise ChainError(
            f"{amount_wei} wei are too little to reactivate the cluster: {least} wei are needed",
            code="underfunded",
            hint="More of it lasts longer.",
        )
    return DraftCall(
        function="reactivate",
        data=encode_call("reactivate", (cluster.operator_ids, snapshot_tuple(cluster.snapshot))),
        value_wei=amount_wei,
        sender=cluster.owner,
        balance_after_wei=Wei(cluster.snapshot.balance_wei + amount_wei),
        warnings=(STALE,),
        snapshot=cluster.snapshot,
    )


def liquidation_call(cluster: Cluster) -> bytes:
    """Calldata of `liquidate`."""
    arguments: tuple[Any, ...] = (
        cluster.owner,
        cluster.operator_ids,
        snapshot_tuple(cluster.snapshot),
    )
    return encode_call("liquidate", arguments)


def snapshot_tuple(snapshot: ClusterSnapshot) -> tuple[int, int, int, bool, int]:
    """The struct in ABI order."""
    return (
        snapshot.validator_count,
        snapshot.network_fee_index,
        snapshot.index,
        snapshot.active,
        snapshot.balance_wei,
    )


def _require_amount(amount_wei: Wei) -> None:
    if amount_wei <= 0:
        raise InputError(f"{amount_wei} wei is no amount", code="amount_zero")
