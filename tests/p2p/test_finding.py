"""Operators find each other without anyone in the middle: from one bootstrap peer, and without."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import trio

from operator_node.p2p import PeerId
from sdk.errors import ConfigError
from tests.p2p.nodes import TOPIC, Node, is_meshed, running, until

pytestmark = pytest.mark.slow

OPERATORS = range(1, 8)


def knows_all(node: Node) -> bool:
    return len(node.network.operators_connected()) == len(OPERATORS) - 1


def test_seven_nodes_find_each_other_from_one_peer_that_dies_and_again_after_a_restart(
    tmp_path: Path,
) -> None:
    def nodes(places: list[str]) -> list[Node]:
        return [
            Node(each, bootstrap=places, store=tmp_path / f"{each}.json", port=ports.get(each))
            for each in OPERATORS
        ]

    ports: dict[int, int] = {}

    async def main() -> None:
        helper = Node(0)  # no operator at all
        async with trio.open_nursery() as nursery:
            await nursery.start(helper.run)
            first = nodes([helper.place])
            ports.update({each.operator: each.port for each in first})
            async with running(first):
                await until(lambda: helper.network.operators_known() == set(OPERATORS))
                # Whom nobody has heard of, and who has heard of nobody, could not be found.
                await until(lambda: all(len(each.network.operators_known()) > 1 for each in first))
                await helper.stop()
                await until(lambda: all(map(knows_all, first)), seconds=60)
                await until(lambda: all(map(is_stored, first)))
            again = nodes([])
            async with running(again):
                await until(lambda: all(map(knows_all, again)), seconds=60)
                await until(lambda: is_meshed(again))
                data = await again[3].say("all there")
                await until(lambda: sum(data in each.got for each in again) == 6)

    def is_stored(node: Node) -> bool:
        path = tmp_path / f"{node.operator}.json"
        return path.exists() and path.read_text().count('", "') == len(OPERATORS) - 1

    trio.run(main)


def test_a_node_that_restarts_is_back_within_seconds(tmp_path: Path) -> None:
    first = Node(1, direct=True)
    others = [Node(each, direct=True, bootstrap=[first.place]) for each in (2, 3)]
    lost = Node(4, direct=True, bootstrap=[first.place], store=tmp_path / "4.json")
    nodes = [first, *others, lost]

    async def main() -> None:
        async with running(nodes) as nursery:
            await until(lambda: is_meshed(nodes))
            await until((tmp_path / "4.json").exists)
            await lost.stop()
            await until(lambda: all(4 not in n.network.operators_connected() for n in nodes[:3]))
            back = Node(4, direct=True, store=tmp_path / "4.json", port=lost.port)
            back.network.want(frozenset(each.operator for each in nodes))
            await nursery.start(back.run)
            now = [first, *others, back]
            await until(lambda: is_meshed(now), seconds=10)
            data = await first.say("welcome back")
            answer = await back.say("thank you")
            await until(lambda: data in back.got and answer in first.got)

    trio.run(main)


def test_a_taken_port_is_an_error_that_says_so() -> None:
    one = Node(1)
    two = Node(2, port=one.port)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(one.run)
            with pytest.raises(ExceptionGroup) as caught:
                async with trio.open_nursery() as inner:
                    await inner.start(two.run)
            assert caught.group_contains(ConfigError, match="cannot listen")
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_topics_can_change_while_the_node_runs() -> None:
    nodes = [Node(1)]
    nodes.append(Node(2, bootstrap=[nodes[0].place]))

    async def main() -> None:
        async with running(nodes):
            await until(lambda: is_meshed(nodes))
            await nodes[1].network.set_topics(frozenset())
            await until(lambda: not nodes[0].network.mesh_peers(TOPIC))
            data = await nodes[0].say("nobody listens")
            assert data not in nodes[1].got

    trio.run(main)


def test_a_failure_inside_restarts_the_network_on_the_same_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = [Node(1)]
    nodes.append(Node(2, bootstrap=[nodes[0].place]))
    redial = nodes[1].network._memory.redial
    due, failures = redial.due, [RuntimeError("planted")]

    def failing(
        targets: Iterable[PeerId], connected: frozenset[PeerId], *, now: float
    ) -> list[PeerId]:
        if connected and failures:
            raise failures.pop()
        return due(targets, connected, now=now)

    monkeypatch.setattr(redial, "due", failing)

    async def main() -> None:
        async with running(nodes):
            await until(lambda: nodes[1].network.restarts == 1)
            await until(lambda: is_meshed(nodes))
            with trio.fail_after(10):
                while not nodes[1].got:
                    await nodes[0].say(f"still here at {trio.current_time()}")
                    await trio.sleep(0.2)

    trio.run(main)
    assert nodes[1].network.restarts == 1
