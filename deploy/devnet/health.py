"""How the parts of a network for developers are doing, as another process sees them.

Asks each part itself, once; what `network.json` says of it is where it is, never how it is.

Source: docs/node-api.md; docs/api.md; Ethereum Beacon APIs, node/syncing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trio

from deploy.devnet.rest import ask, ask_rpc
from sdk.errors import BeaconError, PhalanxError

ANSWER_S: Final = 5.0
GOOD: Final = "good"
BEHIND: Final = "syncing"
BEACONS: Final = ("lodestar", "beacon node")
"""How names of beacon nodes begin."""


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part.

    Attributes:
        health: `good`, `down`, or what is wrong.
    """

    name: str
    pid: int | None
    port: int | None
    health: str

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return self.health == GOOD


async def health_of(parts: Sequence[Mapping[str, Any]]) -> list[PartHealth]:
    """Every part, in the order given.

    Args:
        parts: as `network.json` has them.
    """
    found: dict[str, str] = {}

    async def look(part: Mapping[str, Any]) -> None:
        found[part["name"]] = "silent"
        with trio.move_on_after(ANSWER_S):
            found[part["name"]] = await _health(part)

    async with trio.open_nursery() as nursery:
        for part in parts:
            nursery.start_soon(look, part)
    return [PartHealth(p["name"], p["pid"], p["port"], found[p["name"]]) for p in parts]


def is_stalled(parts: Sequence[PartHealth]) -> bool:
    """Whether every beacon node is behind.

    A node that is eight slots behind waits for a peer that is ahead of it. If all do, there is
    none, and the chain stands still for ever.
    """
    beacons = [part for part in parts if part.name.startswith(BEACONS)]
    return bool(beacons) and all(part.health.startswith(BEHIND) for part in beacons)


async def _health(part: Mapping[str, Any]) -> str:
    if not _is_alive(part["pid"]):
        return "down"
    if part["url"] is None:  # it has no port; that it runs is all that can be seen
        return GOOD
    try:
        if part["name"] == "anvil":
            await ask_rpc(part["url"], "eth_blockNumber")
            return GOOD
        if part["name"].startswith(BEACONS):
            return _beacon((await ask(part["url"], "/eth/v1/node/syncing"))["data"])
        await ask(part["url"], "/readyz")
    except BeaconError as problem:
        return problem.message
    except PhalanxError as problem:
        return f"does not answer: {problem.message}"
    return GOOD


def _is_alive(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()


def _beacon(told: Mapping[str, Any]) -> str:
    if told["is_syncing"]:
        return f"{BEHIND}, {told['sync_distance']} slots behind"
    return "optimistic" if told.get("is_optimistic") else GOOD
