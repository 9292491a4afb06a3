"""A node's state changes slowly for the better, faster for the worse, at once for a failed duty."""

from __future__ import annotations

import pytest

from operator_node.beacon.health import Health, judge
from operator_node.beacon.types import NodeState

S, L, U, W = NodeState.SYNCED, NodeState.LAGGING, NodeState.UNREACHABLE, NodeState.WRONG_CHAIN
STEP_MS = 12_000


def after(*seen: NodeState, step_ms: int = STEP_MS) -> Health:
    health = Health()
    for place, state in enumerate(seen):
        health.observe(state, place * step_ms)
    return health


@pytest.mark.parametrize(
    ("distance", "expected"),
    [(0, S), (4, S), (5, L), (8, L), (9, NodeState.FAR), (10_000, NodeState.FAR)],
)
def test_distance_decides(distance: int, expected: NodeState) -> None:
    assert judge(distance=distance, is_optimistic=False, is_execution_offline=False) is expected


@pytest.mark.parametrize("offline", [True, False])
def test_what_was_not_executed_is_not_relied_on(offline: bool) -> None:
    found = judge(distance=0, is_optimistic=not offline, is_execution_offline=offline)
    assert found is NodeState.OPTIMISTIC


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((), U),
        ((S,), S),
        ((S, L), S),
        ((S, L, L), L),
        ((S, L, S, L), S),
        ((U, S, S), U),
        ((U, S, S, S), S),
        ((U, S, S, U, S, S), U),
        ((S, W), W),
    ],
)
def test_one_look_is_not_enough(seen: tuple[NodeState, ...], expected: NodeState) -> None:
    assert after(*seen).state is expected


def test_three_quick_looks_are_not_enough_for_better() -> None:
    assert after(U, S, S, S, step_ms=1000).state is U
    assert after(U, *[S] * 12, step_ms=1000).state is S


def test_a_failed_duty_is_enough_for_worse() -> None:
    health = after(S)
    health.fail()
    assert (health.state, health.is_answering) == (U, False)
    health.succeed(20)
    assert (health.state, health.is_answering) == (U, True)


def test_a_node_of_another_chain_stays_out_when_it_fails() -> None:
    health = after(W)
    health.fail()
    assert health.state is W


def test_rank_is_state_then_latency_in_steps() -> None:
    quick, slow, noisy, lagging = after(S), after(S), after(S), after(L)
    quick.succeed(20)
    noisy.succeed(40)
    slow.succeed(120)
    lagging.succeed(1)
    assert quick.rank == noisy.rank
    assert quick.rank < slow.rank < lagging.rank
