"""Which clusters are due: the schedule equals a look at every cluster, at every block."""

from __future__ import annotations

import random

import pytest

from sdk.keeper.bidding import Market
from sdk.keeper.liquidations import Schedule, case_of
from sdk.registry import (
    Change,
    ClusterChanged,
    NetworkChanged,
    OperatorChanged,
    RegistryState,
    SignatureVerdict,
    apply,
    ledger,
    runway,
)
from sdk.testing import builders
from sdk.testing.model_registry import ModelRegistry
from sdk.types import BlockNumber, FeeUnits, OperatorId, PublicKey, Slot, Wei

GWEI = 10**9
OWNERS = [builders.address(number) for number in (1, 2, 3)]
SETS = [builders.operator_ids(1, 2, 3, 4), builders.operator_ids(3, 4, 5, 6)]


class Life:
    """Random calls; whoever follows their logs, with a schedule."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        network = builders.network(period_blocks=50, collateral_wei=10**9)
        self.model = ModelRegistry(network)
        self.state = RegistryState(network)
        for number in range(6):
            self.model.register_operator(builders.address(50), FeeUnits(1000 * number + 7))
        self.follow()
        self.schedule = Schedule(self.state, at=self.model.block)

    def follow(self) -> list[Change]:
        changes: list[Change] = []
        for event, at in self.model.take_logs():
            applied = apply(self.state, event, at, SignatureVerdict.VALID)
            self.state.commit(applied.changes)
            changes += applied.changes
        return changes

    def act(self) -> None:
        chance, model = self.chance, self.model
        owner, ids = chance.choice(OWNERS), chance.choice(SETS)
        parties = model.parties(owner, ids)
        keys = [
            PublicKey(key)
            for _, key in sorted(model.state.validators_of_cluster(parties.cluster.cluster_id))
        ]
        match chance.randrange(9):
            case 0 | 1 | 2 if parties.cluster.snapshot.active:
                needed = runway.deposit_needed_wei(
                    parties, for_blocks=chance.randrange(90), at=model.block, new_validators=1
                )
                share = b"\x01" + builders.shares(4)[1:]
                key = builders.public_key(chance.randrange(10**6))
                model.register(
                    owner, ids, [key], [share], value_wei=needed, verdict=SignatureVerdict.VALID
                )
            case 3:
                model.liquidate(owner, ids, by_owner=chance.random() < 0.3, base_fee_wei=Wei(GWEI))
            case 4:
                model.reactivate(owner, ids, value_wei=Wei(chance.randrange(10**13)))
            case 5:
                model.remove(owner, ids, keys[:1])
            case 6:
                proofs = [(key, chance.randrange(32, 99)) for key in keys[:2]]
                model.prove(
                    owner,
                    ids,
                    proofs,
                    slot=Slot(model.block),
                    value_wei=Wei(0),
                    base_fee_wei=Wei(1),
                )
            case 7:
                operator_id = OperatorId(chance.randrange(1, 7))
                model.change_operator_fee(operator_id, FeeUnits(chance.randrange(9_000)))
                if chance.random() < 0.05:
                    model.remove_operator(OperatorId(6))
            case _:
                model.update_network_fee(FeeUnits(chance.randrange(40_000)))


@pytest.mark.parametrize("seed", range(12))
def test_the_schedule_is_right_at_every_block_of_any_life(seed: int) -> None:
    life, due = Life(seed), 0
    for _ in range(150):
        life.act()
        life.model.mine(life.chance.choice((1, 1, 3, 20)))
        newest = life.model.block
        life.schedule.take(life.follow(), at=newest)
        at = BlockNumber(newest + 1)
        every = [life.state.parties(cluster) for cluster in life.state.clusters.values()]
        liquidatable = {
            each.cluster.cluster_id for each in every if ledger.is_liquidatable(each, at=at)
        }
        assert set(life.schedule.due(at=at)) == liquidatable
        ends = [runway.liquidation_block(each, at=newest) for each in every]
        known = [end for end in ends if end is not None]
        assert len(life.schedule) == len(known)
        if known and not liquidatable:
            assert life.schedule.next_block == min(known)
        due += len(liquidatable)
    assert due > 20


def registry(*balances_wei: int) -> RegistryState:
    """One cluster per balance, of one validator and four operators each, from block 0."""
    state = RegistryState(builders.network())
    state.commit(OperatorChanged(None, builders.operator(number)) for number in (1, 2, 3, 4))
    state.commit(
        ClusterChanged(
            None,
            builders.cluster(
                builders.snapshot(balance_wei=balance), owner=builders.address(number)
            ),
        )
        for number, balance in enumerate(balances_wei)
    )
    return state


def threshold_wei(state: RegistryState) -> int:
    parties = state.parties(next(iter(state.clusters.values())))
    return ledger.liquidation_threshold_wei(parties, effective_balance_eth=32)


def test_clusters_become_due_one_after_the_other_and_stay_due() -> None:
    least = threshold_wei(registry(0))
    rate = ledger.burn_rate_wei(registry(0).parties(next(iter(registry(0).clusters.values()))))
    state = registry(least + 100 * rate, least + 200 * rate, least + 10 * rate)
    schedule = Schedule(state, at=BlockNumber(0))
    assert schedule.next_block == 11
    counts = [len(schedule.due(at=BlockNumber(block))) for block in (10, 11, 100, 101, 201, 300)]
    assert counts == [0, 1, 1, 2, 3, 3]
    assert schedule.next_block == 11


def test_a_dearer_network_moves_every_block() -> None:
    state = registry(*(10**16 + number for number in range(50)))
    schedule = Schedule(state, at=BlockNumber(0))
    first = schedule.next_block
    assert first is not None
    for fee in (40_000, 90_000, 5_000) * 5:
        before = state.network
        after = builders.network(fee_units=fee)
        state.commit([NetworkChanged(before, after)])
        schedule.take([NetworkChanged(before, after)], at=BlockNumber(0))
        fresh = Schedule(state, at=BlockNumber(0))
        assert (schedule.next_block, len(schedule)) == (fresh.next_block, len(fresh))
    assert schedule.next_block != first


def test_the_bounty_is_what_a_falling_base_fee_leaves() -> None:
    state = registry(10**14)  # less than twice the minimum collateral
    [cluster_id] = state.clusters
    dear = case_of(state, cluster_id, at=BlockNumber(9), market=Market(80 * GWEI, GWEI))
    cheap = case_of(state, cluster_id, at=BlockNumber(9), market=Market(0, GWEI))
    assert dear is not None
    assert cheap is not None
    balance = ledger.settle_cluster(
        state.parties(state.clusters[cluster_id]), at=BlockNumber(9)
    ).snapshot.balance_wei
    assert dear.bounty_wei == cheap.bounty_wei == balance
    rich = RegistryState(builders.network(period_blocks=10**9))
    rich.commit(OperatorChanged(None, builders.operator(number)) for number in (1, 2, 3, 4))
    rich.commit([ClusterChanged(None, builders.cluster(builders.snapshot(balance_wei=10**18)))])
    [cluster_id] = rich.clusters
    found = case_of(rich, cluster_id, at=BlockNumber(9), market=Market(80 * GWEI, GWEI))
    assert found is not None
    assert found.bounty_wei == Wei(300_000 * 70 * GWEI)


def test_what_is_safe_or_unknown_is_no_case() -> None:
    state = registry(10**18)
    [cluster_id] = state.clusters
    market = Market(GWEI, GWEI)
    assert case_of(state, cluster_id, at=BlockNumber(9), market=market) is None
    gone = RegistryState()
    assert case_of(gone, cluster_id, at=BlockNumber(9), market=market) is None
