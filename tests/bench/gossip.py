"""Latency and CPU time of messages between nodes over real sockets, gossip alone and with streams.

All nodes share one process and one core, so latencies are upper bounds; CPU time per message and
node, which is measured over the whole process, is what to compare.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from tests.p2p.nodes import TOPIC, Node, is_meshed, message, running, until

MESSAGE_BYTES = 700
"""A prepare or commit with its signature."""
MESSAGES_PER_SECOND = 40
SECONDS = 10.0
SETTLE_SECONDS = 2.0


@dataclass
class Measured:
    """What one run gave."""

    latencies_ms: list[float] = field(default_factory=list)
    published: int = 0
    cpu_seconds: float = 0.0
    nodes: int = 0

    def row(self, name: str) -> str:
        cuts = statistics.quantiles(self.latencies_ms, n=100)
        wanted = self.published * (self.nodes - 1)
        cpu_ms = 1000 * self.cpu_seconds / max(len(self.latencies_ms), 1)
        delivered = 100 * len(self.latencies_ms) / wanted
        return (
            f"| {name} | {self.nodes} | {delivered:.1f} % | {cuts[49]:.1f} | {cuts[98]:.1f} "
            f"| {cpu_ms:.2f} |"
        )


async def measure(count: int, *, direct: bool, rate: float, seconds: float) -> Measured:
    """Publishes from every node in turn and times the arrival at all others."""
    measured = Measured(nodes=count)
    sent_at: dict[bytes, float] = {}

    def on_message(data: bytes) -> None:
        if data in sent_at:
            measured.latencies_ms.append(1000 * (time.perf_counter() - sent_at[data]))

    first = Node(1, direct=direct, on_message=on_message)
    others = [
        Node(number, bootstrap=[first.place], direct=direct, on_message=on_message)
        for number in range(2, count + 1)
    ]
    nodes = [first, *others]
    async with running(nodes):
        await until(lambda: is_meshed(nodes))
        await until(
            lambda: all(len(each.network.operators_connected()) == count - 1 for each in nodes)
        )
        await trio.sleep(SETTLE_SECONDS)
        begin, cpu = time.perf_counter(), time.process_time()
        for number, node in zip(range(int(rate * seconds)), itertools.cycle(nodes), strict=False):
            await trio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            data = message(f"{number}", node.operator, size=MESSAGE_BYTES)
            sent_at[data] = time.perf_counter()
            await node.network.publish(TOPIC, data)
        measured.published = len(sent_at)
        await trio.sleep(1)
        measured.cpu_seconds = time.process_time() - cpu
    return measured


def run(
    counts: Sequence[int] = (4, 7), rate: float = MESSAGES_PER_SECOND, seconds: float = SECONDS
) -> None:
    """Prints a table."""
    print(f"{rate:g} messages a second of {MESSAGE_BYTES} bytes, published in turn, one process\n")
    print("| way | nodes | delivered | p50 ms | p99 ms | CPU ms per delivered message |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for count in counts:
        for name, direct in (("gossip", False), ("gossip and streams", True)):
            measured = trio.run(
                lambda n=count, d=direct: measure(n, direct=d, rate=rate, seconds=seconds)
            )
            print(measured.row(name), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=MESSAGES_PER_SECOND)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--nodes", type=int, nargs="*", default=[4, 7])
    options = parser.parse_args()
    run(options.nodes, options.rate, options.seconds)
