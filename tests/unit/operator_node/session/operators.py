"""Four operators in memory, each whole: entrance, waiting room, sessions, and a driver.

Keys are stand-ins. Mail waits until `run` delivers it, so that a case can lose or hold some of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    Answer,
    CheckpointView,
    CommitteeDuty,
    Duty,
    DutyOutcome,
    Fetch,
    Finish,
    Query,
    Reached,
    Recover,
    Setting,
    Sign,
    Signed,
    SignItem,
    Step,
    Submission,
    Submit,
    Submitted,
    Unavailable,
    Withheld,
)
from operator_node.qbft import StartTimer, leader_boole
from operator_node.session import (
    CommitteeSessions,
    Delivery,
    Effect,
    Send,
    SendSigned,
    Session,
    ValidatorSessions,
    WaitingRoom,
    admit,
)
from operator_node.signer.rules import Guard
from operator_node.spec.networks import MAINNET
from operator_node.spec.versions import FULU
from operator_node.wire.codec import encode_envelope
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.messages import SignedMessage
from sdk.types import OperatorId, Slot
from tests.unit.operator_node.duties.many_validators import SHARES, duty_for, vote_at
from tests.unit.operator_node.duties.single_validator import (
    OPERATORS,
    SHARE,
    first_slot,
    recover,
    stand_in,
)
from tests.unit.operator_node.qbft.acting import holds, signature_of

DOMAIN = bytes.fromhex("00000002")
COMMITTEE = Committee(OPERATORS)
SLOT = first_slot(FULU)
VOTE = vote_at(SLOT)
VIEW = CheckpointView(VOTE.source, VOTE.target)
DUTY = CommitteeDuty(
    SLOT,
    (
        duty_for(BeaconRole.ATTESTER, 17, SLOT),
        duty_for(BeaconRole.ATTESTER, 18, SLOT),
        duty_for(BeaconRole.SYNC_COMMITTEE, 17, SLOT),
    ),
)
LEADER = leader_boole(COMMITTEE, SLOT, 1)
OTHERS = tuple(operator for operator in OPERATORS if operator != LEADER)


def leader(height: int, round_number: int) -> OperatorId:
    return leader_boole(COMMITTEE, height, round_number)


def setting_of(me: int, *, slashable: Iterable[Guard] = ()) -> Setting:
    forbidden = set(slashable)
    return Setting(
        committee=COMMITTEE,
        me=OperatorId(me),
        chain=MAINNET,
        generation=Generation.BOOLE,
        is_slashable=lambda _share, guard: guard in forbidden,
    )


def committee_sessions(me: int = 1, *, setting: Setting | None = None) -> CommitteeSessions:
    return CommitteeSessions(setting or setting_of(me), domain=DOMAIN, leader=leader, verify=holds)


def validator_sessions(me: int = 1) -> ValidatorSessions:
    return ValidatorSessions(setting_of(me), SHARE, domain=DOMAIN, leader=leader, verify=holds)


def signed_by(me: int, effect: Send) -> SignedMessage:
    """An envelope as its operator publishes it."""
    signature = signature_of(me, encode_envelope(effect.envelope))
    return SignedMessage((signature,), (OperatorId(me),), effect.envelope, effect.full_data)


@dataclass(slots=True)
class Operator:
    """One operator.

    Attributes:
        beacon: answers fetches.
        refused: validators that the signer does not sign for, and why.
        out: what it published and nobody has fetched yet; `to` is None for all.
    """

    me: OperatorId
    sessions: CommitteeSessions | ValidatorSessions
    beacon: Callable[[Query], Answer | None] = lambda _query: VOTE
    refused: dict[int, Reason] = field(default_factory=dict)
    out: list[tuple[SignedMessage, OperatorId | None]] = field(default_factory=list)
    timers: list[StartTimer] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    complaints: list[Complain] = field(default_factory=list)
    outcomes: list[DutyOutcome] = field(default_factory=list)
    room: WaitingRoom = field(init=False)

    def __post_init__(self) -> None:
        self.room = WaitingRoom(self.sessions)

    @property
    def faults(self) -> list[Fault]:
        return [complaint.fault for complaint in self.complaints]

    def begin(self, session: Session) -> Session:
        self.carry_out(session, session.begin())
        return session

    def receive(self, signed: SignedMessage) -> None:
        try:
            message = admit(
                signed,
                generation=Generation.BOOLE,
                verify=holds,
                check_owner=self.sessions.check_owner,
            )
        except ProtocolFault as refusal:
            self.complaints.append(Complain(refusal.fault, refusal.message))
            return
        self._take(self.room.deliver(message))

    def carry_out(self, session: Session, effects: Sequence[Effect]) -> None:
        for effect in effects:
            self._carry_out_one(session, effect)
        self._take(self.room.follow(session, effects))

    def _take(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            session, effects = delivery.session, delivery.effects
            if session is None:
                self.complaints += [each for each in effects if isinstance(each, Complain)]
            else:
                for effect in effects:
                    self._carry_out_one(session, effect)

    def _carry_out_one(self, session: Session, effect: Effect) -> None:
        match effect:
            case Send():
                self.out.append((signed_by(self.me, effect), None))
            case SendSigned():
                self.out.append((effect.signed, effect.to))
            case StartTimer():
                self.timers.append(effect)
            case Fetch(query):
                self.queries.append(query)
                answer = self.beacon(query)
                if answer is not None:
                    self.carry_out(session, session.provide(query, answer))
            case Sign(items):
                self.carry_out(session, session.signed(tuple(map(self._sign, items))))
            case Recover(requests):
                self.carry_out(session, session.recovered(tuple(map(recover, requests))))
            case Submit(items):
                self.submissions += items
                self.carry_out(session, session.submitted(tuple(map(Submitted, items))))
            case Reached(step):
                self.steps.append(step)
            case Complain():
                self.complaints.append(effect)
            case Finish(outcome):
                self.outcomes.append(outcome)

    def _sign(self, item: SignItem) -> Signed | Withheld:
        why = self.refused.get(item.share.validator_index)
        if why is not None:
            return Withheld(item, why)
        return Signed(item, stand_in(self.me, item.root))


class Cluster:
    """Operators whose mail arrives in order, everywhere, the sender included.

    Attributes:
        is_lost: what never arrives: (sender, receiver, message).
    """

    def __init__(self, operators: Iterable[Operator]) -> None:
        self.operators = {operator.me: operator for operator in operators}
        self.is_lost: Callable[[int, int, SignedMessage], bool] = lambda _from, _to, _what: False
        self.sent: list[SignedMessage] = []

    def run(self) -> None:
        """Delivers until nothing is on its way."""
        mail: deque[tuple[OperatorId, OperatorId, SignedMessage]] = deque()
        self._collect(mail)
        while mail:
            sender, receiver, signed = mail.popleft()
            if not self.is_lost(sender, receiver, signed):
                self.operators[receiver].receive(signed)
            self._collect(mail)

    def expire_round(self, round_number: int) -> None:
        """Everybody's timer of a round ends."""
        for operator in self.operators.values():
            for session in operator.sessions.sessions():
                operator.carry_out(session, session.expire_round(session.slot, round_number))
        self.run()

    def _collect(self, mail: deque[tuple[OperatorId, OperatorId, SignedMessage]]) -> None:
        for sender, operator in self.operators.items():
            for signed, to in operator.out:
                self.sent.append(signed)
                receivers = [to] if to is not None else list(self.operators)
                mail.extend((sender, receiver, signed) for receiver in receivers)
            operator.out.clear()


