"""No log is missed, whatever ranges a node refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.client.addresses import to_checksum
from sdk.client.calls import Deployment
from sdk.client.logs import search, suggested_blocks
from sdk.client.operation import (
    Operation,
    Patience,
    Pause,
    Refused,
    Reply,
    Result,
    Rpc,
    Silent,
    persist,
)
from sdk.client.search import count_registrations
from sdk.errors import NetworkError
from sdk.events import Log
from sdk.types import BlockNumber

REGISTRY = to_checksum("0x" + "11" * 20)
OWNER = to_checksum("0x" + "22" * 20)
HEAD = BlockNumber(5_000)

Node = Callable[[int, int], Reply]


def log(block: int, index: int = 0) -> dict[str, Any]:
    return {
        "address": REGISTRY,
        "topics": ["0x" + "00" * 32],
        "data": "0x",
        "blockNumber": hex(block),
        "blockHash": "0x" + "00" * 32,
        "transactionHash": "0x" + "00" * 32,
        "transactionIndex": "0x0",
        "logIndex": hex(index),
    }


def run(operation: Operation[Any], node: Node) -> tuple[Any, list[tuple[int, int]]]:
    """The result, and every range that was asked for."""
    asked: list[tuple[int, int]] = []
    running = persist(operation, Patience(attempts=2))
    try:
        request = next(running)
        while True:
            if isinstance(request, Pause):
                request = running.send(Result(None))
                continue
            assert isinstance(request, Rpc)
            bounds = request.params[0]
            low, high = int(bounds["fromBlock"], 16), int(bounds["toBlock"], 16)
            asked.append((low, high))
            request = running.send(node(low, high))
    except StopIteration as stop:
        return stop.value, asked


def collect(
    node: Node, *, window: int = 1_000, start: int = 0, head: BlockNumber = HEAD
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Places of all logs, newest page first, and the ranges asked for."""
    deployment = Deployment(REGISTRY, start, window_blocks=window)
    pages: list[list[Log]] = []

    def visit(page: list[Log]) -> bool:
        pages.append(page)
        return False

    _, asked = run(search(deployment, [], visit, last_block=head, subject="logs"), node)
    return [(each.block_number, each.log_index) for page in pages for each in page], asked


def limited(limit: int, blocks: list[int], message: str = "range too large") -> Node:
    """A node with a log in each of these blocks that refuses ranges wider than its limit."""

    def answer(low: int, high: int) -> Reply:
        if high - low + 1 > limit:
            return Refused(-32005, message)
        return Result([log(block) for block in blocks if low <= block <= high])

    return answer


@given(
    limit=st.integers(1, 3_000),
    window=st.integers(1, 4_000),
    start=st.integers(0, 600),
    blocks=st.sets(st.integers(0, 700), max_size=30),
)
def test_every_log_is_shown_once(limit: int, window: int, start: int, blocks: set[int]) -> None:
    head = BlockNumber(700)
    found, _ = collect(limited(limit, sorted(blocks)), window=window, start=start, head=head)
    assert sorted(block for block, _ in found) == sorted(b for b in blocks if b >= start)


@given(st.integers(1, 9), st.sets(st.integers(0, 300), max_size=60))
def test_limit_on_the_number_of_logs_is_lived_with(limit: int, blocks: set[int]) -> None:
    def answer(low: int, high: int) -> Reply:
        found = [log(block) for block in sorted(blocks) if low <= block <= high]
        if len(found) > limit:
            return Refused(-32005, f"query returned more than {limit} results")
        return Result(found)

    found, _ = collect(answer, head=BlockNumber(300))
    assert sorted(block for block, _ in found) == sorted(blocks)


def test_refused_window_is_asked_again_in_halves_and_not_skipped() -> None:
    _, asked = collect(limited(300, []))
    assert asked[:4] == [(4_001, 5_000), (4_501, 5_000), (4_751, 5_000), (4_501, 4_750)]
    answered = [pair for pair in asked if pair[1] - pair[0] < 300]
    assert [high for _, high in answered] == [5_000, *(low - 1 for low, _ in answered[:-1])]
    assert answered[-1][0] == 0


def test_range_that_the_node_suggests_is_taken() -> None:
    message = "eth_getLogs is limited to a 450 block range"
    _, asked = collect(limited(450, [], message))
    assert asked[:3] == [(4_001, 5_000), (4_551, 5_000), (4_101, 4_550)]
    assert sum(high - low >= 450 for low, high in asked) <= 2


