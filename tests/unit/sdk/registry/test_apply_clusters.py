from __future__ import annotations

from dataclasses import replace

import pytest

from sdk.events import Event, types
from sdk.registry import (
    Applied,
    Aspect,
    Divergence,
)
from sdk.testing import builders
from sdk.types import BlockNumber, ClusterId, OperatorId, Slot, Wei
from sdk.units import FEE_UNIT_WEI
from tests.unit.sdk.registry.applying import (
    CLUSTER,
    IDS,
    KEY,
    OWNER,
    STRANGER,
    aspects,
    fresh,
    registered,
    run,
    struct,
)


def test_removal_takes_the_recorded_effective_balance() -> None:
    state = registered(validators=2)
    proof = types.ValidatorEffectiveBalanceUpdated(OWNER, CLUSTER, KEY, 100, Slot(5))
    run(state, proof, block=10)
    event = types.ValidatorRemoved(OWNER, IDS, KEY, struct(1, 10, 1000))
    assert run(state, event, block=10).divergences == ()
    assert state.clusters[CLUSTER].effective_balance_eth == 32
    assert state.operators[OperatorId(1)].effective_balance_eth == 32
    assert set(state.validators_of_cluster(CLUSTER)) == {(OWNER, builders.public_key(2))}


def test_removal_of_an_unknown_validator_adopts_the_struct_only() -> None:
    state = registered()
    event = types.ValidatorRemoved(OWNER, IDS, builders.public_key(8), struct(0, 20, 950))
    applied = run(state, event, block=20)
    assert aspects(applied) == [Aspect.VALIDATOR]
    assert state.clusters[CLUSTER].snapshot == event.cluster
    assert state.operators[OperatorId(1)].validator_count == 1


def test_first_exit_request_is_kept() -> None:
    state = registered()
    event = types.ValidatorExited(OWNER, IDS, KEY)
    run(state, event, block=11)
    assert run(state, event, block=12) == Applied()
    assert state.validators[OWNER, KEY].exit_requested_at == 11


@pytest.mark.parametrize(
    "event",
    [
        types.ValidatorExited(STRANGER, IDS, KEY),
        types.ValidatorExited(OWNER, builders.operator_ids(1, 2, 3, 5), KEY),
        types.ValidatorEffectiveBalanceUpdated(OWNER, ClusterId(bytes(32)), KEY, 64, Slot(1)),
        types.ValidatorEffectiveBalanceUpdated(STRANGER, CLUSTER, KEY, 64, Slot(1)),
    ],
)
def test_validator_event_that_matches_no_record_changes_nothing(event: Event) -> None:
    applied = run(registered(), event, block=11)
    assert applied == Applied(divergences=(Divergence(Aspect.VALIDATOR, KEY, None, KEY),))


def test_deposit_and_withdrawal_predict_the_struct() -> None:
    state = registered()
    deposit = types.ClusterDeposited(OWNER, IDS, Wei(5 * FEE_UNIT_WEI), struct(1, 10, 1005))
    assert run(state, deposit, block=20).divergences == ()
    withdrawal = types.ClusterWithdrawn(OWNER, IDS, Wei(55 * FEE_UNIT_WEI), struct(1, 30, 850))
    assert run(state, withdrawal, block=30).divergences == ()


def test_withdrawal_above_the_balance_is_reported() -> None:
    event = types.ClusterWithdrawn(OWNER, IDS, Wei(10**18), struct(1, 10, 0))
    applied = run(registered(), event, block=10)
    assert applied.divergences == (
        Divergence(Aspect.BALANCE, CLUSTER, 1000 * FEE_UNIT_WEI, 10**18),
    )


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        ({"network_fee_index": 11}, Aspect.NETWORK_FEE_INDEX),
        ({"index": 41}, Aspect.INDEX),
        ({"balance_wei": 1}, Aspect.BALANCE),
        ({"active": False}, Aspect.ACTIVE),
        ({"validator_count": 2}, Aspect.VALIDATOR_COUNT),
    ],
)
def test_every_member_of_the_struct_is_compared_and_adopted(
    change: dict[str, int], aspect: Aspect
) -> None:
    state = registered()
    found = replace(struct(1, 10, 1000), **change)  # type: ignore[arg-type]
    applied = run(state, types.ClusterDeposited(OWNER, IDS, Wei(0), found), block=10)
    assert aspects(applied) == [aspect]
    assert state.clusters[CLUSTER].snapshot == found


def test_liquidation_leaves_the_sums_and_what_the_log_says() -> None:
    state = registered()
    rest = builders.snapshot(active=False, balance_wei=700 * FEE_UNIT_WEI)
    event = types.ClusterLiquidated(OWNER, IDS, rest)
    assert run(state, event, block=20).divergences == ()
    assert state.clusters[CLUSTER].snapshot == rest
    assert state.network.validator_count == 0
    assert state.operators[OperatorId(1)].effective_balance_eth == 0
    assert state.operators[OperatorId(1)].credit_units == 10


def test_liquidation_cannot_leave_more_than_there_was() -> None:
    rest = builders.snapshot(active=False, balance_wei=951 * FEE_UNIT_WEI)
    applied = run(registered(), types.ClusterLiquidated(OWNER, IDS, rest), block=20)
    assert aspects(applied) == [Aspect.BALANCE]


def test_reactivation_tells_its_deposit_and_enters_the_sums() -> None:
    state = registered()
    rest = builders.snapshot(active=False, balance_wei=700 * FEE_UNIT_WEI)
    run(state, types.ClusterLiquidated(OWNER, IDS, rest), block=20)
    applied = run(state, types.ClusterReactivated(OWNER, IDS, struct(1, 30, 750)), block=30)
    assert applied.divergences == ()
    assert applied.deposit_wei == 50 * FEE_UNIT_WEI
    assert state.network.effective_balance_eth == 32


