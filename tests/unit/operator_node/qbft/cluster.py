"""A committee in memory: every member has `Heights`, messages wait in one list, timers are data.

It carries outputs out as a node would: signs broadcasts, brings them to everybody and to their
author, keeps messages that came too early, and remembers which round each timer is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from operator_node.qbft import (
    EARLY_FAULTS,
    Broadcast,
    Decide,
    Heights,
    Output,
    Setup,
    Spread,
    StartTimer,
    leader_boole,
)
from operator_node.wire.codec import decode_consensus
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain
from operator_node.wire.messages import ConsensusKind, Received
from sdk.types import OperatorId
from tests.unit.operator_node.qbft.acting import HEIGHT, publish, setup_of

_EARLY_KEPT = 64


@dataclass(slots=True)
class Member:
    """`name` differs from `operator` only for twins, who share a key and lie to each other."""

    name: str
    operator: int
    heights: Heights
    round: int = 0
    decided: list[bytes] = field(default_factory=list)
    complaints: list[Complain] = field(default_factory=list)
    early: list[Received] = field(default_factory=list)


@dataclass(slots=True)
class Flight:
    """A message on its way to one member."""

    to: str
    message: Received


class Cluster:
    """Members of one committee at one height.

    Attributes:
        does_spread: whether decided messages arrive.
        log: who sent what, a line each.
        flying: messages on their way, oldest first.
    """

    def __init__(
        self,
        size: int = 4,
        *,
        operators: Mapping[str, int] | None = None,
        change_setup: Callable[[Setup], Setup] = lambda setup: setup,
        does_spread: bool = True,
    ) -> None:
        committee = Committee.of(range(1, size + 1))
        names = operators or {str(operator): operator for operator in committee.operators}
        self.members: dict[str, Member] = {}
        for name, operator in names.items():
            setup = setup_of(operator, size=size, leader=lambda h, r: leader_boole(committee, h, r))
            setup = replace(change_setup(setup), me=OperatorId(operator))
            self.members[name] = Member(name, operator, Heights(setup))
        self.does_spread = does_spread
        self.flying: list[Flight] = []
        self.log: list[str] = []

    def start(self, values: Mapping[str, bytes | None], *, height: int = HEIGHT) -> None:
        """Starts the named members, each with its value."""
        for name, value in values.items():
            self._carry_out(name, self.members[name].heights.start(height, value))

    def deliver(self, place: int = 0) -> None:
        """Brings one of the flying messages to its member."""
        flight = self.flying.pop(place)
        self._offer(flight.to, flight.message)

    def settle(self, losing: Callable[[Flight], bool] = lambda flight: False) -> None:
        """Delivers everything in order, and what comes of it, but loses some messages."""
        while self.flying:
            if losing(self.flying[0]):
                del self.flying[0]
            else:
                self.deliver()

    def drop(self, does_go: Callable[[Flight], bool]) -> None:
        """Loses messages that fly now."""
        self.flying = [flight for flight in self.flying if not does_go(flight)]

    def time_out(self, *names: str, height: int = HEIGHT) -> None:
        """The running timers of the members fire."""
        for name in names:
            member = self.members[name]
            self._carry_out(name, member.heights.expire(height, member.round))

    def silence(self, name: str) -> None:
        """The member is gone, and what it has sent but nobody received."""
        del self.members[name]
        self.drop(lambda flight: flight.to == name)

    def scramble(self, random: Random, *, steps: int, timeouts: int) -> None:
        """Delivers, loses and repeats at random; a few timers fire."""
        names = sorted(self.members)
        fuses = sorted(random.sample(range(steps), min(timeouts, steps)))
        for step in range(steps):
            if fuses and fuses[0] == step:
                fuses.pop(0)
                self.time_out(random.choice(names))
            if not self.flying:
                continue
            place = random.randrange(len(self.flying))
            fate = random.random()
            if fate < 0.15:
                del self.flying[place]
            elif fate < 0.2:
                self.flying.append(self.flying[place])
            else:
                self.deliver(place)

    def decisions(self) -> set[bytes]:
        """Every value that anybody decided."""
        return {value for member in self.members.values() for value in member.decided}

    def _offer(self, name: str, message: Received) -> None:
        member = self.members[name]
        outputs = member.heights.receive(message)
        if any(isinstance(each, Complain) and each.fault in EARLY_FAULTS for each in outputs):
            member.early = [*member.early, message][-_EARLY_KEPT:]
            return
        self._carry_out(name, outputs)
        if message.body.kind == ConsensusKind.PROPOSAL or _begins_round(outputs):
            waiting, member.early = member.early, []
            for each in waiting:
                self._offer(name, each)

    def _carry_out(self, name: str, outputs: Iterable[Output]) -> None:
        member = self.members[name]
        for output in outputs:
            match output:
                case Broadcast():
                    self.log.append(f"{name} {_words(output)}")
                    self._send(publish(member.operator, output), self.members)
                case Spread(signed=signed, to=to):
                    body = decode_consensus(signed.message.data)
                    self.log.append(f"{name} spreads {list(signed.signers)} to {to or 'all'}")
                    everybody = self.members.values()
                    names = [each.name for each in everybody if to in (None, each.operator)]
                    if self.does_spread:
                        self._send(Received(signed, body), names)
                case StartTimer(round=round_):
                    member.round = round_
                case Decide(value=value, round=round_):
                    self.log.append(f"{name} decides {value.decode()} in round {round_}")
                    member.decided.append(value)
                case Complain():
                    member.complaints.append(output)

    def _send(self, message: Received, names: Iterable[str]) -> None:
        self.flying += [Flight(name, message) for name in names]


def _begins_round(outputs: Iterable[Output]) -> bool:
    return any(isinstance(output, StartTimer) for output in outputs)


def _words(draft: Broadcast) -> str:
    body = draft.body
    kind = ConsensusKind(body.kind).name.lower().replace("_", " ")
    data = f" {draft.full_data.decode()}" if draft.full_data else ""
    prepared = f" prepared {body.data_round}" if body.data_round else ""
    proofs = len(body.round_change_justification), len(body.prepare_justification)
    because = f" because {proofs[0]}+{proofs[1]}" if any(proofs) else ""
    return f"{kind} {body.round}{prepared}{data}{because}"