def test_wider_ranges_are_tried_again_after_a_crowded_stretch() -> None:
    def answer(low: int, high: int) -> Reply:
        if high > 4_990 and high > low:
            return Refused(-32005, "query returned more than 10000 results")
        return Result([])

    _, asked = collect(answer)
    assert max(high - low + 1 for low, high in asked[-3:]) > 100


def test_search_stops_when_told() -> None:
    deployment = Deployment(REGISTRY, 0, window_blocks=1_000)
    operation = search(deployment, [], bool, last_block=HEAD, subject="logs")
    _, asked = run(operation, limited(1_000, [4_500]))
    assert asked == [(4_001, 5_000)]


def test_single_block_that_is_refused_ends_the_search() -> None:
    with pytest.raises(NetworkError, match="refuses logs of block 5000: 'pruned'") as caught:
        collect(lambda low, high: Refused(-32000, "pruned"))
    assert caught.value.code == "logs_refused"


def test_missing_method_is_not_asked_for_again() -> None:
    asked: list[int] = []

    def answer(low: int, high: int) -> Reply:
        asked.append(low)
        return Refused(-32601, "method not found")

    with pytest.raises(NetworkError):
        collect(answer)
    assert len(asked) == 1


def test_range_that_times_out_is_halved() -> None:
    def answer(low: int, high: int) -> Reply:
        if high - low + 1 > 400:
            return Silent("timed out", is_timeout=True)
        return Result([log(4_999)] if low <= 4_999 <= high else [])

    found, _ = collect(answer)
    assert found == [(4_999, 0)]


def test_node_that_does_not_answer_ends_the_search() -> None:
    with pytest.raises(NetworkError) as caught:
        collect(lambda low, high: Silent("connection failed"))
    assert caught.value.code == "rpc_unreachable"


@pytest.mark.parametrize("answer", [None, [{}], [1], "0x", [log(3) | {"blockNumber": "x"}]])
def test_unreadable_logs_are_an_error(answer: Any) -> None:
    with pytest.raises(NetworkError) as caught:
        collect(lambda low, high: Result(answer))
    assert caught.value.code == "rpc_answer"


def test_logs_from_elsewhere_are_an_error() -> None:
    with pytest.raises(NetworkError, match="outside"):
        collect(lambda low, high: Result([log(1)] if low > 1 else []))


def test_logs_come_in_chain_order_and_removed_ones_not() -> None:
    page = [log(5, 2), log(5, 1), log(4, 9), log(5, 3) | {"removed": True}]
    found, _ = collect(lambda low, high: Result(page), head=BlockNumber(5))
    assert found == [(4, 9), (5, 1), (5, 2)]


def test_counts_that_differ_are_refused() -> None:
    deployment = Deployment(REGISTRY, 0, window_blocks=1_000)
    forgetful = {(1, 1_000)}

    def answer(low: int, high: int) -> Reply:
        blocks = [] if (low, high) in forgetful else [500]
        return Result([log(block) for block in blocks if low <= block <= high])

    operation = count_registrations(deployment, OWNER, last_block=BlockNumber(1_000))
    with pytest.raises(NetworkError, match="0 registrations") as caught:
        run(operation, answer)
    assert caught.value.code == "logs_incomplete"


@pytest.mark.parametrize(
    ("message", "data", "blocks"),
    [
        ("Try with this block range [0x10, 0x1f].", None, 16),
        ("this block range should work: [0x0, 0x3e7]", None, 1_000),
        ("limit exceeded", {"from": "0x1", "to": "0x64", "limit": 10_000}, 100),
        ("eth_getLogs is limited to a 10,000 range", None, 10_000),
        ("block range is too wide, max is 2000", None, 2_000),
        ("exceed maximum block range: 5000", None, 5_000),
        ("You can make eth_getLogs requests with up to a 10 block range", None, 10),
        ("ranges over 10k blocks are not supported", None, 10_000),
        ("query exceeds range", None, None),
        ("block range [0x5, 0x1]", None, None),
    ],
)
def test_suggestions_are_read(message: str, data: Any, blocks: int | None) -> None:
    assert suggested_blocks(Refused(-32005, message, data)) == blocks
