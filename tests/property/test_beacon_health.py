"""A beacon node's state follows from its last observations alone, whatever came before.

Compared with a naive twin that keeps every observation and reads the rules off the whole list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from operator_node.beacon.health import (
    BETTER_AFTER,
    BETTER_MS,
    SEVERITY,
    WORSE_AFTER,
    Health,
)
from operator_node.beacon.types import NodeState

STATES = st.sampled_from(NodeState)
LOOKS = st.lists(st.tuples(STATES, st.integers(1, 13_000)), max_size=40)
"""What was seen, and how long after the look before."""
FAILURES = st.sampled_from([NodeState.UNREACHABLE, NodeState.FAR])
EVENTS = st.lists(
    st.one_of(st.tuples(st.just("look"), STATES), st.tuples(st.just("fail"), FAILURES)),
    max_size=60,
)


@dataclass
class Twin:
    """The rules, read off everything that was seen since the state last changed."""

    state: NodeState | None = None
    seen: list[tuple[NodeState, int]] = field(default_factory=list)

    def look(self, seen: NodeState, now_ms: int) -> None:
        self.seen.append((seen, now_ms))
        if self.state is None or seen is NodeState.WRONG_CHAIN:
            self._become(seen)
            return
        here = SEVERITY[self.state]
        worse = self._run(lambda each: SEVERITY[each] > here)
        if len(worse) >= WORSE_AFTER:
            self._become(min((each for each, _ in worse), key=SEVERITY.__getitem__))
            return
        better = self._run(lambda each: SEVERITY[each] < here)
        if len(better) >= BETTER_AFTER and now_ms - better[0][1] >= BETTER_MS:
            self._become(max((each for each, _ in better), key=SEVERITY.__getitem__))

    def _run(self, belongs: Callable[[NodeState], bool]) -> list[tuple[NodeState, int]]:
        run: list[tuple[NodeState, int]] = []
        for each in reversed(self.seen):
            if not belongs(each[0]):
                break
            run.insert(0, each)
        return run

    def _become(self, state: NodeState) -> None:
        self.state, self.seen = state, []


@given(LOOKS)
def test_looks_mean_what_the_rules_say(looks: list[tuple[NodeState, int]]) -> None:
    health, twin, now_ms = Health(), Twin(), 0
    for seen, after_ms in looks:
        now_ms += after_ms
        health.observe(seen, now_ms)
        twin.look(seen, now_ms)
        assert health.state is twin.state


@given(STATES, EVENTS, st.integers(1, 5_000))
def test_a_state_never_improves_within_ten_seconds(
    first: NodeState, events: list[tuple[str, NodeState]], step_ms: int
) -> None:
    health, settled_ms = Health(), 0
    health.observe(first, 0)
    for place, (kind, state) in enumerate(events, start=1):
        now_ms, before = place * step_ms, health.state
        if kind == "look":
            health.observe(state, now_ms)
        else:
            health.fail(state)
        if SEVERITY[health.state] < SEVERITY[before]:
            assert now_ms - settled_ms >= BETTER_MS
        if health.state is not before:
            settled_ms = now_ms


@given(LOOKS, FAILURES)
def test_one_failed_duty_is_never_passed_over(
    looks: list[tuple[NodeState, int]], failure: NodeState
) -> None:
    health = Health()
    for place, (seen, _) in enumerate(looks):
        health.observe(seen, place * 12_000)
    health.fail(failure)
    assert SEVERITY[health.state] >= SEVERITY[failure]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 12_000))
def test_a_node_that_flaps_at_every_other_look_stays_out(heads: list[bool], step_ms: int) -> None:
    """It comes back for at most two looks in a row, and so never comes back."""
    health = Health()
    health.observe(NodeState.UNREACHABLE, 0)
    good_in_a_row = 0
    for place, is_good in enumerate(heads, start=1):
        good_in_a_row = good_in_a_row + 1 if is_good and good_in_a_row < 2 else 0
        seen = NodeState.SYNCED if good_in_a_row else NodeState.UNREACHABLE
        health.observe(seen, place * step_ms)
        assert health.state is NodeState.UNREACHABLE


@given(st.lists(st.floats(0, 10_000), min_size=1, max_size=50), st.floats(0, 10_000))
def test_waiting_in_vain_never_makes_a_node_look_quicker(
    took_ms: list[float], waited_ms: float
) -> None:
    health = Health()
    for each in took_ms:
        health.succeed(each)
    before = health.latency_ms
    health.give_up(waited_ms)
    assert before <= health.latency_ms <= max(before, waited_ms)
