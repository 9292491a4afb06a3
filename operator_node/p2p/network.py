"""The node's network: finds co-operators, keeps connections to them, carries messages.

One object for the rest of the node. It knows peers by operator id, as far as their address records
say, and topics by name; what a message means is for `judge` alone.

Source: docs/protocol.md, "Topics and gossip ids", "Gossip validation".
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from operator_node.p2p.addresses import AddressLimits
from operator_node.p2p.book import AddressBook, KeyOf
from operator_node.p2p.crowd import Crowd
from operator_node.p2p.gossip import Gossip
from operator_node.p2p.identity import Identity
from operator_node.p2p.intake import Concerns, Intake, IntakeCounts, Judge
from operator_node.p2p.liveness import Asking, Liveness
from operator_node.p2p.origins import Origins
from operator_node.p2p.places import ip_of, place_of
from operator_node.p2p.records import LIFETIME_MS, AddressRecord, sign_record
from operator_node.p2p.redial import Redial
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.seen import GENERATION_SECONDS
from operator_node.p2p.spreading import AddressExchange
from operator_node.p2p.streams import DirectMessage, DirectStreams
from operator_node.p2p.touch import TICK_SECONDS, Memory, Touch
from operator_node.p2p.types import Operator, PeerStatus
from operator_node.validation.verdict import Accept
from sdk.errors import ConfigError, StorageError
from sdk.types import OperatorId

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

_log: Final = logging.getLogger(__name__)

PEERS: Final = 60
"""Places of a node without any subnet."""
EXCHANGE_EVERY_SECONDS: Final = 30.0
EXCHANGE_PEERS: Final = 3
"""Asked in each round: news reach n nodes in about log3(n) rounds."""
RENEW_AFTER_MS: Final = LIFETIME_MS // 4
SAVE_EVERY_SECONDS: Final = 5.0
RESTART_SECONDS: Final = (1.0, 2.0, 5.0, 15.0, 30.0)
"""After one failure of the whole part, after two, …"""


class Network:
    """Peers and messages.

    Args:
        identity: of this node on the network.
        listen: multiaddresses; port 0 takes any.
        judge: called once per distinct message of a peer, before it is forwarded; takes what it
            accepts. It must not wait.
        key_of: the registry's key of an operator.
        now_ms: unix milliseconds.
        domain: 4 bytes, of the network; address records of others are refused.
        known_topics: all topics that peers can subscribe to.
        operator: None for a node that only listens and helps others to meet.
        store: file of the address book.
        bootstrap: multiaddresses with peer id; any nodes of the network.
        trusted: the same; always connected and never refused.
        announce: multiaddresses for the own record, instead of what the node finds out.
        direct: whether own messages go to co-operators by direct stream, too.
        concerns: whether a message, undecoded, looks like one of an own committee; without it all
            count as that, and none is dropped before the others.
        max_peers: places without any subnet; each subnet adds a few.
        limits_addresses: False behind a proxy, where all peers have one address.
        may_trim: whether peers may be let go at this time; always by default.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        listen: Sequence[str],
        judge: Judge,
        key_of: KeyOf,
        now_ms: Callable[[], int],
        domain: bytes,
        known_topics: frozenset[str],
        operator: Operator | None = None,
        store: Path | None = None,
        bootstrap: Sequence[str] = (),
        trusted: Sequence[str] = (),
        announce: Sequence[str] = (),
        direct: bool = True,
        concerns: Concerns = lambda _data: True,
        max_peers: int = PEERS,
        limits_addresses: bool = True,
        may_trim: Callable[[], bool] = lambda: True,
    ) -> None:
        self._identity = identity
        self._listen = tuple(listen)
        self._now_ms = now_ms
        self._domain = domain
        self._known_topics = known_topics
        self._operator = operator
        self._announce = tuple(announce)
        self._direct = direct
        trusted_places = tuple(map(place_of, trusted))
        self._standing = Standing(place.peer for place in trusted_places)
        self._addresses = AddressLimits(
            is_limited=limits_addresses, exempt=filter(None, map(ip_of, trusted_places))
        )
        self._crowd = Crowd(
            standing=self._standing,
            addresses=self._addresses,
            trusted=[place.peer for place in trusted_places],
            base=max_peers,
            now=trio.current_time,
        )
        self._origins = Origins()
        self._intake = Intake(
            judge,
            self._standing,
            concerns=concerns,
            is_kept=self._crowd.is_kept,
            hear=self._note_origin,
            now=trio.current_time,
        )
        self._book = AddressBook(domain=domain, key_of=key_of, path=store)
        self._memory = Memory(
            me=identity.peer,
            bootstrap=tuple(map(place_of, bootstrap)),
            trusted=trusted_places,
            book=self._book,
            standing=self._standing,
            intake=self._intake,
            crowd=self._crowd,
            redial=Redial(identity.peer),
            origins=self._origins,
            liveness=Liveness(),
            may_trim=may_trim,
        )
        self._wanted: frozenset[OperatorId] = frozenset()
        self._gossip: Gossip | None = None
        self._streams: DirectStreams | None = None
        self._touch: Touch | None = None
        self._news = trio.Event()
        self._has_started = False
        self.restarts = 0

    # What the node asks of it

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; `started` once the node listens.

        Raises:
            ConfigError: it cannot even listen at the start.
        """
        await trio.to_thread.run_sync(self._book.load)
        unusable: ConfigError | None = None
        while True:
            try:
                await self._run_once(task_status)
            except* Exception as problems:
                wrong = problems.subgroup(ConfigError)
                if wrong is not None and not self._has_started:
                    unusable = _first(wrong)
                else:
                    # The outer boundary of the network: the node goes on, and so do duties for
                    # which messages still arrive after the restart.
                    _log.exception("the network failed and starts again")
            if unusable is not None:
                raise unusable
            self._gossip = self._streams = self._touch = None
            self._crowd.connected = frozenset()
            wait = RESTART_SECONDS[min(self.restarts, len(RESTART_SECONDS) - 1)]
            self.restarts += 1
            await trio.sleep(wait)

    async def set_topics(self, topics: frozenset[str]) -> None:
        """Subscribes to these topics and no others."""
        self._intake.topics = topics
        if self._gossip is not None:
            await self._gossip.set_topics(topics)

    async def publish(
        self, topic: str, data: bytes, *, to: frozenset[OperatorId] | None = None
    ) -> None:
        """Sends a message of this node; without a connection it is lost.

        Args:
            topic: full name.
            data: an encoded `SignedMessage`.
            to: operators that get it directly, too; by default wanted ones with the topic.
        """
        gossip = self._gossip
        if gossip is None:
            return
        have_it: set[PeerId] = set()
        if self._direct and self._streams is not None:
            have_it = self._streams.send_all(self._peers_for(topic, to), topic, data)
        await gossip.publish(topic, data, have_it)

    async def send_to(self, operator: OperatorId, topic: str, data: bytes) -> bool:
        """Whether a message is on its way to one operator, by direct stream alone."""
        record = self._book.of(operator)
        if self._streams is None or record is None:
            return False
        return self._streams.send(record.peer, DirectMessage(topic, (), data))

    def want(self, operators: frozenset[OperatorId]) -> None:
        """Names the co-operators: connected first, protected, with direct streams."""
        self._wanted = operators - ({self._operator.id} if self._operator else frozenset())
        self._book.want(self._wanted)
        self._origins.keep(self._wanted)
        if self._touch is not None:
            self._touch.want(self._wanted)

    def peers(self) -> tuple[PeerStatus, ...]:
        """All connected peers, by id."""
        return tuple(
            PeerStatus(
                peer,
                self._book.operator_of(peer),
                self._standing.score(peer),
                self._streams is not None and self._streams.reaches(peer),
            )
            for peer in sorted(self._crowd.connected)
        )

    def operators_connected(self) -> frozenset[OperatorId]:
        """Operators whose node is connected."""
        known = map(self._book.operator_of, self._crowd.connected)
        return frozenset(each for each in known if each is not None)

    def operators_known(self) -> frozenset[OperatorId]:
        """Operators of whom there is an address record."""
        return self._book.operators()

    def mesh_peers(self, topic: str) -> frozenset[PeerId]:
        """Peers of the topic's mesh; being connected is not enough to get its messages."""
        return frozenset() if self._gossip is None else self._gossip.peers_of(topic).mesh

    def score(self, peer: PeerId) -> float:
        """Of a peer, connected or not; 0 or less."""
        return self._standing.score(peer)

    @property
    def peer_id(self) -> PeerId:
        """Of this node."""
        return self._identity.peer

    @property
    def counts(self) -> IntakeCounts:
        """What became of the messages of peers."""
        return self._intake.counts

    def drops(self) -> dict[str, int]:
        """What was dropped, cut or refused since the start, by what it was."""
        control = {} if self._gossip is None else self._gossip.limits.cut
        return {
            **self._memory.drops(),
            **{f"control_{kind.value}": total for kind, total in control.items()},
            "connection_address": self._addresses.refused,
        }

    def places(self) -> tuple[str, ...]:
        """Own multiaddresses with peer id, for others to enter by hand."""
        return tuple(f"{each}/p2p/{self.peer_id}" for each in self._own_addresses())

    # Its own tasks

    async def _run_once(self, task_status: TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
            gossip = Gossip(
                self._identity,
                self._intake,
                self._standing,
                self._known_topics,
                door=self._crowd,
                is_kept=self._crowd.is_kept,
            )
            streams = DirectStreams(gossip.host, self._intake, self._forward, nursery, gossip.room)
            asking = Asking(gossip.host, gossip.view_of, gossip.topics)
            exchange = AddressExchange(
                gossip.host, self._book, self._standing, self._now_ms, lambda: self._news.set()
            )
            await stack.enter_async_context(gossip.listening(self._listen))
            touch = Touch(self._memory, gossip, streams, exchange, asking, nursery)
            touch.want(self._wanted)
            self._gossip, self._streams, self._touch = gossip, streams, touch
            await gossip.set_topics(self._intake.topics)
            await self._announce_self()
            if not self._has_started:
                self._has_started = True
                task_status.started()
            nursery.start_soon(touch.run)
            nursery.start_soon(self._spread, exchange, asking)
            nursery.start_soon(self._every, EXCHANGE_EVERY_SECONDS, self._announce_self)
            nursery.start_soon(self._every, SAVE_EVERY_SECONDS, self._save)
            nursery.start_soon(self._every, GENERATION_SECONDS, self._turn_seen)
            await trio.sleep_forever()

    async def _spread(self, exchange: AddressExchange, asking: Asking) -> None:
        """Exchanges records with a few peers, soon after there is news and now and then."""
        while True:
            with trio.move_on_after(EXCHANGE_EVERY_SECONDS):
                await self._news.wait()
            self._news = trio.Event()
            exchange.turn()
            asking.turn()
            some = sorted(self._crowd.connected)
            for peer in random.sample(some, min(EXCHANGE_PEERS, len(some))):
                await exchange.exchange(peer)
            await trio.sleep(TICK_SECONDS)

    async def _announce_self(self) -> None:
        """Signs a new record of this node if the last one does not fit any more, or gets old."""
        addresses = self._own_addresses()
        if self._operator is None or not addresses:
            return
        now_ms = self._now_ms()
        last = self._book.of(self._operator.id)
        is_current = last is not None and (
            (last.peer, last.addresses) == (self.peer_id, addresses)
            and last.sequence + RENEW_AFTER_MS > now_ms
        )
        if is_current:
            return
        sequence = max(now_ms, 0 if last is None else last.sequence + 1)
        expires_ms = now_ms + LIFETIME_MS
        record = AddressRecord(
            self._operator.id, self.peer_id, addresses, sequence, expires_ms, self._domain
        )
        try:
            signed = await trio.to_thread.run_sync(sign_record, record, self._operator.sign)
        except StorageError as problem:  # the next round tries again
            _log.warning("own address record could not be signed: %s", problem)
            return
        refused = self._book.offer(signed, now_ms=self._now_ms())
        if refused is not None:
            _log.warning("own address record is refused: %s", refused.value)
        self._news.set()

    async def _save(self) -> None:
        if not self._book.is_changed:
            return
        content = self._book.snapshot()
        try:
            await trio.to_thread.run_sync(self._book.write, content)
        except StorageError as problem:
            _log.warning("the address book could not be saved: %s", problem)
            self._book.is_changed = True

    async def _turn_seen(self) -> None:
        self._intake.seen.turn()

    async def _every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            await trio.sleep(seconds)
            await action()

    def _own_addresses(self) -> tuple[str, ...]:
        if self._announce:
            return self._announce
        return () if self._gossip is None else self._gossip.addresses()

    def _peers_for(self, topic: str, to: frozenset[OperatorId] | None) -> dict[OperatorId, PeerId]:
        records = map(self._book.of, self._wanted if to is None else to)
        peers = {each.operator: each.peer for each in records if each is not None}
        if to is not None or self._gossip is None:
            return peers
        subscribed = self._gossip.peers_of(topic).subscribed
        return {operator: peer for operator, peer in peers.items() if peer in subscribed}

    def _note_origin(self, peer: PeerId, accepted: Accept) -> None:
        signers = accepted.message.signed.signers
        if len(signers) == 1 and signers[0] in self._wanted:
            self._origins.note(signers[0], peer)

    async def _forward(self, peer: PeerId, message: DirectMessage, accepted: Accept) -> None:
        """Passes a direct message on to those of the mesh that its author did not send it to."""
        if self._gossip is None:
            return
        have_it: list[PeerId] = []
        if accepted.message.signed.signers == (self._book.operator_of(peer),):
            records = map(self._book.of, message.reached)
            have_it = [each.peer for each in records if each is not None]
        await self._gossip.forward(peer, message.topic, message.data, have_it)


def _first(group: BaseExceptionGroup[ConfigError]) -> ConfigError:
    """One error out of nested groups."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
