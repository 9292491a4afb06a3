"""What must happen: the liveness checker, applied to a run when it is over.

A duty is owed when its committee could do it. That is, when

1. a quorum is sound: honest, never restarted in the duty's life, with a right clock and a beacon
   node that does not lie;
2. between sound operators no partial signatures of the duty were lost for good;
3. a good round comes: it begins when the network has been calm for `SETTLE_MS`, ends before the
   duty does, is led by a sound operator that had its data in time, and is one that peers accept. If
   the duty began before the calm, two such rounds: different values may have been prepared, and
   then no proposal is justified until a round was spent on learning the latest.

Then every sound operator finishes the duty. And whatever is owed, none is left behind: if a sound
operator decided, every other one decides too, once a round of its own has ended in the calm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from operator_node.qbft.rounds import Anchor, expiry, leader_of
from operator_node.testing.checkers import Violation
from operator_node.testing.faults import (
    SLOT_MS,
    BeaconTrouble,
    PlannedDuty,
    slot_start_ms,
)
from operator_node.testing.network import Network
from operator_node.testing.watch import Watch
from operator_node.testing.world import Cluster, DutyKey, World
from operator_node.validation.timing import CUT_OFF_ROUND, LIFE_SLOTS
from operator_node.wire.ids import COMMITTEE_ROLES, RunnerRole
from operator_node.wire.messages import EnvelopeKind
from sdk.types import OperatorId

SETTLE_MS: Final = 1_500
"""Two heartbeats: what was lost just before the calm has come, and everybody is in one round."""
LAST_ROUND: Final = 11
"""Instances take no part from the next one on."""
UNBOUNDED_LIFE_SLOTS: Final = 4
"""A registration or an exit has no deadline; in a run it gets this long."""
HARMLESS_CLOCK_MS: Final = 25
"""Two such clocks differ by what peers grant."""
_ANCHORED: Final = frozenset(
    {RunnerRole.COMMITTEE, RunnerRole.AGGREGATOR, RunnerRole.AGGREGATOR_COMMITTEE}
)
"""Roles whose rounds end at fixed times, and go on for as long as the duty lives."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A duty that the committee could do.

    Attributes:
        key: which.
        sound: who must finish it.
    """

    key: DutyKey
    sound: frozenset[OperatorId]


def deadline_ms(role: RunnerRole, slot: int) -> int:
    """When a duty's life ends."""
    return slot_start_ms(slot + LIFE_SLOTS.get(role, UNBOUNDED_LIFE_SLOTS))


