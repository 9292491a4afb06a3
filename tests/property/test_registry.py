"""Random calls on the model registry: sums, solvency, and the reducer following by logs alone."""

from __future__ import annotations

from itertools import product

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sdk.events import Undecodable, decode, encode
from sdk.registry import (
    Change,
    Cluster,
    Parameters,
    RegistryState,
    SignatureVerdict,
    apply,
    ledger,
    runway,
)
from sdk.registry.records import Network
from sdk.testing import builders
from sdk.testing.model_registry import ModelRegistry
from sdk.types import Address, BlockNumber, FeeUnits, OperatorId, PublicKey, Slot, Wei
from sdk.units import FEE_UNIT_WEI, units_to_wei

OWNERS = [builders.address(number) for number in (1, 2)]
SETS = [
    builders.operator_ids(1, 2, 3, 4),
    builders.operator_ids(2, 3, 4, 5),
    builders.operator_ids(3, 4, 5, 6, 7, 8, 9),
]
KEYS = [builders.public_key(number) for number in range(8)]
owners = st.sampled_from(OWNERS)
sets = st.sampled_from(SETS)
keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
fees = st.one_of(st.just(0), st.integers(1, 100_000), st.just(2**30 - 1))
amounts = st.one_of(st.just(0), st.integers(1, 10**13), st.integers(1, 10**10))
runways = st.one_of(st.just(0), st.integers(0, 100), st.integers(0, 3000))
NETWORK = Network(
    fee_units=FeeUnits(35_509),
    block=BlockNumber(5),
    parameters=Parameters(liquidation_period_blocks=50, minimum_collateral_wei=Wei(10**9)),
)


