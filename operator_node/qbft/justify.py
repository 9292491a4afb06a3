"""Why a later round exists and why its value is the right one: round changes and prepares as proof.

Pure. Messages inside justifications did not pass the checks on arrival, so their signatures are
verified here, each only once: the same round change comes as a message of its own, inside the
proposal, and inside proposals of other leaders.

Source: docs/protocol.md, "Common validation".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from msgspec import Struct

from operator_node.qbft.types import Setup
from operator_node.wire.codec import decode_consensus, decode_signed
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    EnvelopeKind,
    Received,
    SignedMessage,
)
from operator_node.wire.structure import check_message

PROOFS_KEPT: Final = 512
"""A committee of 13 has at most 13 round changes and 13 prepares in each of 12 rounds, 312. Members
that lie could sign any number of others, and fill the memory with them."""
_PREPARE: Final = int(ConsensusKind.PREPARE)
_ROUND_CHANGE: Final = int(ConsensusKind.ROUND_CHANGE)
_CONSENSUS: Final = int(EnvelopeKind.CONSENSUS)


class Proof(Struct):
    """A message that serves as proof. `is_authentic` is None until its signature was verified."""

    signed: SignedMessage
    body: ConsensusMessage
    is_authentic: bool | None = None


def own_proof(received: Received) -> Proof:
    """A stored message as proof; its signature was verified on arrival."""
    return Proof(received.signed, received.body, is_authentic=True)


class Justification:
    """The rules for proofs of one instance, and its memory of proofs seen before."""

    __slots__ = ("_height", "_proofs", "_setup")

    def __init__(self, setup: Setup, height: int) -> None:
        self._setup = setup
        self._height = height
        self._proofs: dict[bytes, Proof] = {}

    def read(self, entries: Iterable[bytes]) -> list[Proof]:
        """The messages that a justification holds.

        Raises:
            ProtocolFault: malformed.
        """
        return [self._read(entry) for entry in entries]

    def check_proposal(
        self, round_: int, root: bytes, changes: Sequence[Proof], prepares: Sequence[Proof]
    ) -> None:
        """Returns if a proposal of a round above 1 is justified.

        Args:
            round_: of the proposal.
            root: of the proposed value; every prepared round change must be for this very value.
            changes: the round changes.
            prepares: for the highest prepared round, if any round change is prepared.

        Raises:
            ProtocolFault: the first broken rule.
        """
        for change in changes:
            self.check_round_change(change, round_, root)
            self._check_signature(change)
        if self._signers(changes) < self._setup.committee.quorum:
            raise ProtocolFault(
                Fault.ROUND_CHANGE_QUORUM,
                f"round {round_}: {self._signers(changes)} round changes justify no proposal",
            )
        data_round = max((change.body.data_round for change in changes), default=0)
        if not data_round:
            return
        if self._signers(prepares) < self._setup.committee.quorum:
            raise ProtocolFault(
                Fault.PREPARE_QUORUM,
                f"round {round_}: {self._signers(prepares)} prepares justify no prepared value",
            )
        # Whose value counts needs no further look: all prepared ones are for this root, as checked.
        for prepare in prepares:
            try:
                self._check_prepare(prepare, data_round, root)
            except ProtocolFault as fault:
                raise ProtocolFault(Fault.PREPARE_IN_JUSTIFICATION, fault.message) from fault

    def check_round_change(self, change: Proof, round_: int, data_root: bytes) -> None:
        """Returns if a round change is right in itself, apart from its own signature.

        Args:
            change: as message of its own, or out of a proposal.
            round_: that it must be for.
            data_root: SHA-256 of the data beside it: its own full data, or the proposal's.

        Raises:
            ProtocolFault: the first broken rule.
        """
        body, signed = change.body, change.signed
        self._check_place(body, _ROUND_CHANGE, round_)
        self._check_single(signed)
        self._check_structure(signed, body)
        self._check_member(signed)
        if not body.data_round:
            return
        prepares = self.read(body.round_change_justification)
        for prepare in prepares:
            self._check_prepare(prepare, body.data_round, body.root)
        if data_root != body.root:
            raise ProtocolFault(
                Fault.DATA_NOT_OF_ROOT,
                f"round change of {signed.signers}: root {body.root.hex()}, data {data_root.hex()}",
            )
        if self._signers(prepares) < self._setup.committee.quorum:
            raise ProtocolFault(
                Fault.JUSTIFICATION_QUORUM,
                f"round change of {signed.signers}: {self._signers(prepares)} prepares, no quorum",
            )
        if body.data_round > round_:
            raise ProtocolFault(
                Fault.PREPARED_ROUND_AHEAD,
                f"round change to {round_} claims to be prepared in round {body.data_round}",
            )

    def _check_prepare(self, prepare: Proof, round_: int, root: bytes) -> None:
        body, signed = prepare.body, prepare.signed
        self._check_place(body, _PREPARE, round_)
        self._check_structure(signed, body)
        if body.root != root:
            raise ProtocolFault(
                Fault.OTHER_ROOT,
                f"prepare of {signed.signers} is for {body.root.hex()}, not {root.hex()}",
            )
        self._check_single(signed)
        self._check_member(signed)
        self._check_signature(prepare)

    def _check_place(self, body: ConsensusMessage, kind: int, round_: int) -> None:
        if body.kind != kind:
            raise ProtocolFault(
                Fault.MESSAGE_TYPE, f"a justification holds kind {body.kind}, expected {kind}"
            )
        if body.height != self._height:
            raise ProtocolFault(
                Fault.WRONG_HEIGHT, f"height {body.height} inside height {self._height}"
            )
        if body.round != round_:
            raise ProtocolFault(
                Fault.WRONG_ROUND, f"a justification for round {round_} holds round {body.round}"
            )

    def _check_structure(self, signed: SignedMessage, body: ConsensusMessage) -> None:
        check_message(signed, body, self._setup.generation)
        # Same height and root occur in instances of other identifiers, whose votes prove nothing.
        # The envelope is what was signed: it must be no other kind of message either.
        identifier, envelope = self._setup.identifier, signed.message
        if body.identifier != identifier or envelope.id != identifier:
            raise ProtocolFault(
                Fault.IDENTIFIER, f"a justification holds a message of {body.identifier.hex()}"
            )
        if envelope.kind != _CONSENSUS:
            raise ProtocolFault(
                Fault.MESSAGE_TYPE, f"a justification holds an envelope of kind {envelope.kind}"
            )

    def _check_single(self, signed: SignedMessage) -> None:
        if len(signed.signers) != 1:
            raise ProtocolFault(
                Fault.SEVERAL_SIGNERS, f"one signer is allowed, got {signed.signers}"
            )

    def _check_member(self, signed: SignedMessage) -> None:
        if signed.signers[0] not in self._setup.committee.members:
            raise ProtocolFault(
                Fault.SIGNER_NOT_IN_COMMITTEE,
                f"operator {signed.signers[0]} is not in {self._setup.committee.operators}",
            )

    def _check_signature(self, proof: Proof) -> None:
        if proof.is_authentic is None:
            proof.is_authentic = self._setup.verify(proof.signed)
        if not proof.is_authentic:
            raise ProtocolFault(
                Fault.JUSTIFICATION_SIGNATURE,
                f"signature of operator {proof.signed.signers[0]} in a justification is wrong",
            )

    def _read(self, entry: bytes) -> Proof:
        digest = sha256(entry).digest()
        proof = self._proofs.get(digest)
        if proof is None:
            signed = decode_signed(entry, self._setup.generation)
            proof = Proof(signed, decode_consensus(signed.message.data))
            if len(self._proofs) >= PROOFS_KEPT:
                del self._proofs[next(iter(self._proofs))]
            self._proofs[digest] = proof
        return proof

    @staticmethod
    def _signers(proofs: Iterable[Proof]) -> int:
        return len({signer for proof in proofs for signer in proof.signed.signers})
