"""A validator client on `BeaconPool` with whole keys: every duty of a few validators, slot by slot.

What a committee would agree on, one holder decides here, so that the pool is tested alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from deploy.devnet.keys import interop_key, interop_secret
from operator_node.beacon import AttesterDuty, BeaconPool, SyncDuty
from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    AttestationDataQuery,
    BeaconObject,
    BlockQuery,
    ContributionQuery,
    Submission,
    SubmissionKind,
    Submitted,
)
from operator_node.duties.votes import submission_of, votes_of
from operator_node.spec import ChainSpec, SigningDomain, find_block, signed_block, subnet_of
from operator_node.spec.containers import (
    AggregateAndProof,
    ContributionAndProof,
    SignedAggregateAndProof,
    SignedContributionAndProof,
    SignedValidatorRegistration,
    SignedVoluntaryExit,
    SyncAggregatorSelectionData,
    ValidatorRegistration,
    VoluntaryExit,
)
from operator_node.spec.signing import (
    aggregate_and_proof_root,
    contribution_and_proof_root,
    signing_root,
    sync_selection_data_root,
    uint64_root,
    validator_registration_root,
    voluntary_exit_root,
)
from operator_node.wire.ids import BeaconRole
from operator_node.wire.values import BeaconVote, ValidatorDuty
from sdk.crypto import bls
from sdk.types import Address, Epoch, Signature, Slot

PATIENCE_MS = 1500
GRAFFITI = b"phalanx".ljust(32, b"\0")
GAS_LIMIT = 36_000_000


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass
class Diary:
    """What happened."""

    answers: list[Answer] = field(default_factory=list)
    submitted: list[Submitted] = field(default_factory=list)
    proposed: dict[int, bytes] = field(default_factory=dict)


class ValidatorClient:
    def __init__(self, pool: BeaconPool, chain: ChainSpec, indices: Sequence[int]) -> None:
        self.pool, self.chain, self.indices = pool, chain, tuple(indices)
        self.diary = Diary()
        self.preset = chain.preset

    def sign(self, index: int, root: bytes, kind: SigningDomain, slot: int) -> Signature:
        domain = self.chain.domain(kind, self.chain.epoch_of(slot))
        return bls.sign(interop_secret(index), signing_root(root, domain))

    async def run_slot(self, slot: Slot) -> None:
        """All duties of the slot, each at its time."""
        epoch = self.chain.epoch_of(slot)
        attesters = (await self.pool.attester_duties(epoch, self.indices)).duties
        proposers = (await self.pool.proposer_duties(epoch, self.indices)).duties
        members = (await self.pool.sync_duties(epoch, self.indices)).duties
        mine = [duty for duty in attesters if duty.slot == slot]
        await self._sleep_into(slot, 0.0)
        for each in proposers:
            if each.slot == slot:
                await self._propose(slot, each.validator_index, epoch)
        await self._sleep_into(slot, 1 / 3)
        answer = await self._ask(AttestationDataQuery(slot))
        assert isinstance(answer, BeaconVote), answer
        duties = [_attestation(duty) for duty in mine] + [_message(slot, m) for m in members]
        if not duties:
            return
        items = []
        for vote in votes_of(answer, duties, self.chain):
            signature = bls.sign(interop_secret(vote.duty.validator_index), vote.ballot.root)
            items.append(submission_of(vote, signature, self.chain))
        await self._submit(items)
        await self._sleep_into(slot, 2 / 3)
        async with trio.open_nursery() as nursery:
            for duty in mine:
                nursery.start_soon(self._aggregate, slot, duty)
            for member in members:
                nursery.start_soon(self._contribute, slot, member)

    def voluntary_exit(self, index: int, epoch: Epoch) -> Submission:
        message = VoluntaryExit(epoch, index)
        root = voluntary_exit_root(message)
        kind, slot = SigningDomain.VOLUNTARY_EXIT, self.chain.first_slot(epoch)
        data = SignedVoluntaryExit(message, self.sign(index, root, kind, slot)).encode()
        version = self.chain.version_at(slot)
        return Submission(SubmissionKind.EXIT, version, data, root, index)

    def registration(self, index: int, recipient: Address) -> Submission:
        now, key = int(time.time()), interop_key(index)
        message = ValidatorRegistration(recipient, GAS_LIMIT, now, key)
        root = validator_registration_root(message)
        signature = self.sign(index, root, SigningDomain.APPLICATION_BUILDER, 0)
        data = SignedValidatorRegistration(message, signature).encode()
        return Submission(SubmissionKind.REGISTRATION, self.chain.version_at(0), data, root, index)

    async def _propose(self, slot: Slot, index: int, epoch: Epoch) -> None:
        reveal = self.sign(index, uint64_root(epoch), SigningDomain.RANDAO, slot)
        answer = await self._ask(BlockQuery(slot, index, reveal, GRAFFITI))
        assert isinstance(answer, BeaconObject), answer
        block = find_block(answer.version, answer.data, self.preset)
        signature = self.sign(index, block.root, SigningDomain.PROPOSER, slot)
        data = signed_block(block, signature)
        item = Submission(SubmissionKind.BLOCK, block.version, data, block.root, index)
        await self._submit([item])
        self.diary.proposed[slot] = block.root

    async def _aggregate(self, slot: Slot, duty: AttesterDuty) -> None:
        index = duty.validator_index
        proof = self.sign(index, uint64_root(slot), SigningDomain.SELECTION_PROOF, slot)
        answer = await self._ask(AggregateQuery(slot, duty.committee_index, index, proof))
        assert isinstance(answer, BeaconObject), answer
        message = AggregateAndProof(index, answer.data, proof)
        root = aggregate_and_proof_root(message, version=answer.version, preset=self.preset)
        signature = self.sign(index, root, SigningDomain.AGGREGATE_AND_PROOF, slot)
        data = SignedAggregateAndProof(message.encode(), signature).encode()
        await self._submit(
            [Submission(SubmissionKind.AGGREGATE, answer.version, data, root, index)]
        )

    async def _contribute(self, slot: Slot, member: SyncDuty) -> None:
        index = member.validator_index
        for subnet in {subnet_of(position, self.preset) for position in member.positions}:
            choice = SyncAggregatorSelectionData(slot, subnet)
            proof_root = sync_selection_data_root(choice)
            proof = self.sign(index, proof_root, SigningDomain.SYNC_SELECTION_PROOF, slot)
            answer = await self._ask(ContributionQuery(slot, subnet, proof))
            assert isinstance(answer, BeaconObject), answer
            message = ContributionAndProof(index, answer.data, proof)
            root = contribution_and_proof_root(message, preset=self.preset)
            signature = self.sign(index, root, SigningDomain.CONTRIBUTION_AND_PROOF, slot)
            data = SignedContributionAndProof(message.encode(), signature).encode()
            kind, version = SubmissionKind.CONTRIBUTION, answer.version
            await self._submit([Submission(kind, version, data, root, index)])

    async def _ask(
        self, query: AttestationDataQuery | BlockQuery | AggregateQuery | ContributionQuery
    ) -> Answer:
        answer = await self.pool.answer(query, deadline_ms=now_ms() + PATIENCE_MS)
        self.diary.answers.append(answer)
        return answer

    async def _submit(self, items: Sequence[Submission]) -> None:
        self.diary.submitted += await self.pool.submit(tuple(items))

    async def _sleep_into(self, slot: Slot, share: float) -> None:
        at = self.chain.slot_start(slot) + share * self.chain.seconds_per_slot
        await trio.sleep(max(0.0, at - time.time()))


def _attestation(duty: AttesterDuty) -> ValidatorDuty:
    return ValidatorDuty(
        role=BeaconRole.ATTESTER,
        public_key=duty.public_key,
        slot=duty.slot,
        validator_index=duty.validator_index,
        committee_index=duty.committee_index,
        committee_length=duty.committee_length,
        committees_at_slot=duty.committees_at_slot,
        validator_committee_index=duty.validator_committee_index,
    )


def _message(slot: Slot, member: SyncDuty) -> ValidatorDuty:
    role = BeaconRole.SYNC_COMMITTEE
    return ValidatorDuty(
        role,
        member.public_key,
        slot,
        member.validator_index,
        sync_committee_indices=member.positions,
    )
