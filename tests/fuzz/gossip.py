"""A small network that babbles: valid, nearly valid and broken messages against `Validator`.

A fixed cast of operators says things for slots around a clock that moves across the fork, so that
rules of both generations, of the past and of the time are reached. Whatever comes, there is a
verdict; what is refused leaves no trace; what is accepted encodes to the bytes that came; and the
memory stays within its bounds, which are small here so that they matter.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Final, TypeVar

from operator_node.qbft.rounds import leader_alan, leader_boole
from operator_node.validation import Accept, KnownCommittee, KnownValidator, Seen, Validator
from operator_node.wire.codec import encode_consensus, encode_partials, encode_signed
from operator_node.wire.generations import Generation
from operator_node.wire.ids import COMMITTEE_ROLES, MessageId, RunnerRole
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    PartialSignature,
    PartialSignatures,
    Received,
    SignedMessage,
)
from sdk.types import Epoch, OperatorId, PublicKey, Slot
from tests.fuzz.mutation import mutate, pick
from tests.unit.operator_node.validation.world import (
    A_ID,
    BOOLE_EPOCH,
    C_ID,
    CHAIN,
    EMPTY_ID,
    EPOCH,
    SLOT_MS,
    VALUE,
    A,
    C,
    Registry,
    generation_of,
    key,
    message_id,
    prepare,
    round_change,
)

MAX_STREAMS: Final = 12
MAX_RECORDS: Final = 150
FIRST_SLOT: Final = BOOLE_EPOCH * EPOCH - 60
LONGEST_STEP_MS: Final = 511
KEPT: Final = 64
"""Recent messages, to be said again, cut and spliced."""
SAY_ANEW: Final = 0.3
SAY_AGAIN: Final = 0.4
ODD: Final = 0.03
"""How often a field is something that nobody should say."""

ODD_VALIDATORS: Final = (9, 102, 103, 104)
"""Not registered, of a liquidated cluster, not known to the beacon chain, not attesting."""
COMMITTEES: Final = ((A_ID, A), (A_ID, A), (A_ID, A), (C_ID, C))
VALIDATORS: Final = ((100, A), (100, A), (101, A), (300, C))
ODD_COMMITTEES: Final = (EMPTY_ID, bytes(32))
ROLES: Final = {
    Generation.ALAN: (0, 0, 0, 1, 2, 3, 4, 5),
    Generation.BOOLE: (0, 0, 0, 2, 4, 5, 6, 6),
}
ODD_ROLES: Final = (-1, 1, 3, 6, 7)
QUORUMS: Final = ((1, 2, 3), (1, 2, 4), (2, 3, 4), (1, 2, 3, 4), tuple(range(1, 10)))
ODD_SIGNERS: Final = ((5,), (1, 2), (2, 1, 3), (2, 2, 3), (0, 1, 2), (99,), ())
GENUINE: Final = b"\x01" * 256
FORGED: Final = b"\xff" * 256
ROOT: Final = sha256(VALUE).digest()
SLOT_STEPS: Final = (0,) * 14 + (-1, -1, -2, -3, -4, -20, -36, 1)
ROUNDS: Final = (1,) * 8 + (2, 2, 3, 4, 7, 13)
KINDS_OF_ROLE: Final = ((0,), (0, 2), (0, 1), (0, 3), (4,), (5,), (0, 6), (0,))
INDEXES: Final = (
    *((100,), (100, 101), (101, 100, 101), tuple(range(100, 120))),
    *((100,) * 3, (100,) * 6, (100, 999), tuple(range(100, 161)), ()),
)
CONTENTS: Final = (b"", bytes(15), bytes(100))
TOO_LARGE: Final = bytes(113)
"""For a committee's value."""

_T = TypeVar("_T")


class Duties(Registry):
    """A registry whose duties follow from numbers."""

    def has_proposal(self, index: int, slot: Slot, /) -> bool:
        return slot % 3 > 0

    def in_sync_committee(self, index: int, epoch: Epoch, /) -> bool:
        return (index + epoch) % 2 == 0

    def exit_requests(self, key: PublicKey, slot: Slot, /) -> int:
        return slot % 3


def _verify(_: OperatorId, __: bytes, signature: bytes) -> bool:
    return signature[0] != FORGED[0]


@dataclass(frozen=True, slots=True)
class Said:
    """A message on its way, with the topic that its sender put it on."""

    data: bytes
    topic: str