class Calls(RuleBasedStateMachine):
    """One model, one follower that sees encoded logs only, and a journal of its changes."""

    @initialize()
    def open(self) -> None:
        self.model = ModelRegistry(NETWORK)
        self.follower = RegistryState(NETWORK)
        self.journal: list[tuple[bytes, tuple[Change, ...]]] = []
        self.frozen: dict[OperatorId, int] = {}
        self.slot = Slot(0)
        for number in range(9):
            self.model.register_operator(builders.address(100), FeeUnits(1000 * number + 7))
        shares = [b"\x01" + builders.shares(4)[1:]]
        for place, (owner, ids) in enumerate(product(OWNERS, SETS[:2])):
            self.model.register(
                owner,
                ids,
                [KEYS[place]],
                shares,
                value_wei=Wei(10**11 * (50 + place)),
                verdict=SignatureVerdict.VALID,
            )

    @rule(blocks=st.integers(1, 5))
    def pass_few_blocks(self, blocks: int) -> None:
        self.model.mine(blocks)

    @rule(blocks=st.integers(1, 500))
    def pass_blocks(self, blocks: int) -> None:
        self.model.mine(blocks)

    @rule(blocks=st.integers(500, 20_000))
    def pass_many_blocks(self, blocks: int) -> None:
        self.model.mine(blocks)

    @rule(owner=owners, ids=sets, chosen=keys, blocks=runways, signed=st.booleans())
    def register(
        self,
        owner: Address,
        ids: tuple[OperatorId, ...],
        chosen: list[PublicKey],
        blocks: int,
        signed: bool,
    ) -> None:
        # The follower is told the verdict as bytes of the share: see `follow`.
        shares = bytes([signed]) + builders.shares(len(ids))[1:]
        parties = self.model.parties(owner, ids)
        if not parties.cluster.snapshot.active:
            return
        free = [key for key in chosen if (owner, key) not in self.model.state.validators]
        needed_wei = runway.deposit_needed_wei(
            parties, for_blocks=blocks, at=self.model.block, new_validators=len(free)
        )
        done = self.model.register(
            owner,
            ids,
            free,
            [shares] * len(free),
            value_wei=needed_wei,
            verdict=_verdict(shares),
        )
        left = runway.runway_blocks(self.model.parties(owner, ids), at=self.model.block)
        assert not done or not free or left is None or left >= blocks

    @rule(owner=owners, ids=sets, count=st.integers(1, 2))
    def remove(self, owner: Address, ids: tuple[OperatorId, ...], count: int) -> None:
        self.model.remove(owner, ids, self._keys(owner, ids)[:count])

    @rule(owner=owners, ids=sets, value=amounts)
    def deposit(self, owner: Address, ids: tuple[OperatorId, ...], value: int) -> None:
        self.model.deposit(owner, ids, value_wei=Wei(value))

    @rule(owner=owners, ids=sets, value=amounts)
    def withdraw(self, owner: Address, ids: tuple[OperatorId, ...], value: int) -> None:
        self.model.withdraw(owner, ids, value_wei=Wei(value))

    @rule(owner=owners, ids=sets, by_owner=st.booleans(), base_fee=st.integers(0, 10**10))
    def liquidate(
        self, owner: Address, ids: tuple[OperatorId, ...], by_owner: bool, base_fee: int
    ) -> None:
        parties = self.model.parties(owner, ids)
        is_due = ledger.is_liquidatable(parties, at=self.model.block)
        done = self.model.liquidate(owner, ids, by_owner=by_owner, base_fee_wei=Wei(base_fee))
        if is_due and self.model.state.network.uncovered_debt_units == 0:
            assert done, "whatever operators did, a liquidatable cluster can be liquidated"

    @rule(owner=owners, ids=sets, blocks=runways)
    def reactivate(self, owner: Address, ids: tuple[OperatorId, ...], blocks: int) -> None:
        parties = self.model.parties(owner, ids)
        if parties.cluster.snapshot.active:
            return
        value_wei = runway.deposit_needed_wei(parties, for_blocks=blocks, at=self.model.block)
        self.model.reactivate(owner, ids, value_wei=value_wei)

    @rule(
        owner=owners,
        ids=sets,
        balances_eth=st.lists(
            st.one_of(st.integers(32, 64), st.integers(32, 2048)), min_size=1, max_size=2
        ),
        value=amounts,
    )
    def prove(
        self, owner: Address, ids: tuple[OperatorId, ...], balances_eth: list[int], value: int
    ) -> None:
        self.slot = Slot(self.slot + 1)
        self.model.prove(
            owner,
            ids,
            list(zip(self._keys(owner, ids), balances_eth, strict=False)),
            slot=self.slot,
            value_wei=Wei(value),
            base_fee_wei=Wei(10**9),
        )

    @rule(operator_id=st.integers(1, 9), fee=fees)
    def change_operator_fee(self, operator_id: int, fee: int) -> None:
        self.model.change_operator_fee(OperatorId(operator_id), FeeUnits(fee))

    @rule(operator_id=st.integers(1, 9))
    def withdraw_earnings(self, operator_id: int) -> None:
        self.model.withdraw_earnings(OperatorId(operator_id))

    @rule(operator_id=st.integers(1, 9), chance=st.integers(0, 5))
    def remove_operator(self, operator_id: int, chance: int) -> None:
        # Rarely, because a set with a removed operator takes no registration any more.
        if chance == 0 and self.model.remove_operator(OperatorId(operator_id)):
            removed = self.model.state.operators[OperatorId(operator_id)]
            self.frozen[OperatorId(operator_id)] = removed.index_units

    @rule(fee=fees)
    def change_network_fee(self, fee: int) -> None:
        self.model.update_network_fee(FeeUnits(fee))

    @rule()
    def withdraw_network_earnings(self) -> None:
        self.model.withdraw_network_earnings(builders.address(200))

    @rule(units=st.integers(0, 10**9))
    def cover_debt(self, units: int) -> None:
        self.model.cover_debt(builders.address(201), value_wei=units_to_wei(units))

    @rule(count=st.integers(0, 10))
    def reorganise(self, count: int) -> None:
        """Undo some logs and apply them again: the follower ends where it was."""
        taken = self.journal[len(self.journal) - count :] if count else []
        before = self.follower.digest()
        for digest, changes in reversed(taken):
            self.follower.undo(changes)
            assert self.follower.digest() == digest
        for _, changes in taken:
            self.follower.commit(changes)
        assert self.follower.digest() == before

    @invariant()
    def follower_reaches_the_same_state_from_logs_alone(self) -> None:
        for event, at in self.model.take_logs():
            topics, data = encode(event)
            decoded = decode(topics, data)
            assert decoded == event
            assert not isinstance(decoded, Undecodable)
            shares = getattr(decoded, "shares", b"\x01")
            applied = apply(self.follower, decoded, at, _verdict(shares))
            assert applied.divergences == ()
            self.journal.append((self.follower.digest(), applied.changes))
            self.follower.commit(applied.changes)
        assert self.follower == self.model.state
        assert self.follower.digest() == self.model.state.digest()

    @invariant()
    def sums_are_those_of_the_active_clusters(self) -> None:
        state = self.model.state
        active = [cluster for cluster in state.clusters.values() if cluster.snapshot.active]
        for operator in state.operators.values():
            mine = [cluster for cluster in active if operator.operator_id in cluster.operator_ids]
            if operator.removed_at is not None:
                mine = []
                assert operator.fee_units == operator.credit_units == 0
                assert operator.index_units == self.frozen[operator.operator_id]
            assert operator.effective_balance_eth == _eth(mine)
            assert operator.validator_count == _count(mine)
        assert state.network.effective_balance_eth == _eth(active)
        assert state.network.validator_count == _count(active)
        for cluster in state.clusters.values():
            records = [
                state.validators[key] for key in state.validators_of_cluster(cluster.cluster_id)
            ]
            assert cluster.snapshot.validator_count == cluster.validator_count == len(records)
            assert cluster.effective_balance_eth == sum(
                record.effective_balance_eth for record in records
            )

    @invariant()
    def ether_held_covers_what_is_owed_up_to_a_unit_per_rounding(self) -> None:
        state, block = self.model.state, self.model.block
        owed_wei = 0
        for cluster in state.clusters.values():
            owed_wei += cluster.snapshot.balance_wei
            if cluster.snapshot.active:
                used = ledger.usage_units(state.parties(cluster), at=block)
                owed_wei -= units_to_wei(used)
        for operator in state.operators.values():
            owed_wei += units_to_wei(ledger.settle_operator(operator, at=block).credit_units)
        network = ledger.settle_network(state.network, at=block)
        owed_wei += units_to_wei(network.credit_units - network.uncovered_debt_units)
        kept_wei = self.model.held_wei - owed_wei
        views = len(state.clusters) + len(state.operators) + 1
        assert 0 <= kept_wei < FEE_UNIT_WEI * (self.model.roundings + views)

    @invariant()
    def credit_and_debt_of_the_network_exclude_each_other(self) -> None:
        network = self.model.state.network
        assert network.credit_units == 0 or network.uncovered_debt_units == 0

    @invariant()
    def indexes_of_clusters_never_pass_those_of_their_parties(self) -> None:
        state, block = self.model.state, self.model.block
        for cluster in state.clusters.values():
            if cluster.snapshot.active:
                parties = state.parties(cluster)
                assert cluster.snapshot.index <= ledger.cluster_index(parties, at=block)
                assert cluster.snapshot.network_fee_index <= ledger.network_index(
                    parties.network, at=block
                )

    def _keys(self, owner: Address, ids: tuple[OperatorId, ...]) -> list[PublicKey]:
        cluster = self.model.parties(owner, ids).cluster
        members = self.model.state.validators_of_cluster(cluster.cluster_id)
        return [PublicKey(key) for _, key in sorted(members)]


def _verdict(shares: bytes) -> SignatureVerdict:
    return SignatureVerdict.VALID if shares[0] else SignatureVerdict.INVALID


def _eth(clusters: list[Cluster]) -> int:
    return sum(cluster.effective_balance_eth for cluster in clusters)


def _count(clusters: list[Cluster]) -> int:
    return sum(cluster.validator_count for cluster in clusters)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
