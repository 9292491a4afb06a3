"""Asking several nodes takes as long as the best answer needs, and no longer than the limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from operator_node.beacon.asking import Answers, Shared, ask_all, ask_in_turn
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.trouble import NodeTrouble, Trouble

Call = Callable[[BeaconNode], Awaitable[str]]
Plan = dict[str, tuple[float, bool]]
"""By node: seconds until its answer, and whether that is a good one."""


def played(plan: Plan, ask: Callable[..., Awaitable[Answers[str]]]) -> tuple[list[str], int, float]:
    """Who answered well, how many badly, and after how many seconds."""

    async def call(node: BeaconNode) -> str:
        seconds, is_good = plan[node.name]
        await trio.sleep(seconds)
        if not is_good:
            raise NodeTrouble(node.name, Trouble.DOWN, "no")
        return node.name

    async def main() -> tuple[list[str], int, float]:
        nodes = [BeaconNode(f"http://{name}") for name in plan]
        began = trio.current_time()
        answers = await ask(nodes, call)
        offers = [offer.value for offer in answers.offers]
        took = trio.current_time() - began
        for node in nodes:
            await node.endpoint.aclose()
        return offers, len(answers.troubles), round(took, 3)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"a": (0.1, True), "b": (0.2, True)}, (["a", "b"], 0, 0.2)),
        ({"a": (0.1, True), "b": (9.0, True)}, (["a"], 0, 0.5)),
        ({"a": (3.0, True), "b": (9.0, True)}, (["a"], 0, 3.0)),
        ({"a": (0.1, False), "b": (0.2, True)}, (["b"], 1, 0.2)),
        ({"a": (0.1, False), "b": (2.0, False)}, ([], 2, 2.0)),
    ],
)
def test_all_are_asked_at_once(plan: Plan, expected: tuple[list[str], int, float]) -> None:
    assert played(plan, partial(ask_all, soft_s=0.5)) == expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"a": (0.1, True), "b": (0.1, True)}, (["a"], 0, 0.1)),
        ({"a": (0.1, False), "b": (0.1, True)}, (["b"], 1, 0.2)),
        ({"a": (9.0, True), "b": (0.1, True)}, (["b"], 0, 0.8)),
        ({"a": (0.8, True), "b": (9.0, True)}, (["a"], 0, 0.8)),
        ({"a": (9.0, True), "b": (0.1, False), "c": (0.1, True)}, (["c"], 1, 1.5)),
        ({"a": (1.0, False), "b": (0.1, False)}, ([], 2, 1.0)),
    ],
)
def test_the_next_is_asked_on_trouble_or_silence(
    plan: Plan, expected: tuple[list[str], int, float]
) -> None:
    assert played(plan, partial(ask_in_turn, hedge_s=0.7)) == expected


RESERVED = {"c": (0.3, True)}


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"a": (0.1, True), **RESERVED}, (["a"], 0, 0.1)),
        ({"a": (0.1, False), **RESERVED}, (["c"], 1, 0.4)),
        ({"a": (9.0, True), **RESERVED}, (["c"], 0, 0.8)),
        ({"a": (0.6, True), **RESERVED}, (["a"], 0, 0.6)),
        ({"a": (0.1, False), "c": (0.1, False)}, ([], 2, 0.2)),
    ],
)
def test_reserves_are_asked_when_the_others_bring_nothing(
    plan: Plan, expected: tuple[list[str], int, float]
) -> None:
    def ask(nodes: list[BeaconNode], call: Call) -> Awaitable[Answers[str]]:
        return ask_all(nodes[:1], call, soft_s=0.5, reserves=nodes[1:])

    assert played(plan, ask) == expected


def test_what_was_said_until_the_limit_is_the_answer() -> None:
    plan = {"a": (0.1, False), "b": (9.0, True)}
    assert played(plan, partial(ask_in_turn, hedge_s=0.7, limit_s=5)) == ([], 1, 5.0)


def test_one_question_at_a_time_is_shared() -> None:
    fetched: list[float] = []

    async def fetch() -> float:
        await trio.sleep(1)
        fetched.append(trio.current_time())
        return fetched[-1]

    async def main() -> list[float]:
        shared: Shared[int, float] = Shared()
        answers: list[float] = []

        async def ask(key: int) -> None:
            answers.append(await shared.get(key, fetch))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(ask, 1)
            nursery.start_soon(ask, 2)
        await ask(1)
        return answers

    answers = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert len(fetched) == 3
    assert len(answers) == 7


def test_a_question_whose_asker_is_gone_is_asked_again() -> None:
    async def main() -> tuple[list[str], int]:
        shared: Shared[int, str] = Shared()
        answers: list[str] = []
        fetches = 0

        async def fetch() -> str:
            nonlocal fetches
            fetches += 1
            await trio.sleep(2)
            return "here"

        async def ask(seconds: float) -> None:
            with trio.move_on_after(seconds):
                answers.append(await shared.get(1, fetch))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, 1.0)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(ask, 9.0)
            nursery.start_soon(ask, 9.0)
        return answers, fetches

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == (["here", "here"], 2)


def test_a_fault_of_ours_in_asking_one_node_costs_its_answer_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def call(node: BeaconNode) -> str:
        if node.name == "a":
            raise ValueError("what no parser should let through")
        return node.name

    async def main() -> Answers[str]:
        nodes = [BeaconNode("http://a"), BeaconNode("http://b")]
        answers = await ask_all(nodes, call, soft_s=0.5)
        for node in nodes:
            await node.endpoint.aclose()
        return answers

    answers = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [offer.value for offer in answers.offers] == ["b"]
    assert [each.trouble for each in answers.troubles] == [Trouble.MALFORMED]
    assert "asking beacon node a failed" in caplog.text
