"""One operator's committee or validator of the runner cases, fed with duties and messages."""

from __future__ import annotations

from typing import Any, TypeAlias

from operator_node.session import CommitteeSessions, Session, ValidatorSessions, admit
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import COMMITTEE_ROLES, MessageId, RunnerRole
from operator_node.wire.messages import Envelope, SignedMessage
from operator_node.wire.structure import check_signed
from sdk.types import OperatorId
from tests.vectors.ssv import reading
from tests.vectors.ssv.archive import Vectors
from tests.vectors.ssv.pretend_beacon import PretendSelection
from tests.vectors.ssv.qbft_harness import CUT_OFF, always_first
from tests.vectors.ssv.runner_harness import World
from tests.vectors.ssv.runner_loading import (
    COMMITTEE_KEYS,
    committee_duty,
    duty_in,
    load,
    make_duty,
    new_session,
    slot_in,
)

Data: TypeAlias = dict[str, Any]


class CommitteeNode:
    """A committee, whose runners are those that duties were started for, or one that was loaded."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions = CommitteeSessions(
            world.setting,
            domain=world.domain,
            leader=always_first,
            verify=world.verify,
            cut_off=CUT_OFF,
        )

    @classmethod
    def of_dump(cls, vectors: Vectors, dump: Data) -> CommitteeNode:
        """A dumped committee, with the runners that it has."""
        operators = (each["OperatorID"] for each in dump["CommitteeMember"]["Committee"])
        node = cls(World(vectors, Committee.of(operators), _shares(dump)))
        for key, role in COMMITTEE_KEYS.items():
            for runner in (dump.get(key) or {}).values():
                base = runner["BaseRunner"]
                if base["State"] is not None:
                    node.load(role, base, base["State"])
        return node

    def load(self, role: RunnerRole, base: Data, named: Data) -> Session:
        """Puts a dumped runner where that of the named duty is looked for."""
        duty = make_duty(self.world, role, duty_in(base["State"] or named))
        session = new_session(self.world, duty)
        load(self.world, session, base)
        self.sessions._sessions[role][slot_in(named)] = session
        return session

    def start(self, role: RunnerRole, data: Data) -> Session | None:
        """Starts a duty; None if it is refused."""
        world = self.world
        try:
            prepared = self.sessions.prepare(
                role, committee_duty(data), world.shares, view=world.view
            )
        except ProtocolFault as refusal:
            world.refuse(refusal)
            return None
        world.run(None, prepared.dropped)
        world.run(prepared.session, prepared.session.begin())
        return prepared.session

    def start_again(self, loaded: Session | None, role: RunnerRole, data: Data) -> Session | None:
        """Starts a duty with the consensus of a loaded runner; None if it is refused."""
        consensus = loaded.consensus if loaded else None
        session = new_session(self.world, make_duty(self.world, role, data), consensus)
        self.world.run(session, session.begin())
        return session if session.has_begun else None

    def sessions_of(self, role: RunnerRole) -> dict[int, Session]:
        """The sessions of a role, by slot."""
        return {
            session.slot: session for session in self.sessions.sessions() if session.role is role
        }


class ValidatorNode:
    """A validator with one role."""

    def __init__(self, world: World) -> None:
        self.world = world
        (share,) = world.shares.values()
        self.sessions = ValidatorSessions(
            world.setting,
            share,
            domain=world.domain,
            leader=always_first,
            verify=world.verify,
            cut_off=CUT_OFF,
        )

    def load(self, role: RunnerRole, base: Data, named: Data) -> Session:
        """Puts a dumped runner where messages of its role are looked for."""
        duty = make_duty(self.world, role, duty_in(base["State"] or named))
        session = new_session(self.world, duty, self.sessions._consensus.get(role))
        load(self.world, session, base)
        self.sessions._sessions[role][duty.slot] = session
        return session

    def start(self, role: RunnerRole, data: Data) -> Session | None:
        """Starts a duty; None if it is refused."""
        duty = make_duty(self.world, role, data)
        try:
            prepared = self.sessions.prepare(duty)
        except ProtocolFault as refusal:
            self.world.refuse(refusal)
            return None
        self.world.run(prepared.session, prepared.session.begin())
        return prepared.session


Node: TypeAlias = CommitteeNode | ValidatorNode


def node_of(vectors: Vectors, role: RunnerRole, base: Data, selection: PretendSelection) -> Node:
    """The committee or validator that a dumped runner would be part of."""
    shares = _shares(base)
    share = next(iter(shares.values()))
    committee = Committee.of(member.signer for member in share.committee)
    world = World(vectors, committee, shares, selection)
    return CommitteeNode(world) if role in COMMITTEE_ROLES else ValidatorNode(world)


def feed(node: Node, data: Data) -> SignedMessage | None:
    """Lets a message in and processes it; None if it did not get in."""
    world = node.world
    try:
        signed = _read(world, data)
        message = admit(
            signed,
            generation=world.vectors.generation,
            verify=world.verify,
            check_owner=node.sessions.check_owner,
        )
    except ProtocolFault as refusal:
        world.refuse(refusal)
        return None
    delivery = node.sessions.receive(message)
    world.run(delivery.session, delivery.effects)
    return signed


def _read(world: World, data: Data) -> SignedMessage:
    """Only JSON can omit the inner message; a flawless one stands in for it up to that check."""
    if data["SSVMessage"] is not None:
        return reading.signed_message(data)
    stand_in = SignedMessage(
        tuple(reading.raw(each) for each in reading.rows(data["Signatures"])),
        tuple(OperatorId(each) for each in reading.rows(data["OperatorIDs"])),
        Envelope(0, MessageId(bytes(56)), b""),
    )
    check_signed(stand_in, world.vectors.generation)
    raise ProtocolFault(Fault.NO_MESSAGE, "a signed message has no inner message")


def _shares(dump: Data) -> dict[int, Any]:
    found = (reading.share(each) for each in dump["Share"].values())
    return {share.validator_index: share for share in found}
