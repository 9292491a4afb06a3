"""What operators were heard to sign, and whether any of it must never have been signed.

Pure. It is told every message that a peer of the network gets. Which vote or block a signing root
stands for follows from the values that were proposed. A peer that comes back late may have missed
one, so that any operator's record explains signatures of all, and excuses none: each has to be in
the record of the operator that made it, and to fit all others. The rule is the beacon chain's
(`operator_node.testing.checkers`), not the signer's.

Source: consensus-specs, phase0/beacon-chain.md (is_slashable_attestation_data); EIP-3076.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from operator_node.signer.rules import AttestationGuard, BlockGuard, Guard
from operator_node.spec.chain import ChainSpec
from operator_node.spec.containers import AttestationData
from operator_node.spec.signing import SigningDomain, attestation_data_root, signing_root
from operator_node.testing.checkers import Slashing, describe, is_slashable_pair
from operator_node.wire.codec import decode_consensus, decode_partials, decode_signed
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole, role_of
from operator_node.wire.messages import EnvelopeKind, PartialKind, SignedMessage
from operator_node.wire.value_codec import decode_beacon_vote
from operator_node.wire.values import BeaconVote
from sdk.types import Epoch, OperatorId, PublicKey, Slot

COMMITTEES_PER_SLOT = 4
"""At most, with the minimal preset. Before electra each committee signs another root."""
MOST_HEARD = 200_000
"""Signatures of hours; a test that hears more is not one of these."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A partial signature after consensus, of a role whose signatures can be slashed."""

    operator: OperatorId
    validator: int
    role: int
    slot: int
    root: bytes


