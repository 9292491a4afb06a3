"""The sessions of one validator in one generation: its proposals, registrations, exits and so on.

Pure. Each role with consensus keeps one `Consensus` for good, so that a slot is never begun twice;
each role without one remembers its last slot for the same reason. The latest duties of a role stay
reachable, because their messages may overlap with those of the next.

Source: docs/protocol.md, "Duties" (entrance, start) and "Heights".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from operator_node.duties.types import Duty, Setting
from operator_node.qbft.types import CUT_OFF_ROUND, Leader
from operator_node.session.consensus import Consensus
from operator_node.session.session import Delivery, Prepared, Session, slot_of
from operator_node.session.types import Effect
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import (
    MessageId,
    RunnerRole,
    role_of,
    validator_message_id,
    validator_of,
)
from operator_node.wire.messages import Received, ReceivedPartials, SignedMessage
from operator_node.wire.records import Share

SESSIONS_KEPT: Final = 4
"""Per role. An Alan aggregator duty comes once an epoch and is answered for up to 34 slots, so that
two overlap; proposals and contributions of neighbouring slots may be more."""

_BOTH: Final = (
    RunnerRole.PROPOSER,
    RunnerRole.VALIDATOR_REGISTRATION,
    RunnerRole.VOLUNTARY_EXIT,
)
_ROLES: Final = {
    Generation.ALAN: (*_BOTH, RunnerRole.AGGREGATOR, RunnerRole.SYNC_CONTRIBUTION),
    Generation.BOOLE: _BOTH,
}
_WITHOUT_CONSENSUS: Final = frozenset(
    {RunnerRole.VALIDATOR_REGISTRATION, RunnerRole.VOLUNTARY_EXIT}
)


class ValidatorSessions:
    """Every duty that the operators of one committee have in hand for one validator alone."""

    def __init__(
        self,
        setting: Setting,
        share: Share,
        *,
        domain: bytes,
        leader: Leader,
        verify: Callable[[SignedMessage], bool],
        cut_off: int = CUT_OFF_ROUND,
    ) -> None:
        """No sessions yet.

        Args:
            setting: the committee's, with the generation that all sessions here are of.
            share: of the validator.
            domain: of the network in this generation, 4 bytes.
            leader: of this generation.
            verify: whether all operator signatures of a message hold.
            cut_off: see `operator_node.qbft.types.Setup`.
        """
        self._validator_key = share.validator_key
        self._ids = {
            role: validator_message_id(domain, role, share.validator_key)
            for role in _ROLES[setting.generation]
        }
        self._consensus = {
            role: Consensus(
                committee=setting.committee,
                me=setting.me,
                identifier=message_id,
                leader=leader,
                verify=verify,
                generation=setting.generation,
                cut_off=cut_off,
            )
            for role, message_id in self._ids.items()
            if role not in _WITHOUT_CONSENSUS
        }
        self._sessions: dict[int, dict[int, Session]] = {role: {} for role in self._ids}

    def prepare(self, duty: Duty) -> Prepared:
        """Makes room for a duty of this validator; `Session.begin` then starts it.

        Raises:
            ProtocolFault: consensus of the role is at this slot or a later one, or, without
                consensus, a duty was; or the role is unknown in this generation.
        """
        sessions = self._sessions.get(duty.role)
        if sessions is None:
            raise ProtocolFault(Fault.NO_RUNNER, f"a validator has no role {duty.role} here")
        consensus = self._consensus.get(duty.role)
        if consensus is None and sessions and duty.slot <= (latest := max(sessions)):
            raise ProtocolFault(
                Fault.DUTY_PASSED, f"slot {duty.slot}: the last duty was of slot {latest}"
            )
        if consensus is not None:
            consensus.check_not_passed(duty.slot)
        session = Session(duty, self._ids[duty.role], consensus)
        replaced = sessions.get(duty.slot)
        dropped: list[Effect] = [] if replaced is None else replaced.expire()
        sessions[duty.slot] = session
        while len(sessions) > SESSIONS_KEPT:
            dropped += sessions.pop(min(sessions)).expire()
        return Prepared(session, dropped)

    def sessions(self) -> tuple[Session, ...]:
        """All of them, by role and slot."""
        return tuple(
            session
            for _, sessions in sorted(self._sessions.items())
            for _, session in sorted(sessions.items())
        )

    def check_owner(self, message_id: MessageId) -> None:
        """Returns for an id of this validator and of a role that it has.

        Raises:
            ProtocolFault: another validator's, or a role that it does not have.
        """
        if validator_of(message_id) != self._validator_key:
            raise ProtocolFault(
                Fault.OTHER_COMMITTEE,
                f"id {message_id.hex()} is not of validator {self._validator_key.hex()}",
            )
        if role_of(message_id) not in self._sessions:
            raise ProtocolFault(
                Fault.NO_RUNNER, f"a validator has no role {role_of(message_id)} here"
            )

    def session_of(self, message: Received | ReceivedPartials) -> Session | None:
        """The session of a message's role and slot."""
        return self._sessions[role_of(message.signed.message.id)].get(slot_of(message))

    def is_ahead(self, message: Received | ReceivedPartials) -> bool:
        """Whether a message's duty may still be prepared here."""
        sessions = self._sessions[role_of(message.signed.message.id)]
        return not sessions or slot_of(message) > max(sessions)

    def receive(self, message: Received | ReceivedPartials) -> Delivery:
        """Hands a message that passed the entrance to its slot's session, or to the latest one.

        For a `WaitingRoom`. Handed over directly, a decided message of the next slot is consumed by
        the latest session, and the duty that it decides can then not begin.
        """
        role = role_of(message.signed.message.id)
        sessions = self._sessions[role]
        session = self.session_of(message) or (sessions[max(sessions)] if sessions else None)
        if session is None:
            text = f"slot {slot_of(message)}: {RunnerRole(role).name} has no duty"
            return Delivery(None, [Complain(Fault.NO_RUNNING_DUTY, text)])
        return Delivery(session, session.receive(message))
