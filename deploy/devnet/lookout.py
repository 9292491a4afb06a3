"""Sees a local network for its console: what nodes say of themselves, and what became of duties.

Asks, and changes nothing; who does not answer in time is shown as silent.

Source: docs/node-api.md; docs/api.md; Ethereum Beacon APIs, node/syncing.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Final

import trio

from deploy.devnet.duty_rows import Row
from deploy.devnet.network import LocalNetwork
from deploy.devnet.node import BeaconNode
from deploy.devnet.operators import LocalNode
from deploy.devnet.rest import ask
from deploy.devnet.sight import ANSWER_S, Eyes
from deploy.devnet.verbs import NetworkVerbs
from deploy.devnet.view import (
    SHOWN_DUTIES,
    SHOWN_TROUBLES,
    BeaconSeen,
    OperatorSeen,
    ValidatorSeen,
    View,
)
from sdk.errors import BeaconError, NetworkError

RUNWAY_EVERY: Final = 5
"""Looks after which the runway is asked for: a block takes seconds."""


class NetworkLookout:
    """Eyes on one network.

    Args:
        network: that runs.
        verbs: what was done to it.
        last_slot: of the run, None if it has no end.
    """

    def __init__(
        self, network: LocalNetwork, verbs: NetworkVerbs, *, last_slot: int | None = None
    ) -> None:
        self._network = network
        self._verbs = verbs
        self._last_slot = last_slot
        nodes = {node.operator.id: node for node in network.nodes}
        self._eyes = Eyes(nodes, network.observer)
        self._duties: dict[int, deque[str]] = {}
        self._troubles: deque[Row] = deque(maxlen=SHOWN_TROUBLES)
        self._runway_blocks: int | None = None
        self._looks = 0
        self._operators: dict[int, OperatorSeen] = {}
        self._beacons: dict[int, BeaconSeen] = {}

    async def look(self) -> View:
        """Ask everybody once."""
        network = self._network
        async with trio.open_nursery() as nursery:
            for node in network.nodes:
                nursery.start_soon(self._ask_operator, node)
            for number, beacon in enumerate(network.beacons, 1):
                nursery.start_soon(self._ask_beacon, number, beacon)
            if self._looks % RUNWAY_EVERY == 0:
                nursery.start_soon(self._ask_runway)
            sight = await self._eyes.look()
        self._looks += 1
        self._remember(sight.rows)
        return View(
            slot=sight.slot,
            last_slot=self._last_slot,
            seconds_to_genesis=network.observer.seconds_to_genesis(),
            head=sight.head,
            finalized=sight.finalized,
            operators=tuple(self._operators[node.operator.id] for node in network.nodes),
            beacons=tuple(self._beacons[number] for number in sorted(self._beacons)),
            validators=tuple(map(self._validator, self._verbs.held)),
            runway_blocks=self._runway_blocks,
            spare=tuple(self._verbs.spare),
            troubles=tuple(self._troubles),
            addresses=addresses_of(network),
        )

    async def _ask_operator(self, node: LocalNode) -> None:
        number = int(node.operator.id)
        if not node.child.is_running:
            self._operators[number] = OperatorSeen(number, "down")
            return
        seen = OperatorSeen(number, "silent")
        with suppress(NetworkError), trio.move_on_after(ANSWER_S):
            told = await node.ask("/v2/status")
            bad = [part for part in told["parts"] if part["severity"] != "good"]
            trouble = f"{bad[0]['name']}: {bad[0]['problem']}" if bad else ""
            seen = OperatorSeen(number, told["state"], told["validators"], trouble)
        self._operators[number] = seen

    async def _ask_beacon(self, number: int, beacon: BeaconNode) -> None:
        if not beacon.child.is_running:
            self._beacons[number] = BeaconSeen(number, "down")
            return
        seen = BeaconSeen(number, "silent")
        with suppress(BeaconError), trio.move_on_after(ANSWER_S):
            told = (await ask(beacon.url, "/eth/v1/node/syncing"))["data"]
            seen = BeaconSeen(number, _beacon_state(told), int(told["head_slot"]))
        self._beacons[number] = seen

    async def _ask_runway(self) -> None:
        """Of the cluster that all of the operators' validators are in."""
        indexer = self._network.indexer
        if indexer is None:
            return
        with suppress(NetworkError), trio.move_on_after(ANSWER_S):
            told = await indexer.ask(f"/v1/clusters/{self._network.registry.cluster}")
            self._runway_blocks = None if told is None else told["data"]["runway_blocks"]

    def _remember(self, rows: tuple[Row, ...]) -> None:
        for row in rows:
            for index in row.validators:
                self._duties.setdefault(index, deque(maxlen=SHOWN_DUTIES)).append(row.outcome)
            if row.reason and row.done_by < row.operators:
                self._troubles.appendleft(row)

    def _validator(self, index: int) -> ValidatorSeen:
        return ValidatorSeen(
            index, index in self._verbs.exiting, tuple(self._duties.get(index, ()))
        )


def addresses_of(network: LocalNetwork) -> tuple[tuple[str, str], ...]:
    """Where people and programs find the parts."""
    first = network.nodes[0]
    indexer = () if network.indexer is None else (("explorer, API", f"{network.indexer.url}/"),)
    return (
        *indexer,
        ("operator 1", f"{first.api}/v2/status"),
        ("metrics", f"{first.metrics}/metrics"),
        ("beacon node 1", network.beacons[0].url),
        ("registry's chain", network.registry.chain.url),
        ("files", str(network.options.folder)),
    )


def _beacon_state(told: dict[str, object]) -> str:
    if told.get("is_optimistic"):
        return "optimistic"
    return "syncing" if told["is_syncing"] else "synced"
