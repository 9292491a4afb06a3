"""Nodes of a real network on loopback, in one process, with throwaway keys."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import trio

from operator_node.p2p import Identity, Network, Operator, PeerId
from operator_node.validation.rules import Rule
from operator_node.validation.verdict import Accept, Ignore, Reject, Verdict
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import (
    Envelope,
    EnvelopeKind,
    PartialSignatures,
    ReceivedPartials,
    SignedMessage,
)
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.testing.keys import operator_key
from sdk.types import OperatorId, Slot

TOPIC = "ssv.v2.7"
OTHER_TOPIC = "ssv.v2.8"
TOPICS = frozenset({TOPIC, OTHER_TOPIC})
DOMAIN = bytes.fromhex("00000502")
PATIENCE_SECONDS = 20
POLL_SECONDS = 0.02

_ENVELOPE = Envelope(EnvelopeKind.PARTIAL_SIGNATURES, MessageId(b""), b"")


def message(text: str, author: int, *, size: int = 0) -> bytes:
    """A message of the tests: text, perhaps blanks, author."""
    return text.encode().ljust(size) + bytes([author])


def accept(data: bytes) -> Accept:
    """As validation accepts it, with its author as signer."""
    signed = SignedMessage((), (OperatorId(data[-1]),), _ENVELOPE)
    return Accept(ReceivedPartials(signed, PartialSignatures(0, Slot(0), ())))


def key_of(operator: OperatorId) -> OperatorPublicKey | None:
    """A registry with operators 1 to 13."""
    return operator_key(operator).public_key if 1 <= operator <= 13 else None


def now_ms() -> int:
    return int(time.time() * 1000)


def free_port() -> int:
    """A port below the range from which the system takes its own."""
    for _ in range(200):
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port found")


class Node:
    """An operator's node, or with operator 0 one that has none; it notes what it is given.

    Its judge goes by the first letter of a message: `i` is ignored, `r` rejected.
    """

    def __init__(
        self,
        operator: int,
        *,
        bootstrap: Sequence[str] = (),
        store: Path | None = None,
        direct: bool = False,
        port: int | None = None,
        on_message: Callable[[bytes], None] | None = None,
    ) -> None:
        self.operator = OperatorId(operator)
        self.port = free_port() if port is None else port
        self.got: Counter[bytes] = Counter()
        self.brought_by: dict[bytes, PeerId] = {}
        self._on_message = on_message
        self.network = Network(
            identity=Identity.of(sha256(b"network key %d" % operator).digest()),
            listen=[f"/ip4/127.0.0.1/tcp/{self.port}"],
            judge=self._judge,
            key_of=key_of,
            now_ms=now_ms,
            domain=DOMAIN,
            known_topics=TOPICS,
            operator=Operator(self.operator, operator_key(operator).sign) if operator else None,
            store=store,
            bootstrap=bootstrap,
            direct=direct,
        )
        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    @property
    def place(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.port}/p2p/{self.network.peer_id}"

    async def run(self, task_status: trio.TaskStatus[None]) -> None:  # type: ignore[name-defined]
        await self.network.set_topics(frozenset({TOPIC}))
        try:
            with self._scope:
                await self.network.run(task_status)
        finally:
            self._ended.set()

    async def say(self, text: str, *, size: int = 0) -> bytes:
        """Publishes a message of this node."""
        data = message(text, self.operator, size=size)
        await self.network.publish(TOPIC, data)
        return data

    async def stop(self) -> None:
        self._scope.cancel()
        await self._ended.wait()

    def _judge(self, data: bytes, topic: str, peer: PeerId) -> Verdict:
        self.got[data] += 1
        self.brought_by[data] = peer
        if self._on_message is not None:
            self._on_message(data)
        if data.startswith(b"i"):
            return Ignore(Rule.WRONG_TOPIC, "says the test")
        if data.startswith(b"r"):
            return Reject(Rule.MALFORMED, "says the test")
        return accept(data)


@asynccontextmanager
async def running(nodes: Sequence[Node]) -> AsyncIterator[trio.Nursery]:
    """Runs nodes, each wanting all the others, while the block runs."""
    async with trio.open_nursery() as nursery:
        for node in nodes:
            node.network.want(frozenset(each.operator for each in nodes if each.operator))
            await nursery.start(node.run)
        yield nursery
        nursery.cancel_scope.cancel()


async def until(is_so: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits for something that real sockets bring about."""
    with trio.fail_after(seconds):
        while not is_so():  # noqa: ASYNC110  nothing tells the test when it is so
            await trio.sleep(POLL_SECONDS)


def is_meshed(nodes: Sequence[Node], topic: str = TOPIC) -> bool:
    """Whether every node has every other one in the mesh of the topic."""
    return all(len(node.network.mesh_peers(topic)) == len(nodes) - 1 for node in nodes)
