"""A waiting room for messages that overtook what they need: a duty, a proposal, a decision.

Pure. Sessions refuse such messages, as the protocol says; co-operators do not send them again. A
driver hands messages to the room instead of to the sessions, and shows it the effects of everything
else that it did with a session. What was refused only for being early is offered again when a duty
begins, a round begins, a proposal was taken or a value was decided.

What one operator can make the room hold is bounded in messages per duty and in bytes over all
duties of the room; duties are bounded per message id. A decided message, which anybody can put
together from the commits of others, is charged to nobody, and one per duty is kept.

Source: docs/protocol.md, "Duties" and "Heights".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from msgspec.structs import replace

from operator_node.duties.types import Reached, Step
from operator_node.qbft import CUT_OFF_ROUND, EARLY_FAULTS, StartTimer
from operator_node.session.committee import SLOTS_KEPT, CommitteeSessions
from operator_node.session.session import Delivery, Session, slot_of
from operator_node.session.types import Effect
from operator_node.session.validator import ValidatorSessions
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.messages import ConsensusKind, Received, ReceivedPartials
from operator_node.wire.value_codec import value_root
from sdk.types import OperatorId

MESSAGES_PER_SENDER: Final = 4 * CUT_OFF_ROUND + 2
"""Of one duty: the four kinds of every round, two phases of partial signatures."""
BYTES_PER_SENDER: Final = 2 * 9_600_000
"""Of all duties in the room: two messages of the largest size, a proposal and a prepared value, or
hundreds of usual ones. Operators of a committee that fill it with junk only keep their own messages
from being remembered."""

Message: TypeAlias = Received | ReceivedPartials
_Place: TypeAlias = tuple[bytes, int]
"""Message id and slot."""

_EARLY_CONSENSUS: Final = EARLY_FAULTS
_EARLY_PARTIALS: Final = frozenset(
    {Fault.NO_DECIDED_VALUE, Fault.NO_RUNNING_INSTANCE, Fault.NOT_DECIDED}
)
_OPENING_STEPS: Final = frozenset({Step.STARTED, Step.DECIDED})
_PROPOSAL: Final = int(ConsensusKind.PROPOSAL)
_ROUND_CHANGE: Final = int(ConsensusKind.ROUND_CHANGE)


@dataclass(slots=True)
class _Kept:
    """The messages of one duty in order of arrival, and what each sender takes up."""

    messages: list[Message] = field(default_factory=list)
    decided: Received | None = None
    counts: dict[OperatorId, int] = field(default_factory=dict)
    sizes: dict[OperatorId, int] = field(default_factory=dict)

    def add(self, message: Message, room_bytes: int) -> None:
        """Keeps it if its sender's messages of this duty, and `room_bytes`, leave room for it."""
        sender, size = message.signed.signers[0], _size(message)
        count = self.counts.get(sender, 0) + 1
        if count > MESSAGES_PER_SENDER or size > room_bytes:
            return
        self.counts[sender], self.sizes[sender] = count, self.sizes.get(sender, 0) + size
        self.messages.append(message)

    def add_decided(self, message: Received) -> None:
        """Keeps the one that says most: with the value, then with the most signers."""
        if self.decided is None or _weight(message) > _weight(self.decided):
            self.decided = message

    @property
    def in_order(self) -> list[Message]:
        """The decided message first: it spares all that the others would lead to."""
        return [*([] if self.decided is None else [self.decided]), *self.messages]


