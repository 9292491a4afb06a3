"""A small network and the messages of its operators, for the tests of validation and the fuzzer.

Committee A has operators 1 to 4 and validators 100 to 119, C has operators 1 to 13 and validators
300 to 302. Signatures are hashes that anybody here can make; they bind operator and bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256, shake_256
from typing import Final

from msgspec.structs import replace

from operator_node.validation import (
    Accept,
    Chain,
    KnownCommittee,
    KnownValidator,
    Rule,
    Seen,
    Validator,
    Verdict,
)
from operator_node.wire.codec import (
    encode_consensus,
    encode_envelope,
    encode_partials,
    encode_signed,
)
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import (
    COMMITTEE_ROLES,
    DomainType,
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
from sdk.types import Epoch, OperatorId, PublicKey, Slot

SLOT_MS: Final = 12_000
EPOCH: Final = 32
BOOLE_EPOCH: Final = 100
BOOLE_SLOT: Final = BOOLE_EPOCH * EPOCH + 8
"""Leader of round 1 in committee A is operator 1, as in `ALAN_SLOT`."""
ALAN_SLOT: Final = 1_000
CHAIN: Final = Chain(
    "Hoodi",
    ForkEpochs(EPOCH, Epoch(BOOLE_EPOCH)),
    DomainType(bytes.fromhex("00000503")),
    DomainType(bytes.fromhex("00000504")),
    SLOT_MS,
)
VALUE: Final = b"a value"
A_IDS: Final = (1, 2, 3, 4)
C_IDS: Final = tuple(range(1, 14))
A_ID: Final = committee_id(A_IDS)
C_ID: Final = committee_id(C_IDS)
EMPTY_ID: Final = committee_id((5, 6, 7, 8))
A: Final = KnownCommittee.of(A_IDS, range(100, 120))
C: Final = KnownCommittee.of(C_IDS, range(300, 303))
EMPTY: Final = KnownCommittee.of((5, 6, 7, 8), ())


def key(number: int) -> PublicKey:
    """A validator's key; no point on the curve, nobody here asks."""
    return PublicKey(shake_256(b"key %d" % number).digest(48))


VALIDATOR: Final = key(100)


@dataclass
class Registry:
    """Answers from fields; whatever a test needs otherwise, it sets."""

    operators: set[int] = field(default_factory=lambda: set(range(1, 14)))
    committees: dict[bytes, KnownCommittee] = field(
        default_factory=lambda: {A_ID: A, C_ID: C, EMPTY_ID: EMPTY}
    )
    validators: dict[bytes, KnownValidator] = field(
        default_factory=lambda: {
            **{key(index): KnownValidator(index, A) for index in sorted(A.validators)},
            **{key(index): KnownValidator(index, C) for index in sorted(C.validators)},
        }
    )
    proposals: set[tuple[int, int]] = field(
        default_factory=lambda: {(100, ALAN_SLOT), (100, BOOLE_SLOT)}
    )
    fetched: bool = True
    syncing: set[int] = field(default_factory=lambda: {100})
    exits: dict[tuple[bytes, int], int] = field(
        default_factory=lambda: {(VALIDATOR, ALAN_SLOT): 1, (VALIDATOR, BOOLE_SLOT): 1}
    )

    def has_operator(self, operator: OperatorId, /) -> bool:
        return operator in self.operators

    def committee(self, committee_id: bytes, /) -> KnownCommittee | None:
        return self.committees.get(committee_id)

    def validator(self, key: PublicKey, /) -> KnownValidator | None:
        return self.validators.get(key)

    def proposers_known(self, epoch: Epoch, /) -> bool:
        return self.fetched

    def has_proposal(self, index: int, slot: Slot, /) -> bool:
        return (index, slot) in self.proposals

    def in_sync_committee(self, index: int, epoch: Epoch, /) -> bool:
        return index in self.syncing

    def exit_requests(self, key: PublicKey, slot: Slot, /) -> int:
        return self.exits.get((key, slot), 0)


