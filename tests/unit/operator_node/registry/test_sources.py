"""Several execution nodes: away, behind, on another chain or fork: avoided, named, come back."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing

from operator_node.registry import Registry
from operator_node.registry.sources import LOOK_S, Sources
from operator_node.registry.status import SourceState
from sdk.chain import Rpc
from tests.unit.operator_node.registry.world import (
    Follow,
    encoded,
    operators,
    registered,
    until,
    validator_key,
)
from tests.unit.sdk.chain.pretend_node import Node

CHAIN_ID = 31337
GOOD, BEHIND = SourceState.GOOD, SourceState.BEHIND


def chain(blocks: int) -> Node:
    node = Node()
    node.mine(blocks)
    return node


def looked_at(*nodes: Node | None, failed: str = "") -> tuple[list[SourceState], set[int]]:
    """States and avoided places after one look; None never answers."""

    async def respond(request: httpx.Request) -> httpx.Response:
        node = nodes[int(request.url.host.removeprefix("node"))]
        if node is None:
            await trio.sleep_forever()
            raise AssertionError
        return node.respond(request)

    async def main() -> tuple[list[SourceState], set[int]]:
        transport = httpx.MockTransport(respond)
        urls = [f"http://node{place}" for place in range(len(nodes))]
        rpc = Rpc(urls, chain_id=CHAIN_ID, transport=transport)
        each = [Rpc([url], chain_id=CHAIN_ID, transport=transport) for url in urls]
        sources = Sources(rpc, each, distance=2)
        await sources.look(failed=failed)
        for one in (rpc, *each):
            await one.__aexit__(None, None, None)
        return [status.state for status in sources.told()], set(rpc.avoided)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=LOOK_S / 100))


def test_one_that_is_behind_is_avoided() -> None:
    node = chain(20)
    late = Node(blocks=node.blocks[:10])
    assert looked_at(late, node) == ([BEHIND, GOOD], {0})
    nearly = Node(blocks=node.blocks[:16])
    assert looked_at(nearly, node) == ([GOOD, GOOD], set())


def test_one_that_is_away_or_of_another_chain_is_avoided() -> None:
    node = chain(20)
    other = deepcopy(node)
    other.chain_id = 1
    assert looked_at(None, other, node) == (
        [SourceState.AWAY, SourceState.WRONG_CHAIN, GOOD],
        {0, 1},
    )


def test_one_on_a_fork_of_its_own_is_avoided_where_a_majority_agrees() -> None:
    node = chain(20)
    fork = deepcopy(node)
    fork.salt += 100
    fork.reorganise(5, 5)
    assert looked_at(fork, node, node) == ([SourceState.FORKED, GOOD, GOOD], {0})
    assert looked_at(fork, node) == ([GOOD, GOOD], set())


def claiming(node: Node, more: int) -> Node:
    """A node that has these blocks and says that there are more."""
    liar = deepcopy(node)
    honest = len(node.blocks) - 1
    liar.rule = lambda call: hex(honest + more) if call["method"] == "eth_blockNumber" else None
    return liar


def test_a_head_that_only_the_one_that_fails_has_is_not_believed() -> None:
    node = chain(20)
    liar = claiming(node, 2**31)
    assert looked_at(liar, node) == ([GOOD, BEHIND], {1})
    assert looked_at(liar, node, failed="http://node0") == ([SourceState.FORKED, GOOD], {0})
    assert looked_at(liar, node, failed="http://node1") == ([GOOD, BEHIND], {1})
    assert looked_at(node, None, failed="http://node0") == ([GOOD, SourceState.AWAY], {1})


@pytest.mark.parametrize("more", [2, 2**31])
def test_one_that_claims_a_head_that_it_cannot_show_is_left(tmp_path: Path, more: int) -> None:
    node = chain(8)
    follow = Follow(node, tmp_path / "registry.sqlite")
    follow.node, follow.others = claiming(node, more), [node]
    follow.run(follow.caught_up)


def test_while_nobody_is_good_nobody_is_avoided() -> None:
    assert looked_at(None, None) == ([SourceState.AWAY, SourceState.AWAY], set())


def test_the_registry_goes_on_by_another_node_when_its_own_stands_still(tmp_path: Path) -> None:
    node = Node()
    node.mine(3)
    node.mine(events=encoded(*operators()))
    frozen = deepcopy(node)
    node.mine(events=encoded(registered(1, 0)))
    node.mine(8)
    follow = Follow(node, tmp_path / "registry.sqlite")
    follow.node, follow.others = frozen, [node]

    async def check(registry: Registry) -> None:
        await until(lambda: validator_key(1) in registry.own())
        assert [each.state for each in registry.status().sources] == [BEHIND, GOOD]
        assert "is behind" in registry.status().problem
        frozen.blocks = node.blocks
        await until(lambda: {each.state for each in registry.status().sources} == {GOOD})
        assert registry.status().problem == ""

    follow.run(check)
