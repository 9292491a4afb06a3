"""Execution nodes that hide, invent and alter events: nothing false is acted on, all is mended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from operator_node.registry import ExitRequested, Left, Registry
from operator_node.registry import proof as room
from operator_node.registry.headers import outvoted
from operator_node.registry.proof import Payload
from sdk.chain import Block, Rpc
from sdk.chain.proofs import headers_of
from sdk.events import encode
from sdk.types import BlockNumber
from tests.unit.operator_node.registry.world import (
    Follow,
    encoded,
    exited,
    operators,
    registered,
    removed,
    until,
    validator_key,
)
from tests.unit.sdk.chain.pretend_node import Node, Refuse, Rule

TWO = {validator_key(1), validator_key(2)}


@pytest.fixture
def node() -> Node:
    """A chain with four operators and two validators; the last one in the newest block."""
    node = Node()
    node.mine(3)
    node.mine(events=encoded(*operators()))
    node.mine(events=encoded(registered(1, 0, total=2), registered(2, 1)))
    return node


@pytest.fixture
def follow(node: Node, tmp_path: Path) -> Follow:
    return Follow(node, tmp_path / "registry.sqlite")


def lying(node: Node, method: str, lie: Any) -> Rule:
    """A rule by which the true answers of a method are told otherwise."""

    def rule(call: dict[str, Any]) -> Any:
        if call["method"] != method:
            return None
        return lie(deepcopy(node._result(call["method"], call["params"])), call["params"])

    return rule


def asked_for(params: list[Any], block: dict[str, Any]) -> bool:
    return bool(params[0].get("blockHash") == block["hash"])


def false_log(block: dict[str, Any], *, index: int = 0) -> dict[str, Any]:
    """An exit that the block does not have."""
    topics, data = encode(exited(1))
    return {
        "address": "0x" + "cc" * 20,
        "blockNumber": block["number"],
        "blockHash": block["hash"],
        "transactionHash": "0x" + "ab" * 32,
        "transactionIndex": "0x0",
        "logIndex": hex(index),
        "removed": False,
        "topics": ["0x" + each.hex() for each in topics],
        "data": "0x" + data.hex(),
    }


@pytest.mark.parametrize("lie", ["hides", "invents", "alters"])
def test_a_node_with_a_wrong_index_is_corrected_by_its_receipts(
    follow: Follow, node: Node, lie: str
) -> None:
    victim = node.blocks[4 if lie != "invents" else 2]

    def told(found: list[dict[str, Any]], params: list[Any]) -> list[dict[str, Any]]:
        if not asked_for(params, victim):
            return found
        if lie == "hides":
            return found[:1]
        if lie == "invents":
            return [false_log(victim)]
        data = found[0]["data"]
        return [found[0] | {"data": data[:-2] + "ff"}, *found[1:]]

    node.rule = lying(node, "eth_getLogs", told)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO
        status = registry.status()
        assert status.counts["gaps"] == 1
        [gap] = status.proof.gaps
        assert (hex(gap.block), gap.proven) == (victim["number"], len(victim["logs"]))
        assert status.proof.whole == (0, 4)

    follow.run(check)
    assert not [each for each in follow.changes if isinstance(each, ExitRequested)]


def test_a_node_whose_receipts_are_not_the_headers_is_left_for_another(
    follow: Follow, node: Node
) -> None:
    liar = deepcopy(node)
    liar.mine()
    follow.node, follow.others = liar, [node]

    def told(found: list[dict[str, Any]], params: list[Any]) -> list[dict[str, Any]]:
        return [each | {"logs": each["logs"][:1]} for each in found]

    liar.rule = lying(liar, "eth_getBlockReceipts", told)

    async def check(registry: Registry) -> None:
        await until(lambda: set(registry.own()) == TWO)
        status = registry.status()
        assert status.counts["refuted"] >= 1
        assert "receipts of block" in status.proof.trouble["http://node0"]
        assert status.counts["gaps"] == 0

    follow.run(check)


def test_a_lone_liar_is_waited_out_and_nothing_of_it_is_taken(follow: Follow, node: Node) -> None:
    """It gives the true hash of a block beside a bloom and a root that hide its logs."""

    def told(block: dict[str, Any] | None, params: list[Any]) -> dict[str, Any] | None:
        if block is None or not block["logs"]:
            return block
        empty = node.blocks[0]
        return block | {each: empty[each] for each in ("logsBloom", "receiptsRoot", "logs")}

    headers = lying(node, "eth_getBlockByNumber", told)
    logs = lying(node, "eth_getLogs", lambda found, params: [])
    node.rule = lambda call: headers(call) or logs(call)

    async def check(registry: Registry) -> None:
        await until(lambda: registry.status().counts["refuted"] >= 2)
        assert registry.status().tip is None
        assert "not the one of its hash" in registry.status().proof.trouble["http://node0"]
        node.rule = None
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO
        assert registry.status().proof.trouble == {}

    follow.run(check)


def test_a_chain_that_the_own_beacon_nodes_do_not_have_is_not_followed(
    follow: Follow, node: Node
) -> None:
    fabricated = deepcopy(node)
    fabricated.reorganise(1, 1)
    fabricated.mine(events=encoded(removed(1, total=1), exited(2)))
    node.mine(2)
    follow.node, follow.others = fabricated, [node]
    follow.payload_of = payloads(node)

    async def check(registry: Registry) -> None:
        await until(lambda: set(registry.own()) == TWO)
        await until(lambda: registry.is_complete)
        status = registry.status()
        assert "own beacon nodes" in status.proof.trouble["http://node0"]
        assert status.tip is not None
        assert "0x" + status.tip.hash.hex() == node.blocks[6]["hash"]
        assert not status.proof.untied

    follow.run(check)
    assert not [each for each in follow.changes if isinstance(each, ExitRequested)]


def test_beacon_nodes_are_asked_for_events_and_now_and_then(follow: Follow, node: Node) -> None:
    asked: list[int] = []
    true = payloads(node)

    async def payload_of(time_s: int, wanted: bytes) -> Payload | None:
        asked.append((time_s - 1000) // 12)
        return await true(time_s, wanted)

    follow.payload_of = payload_of

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert asked == [4]
        for _ in range(5):
            node.mine(2)
            await follow.caught_up(registry)
        assert asked == [4]
        node.mine(events=encoded(exited(1)))
        await follow.caught_up(registry)
        assert asked == [4, 15]
        node.mine(32)
        await follow.caught_up(registry)
        assert asked == [4, 15, 47]

    follow.run(check)


def test_an_exit_waits_until_the_own_beacon_nodes_have_its_block(
    follow: Follow, node: Node
) -> None:
    true = payloads(node)
    is_silent = True

    async def payload_of(time_s: int, wanted: bytes) -> Payload | None:
        return None if is_silent else await true(time_s, wanted)

    follow.payload_of = payload_of
    node.mine(events=encoded(exited(1)))

    async def check(registry: Registry) -> None:
        nonlocal is_silent
        await follow.caught_up(registry)
        assert registry.exits() == ()
        assert registry.status().exits_held == 1
        is_silent = False
        await until(lambda: registry.status().exits_held == 0)
        asked = ExitRequested(validator_key(1), BlockNumber(5), 1060)
        await until(lambda: asked in follow.changes)
        assert registry.exits() == (asked,)

    follow.run(check)


def test_without_receipts_events_are_believed_but_exits_wait(follow: Follow, node: Node) -> None:
    node.has_receipts = False
    node.mine(events=encoded(exited(1)))

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO
        status = registry.status()
        assert status.counts["unproven"] == 6
        assert status.proof.whole is None
        assert "eth_getBlockReceipts" in status.proof.trouble["http://node0"]
        assert status.exits_held == 1
        node.has_receipts = True
        await until(lambda: registry.status().exits_held == 0)
        await until(lambda: any(isinstance(each, ExitRequested) for each in follow.changes))

    follow.run(check)


def test_a_node_without_receipts_is_left_for_one_that_has_them(follow: Follow, node: Node) -> None:
    bare = deepcopy(node)
    bare.has_receipts = False
    follow.node, follow.others = bare, [node]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        status = registry.status()
        assert (status.counts["unproven"], status.proof.whole) == (0, (0, 4))

    follow.run(check)


def test_an_exit_invented_in_history_is_never_acted_on(follow: Follow, node: Node) -> None:
    node.mine(300)
    victim = node.blocks[20]

    def told(found: list[dict[str, Any]], params: list[Any]) -> list[dict[str, Any]]:
        is_there = "fromBlock" in params[0] and int(params[0]["fromBlock"], 16) <= 20
        return [*found, false_log(victim)] if is_there else found

    node.rule = lying(node, "eth_getLogs", told)

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        await until(lambda: registry.status().counts["refused_exits"] == 1)
        assert registry.status().exits_held == 0

    follow.run(check)
    assert not [each for each in follow.changes if isinstance(each, ExitRequested)]


def test_blocks_of_history_in_which_nodes_differ_are_proven(follow: Follow, node: Node) -> None:
    node.mine(300)
    liar = deepcopy(node)

    def told(found: list[dict[str, Any]], params: list[Any]) -> list[dict[str, Any]]:
        return [] if "fromBlock" in params[0] else found

    liar.rule = lying(liar, "eth_getLogs", told)
    follow.node, follow.others = liar, [node]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO
        assert [gap.block for gap in registry.status().proof.gaps] == [3, 4]

    follow.run(check)


def test_a_range_in_which_nodes_differ_too_often_is_read_in_pieces(
    follow: Follow, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_PROVEN", 1)
    node.mine(300)
    liar = deepcopy(node)

    def told(found: list[dict[str, Any]], params: list[Any]) -> list[dict[str, Any]]:
        return [] if "fromBlock" in params[0] else found

    liar.rule = lying(liar, "eth_getLogs", told)
    follow.node, follow.others = liar, [node]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO
        assert [gap.block for gap in registry.status().proof.gaps] == [3, 4]

    follow.run(check)


@pytest.mark.parametrize("judge", ["beacon node", "majority"])
def test_a_block_of_history_that_others_do_not_have_is_not_taken(
    follow: Follow, node: Node, judge: str
) -> None:
    """Its header, receipts and logs fit each other, and take a validator away."""
    node.mine(300)
    liar = deepcopy(node)
    liar.salt += 1000
    liar.blocks[20] = liar._block(20, encoded(removed(1, total=1)))
    follow.node, follow.others = liar, [node]
    if judge == "beacon node":
        follow.payload_of = payloads(node)
    else:
        follow.others.append(deepcopy(node))

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO
        assert "block 20" in registry.status().proof.trouble["http://node0"]

    follow.run(check)
    assert not [each for each in follow.changes if isinstance(each, Left)]


@pytest.mark.parametrize(
    ("others", "is_alone"), [("", False), ("same", False), ("other", True), ("same other", False)]
)
def test_a_header_needs_more_than_half_of_the_nodes_that_have_one(
    node: Node, others: str, is_alone: bool
) -> None:
    fork = Node(blocks=deepcopy(node.blocks), salt=1000)
    fork.reorganise(1, 1)
    short = Node(blocks=node.blocks[:2])
    nodes = {"same": node, "other": fork}
    asked = [short, *(nodes[each] for each in others.split())]

    async def main() -> Block | None:
        async with AsyncExitStack() as stack:
            mine, *rpcs = [
                await stack.enter_async_context(Rpc(["http://node"], transport=each.transport))
                for each in (node, *asked)
            ]
            return await outvoted(await headers_of(mine, [4]), rpcs)

    found = trio.run(main)
    assert (found is not None and found.number == 4) is is_alone


def test_one_that_is_away_proves_nothing_and_is_not_waited_for(follow: Follow, node: Node) -> None:
    bare, down = deepcopy(node), deepcopy(node)
    bare.has_receipts = False
    down.rule = silent
    follow.node, follow.others = bare, [down]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert registry.status().counts["unproven"] == 5
        down.rule = None
        await until(lambda: registry.status().sources[1].problem == "")
        node.mine()
        bare.blocks = down.blocks = node.blocks
        await follow.caught_up(registry)
        assert registry.status().counts["unproven"] == 5
        assert registry.status().proof.whole == (5, 5)

    follow.run(check)


def test_one_that_claims_to_be_ahead_does_not_get_around_a_proof(
    follow: Follow, node: Node
) -> None:
    liar = deepcopy(node)
    liar.has_receipts = False
    liar.rule = lying(liar, "eth_blockNumber", lambda head, params: "0xffff")
    follow.node, follow.others = liar, [node]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO
        assert registry.status().counts["unproven"] == 0

    follow.run(check)


def test_a_node_of_another_chain_is_not_compared_with(follow: Follow, node: Node) -> None:
    node.mine(300)
    foreign = deepcopy(node)
    foreign.chain_id = 1
    follow.others = [foreign]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO

    follow.run(check)


def test_a_node_that_refuses_to_compare_is_no_obstacle(follow: Follow, node: Node) -> None:
    node.mine(300)
    broken = deepcopy(node)

    def rule(call: dict[str, Any]) -> Any:
        raise Refuse("out of order")

    broken.rule = rule
    follow.others = [broken]

    async def check(registry: Registry) -> None:
        await follow.caught_up(registry)
        assert set(registry.own()) == TWO

    follow.run(check)


def silent(call: dict[str, Any]) -> Any:
    """A rule of a node that is away."""
    raise httpx.ConnectError("away")


def payloads(node: Node) -> Callable[[int, bytes], Awaitable[Payload | None]]:
    """What beacon nodes on this chain say."""

    async def payload_of(time_s: int, wanted: bytes) -> Payload | None:
        number = (time_s - 1000) // 12
        if number >= len(node.blocks):
            return None
        block = node.blocks[number]
        names = ("hash", "receiptsRoot", "logsBloom")
        return Payload(*[bytes.fromhex(block[name][2:]) for name in names])

    return payload_of
