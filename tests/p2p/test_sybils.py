"""Twenty sybils against one node of three: what honest nodes say arrives, sybils are shown out."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import trio

from operator_node.p2p.addresses import BURST
from tests.p2p.nodes import Node, is_meshed, running, until
from tests.p2p.sybils import Told

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

ROOT = Path(__file__).parents[2]
SECONDS = 15
RATE = 2000
SYBILS = 20
SAYINGS_PER_SECOND = 10
GROWTH_BYTES = 64 * 1024 * 1024
"""Of three nodes in one process. Nodes that keep what sybils send grow by that in two seconds."""


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_messages_arrive_and_memory_is_bounded_while_sybils_attack() -> None:
    target = Node(1)
    nodes = [target, *(Node(each, bootstrap=[target.place]) for each in (2, 3))]
    honest = frozenset(each.network.peer_id for each in nodes)
    said: dict[bytes, Node] = {}
    told: list[Told] = []

    async def attack() -> None:
        command = [sys.executable, "-m", "tests.p2p.sybils", "--target", target.place]
        numbers = ["--rate", f"{RATE}", "--peers", f"{SYBILS}", "--seconds", f"{SECONDS}"]
        run = partial(trio.run_process, [*command, *numbers], cwd=ROOT, capture_stdout=True)
        done: subprocess.CompletedProcess[bytes] = await run()
        told.append(Told(**json.loads(done.stdout.splitlines()[-1])))

    async def main() -> None:
        async with running(nodes):
            await until(lambda: is_meshed(nodes))
            before = resident_bytes()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(attack)
                for number in count():
                    if told:
                        break
                    for node in nodes[1:]:
                        said[await node.say(f"honest {number}", size=400)] = node
                    await trio.sleep(1 / SAYINGS_PER_SECOND)
            await until(lambda: all(map(has_all, nodes)))
            assert resident_bytes() - before < GROWTH_BYTES
            assert not {each.peer for each in target.network.peers()} - honest
            assert all(target.network.score(each) == 0 for each in honest)
            assert [each.network.restarts for each in nodes] == [0, 0, 0]

    def has_all(node: Node) -> bool:
        return all(data in node.got for data, author in said.items() if author is not node)

    trio.run(main)
    attacker, drops = told[0], target.network.drops()
    # All got in at first, all are out, and few got in again.
    assert attacker.connected >= SYBILS
    assert attacker.connected - SYBILS < SYBILS * BURST
    assert attacker.refused > 0
    assert target.network.counts.rejected < 2 * RATE
    assert drops["connection_address"] > 0
    assert drops["control_graft"] > 0
    assert drops["control_offered_id"] > 0
    # It asked fifty times for everything, several times a second.
    assert attacker.got < 20 * len(said) * SYBILS
