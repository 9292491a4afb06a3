"""The sessions of one committee in one generation: one per slot and committee role.

Pure. Around a fork a committee has two of these, one per generation; a duty stays with the one that
it began in.

Source: docs/protocol.md, "Duties" (entrance, start).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from operator_node.duties.aggregator_committee import AggregationDuty
from operator_node.duties.committee import VoteDuty
from operator_node.duties.types import CheckpointView, CommitteeDuty, Duty, Setting
from operator_node.qbft.types import CUT_OFF_ROUND, Leader
from operator_node.session.consensus import Consensus
from operator_node.session.session import Delivery, Prepared, Session, slot_of
from operator_node.session.starting import check_shares, own_duties
from operator_node.session.types import Effect
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import (
    MessageId,
    RunnerRole,
    committee_id,
    committee_message_id,
    committee_of,
    role_of,
)
from operator_node.wire.messages import Received, ReceivedPartials, SignedMessage
from operator_node.wire.records import Share

SLOTS_KEPT: Final = 40
"""Slots with a session, per role. Peers accept messages of a committee for 34 slots, and a driver
ends a duty then; what is beyond was forgotten by its driver."""

_ROLES: Final = {
    Generation.ALAN: (RunnerRole.COMMITTEE,),
    Generation.BOOLE: (RunnerRole.COMMITTEE, RunnerRole.AGGREGATOR_COMMITTEE),
}


class CommitteeSessions:
    """Every duty that the operators of one committee have in hand together."""

    def __init__(
        self,
        setting: Setting,
        *,
        domain: bytes,
        leader: Leader,
        verify: Callable[[SignedMessage], bool],
        cut_off: int = CUT_OFF_ROUND,
    ) -> None:
        """No sessions yet.

        Args:
            setting: with the generation that all sessions here are of.
            domain: of the network in this generation, 4 bytes.
            leader: of this generation.
            verify: whether all operator signatures of a message hold.
            cut_off: see `operator_node.qbft.types.Setup`.
        """
        self._setting = setting
        self._id = committee_id(setting.committee.operators)
        self._domain = domain
        self._leader = leader
        self._verify = verify
        self._cut_off = cut_off
        self._sessions: dict[int, dict[int, Session]] = {
            role: {} for role in _ROLES[setting.generation]
        }

    def prepare(
        self,
        role: RunnerRole,
        duty: CommitteeDuty,
        shares: Mapping[int, Share],
        *,
        view: CheckpointView | None = None,
    ) -> Prepared:
        """Makes room for a slot's duty and checks it; `Session.begin` then starts it.

        Args:
            role: one of this generation's committee roles.
            duty: as the beacon node listed it; validators without a share here are left out.
            shares: by validator index, at the time of the duty.
            view: checkpoints known now; see `VoteDuty`.

        Raises:
            ProtocolFault: the duty is not this committee's, does not fit, or was prepared before.
            UsageError: no shares at all.
        """
        sessions = self._sessions.get(role)
        if sessions is None:
            raise ProtocolFault(Fault.ROLE_NOT_OF_COMMITTEE, f"a committee has no role {role}")
        check_shares(role, shares)
        own = own_duties(duty, role, shares)
        if duty.slot in sessions:
            raise ProtocolFault(Fault.DUTY_PASSED, f"slot {duty.slot} has its duty already")
        session = self._session(role, self._duty(role, own, shares, view))
        sessions[duty.slot] = session
        dropped: list[Effect] = []
        while len(sessions) > SLOTS_KEPT:
            dropped += sessions.pop(min(sessions)).expire()
        return Prepared(session, dropped)

    def sessions(self) -> tuple[Session, ...]:
        """All of them, by role and slot."""
        return tuple(
            sessions[slot]
            for _, sessions in sorted(self._sessions.items())
            for slot in sorted(sessions)
        )

    def forget(self, role: RunnerRole, slot: int) -> list[Effect]:
        """Ends and drops a slot's session; its outcome, if it had none yet."""
        session = self._sessions[role].pop(slot, None)
        return [] if session is None else session.expire()

    def check_owner(self, message_id: MessageId) -> None:
        """Returns for an id of this committee and of a role that it has.

        Raises:
            ProtocolFault: another committee's, or no role of a committee.
        """
        if committee_of(message_id) != self._id:
            raise ProtocolFault(
                Fault.OTHER_COMMITTEE,
                f"id {message_id.hex()} is not of committee {self._setting.committee.operators}",
            )
        if role_of(message_id) not in self._sessions:
            raise ProtocolFault(
                Fault.ROLE_NOT_OF_COMMITTEE, f"a committee has no role {role_of(message_id)}"
            )

    def session_of(self, message: Received | ReceivedPartials) -> Session | None:
        """The session of a message's role and slot."""
        return self._sessions[role_of(message.signed.message.id)].get(slot_of(message))

    def is_ahead(self, message: Received | ReceivedPartials) -> bool:
        """Whether a message's duty may still be prepared here."""
        sessions = self._sessions[role_of(message.signed.message.id)]
        return len(sessions) < SLOTS_KEPT or slot_of(message) > min(sessions)

    def receive(self, message: Received | ReceivedPartials) -> Delivery:
        """Hands a message that passed the entrance to the session of its slot.

        For a `WaitingRoom`, which keeps what comes too early.
        """
        session = self.session_of(message)
        if session is None:
            text = f"slot {slot_of(message)} has no duty here"
            return Delivery(None, [Complain(Fault.NO_RUNNER, text)])
        return Delivery(session, session.receive(message))

    def _duty(
        self,
        role: RunnerRole,
        duty: CommitteeDuty,
        shares: Mapping[int, Share],
        view: CheckpointView | None,
    ) -> Duty:
        if role is RunnerRole.COMMITTEE:
            return VoteDuty(self._setting, duty, shares, view=view)
        return AggregationDuty(self._setting, duty, shares)

    def _session(self, role: RunnerRole, duty: Duty) -> Session:
        message_id = committee_message_id(self._domain, role, self._id)
        consensus = Consensus(
            committee=self._setting.committee,
            me=self._setting.me,
            identifier=message_id,
            leader=self._leader,
            verify=self._verify,
            generation=self._setting.generation,
            cut_off=self._cut_off,
        )
        return Session(duty, message_id, consensus)
