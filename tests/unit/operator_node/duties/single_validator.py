"""One validator of a committee of four, stand-in signatures, and a desk that carries out commands.

A stand-in signature says who signed what; four of the same root recover to the validator's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    Answer,
    Command,
    Duty,
    DutyOutcome,
    Fetch,
    Finish,
    Open,
    Propose,
    Publish,
    Query,
    Reached,
    Recover,
    Recovered,
    RecoveryRequest,
    Setting,
    Sign,
    Signed,
    SignItem,
    Step,
    Submission,
    Submit,
    Submitted,
    Withheld,
)
from operator_node.signer.rules import Guard
from operator_node.spec.block_shapes import (
    blinded_block_shape,
    block_contents_shape,
    block_shape,
)
from operator_node.spec.networks import MAINNET
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import (
    Bitlist,
    Bitvector,
    Boolean,
    ByteList,
    ByteVector,
    Container,
    List,
    Shape,
    Uint,
    Value,
    Vector,
    encode,
)
from operator_node.spec.versions import DENEB
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, DomainType, MessageId
from operator_node.wire.messages import (
    Envelope,
    EnvelopeKind,
    PartialKind,
    PartialSignature,
    PartialSignatures,
    ReceivedPartials,
    SignedMessage,
)
from operator_node.wire.records import Share, ShareMember
from operator_node.wire.values import ValidatorDuty
from sdk.types import Address, OperatorId, PublicKey, Signature, Slot

ME = OperatorId(1)
OPERATORS = tuple(OperatorId(number) for number in (1, 2, 3, 4))
INDEX = 17
KEY = PublicKey(b"\x8e" * 48)
OWNER_RECIPIENT = Address(b"\x53" * 20)
SLOTS_PER_EPOCH = MAINNET.slots_per_epoch
SHARE = Share(
    validator_index=INDEX,
    validator_key=KEY,
    share_key=PublicKey(b"\x01" * 48),
    committee=tuple(ShareMember(each, PublicKey(bytes([each]) * 48)) for each in OPERATORS),
    domain=DomainType(bytes.fromhex("00000001")),
    fee_recipient=OWNER_RECIPIENT,
    graffiti=bytes(32),
)


def setting(
    generation: Generation = Generation.BOOLE, *, slashable: Iterable[Guard] = ()
) -> Setting:
    """The first operator's, on mainnet; `slashable` is what its record forbids."""
    forbidden = set(slashable)
    return Setting(
        committee=Committee(OPERATORS),
        me=ME,
        chain=MAINNET,
        generation=generation,
        is_slashable=lambda _share, guard: guard in forbidden,
    )


def first_slot(version: int) -> Slot:
    """A slot of the fork: the second of its third epoch."""
    return Slot((MAINNET.forks[version - 1].epoch + 2) * SLOTS_PER_EPOCH + 1)


def duty_of(role: BeaconRole, slot: Slot, **more: object) -> ValidatorDuty:
    """The validator's duty in a slot."""
    return replace(ValidatorDuty(role, KEY, slot, INDEX), **more)  # type: ignore[arg-type]


def stand_in(operator: OperatorId, root: bytes) -> Signature:
    """An operator's partial signature."""
    return Signature(sha256(bytes([operator]) + root).digest() * 3)


def recovered_signature(root: bytes) -> Signature:
    """The validator's signature."""
    return Signature(sha256(b"validator" + root).digest() * 3)


def recover(request: RecoveryRequest) -> Recovered:
    """What stand-ins recover to; whose are wrong is a culprit."""
    culprits = frozenset(
        operator
        for operator, given in request.partials.items()
        if given != stand_in(operator, request.root)
    )
    enough = len(request.partials) - len(culprits) >= request.threshold
    return Recovered(request, recovered_signature(request.root) if enough else None, culprits)


def message(
    sender: int,
    roots: Iterable[bytes],
    *,
    slot: Slot,
    kind: PartialKind = PartialKind.POST_CONSENSUS,
    index: int = INDEX,
    is_good: bool = True,
) -> ReceivedPartials:
    """A co-operator's partial signatures."""
    operator = OperatorId(sender)
    items = tuple(
        PartialSignature(
            stand_in(operator, root if is_good else b"other" + root), root, operator, index
        )
        for root in roots
    )
    envelope = Envelope(EnvelopeKind.PARTIAL_SIGNATURES, MessageId(bytes(56)), b"")
    signed = SignedMessage((b"rsa",), (operator,), envelope)
    return ReceivedPartials(signed, PartialSignatures(kind, slot, items))


