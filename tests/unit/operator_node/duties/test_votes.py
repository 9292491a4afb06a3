"""Votes and the objects with their signatures, in every fork's form."""

from __future__ import annotations

import pytest

from operator_node.duties.types import SubmissionKind
from operator_node.duties.votes import submission_of, votes_of
from operator_node.spec.networks import MAINNET
from operator_node.spec.operations import (
    SINGLE_ATTESTATION,
    SYNC_COMMITTEE_MESSAGE,
    attestation_shape,
)
from operator_node.spec.presets import Preset
from operator_node.spec.signing import SigningDomain, signing_root
from operator_node.spec.ssz import decode, hash_tree_root
from operator_node.spec.versions import ALTAIR, DENEB, ELECTRA, FULU, PHASE0
from operator_node.wire.ids import BeaconRole
from sdk.types import Signature
from tests.unit.operator_node.duties.many_validators import duty_for, vote_at
from tests.unit.operator_node.duties.single_validator import first_slot

SIGNATURE = Signature(b"\x07" * 96)


@pytest.mark.parametrize("version", [PHASE0, ALTAIR, DENEB])
def test_attestation_before_electra_has_one_bit_of_its_committee(version: int) -> None:
    slot = first_slot(version)
    duty = duty_for(BeaconRole.ATTESTER, 17, slot)
    (vote,) = votes_of(vote_at(slot), [duty], MAINNET)
    item = submission_of(vote, SIGNATURE, MAINNET)
    shape = attestation_shape(version, Preset.MAINNET)
    read = decode(shape, item.data)
    assert isinstance(read, dict)
    bits = read["aggregation_bits"]
    assert len(bits) == duty.committee_length
    assert [place for place, bit in enumerate(bits) if bit] == [duty.validator_committee_index]
    assert read["data"]["index"] == duty.committee_index
    assert item.kind is SubmissionKind.ATTESTATION
    assert item.root == hash_tree_root(shape, item.data)


@pytest.mark.parametrize("version", [ELECTRA, FULU])
def test_attestation_from_electra_on_names_committee_and_attester_beside_the_data(
    version: int,
) -> None:
    slot = first_slot(version)
    duty = duty_for(BeaconRole.ATTESTER, 18, slot)
    (vote,) = votes_of(vote_at(slot), [duty], MAINNET)
    item = submission_of(vote, SIGNATURE, MAINNET)
    read = decode(SINGLE_ATTESTATION, item.data)
    assert isinstance(read, dict)
    assert (read["committee_index"], read["attester_index"]) == (duty.committee_index, 18)
    assert read["data"]["index"] == 0
    assert read["signature"] == SIGNATURE
    assert item.version == version


def test_sync_committee_message_signs_the_block_root() -> None:
    slot = first_slot(FULU)
    vote = vote_at(slot)
    (found,) = votes_of(vote, [duty_for(BeaconRole.SYNC_COMMITTEE, 19, slot)], MAINNET)
    domain = MAINNET.domain(SigningDomain.SYNC_COMMITTEE, MAINNET.epoch_of(slot))
    assert found.ballot.root == signing_root(vote.block_root, domain)
    item = submission_of(found, SIGNATURE, MAINNET)
    read = decode(SYNC_COMMITTEE_MESSAGE, item.data)
    assert isinstance(read, dict)
    assert (read["slot"], read["validator_index"]) == (slot, 19)
    assert item.kind is SubmissionKind.SYNC_MESSAGE
