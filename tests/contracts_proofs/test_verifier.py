"""What the verifier accepts and refuses, on states that the consensus library made.

Every question goes to the contract, to its plain twin and to the Python twin.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdk.beacon_proofs import BeaconProofs, Refused, ValidatorIndex, ValidatorProof
from sdk.types import Epoch, Gwei, PublicKey
from tests.contracts_proofs import beacon_roots
from tests.contracts_proofs.conftest import (
    FIRST_TIME,
    GENESIS_TIME,
    WINDOW,
    Verifiers,
    deploy,
    deploy_all,
)
from tests.contracts_proofs.states import Snapshot, snapshot

pytestmark = pytest.mark.toolchain

TIME = GENESIS_TIME + 120_000
SLOT = 10_000
INDEX = 7


@pytest.fixture(params=["electra", "fulu"])
def one(request: pytest.FixtureRequest) -> Snapshot:
    """A state in which every list holds something."""
    return snapshot("minimal", request.param, "filled")


def with_validator(proofs: BeaconProofs, **changes: Any) -> BeaconProofs:
    """The same with a changed claim about its only validator."""
    [validator] = proofs.validators
    return replace(proofs, validators=(replace(validator, **changes),))


def flipped(data: bytes, bit: int = 0) -> bytes:
    """The bytes with one bit changed."""
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


def test_many_validators_are_proven_in_one_call(verifiers: Verifiers, one: Snapshot) -> None:
    proofs = one.prove(*range(len(one.described.validators)))
    assert verifiers.ask_kept(TIME, proofs) == SLOT


def test_a_state_root_without_validators_is_accepted(verifiers: Verifiers, one: Snapshot) -> None:
    assert verifiers.ask_kept(TIME, one.prove()) == SLOT


def test_a_slot_begins_with_its_first_second(verifiers: Verifiers, one: Snapshot) -> None:
    assert verifiers.ask_kept(TIME + 11, one.prove(INDEX)) == SLOT
    assert verifiers.ask_kept(TIME - 1, one.prove(INDEX)) == SLOT - 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("public_key", lambda p: PublicKey(flipped(p.public_key))),
        ("withdrawal_credentials", lambda p: flipped(p.withdrawal_credentials)),
        ("effective_balance_gwei", lambda p: Gwei(2048 * 10**9)),
        ("slashed", lambda p: not p.slashed),
        ("activation_eligibility_epoch", lambda p: Epoch(p.activation_eligibility_epoch + 1)),
        ("activation_epoch", lambda p: Epoch(p.activation_epoch + 1)),
        ("exit_epoch", lambda p: Epoch(p.exit_epoch - 1)),
        ("withdrawable_epoch", lambda p: Epoch(p.withdrawable_epoch - 1)),
        ("validator_index", lambda p: ValidatorIndex(p.validator_index + 1)),
        ("validator_index", lambda p: ValidatorIndex(p.validator_index ^ 1 << 39)),
        ("validator_index", lambda p: ValidatorIndex(p.validator_index + (1 << 40))),
        ("validator_index", lambda p: ValidatorIndex((1 << 64) - 1)),
        ("public_key", lambda p: PublicKey(p.public_key[:47])),
        ("public_key", lambda p: PublicKey(p.public_key + b"\0")),
        ("public_key", lambda p: PublicKey(b"")),
        ("branch", lambda p: p.branch[:46]),
        ("branch", lambda p: (*p.branch, bytes(32))),
        ("branch", lambda p: ()),
        ("branch", lambda p: (flipped(p.branch[0]), *p.branch[1:])),
        ("branch", lambda p: (*p.branch[:46], flipped(p.branch[46], 255))),
        ("branch", lambda p: (*p.branch[:20], *reversed(p.branch[20:]))),
    ],
)
def test_a_changed_claim_is_refused(
    verifiers: Verifiers, one: Snapshot, field: str, wrong: Any
) -> None:
    proofs = one.prove(INDEX)
    value = wrong(proofs.validators[0])
    assert value != getattr(proofs.validators[0], field)
    changed = with_validator(proofs, **{field: value})
    assert verifiers.ask_kept(TIME, changed) is Refused.INVALID_PROOF


def test_one_wrong_validator_spoils_the_call(verifiers: Verifiers, one: Snapshot) -> None:
    proofs = one.prove(1, 2, 3)
    first, second, third = proofs.validators
    lying = replace(third, effective_balance_gwei=Gwei(third.effective_balance_gwei + 1))
    changed = replace(proofs, validators=(first, second, lying))
    assert verifiers.ask_kept(TIME, changed) is Refused.INVALID_PROOF


def test_fields_of_one_validator_with_the_branch_of_another_are_refused(
    verifiers: Verifiers, one: Snapshot
) -> None:
    proofs = one.prove(1)
    [other] = one.prove(2).validators
    mixed = with_validator(proofs, branch=other.branch)
    assert verifiers.ask_kept(TIME, mixed) is Refused.INVALID_PROOF
    moved = with_validator(proofs, branch=other.branch, validator_index=other.validator_index)
    assert verifiers.ask_kept(TIME, moved) is Refused.INVALID_PROOF


@pytest.mark.parametrize(
    "branch",
    [
        lambda b: b[:2],
        lambda b: (*b, bytes(32)),
        lambda b: (),
        lambda b: (b[1], b[0], b[2]),
        lambda b: (flipped(b[0]), b[1], b[2]),
        lambda b: (b[0], b[1], flipped(b[2], 17)),
    ],
)
def test_a_changed_branch_of_the_state_root_is_refused(
    verifiers: Verifiers, one: Snapshot, branch: Any
) -> None:
    proofs = one.prove(INDEX)
    changed = replace(proofs, state_root_branch=branch(proofs.state_root_branch))
    assert verifiers.ask_kept(TIME, changed) is Refused.INVALID_PROOF


def test_another_state_root_is_refused(verifiers: Verifiers, one: Snapshot) -> None:
    proofs = one.prove(INDEX)
    changed = replace(proofs, state_root=flipped(proofs.state_root))
    assert verifiers.ask_kept(TIME, changed) is Refused.INVALID_PROOF


def test_another_field_of_the_header_is_no_state_root(verifiers: Verifiers, one: Snapshot) -> None:
    """The parent root lies beside the state root, one place to the left."""
    proofs = one.prove()
    changed = replace(
        proofs,
        state_root=one.header.parent_root,
        state_root_branch=(one.header.state_root, *proofs.state_root_branch[1:]),
    )
    assert verifiers.ask_kept(TIME, changed) is Refused.INVALID_PROOF


def test_proofs_of_another_block_are_refused(verifiers: Verifiers) -> None:
    older = snapshot("minimal", "fulu", "epoch3").prove(INDEX)
    newer = snapshot("minimal", "fulu", "epoch4").prove(INDEX)
    mixed = replace(older, beacon_root=newer.beacon_root)
    assert verifiers.ask_kept(TIME, mixed) is Refused.INVALID_PROOF
    validators = replace(newer, validators=older.validators)
    assert verifiers.ask_kept(TIME, validators) is Refused.INVALID_PROOF


def test_a_timestamp_without_root_is_refused(verifiers: Verifiers, one: Snapshot) -> None:
    proofs = one.prove(INDEX)
    assert verifiers.ask_kept(TIME, proofs) == SLOT
    for timestamp in (TIME + 12, TIME + beacon_roots.RING_ENTRIES):
        answer = verifiers.ask(timestamp, proofs, kept_root=None)
        assert answer is Refused.ROOT_UNAVAILABLE


def test_a_root_is_forgotten_after_a_turn_of_the_ring(verifiers: Verifiers, one: Snapshot) -> None:
    """The contract's own code stores both, called as the protocol calls it."""
    proofs = one.prove(INDEX)
    chain = verifiers.chain
    step = beacon_roots.RING_ENTRIES * WINDOW.seconds_per_slot
    now = chain.eth.get_block("latest")["timestamp"]
    stored = max(FIRST_TIME, now) + WINDOW.seconds_per_slot
    beacon_roots.keep_as_system(chain, stored, proofs.beacon_root)
    expected = (stored - GENESIS_TIME) // 12
    assert verifiers.ask(stored, proofs, kept_root=proofs.beacon_root) == expected
    beacon_roots.keep_as_system(chain, stored + step - 12, bytes([1]) * 32)
    assert verifiers.ask(stored, proofs, kept_root=proofs.beacon_root) == expected
    beacon_roots.keep_as_system(chain, stored + step, bytes([2]) * 32)
    assert verifiers.ask(stored, proofs, kept_root=None) is Refused.ROOT_UNAVAILABLE


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("0x", id="no code"),
        pytest.param("0x00", id="no answer"),
        pytest.param("0x5f5ffd", id="revert"),
        pytest.param("0x60205ff3", id="zero root"),
        pytest.param("0x60015f52601f6001f3", id="31 bytes"),
        pytest.param("0x60015f5260405ff3", id="64 bytes"),
        pytest.param("0xfe", id="invalid"),
    ],
)
def test_an_answer_that_is_no_root_is_refused(
    verifiers: Verifiers, one: Snapshot, code: str
) -> None:
    beacon_roots.install(verifiers.chain, code)
    try:
        answer = verifiers.ask(TIME, one.prove(INDEX), kept_root=None)
    finally:
        beacon_roots.install(verifiers.chain)
    assert answer is Refused.ROOT_UNAVAILABLE


