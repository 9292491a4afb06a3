"""Operators that do one committee duty together in one process, with real keys and no network.

For examples, demonstrations and benchmarks. Every operator is whole: it verifies what it is given,
agrees by consensus, asks its own slashing record, signs with its own share and combines what the
others sign. Only transport, clock and disk are missing: messages are delivered at once, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from operator_node.duties.reasons import Reason
from operator_node.duties.recover import recover_all
from operator_node.duties.types import (
    Answer,
    CommitteeDuty,
    DutyOutcome,
    Fetch,
    Finish,
    Query,
    Recover,
    Recovered,
    RecoveryRequest,
    Setting,
    Sign,
    Signed,
    SignItem,
    Submission,
    Submit,
    Submitted,
    Withheld,
)
from operator_node.qbft.rounds import leader_of
from operator_node.session.committee import CommitteeSessions
from operator_node.session.entrance import admit
from operator_node.session.session import Delivery, Session
from operator_node.session.types import Effect, Send, SendSigned
from operator_node.signer.record import Intent, Protection
from operator_node.signer.rules import Guard, NotSafe, Verdict, may_sign
from operator_node.spec.chain import ChainSpec
from operator_node.wire.codec import decode_signed, encode_envelope, encode_signed, signs_over
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import DomainType, RunnerRole
from operator_node.wire.messages import Received, ReceivedPartials, SignedMessage
from operator_node.wire.records import Share
from sdk.crypto import bls
from sdk.crypto.operator_keys import OperatorPrivateKey, OperatorPublicKey
from sdk.crypto.secret import SecretKey
from sdk.types import OperatorId, PublicKey, Slot

Mail: TypeAlias = deque[bytes]
"""Messages that everybody has yet to read, oldest first."""


@dataclass(frozen=True, slots=True)
class Network:
    """What all operators know: the chain, the protocol in force, and each other's public keys."""

    chain: ChainSpec
    generation: Generation
    domain: DomainType
    operators: Mapping[OperatorId, OperatorPublicKey]

    def verify(self, message: SignedMessage) -> bool:
        """Whether every operator signature of a message holds."""
        covered = signs_over(message)
        return all(
            signer in self.operators and self.operators[signer].verify(covered, signature)
            for signer, signature in zip(message.signers, message.signatures, strict=True)
        )


