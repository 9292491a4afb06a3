"""One whole run: a plan becomes operators, a network and beacon nodes on one timeline.

    report = run(plan, StandIns())

Everything follows from the plan and its seed; two runs of one plan are the same, event by event.

Source: docs/simulation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from operator_node.testing.bounds import find_excess
from operator_node.testing.checkers import Violation
from operator_node.testing.choices import Choices
from operator_node.testing.clock import Timeline
from operator_node.testing.fake_beacon import FakeBeacon
from operator_node.testing.faults import SLOT_MS, Plan, PlannedDuty, slot_start_ms
from operator_node.testing.liar import LiarNode
from operator_node.testing.liveness import LivenessCheck, deadline_ms
from operator_node.testing.network import Network
from operator_node.testing.node import OperatorNode, Surroundings
from operator_node.testing.signing import Liveness
from operator_node.testing.standin import Signatures
from operator_node.testing.transcript import Transcript
from operator_node.testing.truth import value_checker
from operator_node.testing.watch import Watch
from operator_node.testing.world import World
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId

MOST_EVENTS: Final = 400_000
"""Of one run: several times what thirteen operators need for all their duties and faults."""
AFTER_THE_END_MS: Final = 5_000
"""Long enough for outcomes of the last deadline to be told by slow clocks."""
HEAD_EVENT_FROM_MS: Final = 1_000
"""Blocks reach beacon nodes one second into the slot or later."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one run.

    Attributes:
        violations: with the virtual time at which they were found.
        owed: duties that the liveness checker demanded.
        done: duties that some honest operator finished.
        events: that happened.
        transcript: None if none was asked for.
    """

    plan: Plan
    violations: tuple[tuple[int, Violation], ...]
    owed: int
    done: int
    events: int
    transcript: Transcript | None

    @property
    def safety(self) -> int:
        """Number of safety violations."""
        return sum(violation.is_safety for _, violation in self.violations)

    @property
    def liveness(self) -> int:
        """Number of liveness failures."""
        return len(self.violations) - self.safety


def run(plan: Plan, signatures: Signatures, *, with_transcript: bool = False) -> Report:
    """Let everything in a plan happen, and judge it."""
    return Simulation(plan, signatures, with_transcript=with_transcript).run()


class Simulation:
    """A run before and while it happens.

    Attributes:
        nodes: the operators, liars among them.
    """

    def __init__(self, plan: Plan, signatures: Signatures, *, with_transcript: bool) -> None:
        """Sets everything up; nothing happens yet."""
        self._plan = plan
        # Shares came in the first slot, long before the first duty.
        self.timeline = timeline = Timeline(SLOT_MS)
        self.world = World(plan, signatures)
        self._choices = Choices(plan.seed)
        self.transcript = Transcript(timeline, plan) if with_transcript else None
        self.watch = Watch(
            now_ms=lambda: timeline.now_ms,
            liars=frozenset(liar.operator for liar in plan.liars),
            is_valid=value_checker(self.world),
            checks_consensus=not plan.beyond_f,
        )
        self.network = Network(
            timeline,
            self._choices.of("packets"),
            links=plan.links,
            partitions=plan.partitions,
            muffles=plan.muffles,
            calm_ms=plan.calm_ms,
        )
        surroundings = Surroundings(
            self.world, timeline, self.network, self.watch, Liveness(), self.transcript
        )
        self.nodes = {each: self._node(each, surroundings) for each in self.world.operators}
        self._schedule_shares()
        self._schedule_duties()
        self._schedule_faults()

    def run(self) -> Report:
        """Let it happen to the end."""
        plan = self._plan
        last_ms = max(deadline_ms(duty.role, duty.slot) for duty in plan.duties)
        events = self.timeline.run(last_ms + AFTER_THE_END_MS, most_events=MOST_EVENTS)
        restarted = {crash.operator for crash in plan.crashes if not crash.keeps_state}
        has_moves = len(plan.clusters) > 1
        self.watch.close(frozenset(self.nodes if has_moves else restarted))
        check = LivenessCheck(self.world, self.watch, self.network)
        for violation in (*check.failures(), *find_excess(self.nodes)):
            self.watch.report(violation)
        return Report(
            plan=plan,
            violations=tuple(self.watch.violations),
            owed=len(check.owed()),
            done=self.watch.duties_done(),
            events=events,
            transcript=self.transcript,
        )

    def take_apart(self) -> None:
        """Let go of everything, so that it is freed at once: operators and network hold each other.

        Nothing can be asked of this run any more.
        """
        self.timeline.forget()
        for node in self.nodes.values():
            vars(node).clear()

    def _node(self, operator: OperatorId, surroundings: Surroundings) -> OperatorNode:
        plan = self._plan
        beacon = FakeBeacon(
            tuple(fault for fault in plan.beacon_faults if fault.operator == operator),
            self._choices.of(f"beacon {operator}"),
            compare_roots=plan.compare_roots,
        )
        work = self._choices.of(f"work {operator}")
        error = dict(plan.clock_errors_ms).get(operator, 0)
        lies = {liar.operator: liar.lies for liar in plan.liars}.get(operator)
        if lies is None:
            return OperatorNode(operator, surroundings, beacon, work, clock_error_ms=error)
        return LiarNode(operator, surroundings, beacon, work, lies=lies, clock_error_ms=error)

    def _schedule_shares(self) -> None:
        for cluster in self.world.clusters:
            for operator, shares in cluster.shares.items():
                signer = self.nodes[operator].signer
                for share in shares.values():
                    at_ms = self.world.sees_registration_ms(cluster, operator)
                    self.timeline.at(at_ms, signer.add, share, cluster.plan.is_watched)

    def _schedule_duties(self) -> None:
        starts = self._choices.of("starts")
        for duty in self._plan.duties:
            cluster = self.world.clusters[duty.cluster]
            for operator in cluster.committee.operators:
                node = self.nodes[operator]
                at_ms = slot_start_ms(duty.slot) + _start_ms(duty.role, starts.random())
                self.timeline.at(at_ms - node.clock_error_ms, self._begin, node, duty)

    def _begin(self, node: OperatorNode, duty: PlannedDuty) -> None:
        node.process.after(
            0,
            node.begin,
            duty,
            self.world.clusters[duty.cluster],
            deadline_ms(duty.role, duty.slot),
        )

    def _schedule_faults(self) -> None:
        for crash in self._plan.crashes:
            node = self.nodes[crash.operator]
            self.timeline.at(crash.from_ms, self._stop, node, crash.keeps_state)
            self.timeline.at(crash.until_ms, self._resume, node)
        for fault in self._plan.beacon_faults:
            node = self.nodes[fault.operator]
            self.timeline.at(fault.from_ms, node.process.after, 0, node.look_again)
            self.timeline.at(fault.until_ms, node.process.after, 0, node.look_again)

    def _stop(self, node: OperatorNode, keeps_state: bool) -> None:
        node.stop(keeps_state=keeps_state)

    def _resume(self, node: OperatorNode) -> None:
        restarted = node.process.is_new
        node.resume()
        if not restarted:
            return
        slot = self.timeline.now_ms // SLOT_MS
        for duty in self._plan.duties:
            if duty.slot == slot and node.me in self.world.clusters[duty.cluster].committee:
                self._begin(node, duty)


def _start_ms(role: RunnerRole, chance: float) -> int:
    """How far into the slot an operator begins a duty."""
    if role is RunnerRole.COMMITTEE:
        return HEAD_EVENT_FROM_MS + int(chance * (SLOT_MS // 3 - HEAD_EVENT_FROM_MS))
    return int(chance * 10)