def test_liquidation_and_reactivation_out_of_turn_keep_the_sums_true() -> None:
    state = registered()
    again = run(state, types.ClusterReactivated(OWNER, IDS, struct(1, 10, 1000)), block=10)
    assert aspects(again) == [Aspect.ACTIVE]
    assert state.network.validator_count == 1
    rest = builders.snapshot(active=False, balance_wei=0)
    run(state, types.ClusterLiquidated(OWNER, IDS, rest), block=10)
    assert aspects(run(state, types.ClusterLiquidated(OWNER, IDS, rest), block=10)) == [
        Aspect.ACTIVE
    ]
    assert state.network.validator_count == 0
    added = builders.validator_added(struct(2, 20, 1000), key=2)
    assert Aspect.ACTIVE in aspects(run(state, added, block=20))
    assert state.network.validator_count == 2


def test_proof_with_value_is_settled_at_the_old_effective_balance() -> None:
    state = registered()
    logs: list[Event] = [
        types.ClusterDeposited(OWNER, IDS, Wei(5 * FEE_UNIT_WEI), struct(1, 10, 1005)),
        types.ValidatorEffectiveBalanceUpdated(OWNER, CLUSTER, KEY, 64, Slot(9)),
        types.ClusterBalanceUpdated(OWNER, IDS, BlockNumber(20), 64, struct(1, 20, 955)),
    ]
    assert [run(state, log, block=20).divergences for log in logs] == [(), (), ()]
    record = state.validators[OWNER, KEY]
    assert (record.effective_balance_eth, record.last_proof_slot) == (64, 9)
    assert state.operators[OperatorId(1)].effective_balance_eth == 64
    after = types.ClusterWithdrawn(OWNER, IDS, Wei(0), struct(1, 30, 855))
    assert run(state, after, block=30).divergences == ()


def test_late_proof_that_liquidates_accounts_for_the_debt_once() -> None:
    state = registered()
    rest = builders.snapshot(active=False, balance_wei=0)
    # 1000 units last 200 blocks; at block 310 500 more are used, 300 of them network income.
    logs: list[Event] = [
        types.DebtUncovered(OWNER, CLUSTER, Wei(200 * FEE_UNIT_WEI)),
        types.ValidatorEffectiveBalanceUpdated(OWNER, CLUSTER, KEY, 2048, Slot(9)),
        types.ClusterLiquidated(OWNER, IDS, rest),
        types.ClusterBalanceUpdated(OWNER, IDS, BlockNumber(310), 2048, rest),
    ]
    assert [run(state, log, block=310).divergences for log in logs] == [()] * 4
    assert state.network.uncovered_debt_units == 200
    assert state.operators[OperatorId(1)].credit_units == 300


def test_debt_is_compared_and_not_booked_twice() -> None:
    state = registered()
    wrong = run(state, types.DebtUncovered(OWNER, CLUSTER, Wei(1)), block=310)
    assert wrong.changes == ()
    assert wrong.divergences == (Divergence(Aspect.UNCOVERED_DEBT, CLUSTER, 200 * FEE_UNIT_WEI, 1),)
    unknown = run(state, types.DebtUncovered(OWNER, ClusterId(bytes(32)), Wei(1)), block=310)
    assert aspects(unknown) == [Aspect.CLUSTER]


def test_proof_that_names_another_balance_or_block_is_reported() -> None:
    event = types.ClusterBalanceUpdated(OWNER, IDS, BlockNumber(9), 33, struct(1, 10, 1000))
    assert run(registered(), event, block=10).divergences == (
        Divergence(Aspect.EFFECTIVE_BALANCE, CLUSTER, 32, 33),
        Divergence(Aspect.BLOCK, CLUSTER, 10, 9),
    )


@pytest.mark.parametrize(
    "event",
    [
        types.ValidatorRemoved(OWNER, IDS, KEY, struct(3, 10, 7)),
        types.ClusterDeposited(OWNER, IDS, Wei(1), struct(3, 10, 7)),
        types.ClusterWithdrawn(OWNER, IDS, Wei(1), struct(3, 10, 7)),
        types.ClusterReactivated(OWNER, IDS, struct(3, 10, 7)),
        types.ClusterLiquidated(OWNER, IDS, builders.snapshot(active=False)),
        types.ClusterBalanceUpdated(OWNER, IDS, BlockNumber(10), 96, struct(3, 10, 7)),
    ],
)
def test_event_of_a_cluster_never_seen_is_adopted_and_reported(event: Event) -> None:
    state = fresh()
    applied = run(state, event, block=10)
    assert applied.divergences[0] == Divergence(Aspect.CLUSTER, CLUSTER, None, CLUSTER)
    assert state.clusters[CLUSTER].snapshot == getattr(event, "cluster")  # noqa: B009
    assert state.network.validator_count == 0


def test_operator_whose_log_comes_late_joins_the_sums_of_its_clusters() -> None:
    state = fresh()
    ids = builders.operator_ids(1, 2, 3, 5)
    added = builders.validator_added(builders.snapshot(), ids=ids)
    assert Aspect.OPERATOR in aspects(run(state, added, block=10))
    late = types.OperatorAdded(OperatorId(5), OWNER, b"key", Wei(FEE_UNIT_WEI))
    run(state, late, block=11)
    assert state.operators[OperatorId(5)].effective_balance_eth == 32
    removed = types.ValidatorRemoved(OWNER, ids, KEY, builders.snapshot(validators=0))
    run(state, removed, block=12)
    assert state.operators[OperatorId(5)].effective_balance_eth == 0