def sign(operator: int, data: bytes) -> bytes:
    """256 bytes that `verify` takes for the operator's signature."""
    return shake_256(operator.to_bytes(8, "little") + data).digest(256)


def verify(operator: OperatorId, data: bytes, signature: bytes) -> bool:
    return signature == sign(operator, data)


def generation_of(slot: int) -> Generation:
    return CHAIN.forks.generation_at(slot)


def message_id(
    role: int,
    *,
    slot: int = ALAN_SLOT,
    executor: bytes | None = None,
) -> MessageId:
    """Of committee A or of validator 100, unless an executor is given."""
    domain = CHAIN.domain(generation_of(slot))
    if role in COMMITTEE_ROLES:
        return committee_message_id(domain, role, A_ID if executor is None else executor)
    return validator_message_id(domain, role, VALIDATOR if executor is None else executor)


def topic(slot: int = ALAN_SLOT, committee: KnownCommittee = A) -> str:
    generation = generation_of(slot)
    return CHAIN.topic(generation, committee.subnet(generation))


def seal(envelope: Envelope, *signers: int, full_data: bytes = b"") -> SignedMessage:
    """The envelope under the signers' signatures."""
    covered = encode_envelope(envelope)
    return SignedMessage(
        tuple(sign(signer, covered) for signer in signers),
        tuple(OperatorId(signer) for signer in signers),
        envelope,
        full_data,
    )


def consensus(
    kind: int,
    *signers: int,
    slot: int = ALAN_SLOT,
    round_: int = 1,
    role: int = RunnerRole.COMMITTEE,
    executor: bytes | None = None,
    identifier: bytes | None = None,
    root: bytes | None = None,
    full_data: bytes = b"",
    data_round: int = 0,
    round_changes: tuple[bytes, ...] = (),
    prepares: tuple[bytes, ...] = (),
) -> SignedMessage:
    """A consensus message about `VALUE`, by operator 1 unless signers are given."""
    name = message_id(role, slot=slot, executor=executor)
    body = ConsensusMessage(
        kind,
        slot,
        round_,
        name if identifier is None else identifier,
        sha256(full_data or VALUE).digest() if root is None else root,
        data_round,
        round_changes,
        prepares,
    )
    envelope = Envelope(EnvelopeKind.CONSENSUS, name, encode_consensus(body))
    return seal(envelope, *(signers or (1,)), full_data=full_data)


def proposal(
    *signers: int,
    slot: int = ALAN_SLOT,
    round_: int = 1,
    full_data: bytes = VALUE,
    role: int = RunnerRole.COMMITTEE,
    executor: bytes | None = None,
    round_changes: tuple[bytes, ...] = (),
    prepares: tuple[bytes, ...] = (),
) -> SignedMessage:
    """Of operator 1, the leader of round 1 in the slots used here."""
    return consensus(
        ConsensusKind.PROPOSAL,
        *signers,
        slot=slot,
        round_=round_,
        full_data=full_data,
        role=role,
        executor=executor,
        round_changes=round_changes,
        prepares=prepares,
    )


def prepare(
    *signers: int, slot: int = ALAN_SLOT, round_: int = 1, role: int = RunnerRole.COMMITTEE
) -> SignedMessage:
    return consensus(ConsensusKind.PREPARE, *signers, slot=slot, round_=round_, role=role)


def commit(
    *signers: int, slot: int = ALAN_SLOT, round_: int = 1, role: int = RunnerRole.COMMITTEE
) -> SignedMessage:
    return consensus(ConsensusKind.COMMIT, *signers, slot=slot, round_=round_, role=role)


def decided(
    *signers: int,
    slot: int = ALAN_SLOT,
    round_: int = 1,
    role: int = RunnerRole.COMMITTEE,
    executor: bytes | None = None,
) -> SignedMessage:
    """Of operators 1 to 3, unless others are given."""
    return consensus(
        ConsensusKind.COMMIT,
        *(signers or (1, 2, 3)),
        slot=slot,
        round_=round_,
        role=role,
        executor=executor,
        full_data=VALUE,
    )


