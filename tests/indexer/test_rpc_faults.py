"""Execution nodes as they are: limits, refusals, silence, disorder, delay, forks, lying tags.

Through all of it nothing wrong is called final, which `Supervised` watches; afterwards the tables
are those of an indexer that asked an honest node.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
from web3 import HTTPProvider, Web3

from sdk.chain import rpc as rpc_room
from sdk.toolchain.anvil import running_anvil
from tests.client.world import STRANGER, World
from tests.indexer.conftest import EPOCH_BLOCKS
from tests.indexer.faulty import (
    Fault,
    Node,
    Refuse,
    Silence,
    Status,
    faulty,
    honest,
    is_range,
    span,
)
from tests.indexer.supervised import Supervised, hurry

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]
WIDEST: Final = 40
"""Blocks that a strict node searches at once."""


def _refusal(code: int, message: str) -> bytes:
    """As some send it, with a status that is no success."""
    error = {"code": code, "message": message}
    return json.dumps({"jsonrpc": "2.0", "id": 0, "error": error}).encode()


LIMITS: Final = (
    Refuse("block range is too large", -32600),
    Refuse("query returned more than 10000 results. Try with this block range [0x1, 0x9].", -32005),
    Refuse("exceed maximum block range: 40", -32000),
    Refuse("Log response size exceeded. You can make eth_getLogs requests with up to a 40 block "
           "range.", -32602),
    Refuse("eth_getLogs is limited to a 40 range", -32614),
    Refuse("query timeout exceeded", -32000),
    Status(400, _refusal(-32701, "Please specify an address or less blocks")),
    Status(413),
)  # fmt: skip
"""How providers say that a range is too wide."""


@pytest.fixture
def node(old_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """The chain's node, with a fault to be chosen."""
    hurry(monkeypatch)
    with faulty(old_world.url) as made:
        yield made


def follow(old_world: World, url: str, server: str, *nodes: str) -> Supervised:
    """Follow to the end, everything final and as it should be."""
    supervised = Supervised(old_world, url, nodes)
    supervised.run(Supervised.whole)
    supervised.check_rows(server)
    return supervised


def test_a_range_is_halved_however_its_limit_is_put(
    old_world: World, url: str, server: str, node: Node
) -> None:
    limits = list(LIMITS)

    def fault(call: dict[str, Any], result: Any) -> Any:
        if is_range(call) and limits:
            raise limits.pop(0)
        if is_range(call) and span(call) > WIDEST:
            raise LIMITS[0]
        return result

    node.fault = fault
    follow(old_world, url, server, node.url)
    assert limits == []


def test_a_node_that_is_asked_too_often_is_left_alone(
    old_world: World, url: str, server: str, node: Node
) -> None:
    answers: list[Any] = [
        Status(429, retry_after="1"),
        Status(429, _refusal(-32005, "Too Many Requests")),
        Refuse("daily request count exceeded, request rate limited", -32005),
        Status(503, b"<html>busy</html>"),
        Status(200, b"no JSON"),
        Refuse("internal error", -32603),
    ]
    moments: list[float] = []

    def fault(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_blockNumber" and answers:
            moments.append(time.monotonic())
            raise answers.pop(0)
        return result

    node.fault = fault
    follow(old_world, url, server, node.url)
    assert answers == []
    assert moments[1] - moments[0] > 0.99


def test_a_range_that_is_not_answered_in_time_is_halved(
    old_world: World, url: str, server: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(call: dict[str, Any], result: Any) -> Any:
        if is_range(call) and span(call) > WIDEST:
            raise Silence
        return result

    monkeypatch.setattr(rpc_room, "ANSWER_S", 2.0)
    node.fault = fault
    follow(old_world, url, server, node.url)


def test_order_and_repetition_do_not_matter(
    old_world: World, url: str, server: str, node: Node
) -> None:
    def fault(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_getLogs":
            return [*reversed(result), *result[:2]]
        return result

    node.fault = fault
    supervised = follow(old_world, url, server, node.url)
    assert supervised.ask("SELECT count(*) FROM reorg") == 0


def behind(at: int) -> Fault:
    """A node that does not have the blocks above one."""

    def fault(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_blockNumber":
            return hex(min(int(result, 16), at))
        if call["method"] == "eth_getBlockByNumber" and int(result["number"], 16) > at:
            return None
        return result

    return fault


def test_a_head_that_goes_back_and_a_node_that_is_behind_undo_nothing(
    old_world: World, url: str, server: str, node: Node
) -> None:
    async def check(supervised: Supervised) -> None:
        await supervised.whole()
        head = old_world.w3.eth.block_number
        node.fault = behind(head - 20)
        await supervised.asked(node, "eth_blockNumber")
        assert supervised.ask("SELECT number FROM cursor") == head
        old_world.register(7)
        old_world.mine(3 * EPOCH_BLOCKS)
        node.fault = honest
        await supervised.whole()

    supervised = Supervised(old_world, url, [node.url, old_world.url])
    supervised.run(check)
    assert supervised.ask("SELECT count(*) FROM reorg") == 0
    supervised.check_rows(server)


def test_what_is_final_is_what_all_nodes_call_so(
    old_world: World, url: str, server: str, node: Node
) -> None:
    tags = ("safe", "finalized")
    latest = old_world.rpc("eth_getBlockByNumber", "latest", False)

    def fault(call: dict[str, Any], result: Any) -> Any:
        return latest if call["params"][:1] in [[tag] for tag in tags] else result

    node.fault = fault
    supervised = follow(old_world, url, server, node.url, old_world.url)
    final = old_world.w3.eth.get_block("finalized")["number"]
    assert supervised.ask("SELECT finalized_number FROM head") == final


def test_a_node_on_a_fork_is_followed_but_nothing_of_it_is_final(
    old_world: World, url: str, server: str, node: Node, tools: dict[str, str]
) -> None:
    """And once the first node is on the chain again, so are the tables."""
    fork = [f"--fork-url={old_world.url}", f"--slots-in-an-epoch={EPOCH_BLOCKS}"]

    async def check(supervised: Supervised) -> None:
        await supervised.whole()
        finals = supervised.ask("SELECT finalized_number FROM head")
        with running_anvil(*fork, env=tools) as elsewhere:
            alone = World(Web3(HTTPProvider(elsewhere)), elsewhere, old_world.deployed)
            alone.rpc("anvil_setCoinbase", alone.account(STRANGER))
            alone.register(8)
            alone.mine(6 * EPOCH_BLOCKS)
            old_world.register(9)
            old_world.mine(3 * EPOCH_BLOCKS)
            node.upstream = elsewhere
            await supervised.until(
                "SELECT encode(hash, 'hex') FROM cursor",
                bytes(alone.w3.eth.get_block("latest")["hash"]).hex(),
            )
            await supervised.asked(node, "eth_blockNumber")
            assert supervised.ask("SELECT finalized_number FROM head") in (finals, None)
            # Beyond the fork's end, or fewer blocks would be remembered than by the other.
            old_world.mine(8 * EPOCH_BLOCKS)
            node.upstream = old_world.url
            await supervised.whole()

    supervised = Supervised(old_world, url, [node.url, old_world.url])
    supervised.run(check)
    assert supervised.ask("SELECT count(*) FROM reorg") >= 1
    supervised.check_rows(server)