def committee_cluster(
    *,
    begin: Iterable[int] = OPERATORS,
    without_data: Iterable[int] = (),
    view: CheckpointView | None = VIEW,
) -> Cluster:
    """Four operators with the committee's duty prepared, and begun by those named."""
    blind = set(without_data)
    cluster = Cluster(Operator(each, committee_sessions(each)) for each in OPERATORS)
    for me, operator in cluster.operators.items():
        if me in blind:
            operator.beacon = lambda _query: Unavailable(Reason.BN_DOWN)
        prepare(operator, view=view)
    for first in begin:
        operator = cluster.operators[OperatorId(first)]
        (session,) = operator.sessions.sessions()
        operator.begin(session)
    return cluster


def prepare(
    operator: Operator, duty: CommitteeDuty = DUTY, view: CheckpointView | None = VIEW
) -> Session:
    assert isinstance(operator.sessions, CommitteeSessions)
    prepared = operator.sessions.prepare(RunnerRole.COMMITTEE, duty, SHARES, view=view)
    return prepared.session


def prepare_alone(operator: Operator, duty: Duty) -> Session:
    assert isinstance(operator.sessions, ValidatorSessions)
    return operator.sessions.prepare(duty).session


def slot_after(slots: int) -> Slot:
    return Slot(SLOT + slots)
