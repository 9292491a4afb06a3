"""A reader against a node in memory: ranges, refusals, a chain that moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import pytest
import trio

from sdk.chain import CaughtUp, Extend, Follower, LogReader, Rollback, Rpc, Step, TooDeep
from sdk.errors import NetworkError
from sdk.types import BlockNumber
from tests.unit.sdk.chain.pretend_node import CONTRACT, TOPIC, Node, Refuse

T = TypeVar("T")


async def no_pause() -> None:
    raise AssertionError("nothing was to be waited for")


class Reading:
    """A reader of one node, driven step by step."""

    def __init__(self, node: Node, *, first: int = 0, distance: int = 2, depth: int = 8) -> None:
        self.node = node
        self.follower = Follower(BlockNumber(first), distance=distance, depth=depth)
        self.steps: list[Step | CaughtUp] = []
        self.logs: list[int] = []

    def drain(self) -> list[Step | CaughtUp]:
        """Steps until there is nothing new."""

        async def main() -> None:
            async with Rpc(["http://node"], transport=self.node.transport) as rpc:
                reader = LogReader(
                    rpc,
                    self.follower,
                    address=CONTRACT,
                    timed=frozenset({TOPIC}),
                    pause=no_pause,
                )
                async for step in reader:
                    self.take(step)
                    if isinstance(step, CaughtUp):
                        return

        self.steps = []
        trio.run(main)
        return self.steps

    def take(self, step: Step | CaughtUp) -> None:
        self.steps.append(step)
        match step:
            case Extend(logs=logs):
                self.logs += [log.block_number for log in logs]
            case Rollback(to=to):
                self.logs = [number for number in self.logs if number <= to.number]
            case TooDeep():
                self.logs.clear()

    def kinds(self) -> list[str]:
        return [type(step).__name__ for step in self.steps]


def test_history_is_read_in_ranges_and_its_end_block_by_block() -> None:
    node = Node()
    node.mine(1000, logs=1)
    reading = Reading(node)
    assert reading.drain()[-1] == CaughtUp(BlockNumber(999))
    assert reading.logs == list(range(998))
    assert [each.number for each in reading.follower.points] == list(range(989, 998))
    widths = [
        int(call["params"][0]["toBlock"], 16) - int(call["params"][0]["fromBlock"], 16) + 1
        for call in node.calls
        if call["method"] == "eth_getLogs" and "toBlock" in call["params"][0]
    ]
    assert widths == [200, 400, 390]


@pytest.mark.parametrize("has_timestamps", [False, True])
def test_times_of_the_wanted_events_come_along(has_timestamps: bool) -> None:
    node = Node(has_timestamps=has_timestamps)
    node.mine(50)
    node.mine(1, logs=2)
    node.mine(50)
    reading = Reading(node)
    reading.drain()
    times = [step.times.get(BlockNumber(50)) for step in reading.steps if isinstance(step, Extend)]
    assert 1000 + 12 * 50 in times


def test_a_refused_range_is_halved_and_nothing_is_left_out() -> None:
    def refuse_wide(call: dict[str, Any]) -> Any:
        if call["method"] == "eth_getLogs" and "toBlock" in call["params"][0]:
            low, high = (int(call["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
            if high - low >= 30:
                raise Refuse("block range too wide")

    node = Node(rule=refuse_wide)
    node.mine(700, logs=1)
    reading = Reading(node, depth=128)
    reading.drain()
    assert reading.logs == list(range(698))


def test_a_node_that_refuses_a_single_block_is_an_error() -> None:
    def refuse(call: dict[str, Any]) -> Any:
        if call["method"] == "eth_getLogs":
            raise Refuse("pruned history unavailable")

    node = Node(rule=refuse)
    node.mine(300)
    reading = Reading(node)
    with pytest.raises(NetworkError, match="pruned") as caught:
        reading.drain()
    assert caught.value.code == "logs_refused"
    assert reading.follower.tip is None


def test_a_reorganisation_goes_back_to_the_last_common_block() -> None:
    node = Node()
    node.mine(30, logs=1)
    reading = Reading(node)
    reading.drain()
    node.reorganise(6, 9, logs=2)
    reading.drain()
    assert reading.kinds() == ["Rollback", "Extend", "CaughtUp"]
    assert reading.logs == [*range(24), *(each for each in range(24, 31) for _ in "ab")]


def test_a_reorganisation_without_growth_is_seen() -> None:
    node = Node()
    node.mine(30, logs=1)
    reading = Reading(node)
    reading.drain()
    node.reorganise(6, 6)
    reading.drain()
    assert reading.kinds() == ["Rollback", "Extend", "CaughtUp"]
    assert reading.logs == list(range(24))


def test_a_node_that_is_behind_undoes_nothing() -> None:
    node = Node()
    node.mine(30, logs=1)
    reading = Reading(node)
    reading.drain()
    del node.blocks[20:]
    assert reading.drain() == [CaughtUp(BlockNumber(19))]
    assert len(reading.logs) == 28


def test_an_endpoint_that_is_behind_undoes_nothing_when_it_takes_over() -> None:
    first, second = Node(), Node()
    first.mine(30, logs=1)
    second.blocks = first.blocks[:24]
    second.salt = first.salt
    is_down = False

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.host == "second":
            return second.respond(request)
        if is_down:
            raise httpx.ConnectError("down")
        return first.respond(request)

    async def main() -> list[Step | CaughtUp]:
        nonlocal is_down
        transport = httpx.MockTransport(respond)
        follower = Follower(BlockNumber(0), distance=2, depth=8)
        async with Rpc(["http://first", "http://second"], transport=transport) as rpc:
            reader = LogReader(rpc, follower, address=CONTRACT, pause=no_pause)
            while not isinstance(await reader.step(), CaughtUp):
                pass
            is_down = True
            steps = [await reader.step()]
            second.mine(9, logs=1)
            steps += [await reader.step() for _ in range(3)]
        return steps

    steps = trio.run(main)
    assert [type(step) for step in steps] == [CaughtUp, Rollback, Extend, CaughtUp]
    assert steps[0] == CaughtUp(BlockNumber(23))
    assert isinstance(steps[1], Rollback)
    assert steps[1].to.number == 23


def test_what_is_too_deep_is_said_and_read_again() -> None:
    node = Node()
    node.mine(60, logs=1)
    reading = Reading(node)
    reading.drain()
    node.reorganise(40, 45)
    reading.drain()
    assert reading.kinds()[0] == "TooDeep"
    assert reading.logs == list(range(20))


def once_before(method: str, act: Callable[[], object]) -> Callable[[dict[str, Any]], Any]:
    """A rule that acts once, right before a method is answered."""
    done: list[str] = []

    def rule(call: dict[str, Any]) -> Any:
        if call["method"] == method and not done:
            done.append(method)
            act()

    return rule


def test_a_chain_that_moves_while_a_range_is_read_is_read_again() -> None:
    node = Node()
    node.mine(40, logs=1)
    reading = Reading(node)
    node.rule = once_before("eth_getLogs", lambda: node.reorganise(10, 14, logs=3))
    reading.drain()
    assert reading.logs == [*range(30), *(each for each in range(30, 42) for _ in "abc")]


def test_a_log_without_its_block_is_not_believed() -> None:
    node = Node()
    node.mine(20, logs=1)
    other = [dict(node.blocks[5]["logs"][0], blockHash="0x" + "ab" * 32)]
    node.rule = lambda call: other if call["method"] == "eth_getLogs" else None
    reading = Reading(node)
    with pytest.raises(NetworkError) as caught:
        reading.drain()
    assert caught.value.code == "chain_moving"
    assert reading.logs == []


@pytest.mark.parametrize(
    "change", [{"data": "0xzz"}, {"blockNumber": "0x500"}, {"topics": ["77"]}, {"logIndex": ""}]
)
def test_a_log_that_cannot_be_read_is_an_error(change: dict[str, Any]) -> None:
    node = Node()
    node.mine(20, logs=1)
    bad = [dict(node.blocks[5]["logs"][0], **change)]
    node.rule = lambda call: bad if call["method"] == "eth_getLogs" else None
    with pytest.raises(NetworkError, match="cannot be read") as caught:
        Reading(node).drain()
    assert caught.value.code == "rpc_answer"


def test_logs_of_other_contracts_and_removed_ones_are_left_out() -> None:
    node = Node()
    node.mine(20, logs=1)
    sound = node.blocks[5]["logs"][0]
    found = [sound, sound | {"removed": True}, sound | {"address": "0x" + "11" * 20}]
    node.blocks[5]["logs"] = found
    reading = Reading(node, first=5)
    reading.drain()
    assert reading.logs == [5, *range(6, 18)]


def test_a_log_that_is_repeated_is_taken_once() -> None:
    node = Node()
    node.mine(4, logs=2)
    node.rule = lambda call: (
        None
        if call["method"] != "eth_getLogs"
        else 2 * node._result(call["method"], call["params"])
    )
    reading = Reading(node, distance=0, depth=2)
    reading.drain()
    assert len(reading.logs) == 8


def test_two_logs_at_one_place_are_not_believed() -> None:
    node = Node()
    node.mine(4, logs=1)

    def rule(call: dict[str, Any]) -> Any:
        if call["method"] != "eth_getLogs":
            return None
        found = node._result(call["method"], call["params"])
        return [*found, *[each | {"data": "0x"} for each in found]]

    node.rule = rule
    with pytest.raises(NetworkError, match="cannot be read"):
        Reading(node).drain()
