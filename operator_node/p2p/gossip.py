"""One life of the libp2p part: the host and its meshes, from listening to the end.

After a failure the network builds a new one; what must outlive it, such as seen messages, scores
and the address book, is handed in. Never decides whom to connect to.

Source: docs/protocol.md, "Topics and gossip ids"; libp2p gossipsub 1.1.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio
from libp2p.peer.id import ID
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.identity import Identity
from operator_node.p2p.intake import Intake
from operator_node.p2p.liveness import View
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.upstream.control import ControlLimits
from operator_node.p2p.upstream.dialer import Dialer
from operator_node.p2p.upstream.door import Door
from operator_node.p2p.upstream.framing import FrameRoom
from operator_node.p2p.upstream.host import is_free, new_host
from operator_node.p2p.upstream.peer_ids import id_of, name_of
from operator_node.p2p.upstream.pubsub import AnonymousPubsub, anonymous
from operator_node.p2p.upstream.router import Router
from sdk.errors import ConfigError

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

CLOSE_SECONDS: Final = 3.0
"""For saying good-bye to all peers at the end."""
_UNSPECIFIED: Final = ("/ip4/0.0.0.0/", "/ip6/::/")
_LOOPBACK: Final = ("/ip4/127.", "/ip6/::1/")


@dataclass(frozen=True, slots=True)
class MeshPeers:
    """How a topic is connected: all peers that subscribed, and those of the mesh."""

    subscribed: frozenset[PeerId]
    mesh: frozenset[PeerId]


class Gossip:
    """The running libp2p part.

    Args:
        identity: of this node.
        intake: decides about every message of a peer.
        standing: of peers.
        known_topics: all that there can be.
        door: who may come in; everybody by default.
        is_kept: whether a peer is a co-operator or trusted.
    """

    def __init__(
        self,
        identity: Identity,
        intake: Intake,
        standing: Standing,
        known_topics: frozenset[str],
        *,
        door: Door | None = None,
        is_kept: Callable[[PeerId], bool] = lambda _peer: False,
    ) -> None:
        self.host = new_host(identity.key, door)
        self.dialer = Dialer(self.host)
        self.room = FrameRoom()
        self.limits = ControlLimits(intake.blame, known_topics)
        self._router = Router(
            score=lambda peer: standing.score(name_of(peer)),
            limits=self.limits,
            is_kept=lambda peer: is_kept(name_of(peer)),
        )
        self._pubsub = AnonymousPubsub(
            self.host, self._router, intake, known_topics, self.limits, self.room
        )

    async def set_topics(self, topics: frozenset[str]) -> None:
        """Subscribes to these and no others."""
        current = frozenset(self._pubsub.topic_ids)
        for topic in sorted(topics - current):
            await self._pubsub.subscribe(topic)
        for topic in sorted(current - topics):
            await self._pubsub.unsubscribe(topic)

    async def publish(self, topic: str, data: bytes, have_it: Iterable[PeerId]) -> None:
        """Sends a message of this node into the mesh, except to peers that get it directly."""
        await self._pubsub.send(topic, data, _ids(have_it))

    async def forward(
        self, peer: PeerId, topic: str, data: bytes, have_it: Iterable[PeerId]
    ) -> None:
        """Sends an accepted message of a peer into the mesh, except to those that have it."""
        message = anonymous(topic, data)
        await self._router.publish(id_of(peer), message, _ids(have_it))

    def peers_of(self, topic: str) -> MeshPeers:
        """Who is connected for a topic."""
        subscribed = self._pubsub.peer_topics.get(topic, set())
        mesh = self._router.mesh.get(topic, set())
        return MeshPeers(_names(subscribed), _names(mesh))

    def alone(self, peer: PeerId) -> tuple[int, int, int]:
        """Topics of the peer in whose mesh there is nobody else, one other peer, two others."""
        others = [0, 0, 0]
        me = id_of(peer)
        for topic, mesh in self._router.mesh.items():
            count = len(mesh - {me})
            if count < len(others) and me in self._pubsub.peer_topics.get(topic, ()):
                others[count] += 1
        return others[0], others[1], others[2]

    def view_of(self, peer: PeerId) -> View:
        """What this node believes of a peer."""
        return View(*self._pubsub.known_of(id_of(peer)))

    def topics(self) -> int:
        """How many this node is subscribed to."""
        return len(self._pubsub.topic_ids)

    def addresses(self) -> tuple[str, ...]:
        """Where this node can be reached as far as it knows, without peer id.

        Loopback only if there is nothing else: that is a network on one machine.
        """
        own = [str(each).split("/p2p/")[0] for each in self.host.get_addrs()]
        usable = [each for each in dict.fromkeys(own) if not each.startswith(_UNSPECIFIED)]
        outside = [each for each in usable if not each.startswith(_LOOPBACK)]
        return tuple(outside or usable)

    @asynccontextmanager
    async def listening(self, listen: Sequence[str]) -> AsyncIterator[None]:
        """Listens and keeps the meshes while the block runs.

        Raises:
            ConfigError: `cannot_listen`.
        """
        addresses = [Multiaddr(each) for each in listen]
        if taken := [str(each) for each in addresses if not is_free(each)]:
            raise ConfigError(
                f"cannot listen on {', '.join(taken)}",
                code="cannot_listen",
                hint="Is it an address of this machine, and is no other process listening there?",
                data={"taken": taken},
            )
        closing = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._serve, addresses, closing)
            try:
                yield
            finally:
                closing.set()

    async def _serve(
        self, addresses: Sequence[Multiaddr], closing: trio.Event, task_status: TaskStatus[None]
    ) -> None:
        """Runs host and meshes until told to close, and closes them in order.

        Upstream closes what it has under the cancellation that ends it: each close is cut off, the
        sockets stay open, and peers take a node that is gone for one that is there. So nothing of
        it is cancelled before its connections are closed.
        """
        with trio.CancelScope() as scope:
            async with (
                self.host.run(addresses),
                background_trio_service(self._router),
                background_trio_service(self._pubsub),
            ):
                await self._pubsub.wait_until_ready()
                scope.shield = True
                task_status.started()
                try:
                    await closing.wait()
                finally:
                    with trio.CancelScope(shield=True), trio.move_on_after(CLOSE_SECONDS):
                        await self.dialer.hang_up_on_all()
                        await self.host.close()
                    scope.shield = False


def _ids(peers: Iterable[PeerId]) -> frozenset[ID]:
    return frozenset(map(id_of, peers))


def _names(peers: set[ID]) -> frozenset[PeerId]:
    return frozenset(name_of(each) for each in peers)
