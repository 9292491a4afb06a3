"""Operators that sign with a digest of their id, and messages of every kind in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from operator_node.qbft import Broadcast, Instance, Leader, Output, Setup, Verdict, drafts
from operator_node.qbft.types import CUT_OFF_ROUND
from operator_node.wire.codec import encode_consensus, signs_over
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    Received,
    SignedMessage,
)
from sdk.types import OperatorId

IDENTIFIER = bytes(4) + bytes(52)
HEIGHT = 7
VALUE = b"the value"
OTHER = b"another value"
ROOT = sha256(VALUE).digest()
OTHER_ROOT = sha256(OTHER).digest()


@dataclass(slots=True)
class ValueRule:
    """A value check that refuses some values and cannot vouch for others; both may change."""

    refused: set[bytes] = field(default_factory=set)
    unvouched: set[bytes] = field(default_factory=set)
    asked: list[bytes] = field(default_factory=list)

    def __call__(self, value: bytes, /) -> Verdict:
        self.asked.append(value)
        if value in self.refused:
            raise ProtocolFault(Fault.VALUE_INVALID, f"{value!r} is refused")
        return Verdict.UNVOUCHED if value in self.unvouched else Verdict.VALID


def led_by(operator: int) -> Leader:
    return lambda _height, _round: OperatorId(operator)


def setup_of(
    me: int = 1,
    *,
    size: int = 4,
    leader: Leader | None = None,
    check_value: Callable[[bytes], Verdict] | None = None,
    verify: Callable[[SignedMessage], bool] | None = None,
    generation: Generation = Generation.BOOLE,
    cut_off: int = CUT_OFF_ROUND,
) -> Setup:
    return Setup(
        committee=Committee.of(range(1, size + 1)),
        me=OperatorId(me),
        identifier=IDENTIFIER,
        leader=leader or led_by(1),
        check_value=check_value or ValueRule(),
        verify=verify or holds,
        generation=generation,
        cut_off=cut_off,
    )


def signature_of(operator: int, covered: bytes) -> bytes:
    return sha256(operator.to_bytes(8, "little") + covered).digest() * 8


def holds(signed: SignedMessage) -> bool:
    covered = signs_over(signed)
    return all(
        signature == signature_of(signer, covered)
        for signer, signature in zip(signed.signers, signed.signatures, strict=True)
    )


def sign(body: ConsensusMessage, *operators: int, full_data: bytes = b"") -> Received:
    envelope = Envelope(EnvelopeKind.CONSENSUS, MessageId(IDENTIFIER), encode_consensus(body))
    unsigned = SignedMessage((), (), envelope)
    signed = SignedMessage(
        tuple(signature_of(operator, signs_over(unsigned)) for operator in operators),
        tuple(OperatorId(operator) for operator in operators),
        envelope,
        full_data,
    )
    return Received(signed, body)


def publish(operator: int, draft: Broadcast) -> Received:
    return sign(draft.body, operator, full_data=draft.full_data)


def proposal(
    operator: int = 1,
    value: bytes = VALUE,
    *,
    round_: int = 1,
    changes: Sequence[Received] = (),
    prepares: Sequence[Received] = (),
    height: int = HEIGHT,
) -> Received:
    draft = drafts.proposal(
        IDENTIFIER,
        height,
        round_,
        value,
        round_changes=changes,
        prepares=drafts.encoded(prepares),
    )
    return publish(operator, draft)


def prepare(
    operator: int, root: bytes = ROOT, *, round_: int = 1, height: int = HEIGHT
) -> Received:
    return publish(operator, drafts.prepare(IDENTIFIER, height, round_, root))


def prepares(
    operators: Iterable[int], root: bytes = ROOT, *, round_: int = 1, height: int = HEIGHT
) -> list[Received]:
    return [prepare(operator, root, round_=round_, height=height) for operator in operators]


def commit(
    *operators: int,
    value: bytes = VALUE,
    round_: int = 1,
    height: int = HEIGHT,
    with_data: bool = False,
) -> Received:
    body = drafts.commit(IDENTIFIER, height, round_, sha256(value).digest()).body
    return sign(body, *operators, full_data=value if with_data else b"")


def change(
    operator: int,
    round_: int = 2,
    *,
    value: bytes | None = None,
    prepared_by: Sequence[Received] = (),
    data_round: int = 1,
    height: int = HEIGHT,
) -> Received:
    """A round change, prepared if it has a value."""
    body = ConsensusMessage(
        kind=ConsensusKind.ROUND_CHANGE,
        height=height,
        round=round_,
        identifier=IDENTIFIER,
        root=bytes(32) if value is None else sha256(value).digest(),
        data_round=0 if value is None else data_round,
        round_change_justification=drafts.encoded(prepared_by),
    )
    return sign(body, operator, full_data=value or b"")


def decided_message(
    *operators: int, value: bytes = VALUE, round_: int = 1, height: int = HEIGHT
) -> Received:
    return commit(*operators, value=value, round_=round_, height=height, with_data=True)


def feed(instance: Instance, messages: Iterable[Received]) -> list[Output]:
    """All outputs of all messages."""
    return [output for message in messages for output in instance.receive(message)]


def fault_of(outputs: Sequence[Output]) -> Fault:
    """The fault of what must be a single complaint."""
    (complaint,) = outputs
    assert isinstance(complaint, Complain)
    return complaint.fault


def sent(outputs: Iterable[Output]) -> list[tuple[ConsensusKind, int, bytes]]:
    """(kind, round, root) of the broadcasts."""
    return [
        (ConsensusKind(output.body.kind), output.body.round, output.body.root)
        for output in outputs
        if isinstance(output, Broadcast)
    ]


def begun(
    me: int = 2,
    value: bytes | None = None,
    *,
    rule: ValueRule | None = None,
    leader: Leader | None = None,
) -> Instance:
    """An instance in round 1, without a value unless given; operator 1 leads every round."""
    instance = Instance(setup_of(me, check_value=rule, leader=leader), HEIGHT)
    instance.start(value)
    return instance


def by_round(_height: int, round_: int) -> OperatorId:
    """Leaders take turns: 1 in round 1."""
    return OperatorId((round_ - 1) % 4 + 1)


def the_proposal(outputs: Iterable[Output]) -> Broadcast:
    """The only broadcast, which must be a proposal."""
    (draft,) = [each for each in outputs if isinstance(each, Broadcast)]
    assert draft.body.kind == ConsensusKind.PROPOSAL
    return draft
