"""A peer of the operators' network that signs nothing, forwards nothing, and hears everything.

The operators' nodes are told to stay connected to it, so that it hears one of them again as soon as
that one is back. What an operator sends it gets from the others, too, who forward it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from deploy.devnet.operators import DOMAIN, NETWORK
from deploy.devnet.ports import free_ports
from operator_node.p2p import Network, PeerId, load_identity
from operator_node.validation import Chain
from operator_node.validation.registry_view import KnownCommittee
from operator_node.validation.rules import Rule
from operator_node.validation.verdict import Ignore, Verdict
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import SUBNETS, DomainType
from sdk.types import Epoch

MOST_HELD = 100_000
"""Messages heard before anybody says what to do with them."""


class Spy:
    """Listens to one committee's topic.

    Attributes:
        place: its multiaddress.
        heard: messages that nobody has taken yet, each once, in order of arrival.
    """

    def __init__(self, folder: Path, operators: tuple[int, ...]) -> None:
        """Boole's rules. Nothing is heard before `listening`."""
        port = free_ports(1)[0]
        chain = Chain(NETWORK, ForkEpochs(8, Epoch(0)), DomainType(b""), DomainType(b""))
        subnet = KnownCommittee.of(operators, ()).subnet(Generation.BOOLE)
        topic = chain.topic(Generation.BOOLE, subnet)
        self.heard: list[bytes] = []
        self._topics = frozenset({topic})
        self._network = Network(
            identity=load_identity(folder / "spy.key"),
            listen=[f"/ip4/127.0.0.1/tcp/{port}"],
            judge=self._judge,
            key_of=lambda _: None,
            now_ms=lambda: time.time_ns() // 1_000_000,
            domain=bytes.fromhex(DOMAIN.removeprefix("0x")),
            # All of them: a peer that knows fewer counts as one that does not see who is there.
            known_topics=frozenset(
                chain.topic(generation, each)
                for generation in Generation
                for each in range(SUBNETS)
            ),
        )
        self.place = f"/ip4/127.0.0.1/tcp/{port}/p2p/{self._network.peer_id}"

    @property
    def peers(self) -> int:
        """How many nodes are connected."""
        return len(self._network.peers())

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hears while the block runs."""
        async with trio.open_nursery() as nursery:
            await self._network.set_topics(self._topics)
            await nursery.start(self._network.run)
            yield
            nursery.cancel_scope.cancel()

    def take(self) -> list[bytes]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard

    def _judge(self, data: bytes, topic: str, peer: PeerId) -> Verdict:
        if len(self.heard) < MOST_HELD:
            self.heard.append(data)
        return Ignore(Rule.WRONG_TOPIC, "a spy passes nothing on")
