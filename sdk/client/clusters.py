"""Clusters: their funds, liquidation, reactivation, and proofs of effective balance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_typing import ChecksumAddress

from sdk.client import reads
from sdk.client.addresses import AddressLike, to_operator_ids
from sdk.client.draft import Draft
from sdk.client.funds import Funding, cluster_name, funded, require_active, require_funds
from sdk.client.operation import Operation
from sdk.client.part import AwaitingPart, BlockingPart, Part
from sdk.client.prepared import preparing
from sdk.client.values import ClusterState
from sdk.client.verbs import verb
from sdk.errors import ChainError, InputError
from sdk.events import ClusterSnapshot
from sdk.registry import effects, ledger
from sdk.types import Wei
from sdk.units import format_ether


class ClusterVerbs(Part):
    """Amounts are wei. Operator ids ascend; `owner` is the calling account unless given.

    Every call takes the cluster's latest snapshot from the registry's logs, or the one given as
    `snapshot`, and has the registry confirm it.
    """

    @verb
    def get(
        self,
        owner: AddressLike,
        operator_ids: Sequence[int],
        *,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[ClusterState]:
        """The cluster at the newest block.

        Raises:
            ChainError: `cluster_unknown`; `stale_snapshot`, the one given is not the latest.
        """
        return (yield from self._find(owner, operator_ids, snapshot))

    @preparing
    def deposit(
        self,
        operator_ids: Sequence[int],
        *,
        owner: AddressLike | None = None,
        amount_wei: int | None = None,
        runway_days: int | None = None,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[Draft]:
        """Adds to a cluster's balance; anyone may. It does not reactivate a liquidated one.

        Args:
            operator_ids: of the cluster.
            owner: of the cluster.
            amount_wei: how much, or
            runway_days: for how many days of 7,200 blocks the balance shall last.
            snapshot: see the class.

        Raises:
            ChainError: `deposit_too_small`, a stranger must add the minimum collateral;
                `nothing_to_do`, the runway is as long already; `stale_snapshot`.
        """
        cluster = yield from self._find(owner, operator_ids, snapshot)
        funding = Funding.of(amount_wei=amount_wei, runway_days=runway_days)
        amount = funded(cluster, funding)
        if amount == 0:
            raise ChainError(
                f"{cluster_name(cluster)} needs no deposit for that",
                code="nothing_to_do",
                hint="Give an amount, or a longer runway.",
            )
        least = cluster.parties.network.parameters.minimum_collateral_wei
        if self._context.account not in (None, cluster.owner) and amount < least:
            raise ChainError(
                f"a deposit of {amount} wei by another account than the owner is below {least} wei",
                code="deposit_too_small",
                hint="Deposit at least the minimum collateral, or let the owner deposit.",
                data={"amount_wei": amount, "least_wei": least},
            )
        return Draft(
            function="deposit",
            arguments=(cluster.owner, cluster.operator_ids, cluster.snapshot_tuple),
            action=f"deposit {format_ether(amount)} ETH into {cluster_name(cluster)}",
            value_wei=amount,
            cluster=cluster,
            after=effects.deposit(cluster.parties, value_wei=Wei(amount)),
        )

    @preparing
    def withdraw(
        self,
        operator_ids: Sequence[int],
        *,
        amount_wei: int,
        owner: AddressLike | None = None,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[Draft]:
        """Takes from a cluster's balance what it does not need to stay safe.

        Raises:
            ChainError: `underfunded`, `stale_snapshot`.
        """
        if amount_wei <= 0:
            raise InputError(f"{amount_wei} wei is no amount", code="amount_zero")
        cluster = yield from self._find(owner, operator_ids, snapshot)
        most = cluster.withdrawable_wei
        if amount_wei > most:
            raise ChainError(
                f"{amount_wei} wei cannot be withdrawn from {cluster_name(cluster)}: at most "
                f"{most} wei ({format_ether(most)} ETH)",
                code="underfunded",
                hint="With validators, the collateral or the liquidation period's fees must stay.",
                data={"amount_wei": amount_wei, "most_wei": most},
            )
        return Draft(
            function="withdraw",
            arguments=(cluster.operator_ids, amount_wei, cluster.snapshot_tuple),
            action=f"withdraw {format_ether(amount_wei)} ETH from {cluster_name(cluster)}",
            sender=cluster.owner,
            cluster=cluster,
            after=effects.withdraw(
                cluster.parties, value_wei=Wei(amount_wei), at=cluster.next_block
            ),
        )

    @preparing
    def liquidate(
        self,
        owner: AddressLike,
        operator_ids: Sequence[int],
        *,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[Draft]:
        """Stops a cluster that cannot pay, for a bounty; the owner may stop its own at any time.

        Raises:
            ChainError: `cluster_liquidated`, `cluster_not_liquidatable`, `stale_snapshot`.
        """
        cluster = yield from self._find(owner, operator_ids, snapshot)
        require_active(cluster)
        is_own = self._context.account == cluster.owner
        at = cluster.next_block
        if not is_own and not ledger.is_liquidatable(cluster.parties, at=at):
            raise ChainError(
                f"{cluster_name(cluster)} is not liquidatable before block "
                f"{cluster.liquidation_block}",
                code="cluster_not_liquidatable",
                hint="Only its owner may liquidate it now.",
                data={"liquidation_block": cluster.liquidation_block},
            )
        parameters = cluster.parties.network.parameters
        bounty = ledger.bounty_wei(
            balance_wei=ledger.settle_cluster(cluster.parties, at=at).snapshot.balance_wei,
            minimum_collateral_wei=parameters.minimum_collateral_wei,
            base_fee_wei=Wei(cluster.block.base_fee_wei),
        )
        after = effects.liquidate(
            cluster.parties, at=at, paid_at_most_wei=None if is_own else bounty
        )
        return Draft(
            function="liquidate",
            arguments=(cluster.owner, cluster.operator_ids, cluster.snapshot_tuple),
            action=f"liquidate {cluster_name(cluster)} and receive about "
            f"{format_ether(after.paid_wei)} ETH",
            cluster=cluster,
            after=after.parties,
        )

    @preparing
    def reactivate(
        self,
        operator_ids: Sequence[int],
        *,
        owner: AddressLike | None = None,
        deposit_wei: int | None = None,
        runway_days: int | None = None,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[Draft]:
        """Starts a liquidated cluster again, with all its validators.

        Raises:
            ChainError: `cluster_active`, `underfunded`, `stale_snapshot`.
        """
        cluster = yield from self._find(owner, operator_ids, snapshot)
        if cluster.snapshot.active:
            raise ChainError(
                f"{cluster_name(cluster)} is active", code="cluster_active", hint="Deposit instead."
            )
        funding = Funding.of(amount_wei=deposit_wei, runway_days=runway_days)
        amount = funded(cluster, funding)
        require_funds(cluster, amount)
        return Draft(
            function="reactivate",
            arguments=(cluster.operator_ids, cluster.snapshot_tuple),
            action=f"reactivate {cluster_name(cluster)} with {format_ether(amount)} ETH",
            sender=cluster.owner,
            value_wei=amount,
            cluster=cluster,
            after=effects.reactivate(
                cluster.parties, deposit_wei=Wei(amount), at=cluster.next_block
            ),
        )

    @preparing
    def prove(
        self,
        owner: AddressLike,
        operator_ids: Sequence[int],
        *,
        beacon_timestamp: int,
        state_root: bytes,
        state_root_branch: Sequence[bytes],
        proofs: Sequence[Any],
        deposit_wei: int = 0,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[Draft]:
        """Records proven effective balances of the cluster's validators; anyone may.

        The proof goes to the registry as it is: every element of `proofs` is a tuple in the order
        of the struct `ValidatorProof`. What is deposited joins the balance before the registry
        tests whether the cluster can still pay.
        """
        cluster = yield from self._find(owner, operator_ids, snapshot)
        return Draft(
            function="proveEffectiveBalances",
            arguments=(
                cluster.owner,
                cluster.operator_ids,
                cluster.snapshot_tuple,
                beacon_timestamp,
                state_root,
                tuple(state_root_branch),
                tuple(proofs),
            ),
            action=f"prove effective balances of {len(proofs)} validators of "
            f"{cluster_name(cluster)}",
            value_wei=deposit_wei,
            cluster=cluster,
            items=len(proofs),
        )

    def _find(
        self,
        owner: AddressLike | None,
        operator_ids: Sequence[int],
        snapshot: ClusterSnapshot | None,
    ) -> Operation[ClusterState]:
        account: ChecksumAddress = self._owner(owner)
        ids = to_operator_ids(operator_ids)
        return (yield from reads.find_cluster(self._deployment, account, ids, snapshot=snapshot))


class Clusters(ClusterVerbs, BlockingPart):
    """`client.clusters`."""

    __slots__ = ()


class AsyncClusters(ClusterVerbs, AwaitingPart):
    """`client.clusters` of the async client."""

    __slots__ = ()
