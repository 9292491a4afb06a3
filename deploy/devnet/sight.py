"""What the local network tells at one moment: duties that have ended, and how far the chain is.

Asks the operators' own APIs and a beacon node, and changes nothing; a node that does not answer is
told as silent.

Source: docs/node-api.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import trio

from deploy.devnet.duty_rows import Record, Row, Rows
from sdk.errors import BeaconError, NetworkError
from sdk.types import OperatorId

ANSWER_S: Final = 3.0
"""After which a node counts as silent; they answer in milliseconds, on busy cores in a second."""
DUTIES_ASKED: Final = 1000


class Node(Protocol):
    """An operator's node."""

    async def ask(self, path: str, **query: object) -> Any:
        """A route of its API.

        Raises:
            NetworkError: no answer.
        """


class Chain(Protocol):
    """The beacon chain, as `observer` sees it."""

    def current_slot(self) -> int:
        """By the clock."""

    def seconds_to_genesis(self) -> float:
        """0 from then on."""

    async def head_slot(self) -> int:
        """Of the newest block."""

    async def finalized_epoch(self) -> int:
        """Of the head."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One look.

    Attributes:
        slot: by the clock.
        head: slot of the newest block that was ever told; None before the first answer.
        finalized: epoch, likewise.
        rows: duties that can be shown now, each once.
    """

    slot: int
    head: int | None
    finalized: int | None
    rows: tuple[Row, ...]


class Eyes:
    """Looks at a network.

    Args:
        nodes: by operator id.
        chain: how far it is.
    """

    def __init__(self, nodes: Mapping[OperatorId, Node], chain: Chain) -> None:
        self._nodes = dict(nodes)
        self._chain = chain
        self._rows = Rows()
        self._head: int | None = None
        self._finalized: int | None = None

    async def look(self) -> Sight:
        """Ask everybody once."""
        slot = self._chain.current_slot()
        told: dict[OperatorId, list[Record] | None] = {}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._ask_chain)
            for operator in self._nodes:
                nursery.start_soon(self._ask_node, operator, slot, told)
        rows = self._rows.take(told, slot_now=slot)
        return Sight(slot, self._head, self._finalized, tuple(rows))

    def rest(self) -> list[Row]:
        """Duties that were not shown yet, as they are."""
        return self._rows.rest()

    async def _ask_node(
        self, operator: OperatorId, slot: int, told: dict[OperatorId, list[Record] | None]
    ) -> None:
        told[operator] = None
        query = {"from": self._rows.first_slot(slot), "limit": DUTIES_ASKED}
        with suppress(NetworkError), trio.move_on_after(ANSWER_S):
            told[operator] = (await self._nodes[operator].ask("/v2/duties", **query))["data"]

    async def _ask_chain(self) -> None:
        with suppress(BeaconError), trio.move_on_after(ANSWER_S):
            self._head = await self._chain.head_slot()
            self._finalized = await self._chain.finalized_epoch()
