"""The witness of the networks' tests finds what it is there to find: planted, it is told."""

from __future__ import annotations

import pytest

from operator_node.signer.interchange import write_interchange
from operator_node.signer.record import KeyHistory
from operator_node.signer.rules import AttestationGuard, BlockGuard, History
from operator_node.spec.containers import AttestationData
from operator_node.spec.networks import MAINNET
from operator_node.spec.signing import SigningDomain, attestation_data_root, signing_root
from operator_node.wire.codec import encode_consensus, encode_partials, encode_signed
from operator_node.wire.generations import Generation
from operator_node.wire.ids import (
    MessageId,
    RunnerRole,
    committee_id,
    committee_message_id,
    validator_message_id,
)
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    PartialKind,
    PartialSignature,
    PartialSignatures,
    SignedMessage,
)
from operator_node.wire.value_codec import encode_beacon_vote, value_root
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Epoch, OperatorId, PublicKey, Slot
from tests.e2e.kills import draw_kills
from tests.e2e.witness import Witness, recorded_violations

DOMAIN = bytes.fromhex("00000502")
OPERATORS = (1, 2, 3, 4)
VALIDATOR = 40
KEY = PublicKey(b"\x40" * 48)
SLOT = 330
EPOCH = SLOT // 32
SOURCE = Checkpoint(Epoch(EPOCH - 1), b"\x02" * 32)
TARGET = Checkpoint(Epoch(EPOCH), b"\x03" * 32)
VOTE = BeaconVote(b"\x01" * 32, SOURCE, TARGET)
OTHER_HEAD = BeaconVote(b"\x04" * 32, SOURCE, TARGET)
SURROUNDING = BeaconVote(
    b"\x01" * 32,
    Checkpoint(Epoch(EPOCH - 2), b"\x05" * 32),
    Checkpoint(Epoch(EPOCH + 1), b"\x06" * 32),
)
COMMITTEE = committee_message_id(DOMAIN, RunnerRole.COMMITTEE, committee_id(OPERATORS))
PROPOSER = validator_message_id(DOMAIN, RunnerRole.PROPOSER, KEY)


@pytest.fixture
def witness() -> Witness:
    return Witness(MAINNET, Generation.BOOLE, {VALIDATOR: KEY})


def proposal(vote: BeaconVote, *, slot: int = SLOT) -> bytes:
    value = encode_beacon_vote(vote)
    body = ConsensusMessage(ConsensusKind.PROPOSAL, slot, 1, COMMITTEE, value_root(value))
    envelope = Envelope(EnvelopeKind.CONSENSUS, COMMITTEE, encode_consensus(body))
    return encode_signed(SignedMessage((b"\1" * 256,), (OperatorId(1),), envelope, value))


def partials(
    operator: int, *roots: bytes, slot: int = SLOT, message_id: MessageId = COMMITTEE
) -> bytes:
    signer = OperatorId(operator)
    items = tuple(PartialSignature(bytes(96), root, signer, VALIDATOR) for root in roots)
    body = encode_partials(PartialSignatures(PartialKind.POST_CONSENSUS, slot, items))
    envelope = Envelope(EnvelopeKind.PARTIAL_SIGNATURES, message_id, body)
    return encode_signed(SignedMessage((b"\1" * 256,), (signer,), envelope))


def vote_root(vote: BeaconVote, *, slot: int = SLOT) -> bytes:
    data = AttestationData(
        slot=slot,
        index=1,
        beacon_block_root=vote.block_root,
        source_epoch=vote.source.epoch,
        source_root=vote.source.root,
        target_epoch=vote.target.epoch,
        target_root=vote.target.root,
    )
    domain = MAINNET.domain(SigningDomain.ATTESTER, vote.target.epoch)
    return signing_root(attestation_data_root(data), domain)


def sync_root(vote: BeaconVote) -> bytes:
    domain = MAINNET.domain(SigningDomain.SYNC_COMMITTEE, MAINNET.epoch_of(SLOT))
    return signing_root(vote.block_root, domain)


def test_one_vote_of_everybody_heard_twice_is_fine(witness: Witness) -> None:
    for operator in OPERATORS:
        witness.hear(partials(operator, vote_root(VOTE), sync_root(VOTE)))
        witness.hear(partials(operator, vote_root(VOTE)))
    witness.hear(proposal(VOTE))  # what was signed may become clear later
    assert len(list(witness.signed())) == 4
    assert witness.unexplained() == []
    assert witness.violations(quorum=3) == []
    assert witness.slots(OperatorId(2)) == {SLOT}


