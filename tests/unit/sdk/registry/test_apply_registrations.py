from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from sdk.events import Event, types
from sdk.registry import (
    Aspect,
    Divergence,
    Refusal,
    Refused,
    SignatureVerdict,
    nonce_claims,
)
from sdk.registry.changes import OperatorChanged
from sdk.testing import builders
from sdk.types import OperatorId, Wei
from sdk.units import FEE_UNIT_WEI
from tests.unit.sdk.registry.applying import (
    CLUSTER,
    IDS,
    KEY,
    OWNER,
    STRANGER,
    fresh,
    registered,
    run,
    struct,
)


def test_registration_makes_a_record_and_uses_up_a_nonce() -> None:
    state = fresh()
    applied = run(state, builders.validator_added(struct(1, 10, 1000)), block=10)
    record = state.validators[OWNER, KEY]
    assert applied.deposit_wei == 1000 * FEE_UNIT_WEI
    assert (record.nonce, record.refusal, record.cluster_id) == (0, None, CLUSTER)
    assert (record.effective_balance_eth, record.registered_at) == (32, 10)
    assert record.shares_digest == sha256(builders.shares(4, number=1)).digest()
    assert state.account(OWNER).next_nonce == 1
    assert state.clusters[CLUSTER].sequence == 1
    assert state.operators[OperatorId(1)].validator_count == 1
    assert state.network.effective_balance_eth == 32


def test_logs_of_a_bulk_call_carry_the_final_count_and_are_booked_one_by_one() -> None:
    state = fresh()
    first = run(state, builders.validator_added(struct(2, 10, 1000), key=1), block=10)
    assert state.clusters[CLUSTER].snapshot.validator_count == 2
    assert state.clusters[CLUSTER].validator_count == 1
    second = run(state, builders.validator_added(struct(2, 10, 1000), key=2), block=10)
    assert (first.divergences, second.divergences) == ((), ())
    assert (first.deposit_wei, second.deposit_wei) == (1000 * FEE_UNIT_WEI, 0)
    assert state.clusters[CLUSTER].effective_balance_eth == 64
    assert state.operators[OperatorId(4)].effective_balance_eth == 64


def test_missing_log_of_a_bulk_call_is_reported_by_the_next_call() -> None:
    state = fresh()
    run(state, builders.validator_added(struct(2, 10, 1000), key=1), block=10)
    late = run(state, builders.validator_added(struct(3, 10, 1000), key=3), block=10)
    assert late.divergences == (Divergence(Aspect.VALIDATOR_COUNT, CLUSTER, 2, 1),)
    deposit = types.ClusterDeposited(OWNER, IDS, Wei(0), struct(3, 10, 1000))
    assert run(state, deposit, block=10).divergences == (
        Divergence(Aspect.VALIDATOR_COUNT, CLUSTER, 2, 3),
    )


def test_deposit_of_a_registration_is_the_balance_plus_usage_minus_the_old_balance() -> None:
    state = registered()
    applied = run(state, builders.validator_added(struct(2, 20, 990), key=2), block=20)
    assert applied.deposit_wei == 40 * FEE_UNIT_WEI
    assert applied.divergences == ()


def test_balance_of_zero_implies_no_deposit_and_books_the_shortfall() -> None:
    state = registered()
    applied = run(state, builders.validator_added(struct(2, 310, 0), key=2), block=310)
    assert applied.deposit_wei == 0
    assert applied.divergences == ()
    assert state.network.uncovered_debt_units == 200


def test_balance_that_fell_by_more_than_the_usage_is_reported() -> None:
    state = registered()
    applied = run(state, builders.validator_added(struct(2, 20, 949), key=2), block=20)
    assert applied.deposit_wei == 0
    assert applied.divergences == (
        Divergence(Aspect.BALANCE, CLUSTER, 950 * FEE_UNIT_WEI, 949 * FEE_UNIT_WEI),
    )
    assert state.clusters[CLUSTER].snapshot == struct(2, 20, 949)


REMOVED = builders.operator(9, removed_at=1)
GOOD = builders.validator_added(struct(1, 10, 1000))