@dataclass(slots=True)
class InMemoryOperator:
    """One operator.

    Attributes:
        shares: by validator index; the secrets are by public key of the share.
        beacon: answers what a duty asks of the beacon node.
        submitted: what it handed to the beacon node.
        outcome: how its duty ended.

    One duty after the other: the partial signatures made in a duty are kept as points until the
    next one begins.
    """

    me: OperatorId
    key: OperatorPrivateKey = field(repr=False)
    secrets: Mapping[PublicKey, SecretKey] = field(repr=False)
    shares: Mapping[int, Share]
    network: Network
    beacon: Callable[[Query], Answer]
    submitted: list[Submission] = field(default_factory=list)
    outcome: DutyOutcome | None = None
    protection: Protection = field(default_factory=Protection)
    _sessions: CommitteeSessions = field(init=False)
    _made: dict[bytes, bls.SignaturePoint] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        committee = Committee.of(self.network.operators)
        setting = Setting(
            committee=committee,
            me=self.me,
            chain=self.network.chain,
            generation=self.network.generation,
            is_slashable=self._is_slashable,
        )
        self._sessions = CommitteeSessions(
            setting,
            domain=self.network.domain,
            leader=leader_of(committee, self.network.generation),
            verify=self.network.verify,
        )

    def begin(self, duty: CommitteeDuty, mail: Mail) -> None:
        """Starts the committee's votes of a slot; what it says goes into the mail."""
        self._arm(duty.slot)
        self._made = {}
        prepared = self._sessions.prepare(RunnerRole.COMMITTEE, duty, self.shares)
        self._carry_out(prepared.session, prepared.session.begin(), mail)

    def read(self, data: bytes, mail: Mail) -> None:
        """Takes in one message.

        Raises:
            ProtocolFault: it may not enter.
        """
        delivery = self._receive(self._enter(data))
        if delivery.session is not None:
            self._carry_out(delivery.session, delivery.effects, mail)

    # --- the steps of a duty, which a subclass may do another way, or time --------------------

    def _enter(self, data: bytes) -> Received | ReceivedPartials:
        """Bytes from the mail into a message that may be acted upon."""
        return admit(
            decode_signed(data, self.network.generation),
            generation=self.network.generation,
            verify=self.network.verify,
            check_owner=self._sessions.check_owner,
        )

    def _receive(self, message: Received | ReceivedPartials) -> Delivery:
        """The message to its session."""
        return self._sessions.receive(message)

    def _seal(self, send: Send) -> bytes:
        """An envelope under the own operator signature, encoded."""
        signature = self.key.sign(encode_envelope(send.envelope))
        signed = SignedMessage((signature,), (self.me,), send.envelope, send.full_data)
        return encode_signed(signed)

    def _recover(self, requests: Sequence[RecoveryRequest]) -> tuple[Recovered, ...]:
        """Partial signatures into validators' signatures."""
        return recover_all(requests, self._made)

    def _complete(self, session: Session, recovered: tuple[Recovered, ...]) -> list[Effect]:
        """Validators' signatures into what is submitted."""
        return session.recovered(recovered)

    def _carry_out(self, session: Session, effects: Sequence[Effect], mail: Mail) -> None:
        for effect in effects:
            match effect:
                case Send():
                    mail.append(self._seal(effect))
                case SendSigned():
                    mail.append(encode_signed(effect.signed))
                case Fetch():
                    answer = self.beacon(effect.query)
                    self._carry_out(session, session.provide(effect.query, answer), mail)
                case Sign():
                    self._carry_out(session, session.signed(self._sign(effect.items)), mail)
                case Recover():
                    recovered = self._recover(effect.requests)
                    self._carry_out(session, self._complete(session, recovered), mail)
                case Submit():
                    self.submitted += effect.items
                    taken = tuple(Submitted(item) for item in effect.items)
                    self._carry_out(session, session.submitted(taken), mail)
                case Finish():
                    self.outcome = effect.outcome

    def _arm(self, slot: Slot) -> None:
        """New shares may sign from now on, and nothing that was signed elsewhere before (SAF-4)."""
        before = Slot(max(0, slot - 1))
        epoch = self.network.chain.epoch_of(before)
        for share in self.shares.values():
            self.protection.arm(share.share_key, share.validator_key, epoch=epoch, slot=before)

    def _is_slashable(self, share: Share, guard: Guard) -> bool:
        intent = Intent(share.share_key, share.validator_key, guard)
        return not may_sign(self.protection.check((intent,))[0])

    def _sign(self, items: Sequence[SignItem]) -> tuple[Signed | Withheld, ...]:
        """Slashing record first: what it refuses is never signed."""
        intents = [
            Intent(item.share.share_key, item.share.validator_key, item.guard)
            for item in items
            if item.guard is not None
        ]
        verdicts = iter(self.protection.check_and_record(intents))
        return tuple(
            self._answer(item, None if item.guard is None else next(verdicts)) for item in items
        )

    def _answer(self, item: SignItem, verdict: Verdict | None) -> Signed | Withheld:
        if isinstance(verdict, NotSafe):
            return Withheld(item, Reason.SLASHING_REFUSED, verdict.reason)
        signature = bls.sign_point(self.secrets[item.share.share_key], item.root)
        self._made[signature.data] = signature
        return Signed(item, signature.data)


def perform(duty: CommitteeDuty, operators: Sequence[InMemoryOperator]) -> None:
    """All begin the duty, then everybody reads everything until it is quiet."""
    mail: Mail = deque()
    for operator in operators:
        operator.begin(duty, mail)
    while mail:
        data = mail.popleft()
        for operator in operators:
            operator.read(data, mail)
