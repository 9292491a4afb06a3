"""The consensus instances of one message id, and the value check of whichever duty is running.

Pure. `Heights` is given its value check once, while the duty behind it changes from slot to slot
(a validator's role keeps one `Heights` for good). This object stands between the two, and lets each
height's values be judged by the duty of its slot.

Source: docs/protocol.md, "Heights" and "Value checks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from operator_node.duties.types import Duty
from operator_node.qbft.heights import Heights
from operator_node.qbft.types import (
    CUT_OFF_ROUND,
    Leader,
    Output,
    Setup,
    State,
    Verdict,
)
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.messages import Received, SignedMessage
from sdk.types import OperatorId

DUTIES_KEPT: Final = 4
"""Duties that judge values of their own slots: as many as a validator's role keeps sessions of
(`SESSIONS_KEPT`), and each may hold a block."""


class _Judge:
    """Judges values by the duty of their slot, or else by the one served last.

    An object of its own, which knows nothing of the instances that ask it, so that all of them are
    freed with their session and no garbage collection has to find them.

    Attributes:
        height, round: of the instance that is asking.
        refusals: see `Consensus`.
    """

    __slots__ = ("_cut_off", "_duties", "_duty", "height", "refusals", "round")

    def __init__(self, cut_off: int) -> None:
        self._cut_off = cut_off
        self._duties: dict[int, Duty] = {}
        self._duty: Duty | None = None
        self.height = 0
        self.round = 1
        self.refusals: dict[int, ProtocolFault] = {}

    def serve(self, duty: Duty) -> None:
        self._duties[duty.slot] = self._duty = duty
        while len(self._duties) > DUTIES_KEPT:
            del self._duties[min(self._duties)]
        self.refusals = {}

    def check_value(self, value: bytes, /) -> Verdict:
        duty = self._duties.get(self.height, self._duty)
        if duty is None:
            raise ProtocolFault(Fault.NO_RUNNING_DUTY, "no duty has begun that could judge a value")
        try:
            return duty.check_value(value, round_number=self.round)
        except ProtocolFault as refusal:
            # A proposal counts only of a round's leader, and only below the cut-off, so that this
            # holds one entry per round.
            if self.round < self._cut_off and duty is self._duty:
                # A new one: what was raised would keep alive all that its traceback sees.
                self.refusals[self.round] = ProtocolFault(refusal.fault, refusal.message)
            raise


class Consensus:
    """One `Heights`, judging values by the duty of their slot, or else by the one served last.

    Attributes:
        heights: the instances.
        committee: who takes part.
        leader: (height, round) → who proposes.
    """

    def __init__(
        self,
        *,
        committee: Committee,
        me: OperatorId,
        identifier: bytes,
        leader: Leader,
        verify: Callable[[SignedMessage], bool],
        generation: Generation,
        cut_off: int = CUT_OFF_ROUND,
    ) -> None:
        """No instances yet; the arguments are those of `operator_node.qbft.types.Setup`."""
        self._judge = _Judge(cut_off)
        self.committee = committee
        self.leader = leader
        self._setup = Setup(
            committee=committee,
            me=me,
            identifier=identifier,
            leader=leader,
            check_value=self._judge.check_value,
            verify=verify,
            generation=generation,
            cut_off=cut_off,
        )
        self.heights = Heights(self._setup)

    @property
    def refusals(self) -> Mapping[int, ProtocolFault]:
        """By round, why the value check refused what was proposed to the duty served."""
        return self._judge.refusals

    def restore(self, height: int, states: Iterable[State]) -> None:
        """Goes on where an earlier run of this node stopped; see `Heights`."""
        self.heights = Heights(self._setup, height=height, states=states)

    def serve(self, duty: Duty) -> None:
        """Judge the values of this duty's slot by it, and those of slots without a duty."""
        self._judge.serve(duty)

    def start(self, height: int, value: bytes | None) -> list[Output]:
        """Opens the instance of a slot, with or without a value of our own."""
        self._judge.height, self._judge.round = height, 1
        return self.heights.start(height, value)

    def supply(self, height: int, value: bytes) -> list[Output]:
        """Sets or replaces our own value; it is judged as one of the instance's round."""
        self._judge.height, self._judge.round = height, self.round_at(height)
        return self.heights.supply(height, value)

    def receive(self, message: Received) -> list[Output]:
        """Processes a message; a value inside is judged as one of the message's round."""
        self._judge.height, self._judge.round = message.body.height, message.body.round
        return self.heights.receive(message)

    def review(self, height: int) -> list[Output]:
        """What the duty knows has changed: judge the proposal that was accepted again."""
        self._judge.height, self._judge.round = height, self.round_at(height)
        return self.heights.review(height)

    def expire(self, height: int, round_number: int) -> list[Output]:
        """The round's time is over."""
        self._judge.height, self._judge.round = height, round_number
        return self.heights.expire(height, round_number)

    def is_open(self, height: int) -> bool:
        """Whether there is an instance at this height."""
        return self.heights.instance(height) is not None

    def is_decided(self, height: int) -> bool:
        """Whether the instance at this height decided."""
        return self.heights.is_decided(height)

    def check_not_passed(self, slot: int) -> None:
        """Returns if a duty of this slot may begin; height 0 stands for nothing begun yet.

        Raises:
            ProtocolFault: consensus is at this slot or a later one.
        """
        height = self.heights.height
        if height and slot <= height:
            raise ProtocolFault(Fault.DUTY_PASSED, f"slot {slot}: consensus is at slot {height}")

    def state_at(self, height: int) -> State | None:
        """What the instance at this height knows, None without one."""
        instance = self.heights.instance(height)
        return None if instance is None else instance.state

    def round_at(self, height: int) -> int:
        """The round of the instance at this height, 1 without one."""
        state = self.state_at(height)
        return 1 if state is None else state.round
