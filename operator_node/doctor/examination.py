"""All checks of one configuration, upstreams side by side, in the order that people read them in.

Source: docs/run-a-node.md, "Before you trust it with money".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from operator_node.config import Settings
from operator_node.doctor.beacon_nodes import check_beacon_node
from operator_node.doctor.checks import Check
from operator_node.doctor.execution_nodes import check_execution_node
from operator_node.doctor.host import check_free_port, check_host, check_open_port
from operator_node.doctor.operator import ask_node, check_key, check_node


async def examine(settings: Settings) -> tuple[Check, ...]:
    """Every check; takes up to a minute where something does not answer."""
    # First and alone: what follows makes the machine busy.
    host = await trio.to_thread.run_sync(check_host, settings.data_folder)
    key = await trio.to_thread.run_sync(check_key, settings)
    network = settings.network
    steps: list[Callable[[], Awaitable[list[Check]]]] = [
        *(partial(check_beacon_node, node.url, network) for node in settings.beacon.nodes),
        *(partial(check_execution_node, node.url, network) for node in settings.execution.nodes),
    ]
    found: list[list[Check]] = [[] for _ in steps]

    async def take(place: int, step: Callable[[], Awaitable[list[Check]]]) -> None:
        found[place] = await step()

    async with trio.open_nursery() as nursery:
        for place, step in enumerate(steps):
            nursery.start_soon(take, place, step)
    node = await ask_node(settings)
    ports = await trio.to_thread.run_sync(partial(_ports, settings, is_running=node is not None))
    return (*host, *(each for part in found for each in part), *ports, key, *check_node(node))


def _ports(settings: Settings, *, is_running: bool) -> list[Check]:
    peers, api = settings.peers, settings.api
    if is_running:
        return [check_open_port("p2p.TcpPort", peers.host or "127.0.0.1", peers.tcp_port)]
    named = {
        "p2p.TcpPort": peers.tcp_port,
        "SSVAPIPort": api.port,
        "MetricsAPIPort": api.metrics_port,
    }
    return [check_free_port(setting, port) for setting, port in named.items() if port is not None]