class LivenessCheck:
    """Judges the duties of one finished run."""

    def __init__(self, world: World, watch: Watch, network: Network) -> None:
        """The run's facts, what operators did, and what the network lost."""
        self._world = world
        self._plan = world.plan
        self._watch = watch
        self._owed: tuple[Owed, ...] | None = None
        self._lost_partials = {
            (packet.envelope.id, packet.origin, receiver)
            for packet, receiver in network.lost
            if packet.envelope.kind == EnvelopeKind.PARTIAL_SIGNATURES
        }

    def owed(self) -> tuple[Owed, ...]:
        """Duties that the committee owes."""
        if self._owed is None:
            self._owed = tuple(self._find_owed())
        return self._owed

    def _find_owed(self) -> Iterator[Owed]:
        for duty in self._plan.duties:
            cluster = self._world.clusters[duty.cluster]
            sound = self.sound(duty, cluster)
            if self._is_owed(duty, cluster, sound):
                yield Owed(self._world.key_of(duty, cluster), sound)

    def failures(self) -> Iterator[Violation]:
        """What is owed and was not done."""
        for owed in self.owed():
            for operator in sorted(owed.sound):
                if not self._watch.is_fine(operator, owed.key):
                    text = self._describe(operator, owed.key)
                    yield Violation("liveness", text, is_safety=False)
        for duty in self._plan.duties:
            yield from self._left_behind(duty, self._world.clusters[duty.cluster])

    def sound(self, duty: PlannedDuty, cluster: Cluster) -> frozenset[OperatorId]:
        """Operators that have no excuse for this duty."""
        plan = self._plan
        start, end = slot_start_ms(duty.slot), deadline_ms(duty.role, duty.slot)
        excused = {liar.operator for liar in plan.liars}
        excused |= {
            crash.operator
            for crash in plan.crashes
            if not crash.keeps_state and crash.from_ms < end and crash.until_ms > start
        }
        excused |= {
            fault.operator
            for fault in plan.beacon_faults
            if fault.trouble is BeaconTrouble.LYING and fault.from_ms < end
        }
        excused |= {who for who, error in plan.clock_errors_ms if abs(error) > HARMLESS_CLOCK_MS}
        return frozenset(cluster.committee.operators) - excused

    def _is_owed(self, duty: PlannedDuty, cluster: Cluster, sound: frozenset[OperatorId]) -> bool:
        plan = self._plan
        if plan.beyond_f or duty.contested or len(sound) < cluster.committee.quorum:
            return False
        if self._loses_partials(duty, cluster, sound):
            return False
        if duty.role in (RunnerRole.VALIDATOR_REGISTRATION, RunnerRole.VOLUNTARY_EXIT):
            return plan.calm_ms + SETTLE_MS < self._end_ms(duty)
        return self._has_good_round(duty, cluster, sound)

    def _left_behind(self, duty: PlannedDuty, cluster: Cluster) -> Iterator[Violation]:
        """Sound operators that never learned what another one knew was decided."""
        if self._plan.beyond_f or duty.contested or duty.role not in _ANCHORED:
            return
        key = self._world.key_of(duty, cluster)
        sound = self.sound(duty, cluster)
        if duty.role is not RunnerRole.COMMITTEE and self._loses_partials(duty, cluster, sound):
            return  # some may never have got as far as consensus
        courses = {each: self._watch.courses.get((each, key)) for each in sorted(sound)}
        decided = [course.decided_ms for course in courses.values() if course and course.decided_ms]
        if not decided:
            return
        known_ms = max(min(decided), self._plan.calm_ms) + SETTLE_MS
        asks_ms = [round_times_ms(duty, round_)[1] for round_ in range(1, CUT_OFF_ROUND[duty.role])]
        last_ms = self._end_ms(duty) - SETTLE_MS
        if not any(known_ms < ask < last_ms for ask in asks_ms):
            return
        for operator, course in courses.items():
            if course is not None and course.decided_ms is None:
                text = f"operator {operator} never learned what slot {duty.slot} decided"
                yield Violation("left behind", text, is_safety=False)

    def _end_ms(self, duty: PlannedDuty) -> int:
        """When a duty ends: by itself, or because a validator's next one of its role begins."""
        later = (
            slot_start_ms(other.slot)
            for other in self._plan.duties
            if other.role is duty.role
            and other.role not in COMMITTEE_ROLES
            and other.validators == duty.validators
            and other.slot > duty.slot
        )
        return min(deadline_ms(duty.role, duty.slot), *later, deadline_ms(duty.role, duty.slot))

    def _loses_partials(
        self, duty: PlannedDuty, cluster: Cluster, sound: frozenset[OperatorId]
    ) -> bool:
        message_id = self._world.key_of(duty, cluster).message_id
        return any(
            lost == message_id and sender in sound and receiver in sound
            for lost, sender, receiver in self._lost_partials
        )

    def _has_good_round(
        self, duty: PlannedDuty, cluster: Cluster, sound: frozenset[OperatorId]
    ) -> bool:
        key = self._world.key_of(duty, cluster)
        leader = leader_of(cluster.committee, self._world.generation_at(duty.slot))
        settled_ms, duty_ends_ms = self._plan.calm_ms + SETTLE_MS, self._end_ms(duty)
        good = 0
        for round_ in range(1, min(LAST_ROUND, CUT_OFF_ROUND[duty.role]) + 1):
            starts_ms, ends_ms = round_times_ms(duty, round_)
            if starts_ms is None:
                # Rounds counted from the duty's own start: all of it must be calm.
                return self._plan.calm_ms <= slot_start_ms(duty.slot)
            course = self._watch.courses.get((leader(duty.slot, round_), key))
            has_data = (
                course is not None and course.data_ms is not None and course.data_ms <= starts_ms
            )
            is_timely = starts_ms >= settled_ms and ends_ms < duty_ends_ms
            good += is_timely and has_data and leader(duty.slot, round_) in sound
        return good >= (1 if settled_ms <= slot_start_ms(duty.slot) else 2)

    def _describe(self, operator: OperatorId, key: DutyKey) -> str:
        course = self._watch.courses.get((operator, key))
        if course is None:
            return f"operator {operator} never began slot {key.slot}"
        if course.outcome is None:
            return f"operator {operator} never ended slot {key.slot}"
        outcome = course.outcome
        return f"operator {operator} ended {outcome.id}: {outcome.reason} {dict(outcome.detail)}"


def round_times_ms(duty: PlannedDuty, round_: int) -> tuple[int | None, int]:
    """When a round begins and ends for everybody; no beginning where rounds are relative."""
    ends = expiry(duty.role, round_, SLOT_MS)
    if ends.anchor is Anchor.ROUND_START:
        return None, 0
    start = slot_start_ms(duty.slot)
    if round_ == 1:
        return start, start + ends.ms
    return start + expiry(duty.role, round_ - 1, SLOT_MS).ms, start + ends.ms
