"""Validators in every stage of life, before and after the epoch in which their balance changes.

The library's own state transition makes the states (tests/consensus/beacon_states.mjs); each is
hashed by us, compared with the library's roots, and proven to the contract.
"""

from __future__ import annotations

import pytest

from sdk.beacon_proofs import (
    PRESETS,
    Fork,
    ValidatorIndex,
    build_proofs,
    find_validators,
    root_of_state,
)
from sdk.beacon_proofs.shapes import root_of
from sdk.beacon_proofs.state_shape import VALIDATORS
from sdk.errors import BeaconError, InputError
from sdk.types import PublicKey
from tests.contracts_proofs.conftest import GENESIS_TIME, Verifiers
from tests.contracts_proofs.states import Validator, manifest, snapshot

pytestmark = pytest.mark.toolchain

ETH = 10**9
FAR_FUTURE = 2**64 - 1
STEPS = ("start", "epoch1", "epoch2", "epoch3", "epoch4", "filled")
FORKS = ("electra", "fulu")
TIME = GENESIS_TIME + 240_000


@pytest.fixture(params=["minimal", "mainnet"])
def preset(request: pytest.FixtureRequest) -> str:
    """Sizes of the states."""
    name: str = request.param
    return name


@pytest.fixture(params=FORKS)
def fork(request: pytest.FixtureRequest) -> str:
    """The fork of the states."""
    name: str = request.param
    return name


@pytest.mark.parametrize("step", STEPS)
def test_states_hash_to_the_roots_of_the_library(preset: str, fork: str, step: str) -> None:
    found = snapshot(preset, fork, step)
    parts = found.state.fields()
    ours = {
        name: root_of(shape, parts[name], path=name).hex()
        for name, shape in found.state.shape().fields
    }
    assert ours == dict(zip(ours, found.described.field_roots, strict=True))
    assert root_of_state(found.state).hex() == found.described.state_root
    assert found.header.root().hex() == found.described.beacon_root


@pytest.mark.parametrize("step", STEPS)
def test_every_role_is_proven_with_the_fields_of_the_library(
    verifiers: Verifiers, preset: str, fork: str, step: str
) -> None:
    found = snapshot(preset, fork, step)
    there = [
        index
        for index in manifest(preset).roles.values()
        if index < len(found.described.validators)
    ]
    proofs = found.prove(*there)
    assert verifiers.ask_kept(TIME, proofs) == 20_000
    for proof in proofs.validators:
        assert found.described.validators[proof.validator_index] == Validator(
            public_key=proof.public_key.hex(),
            withdrawal_credentials=proof.withdrawal_credentials.hex(),
            effective_balance_gwei=str(proof.effective_balance_gwei),
            slashed=proof.slashed,
            activation_eligibility_epoch=str(proof.activation_eligibility_epoch),
            activation_epoch=str(proof.activation_epoch),
            exit_epoch=str(proof.exit_epoch),
            withdrawable_epoch=str(proof.withdrawable_epoch),
        )


@pytest.mark.parametrize(
    ("role", "before", "after"),
    [
        ("ordinary", 32, 32),
        ("consolidation_source", 32, 0),
        ("consolidation_target", 32, 64),
        ("partially_withdrawn", 40, 35),
        ("withdrawn", 32, 0),
        ("slashed", 32, 16),
    ],
)
def test_a_changed_balance_is_proven_and_the_old_one_no_longer(
    verifiers: Verifiers, preset: str, fork: str, role: str, before: int, after: int
) -> None:
    index = manifest(preset).roles[role]
    old = snapshot(preset, fork, "start").prove(index)
    new = snapshot(preset, fork, "epoch2").prove(index)
    for proofs, expected in ((old, before), (new, after)):
        assert verifiers.ask_kept(TIME, proofs) == 20_000
        assert proofs.validators[0].effective_balance_gwei == expected * ETH
    if before != after:
        assert old.validators[0] != new.validators[0]
        assert verifiers.ask(TIME, old, kept_root=new.beacon_root) == "InvalidProof"


def test_exit_and_slashing_show_in_the_fields(preset: str, fork: str) -> None:
    roles = manifest(preset).roles
    state = snapshot(preset, fork, "epoch2")
    [gone, slashed, target] = state.prove(
        roles["withdrawn"], roles["slashed"], roles["consolidation_target"]
    ).validators
    assert (gone.exit_epoch, gone.withdrawable_epoch, gone.slashed) == (0, 0, False)
    assert slashed.slashed
    assert target.exit_epoch == FAR_FUTURE


def test_effective_balance_moves_only_beyond_the_thresholds(
    verifiers: Verifiers, preset: str, fork: str
) -> None:
    """Balances of 32.8, 32.7, 33.2 and 33.3 ETH, beginning from 33."""
    index = manifest(preset).roles["hysteresis"]
    found = []
    for step in STEPS[1:5]:
        proofs = snapshot(preset, fork, step).prove(index)
        assert verifiers.ask_kept(TIME, proofs) == 20_000
        found.append(proofs.validators[0].effective_balance_gwei)
    assert found == [33 * ETH, 32 * ETH, 32 * ETH, 33 * ETH]
    assert [str(each) for each in found] == manifest(preset).oscillation


def test_a_pending_deposit_is_no_validator_until_it_is_processed(
    verifiers: Verifiers, preset: str, fork: str
) -> None:
    described = manifest(preset)
    key = PublicKey(bytes.fromhex(described.deposited_key))
    pending = snapshot(preset, fork, "start")
    assert bytes(pending.state.fields()["pending_deposits"][:48]) == key
    assert find_validators(pending.state, [key]) == {}
    with pytest.raises(InputError, match="64 validators, none with index 64"):
        pending.prove(64)
    processed = snapshot(preset, fork, "epoch1")
    index = described.roles["deposited"]
    assert find_validators(processed.state, [key]) == {key: index}
    assert verifiers.ask_kept(TIME, processed.prove(index)) == 20_000


def test_a_header_of_another_block_is_noticed(preset: str, fork: str) -> None:
    state = snapshot(preset, fork, "epoch1").state
    header = snapshot(preset, fork, "epoch2").header
    with pytest.raises(BeaconError) as raised:
        build_proofs(state, header, [ValidatorIndex(0)])
    assert raised.value.code == "beacon_state_mismatch"


def test_a_wrong_preset_or_fork_is_noticed(fork: str) -> None:
    found = snapshot("minimal", fork, "filled")
    other = {"electra": Fork.FULU, "fulu": Fork.ELECTRA}[fork]
    for state in (
        type(found.state)(other, found.state.preset, found.state.data),
        type(found.state)(found.state.fork, PRESETS["mainnet"], found.state.data),
    ):
        with pytest.raises(BeaconError) as raised:
            build_proofs(state, found.header, [])
        assert raised.value.code == "beacon_state_malformed"


def test_the_list_of_validators_is_where_the_proofs_say(preset: str, fork: str) -> None:
    names = [name for name, _ in snapshot(preset, fork, "start").state.shape().fields]
    assert names.index(VALIDATORS) == 11
    assert 32 < len(names) <= 64