class Babble:
    """One validator with its clock, and what it hears.

    Attributes:
        verdicts: how often each rule was the verdict, by number; "accept" for none.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._seen = Seen(max_streams=MAX_STREAMS, max_records=MAX_RECORDS)
        self._registry = Duties()
        self._registry.fetched = False
        self._registry.validators |= {
            key(102): KnownValidator(102, A, liquidated=True),
            key(103): KnownValidator(None, A),
            key(104): KnownValidator(104, A, attesting=False),
        }
        self._validator = Validator(CHAIN, self._registry, _verify, self._seen)
        self._now_ms = FIRST_SLOT * SLOT_MS
        self._recent = deque([self._say()], maxlen=KEPT)
        self.verdicts: Counter[str] = Counter()

    def next(self) -> Said:
        """What comes next: something new, something old, or something broken."""
        random = self._random
        self._now_ms += pick(random, LONGEST_STEP_MS)
        choice = random.random()
        if choice < SAY_ANEW:
            said = self._say()
            self._recent.append(said)
            return said
        said = self._one_of(self._recent)
        if choice < SAY_AGAIN:
            return said
        return Said(mutate(random, said.data, (self._one_of(self._recent).data,)), said.topic)

    def hear(self, said: Said) -> None:
        """Validates one message and checks what must hold afterwards."""
        seen, data = self._seen, said.data
        before = seen.records
        verdict = self._validator.validate(data, said.topic, at_ms=self._now_ms)
        assert seen.streams <= MAX_STREAMS, "too many streams remembered"
        assert seen.records <= MAX_RECORDS, "too many records remembered"
        if not isinstance(verdict, Accept):
            assert seen.records == before, "a refused message left a trace"
            self.verdicts[verdict.rule.number] += 1
            return
        self.verdicts["accept"] += 1
        heard = verdict.message
        body = (
            encode_consensus(heard.body)
            if isinstance(heard, Received)
            else encode_partials(heard.body)
        )
        assert encode_signed(heard.signed) == data, "an accepted message encodes differently"
        assert heard.signed.message.data == body, "an accepted body encodes differently"

    def _say(self) -> Said:
        slot = max(0, self._now_ms // SLOT_MS + self._one_of(SLOT_STEPS))
        generation = generation_of(slot)
        role = self._one_of(ODD_ROLES if self._odd() else ROLES[generation])
        index: int | None = None
        executor: bytes
        if role in COMMITTEE_ROLES:
            executor, committee = self._one_of(COMMITTEES)
            executor = self._one_of(ODD_COMMITTEES) if self._odd() else executor
        else:
            index, committee = self._one_of(VALIDATORS)
            executor = key(self._one_of(ODD_VALIDATORS) if self._odd() else index)
        named_slot = slot + EPOCH * BOOLE_EPOCH if self._odd() else slot
        name = message_id(role, slot=named_slot, executor=executor)
        if (role in (4, 5) and not self._odd()) or self._random.random() < 0.4:
            signed = self._partials(name, role, slot, index)
        else:
            signed = self._consensus(name, slot, committee)
        topic = CHAIN.topic(generation, committee.subnet(generation))
        return Said(encode_signed(signed), "elsewhere" if self._odd() else topic)

    def _consensus(self, name: MessageId, slot: int, committee: KnownCommittee) -> SignedMessage:
        kind = 4 if self._odd() else pick(self._random, 4)
        round_ = 0 if self._odd() else self._one_of(ROUNDS)
        signers: tuple[int, ...] = (self._one_of(committee.members.operators),)
        full_data = b""
        if kind == ConsensusKind.PROPOSAL:
            boole = generation_of(slot) is Generation.BOOLE
            leader = leader_boole if boole else leader_alan
            if not self._odd():
                signers = (leader(committee.members, slot, max(round_, 1)),)
            full_data = b"another value" if self._random.random() < 0.1 else VALUE
        elif kind == ConsensusKind.COMMIT and self._random.random() < 0.4:
            signers = self._one_of(QUORUMS)
            full_data = VALUE
        proves = kind in (ConsensusKind.PROPOSAL, ConsensusKind.ROUND_CHANGE) and round_ > 1
        if kind == ConsensusKind.ROUND_CHANGE and proves != self._odd():
            full_data = VALUE
        if full_data and self._odd():
            full_data = TOO_LARGE
        body = ConsensusMessage(
            kind,
            slot,
            round_,
            bytes(56) if self._odd() else name,
            sha256(full_data).digest() if full_data and not self._odd() else ROOT,
            1 if proves else 0,
            self._justification() if proves or self._odd() else (),
            self._justification() if kind == ConsensusKind.PROPOSAL or self._odd() else (),
        )
        data = encode_consensus(body)
        return self._sign(EnvelopeKind.CONSENSUS, name, data, signers, full_data)

    def _partials(self, name: MessageId, role: int, slot: int, index: int | None) -> SignedMessage:
        kind = pick(self._random, 8) if self._odd() else self._one_of(KINDS_OF_ROLE[role])
        signer = 1 + pick(self._random, 4)
        inner = OperatorId(signer + self._odd())
        indexes: tuple[int, ...] = (100 if index is None else index,)
        if role == RunnerRole.SYNC_CONTRIBUTION:
            indexes *= 1 + pick(self._random, 14)
        elif index is None:
            indexes = self._one_of(INDEXES)
        elif self._odd():
            indexes = self._one_of(((index, index), (index + 1,), ()))
        items = tuple(PartialSignature(bytes(96), bytes(32), inner, each) for each in indexes)
        data = encode_partials(PartialSignatures(kind, slot, items))
        return self._sign(EnvelopeKind.PARTIAL_SIGNATURES, name, data, (signer,), b"")

    def _sign(
        self, kind: int, name: MessageId, data: bytes, signers: tuple[int, ...], full_data: bytes
    ) -> SignedMessage:
        if self._odd():
            kind = pick(self._random, 4)
        if self._odd():
            data = self._one_of(CONTENTS)
        if self._odd():
            signers = self._one_of(ODD_SIGNERS)
        if self._odd():
            full_data = VALUE
        signatures = (GENUINE,) * len(signers)
        if self._odd():
            signatures = self._one_of(((FORGED,) * len(signers), (GENUINE,), (b"\x01",), ()))
        named = tuple(map(OperatorId, signers))
        return SignedMessage(signatures, named, Envelope(kind, name, data), full_data)

    def _justification(self) -> tuple[bytes, ...]:
        return JUSTIFICATIONS[: pick(self._random, len(JUSTIFICATIONS) + self._odd())]

    def _odd(self) -> bool:
        return self._random.random() < ODD

    def _one_of(self, choices: Sequence[_T]) -> _T:
        return choices[pick(self._random, len(choices))]


JUSTIFICATIONS: Final = (
    *(encode_signed(prepare(signer)) for signer in (1, 2, 3)),
    encode_signed(round_change(2, data_round=1)),
    b"junk",
)
"""The last one is taken only if it is to be odd."""