class WaitingRoom:
    """Stands before the sessions of one committee, or of one validator."""

    def __init__(self, sessions: CommitteeSessions | ValidatorSessions) -> None:
        """Empty."""
        self._sessions = sessions
        self._kept: dict[_Place, _Kept] = {}

    def deliver(self, message: Message) -> list[Delivery]:
        """Hands a message on, and those that it opened the way for; none if it is early."""
        session = self._sessions.session_of(message)
        if session is None:
            if self._sessions.is_ahead(message):
                self._keep(message)
                return []
            delivery = self._sessions.receive(message)
        elif session.has_begun:
            delivery = Delivery(session, session.receive(message))
        else:
            self._keep(message)
            return []
        if delivery.effects and _is_early(message, delivery.effects):
            self._keep(message)
            return []
        if session is None or not self._kept or not _opens(message, delivery.effects):
            return [delivery]
        return [delivery, *self._offer_again(_place(message))]

    def follow(self, session: Session, effects: Iterable[Effect]) -> list[Delivery]:
        """To be called with what any call of a session returned, such as `begin` or `recovered`.

        Returns:
            What messages led to that were early before these effects.
        """
        if not self._kept or not _is_opening(effects):
            return []
        return self._offer_again((session.id, session.slot))

    @property
    def is_used(self) -> bool:
        """Whether anything is kept."""
        return bool(self._kept)

    def forget_before(self, slot: int) -> None:
        """Drops what was kept for earlier slots."""
        for place in [place for place in self._kept if place[1] < slot]:
            del self._kept[place]

    def __len__(self) -> int:
        return sum(len(kept.in_order) for kept in self._kept.values())

    def _offer_again(self, place: _Place) -> list[Delivery]:
        deliveries: list[Delivery] = []
        is_open = True
        while is_open and place in self._kept:
            is_open = False
            for message in self._kept.pop(place).in_order:
                delivery = self._sessions.receive(message)
                if _is_early(message, delivery.effects):
                    self._keep(message)
                else:
                    deliveries.append(delivery)
                    is_open |= _opens(message, delivery.effects)
        return deliveries

    def _keep(self, message: Message) -> None:
        place = _place(message)
        kept = self._kept.get(place)
        if kept is None:
            slots = sorted(slot for message_id, slot in self._kept if message_id == place[0])
            if len(slots) >= SLOTS_KEPT:
                del self._kept[place[0], slots[0]]
            kept = self._kept[place] = _Kept()
        if isinstance(message, Received):
            if len(message.signed.signers) > 1:
                kept.add_decided(message)
                return
            message = _without_idle_data(message)
        sender = message.signed.signers[0]
        taken = sum(each.sizes.get(sender, 0) for each in self._kept.values())
        kept.add(message, BYTES_PER_SENDER - taken)


def _without_idle_data(message: Received) -> Received:
    """Unprepared round changes may carry full data that nobody looks at, up to 8 MB of it."""
    is_idle = message.body.kind == _ROUND_CHANGE and not message.body.data_round
    if not is_idle or not message.signed.full_data:
        return message
    return replace(message, signed=replace(message.signed, full_data=b""))


def _weight(message: Received) -> tuple[bool, int]:
    """No signature covers full data, so what was passed on may have lost or exchanged it."""
    is_whole = value_root(message.signed.full_data) == message.body.root
    return is_whole, len(message.signed.signers)


def _place(message: Message) -> _Place:
    return message.signed.message.id, slot_of(message)


def _size(message: Message) -> int:
    return len(message.signed.message.data) + len(message.signed.full_data)


# Exact types are compared here: to ask whether a Struct is of another class costs four calls.


def _is_early(message: Message, effects: Iterable[Effect]) -> bool:
    for effect in effects:
        if type(effect) is Complain:
            early = _EARLY_CONSENSUS if isinstance(message, Received) else _EARLY_PARTIALS
            if effect.fault in early:
                return True
    return False


def _opens(message: Message, effects: Iterable[Effect]) -> bool:
    """Whether others that came too early may be welcome after this message."""
    if not isinstance(message, Received) or message.body.kind != _PROPOSAL:
        return _is_opening(effects)
    return not any(type(effect) is Complain for effect in effects) or _is_opening(effects)


def _is_opening(effects: Iterable[Effect]) -> bool:
    for effect in effects:
        if type(effect) is StartTimer:
            return True
        if type(effect) is Reached and effect.step in _OPENING_STEPS:
            return True
    return False