@pytest.mark.parametrize(
    ("event", "verdict", "reason"),
    [
        (replace(GOOD, operator_ids=IDS[:3]), SignatureVerdict.VALID, Refusal.OPERATORS_INVALID),
        (
            replace(GOOD, operator_ids=builders.operator_ids(1, 2, 4, 3)),
            SignatureVerdict.VALID,
            Refusal.OPERATORS_INVALID,
        ),
        (
            replace(GOOD, operator_ids=builders.operator_ids(1, 1, 2, 3)),
            SignatureVerdict.VALID,
            Refusal.OPERATORS_INVALID,
        ),
        (
            replace(GOOD, operator_ids=builders.operator_ids(0, 1, 2, 3)),
            SignatureVerdict.VALID,
            Refusal.OPERATORS_INVALID,
        ),
        (
            replace(GOOD, operator_ids=builders.operator_ids(1, 2, 3, 77)),
            SignatureVerdict.VALID,
            Refusal.OPERATOR_UNKNOWN,
        ),
        (
            replace(GOOD, operator_ids=builders.operator_ids(1, 2, 3, 9)),
            SignatureVerdict.VALID,
            Refusal.OPERATOR_REMOVED,
        ),
        (replace(GOOD, shares=bytes(1311)), SignatureVerdict.VALID, Refusal.SHARES_LENGTH),
        (GOOD, SignatureVerdict.INVALID, Refusal.NONCE_SIGNATURE_INVALID),
    ],
)
def test_refused_registration_is_recorded_charged_and_uses_up_its_nonce(
    event: types.ValidatorAdded, verdict: SignatureVerdict, reason: Refusal
) -> None:
    state = fresh()
    state.commit([OperatorChanged(None, REMOVED)])
    applied = run(state, event, block=10, verdict=verdict)
    assert applied.refused == Refused(reason)
    assert state.validators[OWNER, KEY].refusal is reason
    assert state.account(OWNER).next_nonce == 1
    assert state.accepted_validator(KEY) is None
    assert state.network.validator_count == 1
    assert state.operators[OperatorId(1)].effective_balance_eth == 32
    assert state.operators[OperatorId(9)].effective_balance_eth == 0


def test_stranger_without_the_keys_signature_does_not_block_its_owner() -> None:
    state = fresh()
    squat = replace(GOOD, owner=STRANGER)
    run(state, squat, block=10, verdict=SignatureVerdict.INVALID)
    assert run(state, GOOD, block=10).refused is None
    accepted = state.accepted_validator(KEY)
    assert accepted is not None
    assert accepted.owner == OWNER


def test_key_accepted_for_one_owner_is_refused_for_another_even_after_its_removal() -> None:
    state = registered()
    second = run(state, replace(GOOD, owner=STRANGER), block=10)
    assert second.refused == Refused(Refusal.OWNED_BY_ANOTHER)
    removed = types.ValidatorRemoved(OWNER, IDS, KEY, struct(0, 10, 1000))
    assert run(state, removed, block=10).divergences == ()
    assert state.accepted_validator(KEY) is None
    assert state.validators[STRANGER, KEY].refusal is Refusal.OWNED_BY_ANOTHER


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (builders.validator_added(struct(2, 10, 1000)), Refusal.ALREADY_REGISTERED),
        (
            replace(builders.validator_added(struct(2, 10, 1000)), public_key=b"short"),
            Refusal.PUBLIC_KEY_LENGTH,
        ),
    ],
)
def test_registration_that_the_contract_rejects_uses_up_a_nonce_and_is_reported(
    event: types.ValidatorAdded, reason: Refusal
) -> None:
    state = registered()
    before = state.validators[OWNER, KEY]
    applied = run(state, event, block=10)
    assert applied.refused == Refused(reason)
    assert applied.divergences[0] == Divergence(
        Aspect.VALIDATOR, event.public_key, None, event.public_key
    )
    assert state.account(OWNER).next_nonce == 2
    assert dict(state.validators) == {(OWNER, KEY): before}
    assert state.network.validator_count == 1


def test_bad_signature_of_a_second_registration_keeps_the_first_record() -> None:
    state = registered()
    event = builders.validator_added(struct(2, 10, 1000))
    applied = run(state, event, block=10, verdict=SignatureVerdict.INVALID)
    assert applied.refused == Refused(Refusal.NONCE_SIGNATURE_INVALID)
    assert state.validators[OWNER, KEY].refusal is None


def test_nonce_claims_count_every_registration_in_order() -> None:
    state = registered()
    other = replace(GOOD, owner=STRANGER)
    events: list[Event] = [
        builders.validator_added(struct(2, 10, 0), key=2),
        types.OperatorRemoved(OperatorId(1)),
        builders.validator_added(struct(3, 10, 0), key=3, share_bytes=b"bad length"),
        other,
        builders.validator_added(struct(4, 10, 0), key=4),
        replace(builders.validator_added(struct(5, 10, 0), key=5), public_key=b"short"),
        builders.validator_added(struct(6, 10, 0), key=6),
    ]
    claims = nonce_claims(state, events)
    assert [claim and (claim.owner, claim.nonce, claim.public_key) for claim in claims] == [
        (OWNER, 1, builders.public_key(2)),
        None,
        None,
        (STRANGER, 0, KEY),
        (OWNER, 3, builders.public_key(4)),
        None,
        (OWNER, 5, builders.public_key(6)),
    ]
    assert claims[3] is not None
    assert claims[3].signature == other.shares[:96]