@dataclass(slots=True)
class Desk:
    """Carries out a duty's commands at once and keeps what cannot be answered here.

    Attributes:
        withhold: why the signer refuses, if it does.
        is_silent: the signer does not answer at all.
    """

    duty: Duty
    withhold: Reason | None = None
    is_silent: bool = False
    asked: list[SignItem] = field(default_factory=list)
    published: list[PartialSignatures] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    proposals: list[bytes] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    complaints: list[Complain] = field(default_factory=list)
    outcomes: list[DutyOutcome] = field(default_factory=list)
    opened: int = 0

    def begin(self) -> Desk:
        """Begins the duty; the own message comes back like everybody's."""
        self.carry_out(self.duty.begin())
        return self

    def hear(self, *senders: int, is_good: bool = True) -> Desk:
        """These co-operators send the same as the own last message."""
        mine = self.published[-1]
        for sender in senders:
            self.receive(
                message(
                    sender,
                    [item.root for item in mine.items],
                    slot=Slot(mine.slot),
                    kind=PartialKind(mine.kind),
                    is_good=is_good,
                )
            )
        return self

    def receive(self, received: ReceivedPartials) -> Desk:
        """A message, whose refusal becomes a complaint."""
        try:
            self.carry_out(self.duty.receive(received))
        except ProtocolFault as refusal:
            self.complaints.append(Complain(refusal.fault, refusal.message))
        return self

    def provide(self, answer: Answer, *, place: int = -1) -> Desk:
        """The beacon nodes' answer to a query, the last one unless told otherwise."""
        self.carry_out(self.duty.provide(self.queries[place], answer))
        return self

    def decide(self, value: bytes) -> Desk:
        """Consensus decided."""
        self.carry_out(self.duty.decide(value))
        return self

    def submit(self, *, error: str = "") -> Desk:
        """The beacon nodes' answer to all submissions."""
        self.carry_out(self.duty.submitted(tuple(Submitted(x, error) for x in self.submissions)))
        return self

    def expire(self) -> DutyOutcome:
        """The duty's time is over."""
        self.carry_out(self.duty.expire())
        return self.outcomes[-1]

    @property
    def faults(self) -> list[Fault]:
        """What was complained of."""
        return [each.fault for each in self.complaints]

    def carry_out(self, commands: Iterable[Command]) -> None:
        """Carries out, in order."""
        for command in commands:
            match command:
                case Sign(items):
                    self._sign(items)
                case Publish(body):
                    self.published.append(body)
                    self.hear(ME)
                case Recover(requests):
                    self.carry_out(self.duty.recovered(tuple(map(recover, requests))))
                case Fetch(query):
                    self.queries.append(query)
                case Propose(value):
                    self.proposals.append(value)
                case Submit(items):
                    self.submissions += items
                case Reached(step):
                    self.steps.append(step)
                case Open():
                    self.opened += 1
                case Complain():
                    self.complaints.append(command)
                case Finish(outcome):
                    self.outcomes.append(outcome)

    def _sign(self, items: tuple[SignItem, ...]) -> None:
        self.asked += items
        if self.is_silent:
            return
        results: tuple[Signed | Withheld, ...] = tuple(
            Signed(item, stand_in(ME, item.root))
            if self.withhold is None
            else Withheld(item, self.withhold, "said the signer")
            for item in items
        )
        self.carry_out(self.duty.signed(results))


def blank(shape: Shape) -> Value:
    """The smallest value of a type: zeros, empty lists."""
    match shape:
        case Uint():
            return 0
        case Boolean():
            return False
        case ByteVector(length):
            return bytes(length)
        case ByteList():
            return b""
        case Bitvector(length):
            return (False,) * length
        case Bitlist() | List():
            return ()
        case Vector(item, length):
            return (blank(item),) * length
        case Container():
            return {name: blank(inner) for name, inner in shape.fields}


def block_bytes(
    version: int,
    *,
    slot: Slot,
    is_blinded: bool = False,
    proposer: int = INDEX,
    reveal: bytes = bytes(96),
    recipient: bytes = OWNER_RECIPIENT,
) -> bytes:
    """A block that says nothing but this, with its contents if it is full and has blobs."""
    preset = Preset.MAINNET
    shape = (blinded_block_shape if is_blinded else block_shape)(version, preset)
    block = blank(shape)
    assert isinstance(block, dict)
    block |= {"slot": slot, "proposer_index": proposer}
    body = block["body"]
    payload = body["execution_payload_header" if is_blinded else "execution_payload"]
    payload["fee_recipient"] = recipient
    body["randao_reveal"] = reveal
    if is_blinded or version < DENEB:
        return encode(shape, block)
    contents: Mapping[str, Value] = {"block": block, "kzg_proofs": (), "blobs": ()}
    return encode(block_contents_shape(version, preset), contents)