@pytest.mark.parametrize("other", [OTHER_HEAD, SURROUNDING])
def test_planted_second_vote_of_one_operator_is_told(witness: Witness, other: BeaconVote) -> None:
    slot = SLOT if other is OTHER_HEAD else SLOT + 32
    for vote, at in ((VOTE, SLOT), (other, slot)):
        witness.hear(proposal(vote, slot=at))
        witness.hear(partials(3, vote_root(vote, slot=at), slot=at))
    (found,) = witness.violations(quorum=3)
    assert found.startswith(f"validator {VALIDATOR}: operator 3 signed ")


def test_planted_second_block_is_told(witness: Witness) -> None:
    witness.hear(partials(2, b"\x07" * 32, message_id=PROPOSER))
    assert witness.violations(quorum=3) == []
    witness.hear(partials(2, b"\x08" * 32, message_id=PROPOSER))
    assert len(witness.violations(quorum=3)) == 1


def test_votes_of_two_quorums_are_told_even_if_nobody_signed_both(witness: Witness) -> None:
    for vote, operators in ((VOTE, (1, 2, 3)), (OTHER_HEAD, (4, 5, 6))):
        witness.hear(proposal(vote))
        for operator in operators:
            witness.hear(partials(operator, vote_root(vote)))
    assert witness.violations(quorum=4) == []
    (found,) = witness.violations(quorum=3)
    assert "can be recovered" in found


def test_signature_over_what_nobody_proposed_is_told(witness: Witness) -> None:
    witness.hear(proposal(VOTE))
    witness.hear(partials(1, vote_root(OTHER_HEAD)))
    assert [each.root for each in witness.unexplained()] == [vote_root(OTHER_HEAD)]


def test_what_was_missed_is_explained_by_chain_and_records_and_still_judged(
    witness: Witness,
) -> None:
    for vote in (VOTE, OTHER_HEAD):
        witness.hear(partials(1, vote_root(vote), sync_root(vote)))
        guard = AttestationGuard(vote.source.epoch, vote.target.epoch, vote_root(vote))
        witness.read(export(guard))
        witness.see_head(SLOT, vote.block_root)
    assert witness.unexplained() == []
    assert len(witness.violations(quorum=3)) == 1
    assert len(witness.unrecorded(OperatorId(1), export())) == 2


def export(*guards: AttestationGuard | BlockGuard) -> bytes:
    history = History()
    for guard in guards:
        history = history.recording(guard)
    share = KeyHistory(PublicKey(b"\x41" * 48), history, KEY)
    return write_interchange([share], genesis_validators_root=bytes(32))


def test_signature_that_is_not_in_the_record_is_told(witness: Witness) -> None:
    witness.hear(proposal(VOTE))
    witness.hear(partials(1, vote_root(VOTE)))
    witness.hear(partials(1, b"\x07" * 32, message_id=PROPOSER))
    vote = AttestationGuard(VOTE.source.epoch, VOTE.target.epoch, vote_root(VOTE))
    block = BlockGuard(Slot(SLOT), b"\x07" * 32)
    assert witness.unrecorded(OperatorId(1), export(vote, block)) == []
    assert witness.unrecorded(OperatorId(2), export()) == []
    (missing,) = witness.unrecorded(OperatorId(1), export(vote))
    assert "block of slot 330" in missing
    other = AttestationGuard(VOTE.source.epoch, VOTE.target.epoch, vote_root(OTHER_HEAD))
    assert len(witness.unrecorded(OperatorId(1), export(other, block))) == 1


def test_planted_pair_in_a_record_is_told() -> None:
    vote = AttestationGuard(Epoch(3), Epoch(4), b"\x01" * 32)
    after = AttestationGuard(Epoch(4), Epoch(5), b"\x02" * 32)
    assert recorded_violations(export(vote, after, BlockGuard(Slot(9), b"\x03" * 32))) == []
    double = AttestationGuard(Epoch(3), Epoch(4), b"\x09" * 32)
    assert len(recorded_violations(export(vote, double))) == 1
    surrounding = AttestationGuard(Epoch(2), Epoch(6), b"\x04" * 32)
    assert len(recorded_violations(export(vote, surrounding))) == 1
    blocks = (BlockGuard(Slot(9), b"\x03" * 32), BlockGuard(Slot(9), b"\x04" * 32))
    assert len(recorded_violations(export(*blocks))) == 1


def test_kills_of_a_seed_are_the_same_and_spread_over_all() -> None:
    kills = draw_kills(7, count=50, nodes=4)
    assert kills == draw_kills(7, count=50, nodes=4)
    assert kills != draw_kills(8, count=50, nodes=4)
    assert len(kills) == 50
    assert 120 <= kills[-1].after_s <= 240
    for first in range(0, 48, 4):
        assert {each.place for each in kills[first : first + 4]} == {0, 1, 2, 3}