@dataclass(slots=True)
class Witness:
    """Hears messages and judges them.

    Attributes:
        messages: how many were heard, of any kind.
        heard: what was signed, the same signature once.
    """

    chain: ChainSpec
    generation: Generation
    keys: Mapping[int, PublicKey]
    messages: int = 0
    heard: dict[Heard, None] = field(default_factory=dict)
    _votes: dict[tuple[int, bytes], AttestationGuard] = field(default_factory=dict)
    """By slot and signing root."""
    _recorded: dict[bytes, AttestationGuard] = field(default_factory=dict)
    _sync_messages: set[tuple[int, bytes]] = field(default_factory=set)

    def hear(self, data: bytes) -> None:
        """A message as it came from a peer.

        Raises:
            ProtocolFault: it is none; honest nodes send no such thing.
        """
        signed = decode_signed(data, self.generation)
        self.messages += 1
        role = role_of(signed.message.id)
        if role not in (RunnerRole.COMMITTEE, RunnerRole.PROPOSER):
            return
        if signed.message.kind == EnvelopeKind.PARTIAL_SIGNATURES:
            self._hear_signatures(signed, role)
        elif role == RunnerRole.COMMITTEE and signed.full_data:
            height = decode_consensus(signed.message.data).height
            self._hear_vote(height, decode_beacon_vote(signed.full_data))

    def _hear_vote(self, slot: int, vote: BeaconVote) -> None:
        """A value was proposed; what members of the committee may sign if it is decided."""
        for index in range(COMMITTEES_PER_SLOT):
            root = self._root_of(vote, slot, index)
            guard = AttestationGuard(vote.source.epoch, vote.target.epoch, root)
            self._votes[slot, root] = guard
        self.see_head(slot, vote.block_root)

    def see_head(self, slot: int, block_root: bytes) -> None:
        """What a sync committee's members may sign in a slot, proposed or seen on the chain."""
        domain = self.chain.domain(SigningDomain.SYNC_COMMITTEE, self.chain.epoch_of(slot))
        self._sync_messages.add((slot, signing_root(block_root, domain)))

    def read(self, export: bytes) -> None:
        """Votes of any operator's EIP-3076 export explain signatures of the others, too."""
        for guards in recorded_guards(export).values():
            for guard in guards:
                if isinstance(guard, AttestationGuard) and guard.signing_root is not None:
                    self._recorded[guard.signing_root] = guard

    def _hear_signatures(self, signed: SignedMessage, role: int) -> None:
        body = decode_partials(signed.message.data, self.generation)
        if body.kind != PartialKind.POST_CONSENSUS:
            return
        for item in body.items:
            heard = Heard(signed.signers[0], item.validator_index, role, body.slot, item.root)
            self.heard[heard] = None
        if len(self.heard) > MOST_HEARD:
            raise AssertionError(f"more than {MOST_HEARD} signatures were heard")

    def slots(self, operator: OperatorId) -> set[int]:
        """In which the operator was heard to sign."""
        return {each.slot for each in self.heard if each.operator == operator}

    def signed(self) -> Iterator[tuple[Heard, Guard]]:
        """Votes and blocks that were signed. Sync committee messages cannot be slashed."""
        for each in self.heard:
            if each.role == RunnerRole.PROPOSER:
                yield each, BlockGuard(Slot(each.slot), each.root)
            else:
                guard = self._vote(each)
                if guard is not None:
                    yield each, guard

    def unexplained(self) -> list[Heard]:
        """Signatures over what nobody proposed or recorded: of these nothing can be said."""
        return [
            each
            for each in self.heard
            if each.role == RunnerRole.COMMITTEE
            and self._vote(each) is None
            and (each.slot, each.root) not in self._sync_messages
        ]

    def _vote(self, heard: Heard) -> AttestationGuard | None:
        return self._votes.get((heard.slot, heard.root)) or self._recorded.get(heard.root)

    def violations(self, *, quorum: int) -> list[str]:
        """What no operator may sign both of, and what no quorum may."""
        checker = Slashing(frozenset())
        operators = {each.operator for each in self.heard}
        found = []
        for each, guard in self.signed():
            key = self.keys[each.validator]
            dealing = dict.fromkeys(operators, key)
            violation = checker.signed(each.operator, key, guard, dealing, quorum)
            if violation is not None:
                found.append(f"validator {each.validator}: {violation.text}")
        return found

    def unrecorded(self, operator: OperatorId, export: bytes) -> list[str]:
        """Signatures of the operator that its EIP-3076 export does not have."""
        recorded = recorded_guards(export)
        return [
            f"operator {operator}, validator {each.validator}: {describe(guard)}"
            for each, guard in self.signed()
            if each.operator == operator
            and guard not in recorded.get(self.keys[each.validator], frozenset())
        ]

    def _root_of(self, vote: BeaconVote, slot: int, index: int) -> bytes:
        data = AttestationData(
            slot=slot,
            index=index,
            beacon_block_root=vote.block_root,
            source_epoch=vote.source.epoch,
            source_root=vote.source.root,
            target_epoch=vote.target.epoch,
            target_root=vote.target.root,
        )
        domain = self.chain.domain(SigningDomain.ATTESTER, vote.target.epoch)
        return signing_root(attestation_data_root(data), domain)


def recorded_guards(export: bytes) -> dict[PublicKey, frozenset[Guard]]:
    """What an EIP-3076 file with our validator keys says was signed, by validator."""
    found: dict[PublicKey, set[Guard]] = defaultdict(set)
    for entry in json.loads(export)["data"]:
        key = PublicKey(_bytes(entry.get("validator_pubkey", entry["pubkey"])))
        for vote in entry["signed_attestations"]:
            source, target = Epoch(int(vote["source_epoch"])), Epoch(int(vote["target_epoch"]))
            found[key].add(AttestationGuard(source, target, _root(vote)))
        for block in entry["signed_blocks"]:
            found[key].add(BlockGuard(Slot(int(block["slot"])), _root(block)))
    return {key: frozenset(guards) for key, guards in found.items()}


def recorded_violations(export: bytes) -> list[str]:
    """Pairs of an EIP-3076 file that the beacon chain would slash."""
    return [
        f"validator 0x{key.hex()}: {describe(one)} and {describe(other)}"
        for key, guards in recorded_guards(export).items()
        for one, other in combinations(guards, 2)
        if is_slashable_pair(one, other)
    ]


def _root(entry: Mapping[str, str]) -> bytes | None:
    text = entry.get("signing_root")
    return None if text is None else _bytes(text)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
