"""Own messages on their way out: two bounded queues, and a task for each.

What is published never waits for an operator that is written to directly. A message that finds its
queue full or nobody to go to is counted and lost: consensus stands lost messages, and an old one is
worth little.

Source: docs/protocol.md, "Topics and gossip ids" and "Heights" (late operators).
"""

from __future__ import annotations

import logging
from typing import Final, NamedTuple

from operator_node.engine.counts import Counts
from operator_node.engine.queue import Queue
from operator_node.engine.types import Transport
from sdk.errors import PeerError
from sdk.types import OperatorId

LETTERS_KEPT: Final = 4_096
"""Per queue: 500 committees that say everything of a duty at once fit twice."""
BYTES_KEPT: Final = 128 * 2**20
"""Per queue: a dozen of the largest messages."""

_log = logging.getLogger(__name__)


class Letter(NamedTuple):
    """An encoded, signed message. `to` is one operator, None for everybody on the topic."""

    topic: str
    data: bytes
    to: OperatorId | None = None


class Outbox:
    """Where the engine puts what it says."""

    def __init__(self, transport: Transport, counts: Counts) -> None:
        """Empty."""
        self._transport = transport
        self._counts = counts
        self._published = _queue()
        self._direct = _queue()

    def put(self, letter: Letter) -> None:
        """Takes a message to be sent after those before it."""
        queue = self._published if letter.to is None else self._direct
        if not queue.put(letter):
            self._counts.unsent += 1

    async def publish(self) -> None:
        """Sends to topics, for good."""
        while True:
            letter = await self._published.take()
            try:
                await self._transport.publish(letter.topic, letter.data)
            except PeerError as error:
                self._counts.unsent += 1
                _log.warning("a message on %s found no peer: %s", letter.topic, error)

    async def write(self) -> None:
        """Sends to single operators, for good."""
        while True:
            letter = await self._direct.take()
            if letter.to is None:
                continue
            try:
                is_sent = await self._transport.send_to(letter.to, letter.topic, letter.data)
            except PeerError as error:
                is_sent = False
                _log.info("operator %d was not reached: %s", letter.to, error)
            self._counts.unsent += not is_sent


def _queue() -> Queue[Letter]:
    return Queue(items=LETTERS_KEPT, size_bytes=BYTES_KEPT, size=lambda each: len(each.data))
