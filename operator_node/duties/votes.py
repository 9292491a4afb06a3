"""What a decided beacon vote makes each validator sign, and the objects with their signatures.

Pure. Source: docs/protocol.md, "Duties" (committee); consensus-specs, phase0/validator.md,
altair/validator.md, electra/beacon-chain.md (SingleAttestation).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from operator_node.duties.types import Submission, SubmissionKind
from operator_node.signer.rules import AttestationGuard
from operator_node.spec.chain import ChainSpec
from operator_node.spec.containers import (
    Attestation,
    AttestationData,
    SingleAttestation,
    SyncCommitteeMessage,
    bit_list,
)
from operator_node.spec.operations import attestation_shape
from operator_node.spec.signing import (
    SigningDomain,
    attestation_data_root,
    signing_root,
    single_attestation_root,
    sync_committee_message_root,
    sync_message_root,
)
from operator_node.spec.ssz import hash_tree_root
from operator_node.spec.versions import ELECTRA
from operator_node.wire.ids import BeaconRole
from operator_node.wire.values import BeaconVote, ValidatorDuty
from sdk.types import Signature, Slot

BALLOTS_KEPT: Final = 256
"""Ballots made last: the committees of a slot vote alike, and each vote is judged several times."""
INDEX_FROM_ELECTRA: Final = 0
"""Attestation data names no committee from Electra on (EIP-7549)."""


class Ballot(Struct, frozen=True):
    """What all validators of one beacon committee, or of the sync committee, sign alike.

    Attributes:
        root: signing root.
        guard: of an attestation.
        data: encoded attestation data; None for sync committee messages, which sign the block root.
        data_root: hash tree root of the attestation data.
    """

    root: bytes
    block_root: bytes
    guard: AttestationGuard | None = None
    data: bytes | None = None
    data_root: bytes = b""


class Vote(Struct, frozen=True):
    """One object to sign; the duty says whose, and in which beacon committee."""

    duty: ValidatorDuty
    ballot: Ballot


def votes_of(vote: BeaconVote, duties: Sequence[ValidatorDuty], chain: ChainSpec) -> list[Vote]:
    """One `Vote` per duty, in order; all validators of one beacon committee share a ballot.

    Args:
        vote: what was, or may be, decided.
        duties: attester and sync committee duties of one slot, at least one.
        chain: its forks say which form attestations have.
    """
    slot = duties[0].slot
    is_indexed = chain.version_at(slot) < ELECTRA
    sync: Ballot | None = None
    by_index: dict[int, Ballot] = {}
    domain = chain.domain(SigningDomain.ATTESTER, chain.epoch_of(slot))
    votes: list[Vote] = []
    for duty in duties:
        if duty.role == BeaconRole.SYNC_COMMITTEE:
            ballot = sync = sync or _sync_ballot(vote, slot, chain)
        else:
            index = duty.committee_index if is_indexed else INDEX_FROM_ELECTRA
            if index not in by_index:
                by_index[index] = _attester_ballot(vote, slot, index, domain)
            ballot = by_index[index]
        votes.append(Vote(duty, ballot))
    return votes


def submission_of(vote: Vote, signature: Signature, chain: ChainSpec) -> Submission:
    """The signed object, as a beacon node takes it."""
    duty, ballot = vote.duty, vote.ballot
    version = chain.version_at(duty.slot)
    kind = SubmissionKind.ATTESTATION
    if ballot.data is None:
        kind = SubmissionKind.SYNC_MESSAGE
        vote_for_head = SyncCommitteeMessage(
            duty.slot, ballot.block_root, duty.validator_index, signature
        )
        message, root = vote_for_head.encode(), sync_committee_message_root(vote_for_head)
    elif version >= ELECTRA:
        single = SingleAttestation(
            duty.committee_index, duty.validator_index, ballot.data, signature
        )
        message, root = single.encode(), single_attestation_root(single, ballot.data_root)
    else:
        bits = bit_list(duty.committee_length, (duty.validator_committee_index,))
        message = Attestation(bits, ballot.data, signature).encode()
        root = hash_tree_root(attestation_shape(version, chain.preset), message)
    return Submission(kind, version, message, root, duty.validator_index)


def _sync_ballot(vote: BeaconVote, slot: Slot, chain: ChainSpec) -> Ballot:
    domain = chain.domain(SigningDomain.SYNC_COMMITTEE, chain.epoch_of(slot))
    return Ballot(signing_root(sync_message_root(vote.block_root), domain), vote.block_root)


@lru_cache(BALLOTS_KEPT)
def _attester_ballot(vote: BeaconVote, slot: Slot, index: int, domain: bytes) -> Ballot:
    data = AttestationData(
        slot=slot,
        index=index,
        beacon_block_root=vote.block_root,
        source_epoch=vote.source.epoch,
        source_root=vote.source.root,
        target_epoch=vote.target.epoch,
        target_root=vote.target.root,
    )
    data_root = attestation_data_root(data)
    root = signing_root(data_root, domain)
    guard = AttestationGuard(vote.source.epoch, vote.target.epoch, root)
    return Ballot(root, vote.block_root, guard, data.encode(), data_root)
