"""Queues are bounded in items and bytes; direct messages and published ones do not wait in one."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from operator_node.engine import Counts
from operator_node.engine import outbox as outbox_module
from operator_node.engine.outbox import Letter, Outbox
from operator_node.engine.queue import Queue
from sdk.errors import PeerError
from sdk.types import OperatorId

TO = OperatorId(3)


class Peers:
    """Operator 3 is written to for ever; operator 4 is unknown, operator 5 not to be reached."""

    def __init__(self) -> None:
        self.published: list[bytes] = []

    async def publish(self, topic: str, data: bytes, /) -> None:
        await trio.lowlevel.checkpoint()
        self.published.append(data)

    async def send_to(self, operator: OperatorId, topic: str, data: bytes, /) -> bool:
        if operator == TO:
            await trio.sleep_forever()
        if operator == OperatorId(5):
            raise PeerError("connection refused")
        await trio.lowlevel.checkpoint()
        return False

    def operators_connected(self) -> frozenset[OperatorId]:
        return frozenset({TO})


def test_a_queue_holds_no_more_items_or_bytes_than_it_may() -> None:
    async def main() -> None:
        queue = Queue[bytes](items=3, size_bytes=10, size=len)
        assert queue.put(bytes(20))
        assert not queue.put(b"x")
        assert await queue.take() == bytes(20)
        assert [queue.put(bytes(size)) for size in (4, 6, 1)] == [True, True, False]
        assert len(await queue.take()) == 4
        assert [queue.put(b"x") for _ in range(3)] == [True, True, False]

    trio.run(main)


def test_publishing_does_not_wait_for_a_slow_operator() -> None:
    async def main() -> None:
        peers, counts = Peers(), Counts()
        outbox = Outbox(peers, counts)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outbox.publish)
            nursery.start_soon(outbox.write)
            outbox.put(Letter("topic", b"for one", TO))
            outbox.put(Letter("topic", b"first"))
            outbox.put(Letter("topic", b"second"))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert peers.published == [b"first", b"second"]
        assert counts.unsent == 0

    trio.run(main)


def test_what_reaches_nobody_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "LETTERS_KEPT", 2)

    async def main() -> None:
        peers, counts = Peers(), Counts()
        outbox = Outbox(peers, counts)
        for operator in (4, 5, 4):
            outbox.put(Letter("topic", b"for one", OperatorId(operator)))
        assert counts.unsent == 1
        with trio.move_on_after(1):
            await outbox.write()
        assert counts.unsent == 3

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