def test_the_window_is_closed_below_and_open_above(verifiers: Verifiers, one: Snapshot) -> None:
    window = replace(WINDOW, valid_from=TIME, valid_until=TIME + 24)
    narrow = deploy_all(verifiers.chain, window)
    proofs = one.prove(INDEX)
    answers = [narrow.ask_kept(time, proofs) for time in (TIME - 1, TIME, TIME + 23, TIME + 24)]
    assert answers == [Refused.ROOT_UNAVAILABLE, SLOT, SLOT + 1, Refused.ROOT_UNAVAILABLE]
    far = narrow.ask((1 << 64) - 1, proofs, kept_root=None)
    assert far is Refused.ROOT_UNAVAILABLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds_per_slot": 0},
        {"valid_from": GENESIS_TIME - 1},
        {"valid_until": WINDOW.valid_from},
    ],
)
def test_a_window_that_makes_no_sense_is_not_deployed(
    verifiers: Verifiers, wrong: dict[str, int]
) -> None:
    with pytest.raises(Exception, match=r"0x[0-9a-f]{8}"):
        deploy(verifiers.chain, "BeaconVerifier", replace(WINDOW, **wrong))


def test_immutables_are_what_was_given(verifiers: Verifiers) -> None:
    functions = verifiers.fast.functions
    found = (
        functions.GENESIS_TIME().call(),
        functions.SECONDS_PER_SLOT().call(),
        functions.VALID_FROM().call(),
        functions.VALID_UNTIL().call(),
    )
    expected = (
        WINDOW.genesis_time,
        WINDOW.seconds_per_slot,
        WINDOW.valid_from,
        WINDOW.valid_until,
    )
    assert found == expected


def test_a_validator_that_never_existed_cannot_be_claimed(
    verifiers: Verifiers, one: Snapshot
) -> None:
    """Behind the last validator lies a zero node, which no container hashes to."""
    count = len(one.described.validators)
    [last] = one.prove(count - 1).validators
    empty = ValidatorProof(
        public_key=PublicKey(bytes(48)),
        validator_index=ValidatorIndex(count),
        withdrawal_credentials=bytes(32),
        effective_balance_gwei=Gwei(0),
        slashed=False,
        activation_eligibility_epoch=Epoch(0),
        activation_epoch=Epoch(0),
        exit_epoch=Epoch(0),
        withdrawable_epoch=Epoch(0),
        branch=last.branch,
    )
    for claimed in (
        empty,
        replace(empty, validator_index=ValidatorIndex((1 << 40) - 1)),
        replace(last, validator_index=ValidatorIndex(count)),
    ):
        proofs = replace(one.prove(), validators=(claimed,))
        assert verifiers.ask_kept(TIME, proofs) is Refused.INVALID_PROOF
