"""Proofs out of small states: what is proven, in which order, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from sdk.beacon_proofs import (
    BeaconHeader,
    BeaconProofs,
    BeaconState,
    Fork,
    Refused,
    ValidatorIndex,
    Verifier,
    build_proofs,
    find_validators,
    is_validator,
    proofs_hold,
    root_of_state,
)
from sdk.beacon_proofs.merkle import Climb
from sdk.beacon_proofs.registry_tree import PIECE_DEPTH, Piece
from sdk.beacon_proofs.shapes import root_of
from sdk.beacon_proofs.workers import hashing_processes
from sdk.errors import BeaconError, InputError, InvariantBroken
from sdk.types import Gwei, PublicKey
from tests.unit.sdk.beacon_proofs.states import header_of, key, record, small_state

PIECE = 1 << PIECE_DEPTH
VERIFIER = Verifier(genesis_time=1000, seconds_per_slot=12, valid_from=1012, valid_until=5000)


def prove(state: BeaconState, *indices: int) -> BeaconProofs:
    return build_proofs(state, header_of(state), [ValidatorIndex(each) for each in indices])


@pytest.mark.parametrize("fork", Fork)
@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_every_validator_of_a_small_state(fork: Fork, count: int) -> None:
    proofs = prove(small_state(count, fork=fork), *range(count))
    assert proofs_hold(proofs)
    assert [each.public_key for each in proofs.validators] == [key(n) for n in range(count)]


def test_validators_of_several_pieces_in_the_order_asked_for() -> None:
    state = small_state(PIECE + 3)
    wanted = [PIECE + 2, 0, PIECE - 1, PIECE, 0]
    proofs = prove(state, *wanted)
    assert [each.validator_index for each in proofs.validators] == wanted
    assert [each.public_key for each in proofs.validators] == [key(each) for each in wanted]


def test_the_root_is_that_of_the_plain_hashing() -> None:
    state = small_state(PIECE + 3, balances=bytes(range(200)) * 8)
    plain = root_of(state.shape(), memoryview(state.data), path="state")
    assert root_of_state(state) == plain


def test_a_state_without_validators_has_a_root_and_no_proofs() -> None:
    state = small_state(0)
    assert proofs_hold(prove(state))
    with pytest.raises(InputError, match="0 validators, none with index 0"):
        prove(state, 0)


@pytest.mark.parametrize("index", [3, -1, 1 << 40])
def test_an_index_beyond_the_list_is_refused(index: int) -> None:
    with pytest.raises(InputError) as raised:
        prove(small_state(3), index)
    assert raised.value.code == "validator_unknown"


def test_a_state_of_another_header_is_refused() -> None:
    state = small_state(3)
    header = header_of(small_state(4))
    with pytest.raises(BeaconError) as raised:
        build_proofs(state, header, [])
    assert raised.value.code == "beacon_state_mismatch"


def test_a_record_that_is_cut_off_is_refused() -> None:
    state = small_state(0, validators=record(0)[:-1])
    with pytest.raises(BeaconError, match="multiple of 121"):
        root_of_state(state)


def test_keys_are_found_only_where_records_begin() -> None:
    state = small_state(PIECE + 2)
    wanted = [PublicKey(key(each)) for each in (PIECE + 1, 5)]
    shifted = PublicKey(record(5)[1:49])
    found = find_validators(state, [*wanted, shifted])
    assert found == {wanted[0]: PIECE + 1, wanted[1]: 5}


def test_the_list_may_be_hashed_by_any_runner() -> None:
    """Results count by order; a runner that works backwards must put them right."""

    def backwards(work: object, pieces: Iterable[Piece]) -> list[Climb]:
        assert callable(work)
        return [work(piece) for piece in reversed(list(pieces))][::-1]

    state = small_state(PIECE + 3)
    header = header_of(state)
    wanted = [ValidatorIndex(PIECE + 1)]
    assert build_proofs(state, header, wanted, run=backwards) == build_proofs(state, header, wanted)


def test_what_the_twin_refuses_is_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdk.beacon_proofs.build.proofs_hold", lambda proofs: False)
    with pytest.raises(InvariantBroken):
        prove(small_state(3), 1)


@pytest.mark.slow
def test_processes_find_the_same_root() -> None:
    state = small_state(5 * PIECE + 3)
    with hashing_processes(2) as spread:
        assert root_of_state(state, run=spread) == root_of_state(state)
    with hashing_processes(1) as here:
        assert here is map


def test_a_bundle_encodes_as_the_contract_takes_it() -> None:
    proofs = prove(small_state(3), 1)
    root, branch, [validator] = proofs.as_abi()
    assert root == proofs.state_root
    assert len(branch) == 3
    assert validator[:4] == (key(1), 1, bytes([1]) * 32, 32 * 10**9)
    assert validator[4:9] == (False, 1, 1, 2**64 - 1, 2**64 - 1)
    assert len(validator[9]) == 47


def test_branches_are_left_out_of_a_representation() -> None:
    assert len(repr(prove(small_state(3), 1))) < 1500


def test_a_header_reads_back_from_its_bytes() -> None:
    header = header_of(small_state(1))
    data = (
        header.slot.to_bytes(8, "little")
        + header.proposer_index.to_bytes(8, "little")
        + header.parent_root
        + header.state_root
        + header.body_root
    )
    assert BeaconHeader.from_ssz(data) == header
    with pytest.raises(BeaconError):
        BeaconHeader.from_ssz(data[:-1])


def test_the_twin_answers_as_the_contract() -> None:
    proofs = prove(small_state(3), 1)
    root = proofs.beacon_root
    assert VERIFIER.verify(1036, proofs, kept_root=root) == 3
    assert VERIFIER.verify(1011, proofs, kept_root=root) is Refused.ROOT_UNAVAILABLE
    assert VERIFIER.verify(5000, proofs, kept_root=root) is Refused.ROOT_UNAVAILABLE
    assert VERIFIER.verify(1036, proofs, kept_root=None) is Refused.ROOT_UNAVAILABLE
    assert VERIFIER.verify(1036, proofs, kept_root=bytes(32)) is Refused.ROOT_UNAVAILABLE
    assert VERIFIER.verify(1036, proofs, kept_root=b"\1" * 32) is Refused.INVALID_PROOF
    [validator] = proofs.validators
    richer = replace(validator, effective_balance_gwei=Gwei(64 * 10**9))
    lying = replace(proofs, validators=(richer,))
    assert VERIFIER.verify(1036, lying, kept_root=root) is Refused.INVALID_PROOF
    assert not is_validator(proofs.state_root, richer)
    assert not proofs_hold(lying)
