"""How long an operator's node takes from its start to its first duty that is done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import trio

from deploy.devnet.network import LocalNetwork
from deploy.devnet.operators import LocalNode
from sdk.errors import NetworkError

POLL_S = 0.1
PATIENCE_S = 40.0
"""Long enough to print a figure that is too high."""


@dataclass(frozen=True, slots=True)
class FirstDuty:
    """The first duty whose object a beacon node took after a start.

    Attributes:
        seconds: from the start of the process.
        into_slot: where in a slot the process began, 0 to 1.
    """

    name: str
    seconds: float
    into_slot: float


async def restart(network: LocalNetwork, node: LocalNode) -> FirstDuty:
    """Start a stopped node again, and wait for its first duty.

    Raises:
        trio.TooSlowError: none was done in time.
    """
    began_s = time.time()
    node.child.start()
    with trio.fail_after(PATIENCE_S):
        while True:
            found = await _done_since(network, node, began_s)
            if found:
                end_s, name = min(found)
                slots = (began_s - network.genesis_time) / network.options.slot_seconds
                return FirstDuty(name, end_s - began_s, slots % 1)
            await trio.sleep(POLL_S)


async def _done_since(
    network: LocalNetwork, node: LocalNode, began_s: float
) -> list[tuple[float, str]]:
    """When which duties ended that were done since; a duty that had nothing to say is none."""
    try:
        found = await node.ask("/v2/duties", outcome="done", limit=100)
    except NetworkError:
        return []
    ends = [(_end_s(network, duty), duty["id"]) for duty in found["data"] if duty["submitted"]]
    return [(end_s, name) for end_s, name in ends if end_s > began_s]


def _end_s(network: LocalNetwork, duty: dict[str, Any]) -> float:
    """Unix seconds of the last step; the record's times are into the slot."""
    slot_s = network.genesis_time + duty["slot"] * network.options.slot_seconds
    return float(slot_s) + float(max(step["ms"] for step in duty["steps"])) / 1000
