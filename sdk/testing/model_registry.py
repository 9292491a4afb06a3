"""The registry contract in a page: calls in, state and logs out.

A model for tests, made of the same effects as the reducer but driven by calls instead of logs. It
makes the contract's checks that protect the accounts (balances, liquidation test, who is live)
and leaves the rest (lengths, limits, whitelists, who may call) to the contract's own tests. A
call that the contract would revert changes nothing and answers False.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from sdk.events import Event, LogPosition, types
from sdk.events.governance import DebtCovered, NetworkEarningsWithdrawn, NetworkFeeUpdated
from sdk.registry import (
    BASELINE_ETH,
    AccountChanged,
    EventContext,
    Network,
    NetworkChanged,
    Operator,
    OperatorChanged,
    Parties,
    RegistryState,
    SignatureVerdict,
    Validator,
    ValidatorChanged,
    cluster_id,
    effects,
    ledger,
    new_cluster,
)
from sdk.registry.registration import refusal
from sdk.types import Address, BlockNumber, FeeUnits, OperatorId, PublicKey, Slot, Wei
from sdk.units import units_to_wei

OperatorIds = tuple[OperatorId, ...]


class ModelRegistry:
    """State, the logs of the last call, ether held, and a bound on what rounding may have kept.

    Attributes:
        held_wei: ether paid in minus ether paid out.
        roundings: settlements of a party so far; each keeps less than a unit.
        timestamp_s: of the block, for the windows of declared fees; None leaves them unknown.
    """

    def __init__(self, network: Network) -> None:
        self.state = RegistryState(network)
        self.block = BlockNumber(network.block + 1)
        self.held_wei = 0
        self.roundings = 0
        self.timestamp_s: int | None = None
        self._logs: list[tuple[Event, EventContext]] = []
        self._log_index = 0

    def mine(self, blocks: int) -> None:
        """Let blocks pass."""
        if blocks:
            self.block = BlockNumber(self.block + blocks)
            self._log_index = 0

    def take_logs(self) -> list[tuple[Event, EventContext]]:
        """Logs since the last time, in order."""
        logs, self._logs = self._logs, []
        return logs

    def parties(self, owner: Address, ids: OperatorIds) -> Parties:
        """The cluster with its operators and the network; an empty one if it is new."""
        known = self.state.clusters.get(cluster_id(owner, ids))
        sequence = len(self.state.clusters) + 1
        return self.state.parties(known or new_cluster(owner, ids, sequence=sequence))

    def register_operator(
        self,
        owner: Address,
        fee_units: FeeUnits,
        *,
        public_key: bytes | None = None,
        is_private: bool = False,
    ) -> OperatorId:
        """`registerOperator`."""
        operator_id = OperatorId(len(self.state.operators) + 1)
        key = b"operator %d" % operator_id if public_key is None else public_key
        opened = Operator(
            operator_id=operator_id,
            owner=owner,
            public_key=key,
            fee_units=fee_units,
            block=self.block,
            is_private=is_private,
        )
        self.state.commit([OperatorChanged(None, opened)])
        self._emit(types.OperatorAdded(operator_id, owner, key, units_to_wei(fee_units)))
        self._emit(types.OperatorPrivacyStatusUpdated((operator_id,), is_private))
        return operator_id

    def change_operator_fee(self, operator_id: OperatorId, fee_units: FeeUnits) -> bool:
        """`executeOperatorFee` without its window."""
        before = self.state.operators[operator_id]
        if before.removed_at is not None:
            return False
        after = effects.change_operator_fee(before, fee_units=fee_units, at=self.block)
        self._commit_operator(before, after)
        fee_wei = units_to_wei(fee_units)
        self._emit(types.OperatorFeeExecuted(before.owner, operator_id, self.block, fee_wei))
        return True

    def withdraw_earnings(self, operator_id: OperatorId, *, units: FeeUnits | None = None) -> bool:
        """`withdrawOperatorEarnings`, or `withdrawAllOperatorEarnings` for None."""
        before = self.state.operators[operator_id]
        credit = ledger.settle_operator(before, at=self.block).credit_units
        paid = credit if units is None else units
        if before.removed_at is not None or not 0 < paid <= credit:
            return False
        if units_to_wei(paid) > self.held_wei:
            return False
        self._commit_operator(before, effects.withdraw_earnings(before, units=paid, at=self.block))
        self.held_wei -= units_to_wei(paid)
        self._emit(types.OperatorWithdrawn(before.owner, operator_id, units_to_wei(paid)))
        return True

    def remove_operator(self, operator_id: OperatorId) -> bool:
        """`removeOperator`."""
        before = self.state.operators[operator_id]
        after, paid = effects.remove_operator(before, at=self.block)
        if before.removed_at is not None or units_to_wei(paid) > self.held_wei:
            return False
        self._commit_operator(before, after)
        self.held_wei -= units_to_wei(paid)
        if paid:
            self._emit(types.OperatorWithdrawn(before.owner, operator_id, units_to_wei(paid)))
        self._emit(types.OperatorRemoved(operator_id))
        return True

    def register(
        self,
        owner: Address,
        ids: OperatorIds,
        keys: Sequence[PublicKey],
        shares: Sequence[bytes],
        *,
        value_wei: Wei,
        verdict: SignatureVerdict,
    ) -> bool:
        """`registerValidator`, `bulkRegisterValidator`."""
        before = self.parties(owner, ids)
        is_taken = any((owner, key) in self.state.validators for key in keys)
        is_live = all(operator.removed_at is None for operator in before.operators)
        if not keys or is_taken or not is_live or not before.cluster.snapshot.active:
            return False
        after = effects.register(before, validators=len(keys), deposit_wei=value_wei, at=self.block)
        if ledger.is_liquidatable(after, at=self.block):
            return False
        self.held_wei += value_wei
        self._settle(effects.deposit(before, value_wei=value_wei))
        self.state.commit(self.state.changes_to(after))
        for key, share_bytes in zip(keys, shares, strict=True):
            event = types.ValidatorAdded(owner, ids, key, share_bytes, after.cluster.snapshot)
            account = self.state.account(owner)
            record = Validator(
                owner=owner,
                public_key=key,
                cluster_id=after.cluster.cluster_id,
                nonce=account.next_nonce,
                shares_digest=sha256(share_bytes).digest(),
                effective_balance_eth=BASELINE_ETH,
                last_proof_slot=Slot(0),
                refusal=refusal(self.state, event, verdict),
                registered_at=self.block,
                exit_requested_at=None,
            )
            counted = replace(account, next_nonce=account.next_nonce + 1)
            self.state.commit(
                [
                    ValidatorChanged(None, record),
                    AccountChanged(self.state.accounts.get(owner), counted),
                ]
            )
            self._emit(event)
        return True

    def remove(self, owner: Address, ids: OperatorIds, keys: Sequence[PublicKey]) -> bool:
        """`removeValidator`, `bulkRemoveValidator`."""
        before = self.parties(owner, ids)
        found = [self.state.validators.get((owner, key)) for key in keys]
        records = [record for record in found if record is not None]
        if (
            not keys
            or len(records) < len(keys)
            or any(record.cluster_id != before.cluster.cluster_id for record in records)
        ):
            return False
        self._settle(before)
        after = effects.remove(
            before,
            validators=len(keys),
            effective_balance_eth=sum(record.effective_balance_eth for record in records),
            at=self.block,
        )
        self.state.commit(self.state.changes_to(after))
        for record in records:
            self.state.commit([ValidatorChanged(record, None)])
            self._emit(
                types.ValidatorRemoved(owner, ids, record.public_key, after.cluster.snapshot)
            )
        return True

    def deposit(self, owner: Address, ids: OperatorIds, *, value_wei: Wei) -> bool:
        """`deposit`."""
        before = self.parties(owner, ids)
        if before.cluster.cluster_id not in self.state.clusters:
            return False
        after = effects.deposit(before, value_wei=value_wei)
        self.held_wei += value_wei
        self.state.commit(self.state.changes_to(after))
        self._emit(types.ClusterDeposited(owner, ids, value_wei, after.cluster.snapshot))
        return True

    def withdraw(self, owner: Address, ids: OperatorIds, *, value_wei: Wei) -> bool:
        """`withdraw`."""
        before = self.parties(owner, ids)
        balance_wei = ledger.settle_cluster(before, at=self.block).snapshot.balance_wei
        if before.cluster.cluster_id not in self.state.clusters or value_wei > balance_wei:
            return False
        after = effects.withdraw(before, value_wei=value_wei, at=self.block)
        if ledger.is_liquidatable(after, at=self.block) or value_wei > self.held_wei:
            return False
        self.roundings += 1
        self.state.commit(self.state.changes_to(after))
        self.held_wei -= value_wei
        self._emit(types.ClusterWithdrawn(owner, ids, value_wei, after.cluster.snapshot))
        return True

    def liquidate(
        self, owner: Address, ids: OperatorIds, *, by_owner: bool, base_fee_wei: Wei
    ) -> bool:
        """`liquidate`."""
        before = self.parties(owner, ids)
        if before.cluster.cluster_id not in self.state.clusters:
            return False
        if not before.cluster.snapshot.active:
            return False
        if not by_owner and not ledger.is_liquidatable(before, at=self.block):
            return False
        outcome = self._liquidated(before, by_owner=by_owner, base_fee_wei=base_fee_wei)
        if outcome.paid_wei > self.held_wei:
            return False
        self._settle(before)
        self._end(outcome)
        return True

    def reactivate(self, owner: Address, ids: OperatorIds, *, value_wei: Wei) -> bool:
        """`reactivate`; refused with fewer than 2f + 1 live operators."""
        before = self.parties(owner, ids)
        live = sum(operator.removed_at is None for operator in before.operators)
        if before.cluster.snapshot.active or live < 2 * ((len(ids) - 1) // 3) + 1:
            return False
        after = effects.reactivate(before, deposit_wei=value_wei, at=self.block)
        if ledger.is_liquidatable(after, at=self.block):
            return False
        self.held_wei += value_wei
        self._settle(before)
        self.state.commit(self.state.changes_to(after))
        self._emit(types.ClusterReactivated(owner, ids, after.cluster.snapshot))
        return True

    def prove(
        self,
        owner: Address,
        ids: OperatorIds,
        balances_eth: Sequence[tuple[PublicKey, int]],
        *,
        slot: Slot,
        value_wei: Wei,
        base_fee_wei: Wei,
        by_owner: bool = False,
    ) -> bool:
        """`proveEffectiveBalances` with proofs taken for granted; the caller liquidates."""
        before = self.parties(owner, ids)
        records = [self.state.validators.get((owner, key)) for key, _ in balances_eth]
        if not records or any(
            record is None
            or record.cluster_id != before.cluster.cluster_id
            or record.last_proof_slot >= slot
            for record in records
        ):
            return False
        known = [record for record in records if record is not None]
        proofs = list(zip(known, balances_eth, strict=True))
        difference_eth = sum(eth - record.effective_balance_eth for record, (_, eth) in proofs)
        after = effects.prove(
            before, deposit_wei=value_wei, difference_eth=difference_eth, at=self.block
        )
        outcome = None
        if ledger.is_liquidatable(after, at=self.block):
            outcome = self._liquidated(after, by_owner=by_owner, base_fee_wei=base_fee_wei)
            if outcome.paid_wei > self.held_wei + value_wei:
                return False
        if value_wei:
            self.deposit(owner, ids, value_wei=value_wei)
        self._settle(self.parties(owner, ids))
        self.state.commit(self.state.changes_to(after))
        for record, (key, eth) in proofs:
            proven = replace(record, effective_balance_eth=eth, last_proof_slot=slot)
            self.state.commit([ValidatorChanged(record, proven)])
            self._emit(
                types.ValidatorEffectiveBalanceUpdated(
                    owner, before.cluster.cluster_id, key, eth, slot
                )
            )
        if outcome is not None:
            self._end(outcome)
        ended = self.state.clusters[before.cluster.cluster_id]
        self._emit(
            types.ClusterBalanceUpdated(
                owner, ids, self.block, ended.effective_balance_eth, ended.snapshot
            )
        )
        return True

    def update_network_fee(self, fee_units: FeeUnits) -> bool:
        """`updateNetworkFee`."""
        before = self.state.network
        after = effects.change_network_fee(before, fee_units=fee_units, at=self.block)
        self._commit_network(before, after)
        self._emit(NetworkFeeUpdated(units_to_wei(before.fee_units), units_to_wei(fee_units)))
        return True

    def withdraw_network_earnings(
        self, recipient: Address, *, units: FeeUnits | None = None
    ) -> bool:
        """`withdrawNetworkEarnings`, of the whole credit for None."""
        before = self.state.network
        credit = ledger.settle_network(before, at=self.block).credit_units
        paid = credit if units is None else units
        if paid > credit or (units is None and not paid) or units_to_wei(paid) > self.held_wei:
            return False
        after = effects.withdraw_network_earnings(before, units=paid, at=self.block)
        self._commit_network(before, after)
        self.held_wei -= units_to_wei(paid)
        self._emit(NetworkEarningsWithdrawn(units_to_wei(paid), recipient))
        return True

    def cover_debt(self, payer: Address, *, value_wei: Wei) -> bool:
        """`coverDebt`."""
        before = self.state.network
        self.held_wei += value_wei
        after = effects.cover_debt(before, value_wei=value_wei, at=self.block)
        self._commit_network(before, after)
        self._emit(DebtCovered(payer, value_wei))
        return True

    def _liquidated(
        self, parties: Parties, *, by_owner: bool, base_fee_wei: Wei
    ) -> effects.Liquidated:
        bounty_wei = ledger.bounty_wei(
            balance_wei=ledger.settle_cluster(parties, at=self.block).snapshot.balance_wei,
            minimum_collateral_wei=parties.network.parameters.minimum_collateral_wei,
            base_fee_wei=base_fee_wei,
        )
        return effects.liquidate(
            parties, at=self.block, paid_at_most_wei=None if by_owner else bounty_wei
        )

    def _end(self, outcome: effects.Liquidated) -> None:
        cluster = outcome.parties.cluster
        self.state.commit(self.state.changes_to(outcome.parties))
        self.held_wei -= outcome.paid_wei
        self._emit(types.ClusterLiquidated(cluster.owner, cluster.operator_ids, cluster.snapshot))

    def _settle(self, parties: Parties) -> None:
        """Report the debt that the call's settlement finds, and count its roundings."""
        settled = effects.settle(parties, at=self.block)
        self.roundings += len(parties.operators) + 3
        if settled.debt_added_units:
            self._emit(
                types.DebtUncovered(
                    parties.cluster.owner,
                    parties.cluster.cluster_id,
                    units_to_wei(settled.debt_added_units),
                )
            )

    def _commit_operator(self, before: Operator, after: Operator) -> None:
        self.roundings += 1
        self.state.commit([OperatorChanged(before, after)])

    def _commit_network(self, before: Network, after: Network) -> None:
        self.roundings += 1
        self.state.commit([NetworkChanged(before, after)])

    def _emit(self, event: Event) -> None:
        position = LogPosition(self.block, 0, self._log_index)
        self._log_index += 1
        self._logs.append((event, EventContext(position, self.timestamp_s)))