def partials(
    kind: int,
    *,
    signers: tuple[int, ...] = (1,),
    slot: int = ALAN_SLOT,
    role: int = RunnerRole.COMMITTEE,
    executor: bytes | None = None,
    indexes: tuple[int, ...] = (100,),
    inner: int | None = None,
    full_data: bytes = b"",
) -> SignedMessage:
    """Partial signatures for the validators of `indexes`, one each."""
    item = PartialSignature(bytes(96), bytes(32), OperatorId(inner or signers[0]), 0)
    body = PartialSignatures(
        kind, slot, tuple(replace(item, validator_index=index) for index in indexes)
    )
    name = message_id(role, slot=slot, executor=executor)
    envelope = Envelope(EnvelopeKind.PARTIAL_SIGNATURES, name, encode_partials(body))
    return seal(envelope, *signers, full_data=full_data)


def post_consensus(
    *signers: int,
    slot: int = ALAN_SLOT,
    role: int = RunnerRole.COMMITTEE,
    indexes: tuple[int, ...] = (100,),
) -> SignedMessage:
    return partials(
        PartialKind.POST_CONSENSUS, signers=signers or (1,), slot=slot, role=role, indexes=indexes
    )


def round_change(
    signer: int = 1, *, slot: int = ALAN_SLOT, round_: int = 2, data_round: int = 0
) -> SignedMessage:
    """Of an operator that has nothing prepared, unless it says in which round."""
    prepared = VALUE if data_round else b""
    justification = (encode_signed(prepare(2, slot=slot, round_=data_round)),)
    return consensus(
        ConsensusKind.ROUND_CHANGE,
        signer,
        slot=slot,
        round_=round_,
        root=None if data_round else bytes(32),
        full_data=prepared,
        data_round=data_round,
        round_changes=justification if data_round else (),
    )


def registration(slot: int = ALAN_SLOT, *, signer: int = 1, index: int = 100) -> SignedMessage:
    return partials(
        PartialKind.VALIDATOR_REGISTRATION,
        role=RunnerRole.VALIDATOR_REGISTRATION,
        slot=slot,
        signers=(signer,),
        executor=key(index),
        indexes=(index,),
    )


def voluntary_exit(slot: int = ALAN_SLOT) -> SignedMessage:
    return partials(PartialKind.VOLUNTARY_EXIT, role=RunnerRole.VOLUNTARY_EXIT, slot=slot)


class World:
    """A validator with its registry; messages arrive four seconds into their slot."""

    def __init__(self, *, seen: Seen | None = None) -> None:
        self.registry = Registry()
        self.validator = Validator(CHAIN, self.registry, verify, seen)

    def hear(
        self,
        message: SignedMessage | bytes,
        *,
        slot: int = ALAN_SLOT,
        into_slot_ms: int = 4_000,
        on: str | None = None,
    ) -> Verdict:
        """The verdict on a message that arrives so long after the start of `slot`."""
        data = message if isinstance(message, bytes) else encode_signed(message)
        return self.validator.validate(
            data,
            topic(slot) if on is None else on,
            at_ms=slot * SLOT_MS + into_slot_ms,
        )

    def accept(
        self,
        message: SignedMessage,
        *,
        slot: int = ALAN_SLOT,
        into_slot_ms: int = 4_000,
        on: str | None = None,
    ) -> None:
        """Hears a message that must be accepted."""
        verdict = self.hear(message, slot=slot, into_slot_ms=into_slot_ms, on=on)
        assert isinstance(verdict, Accept), verdict


def broken(verdict: Verdict) -> Rule | None:
    """The rule that the verdict names, None if the message was accepted."""
    return None if isinstance(verdict, Accept) else verdict.rule
