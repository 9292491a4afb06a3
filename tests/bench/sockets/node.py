"""One operator's node without its surroundings: the real parts that carry out duties.

Engine, gossip validation, libp2p network, share signer with its slashing record on disk, and duty
records on disk, wired as in `operator_node.node.parts`. Beacon nodes answer at once from memory;
the registry is `Members`, and there is no scheduler, HTTP or watch for doppelgangers.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import trio

import operator_node.node.life  # noqa: F401  the whole node's code is in memory, as in a node
from operator_node.clock import SlotClock
from operator_node.duties import Reason
from operator_node.duties.types import (
    Answer,
    CheckpointView,
    Query,
    Submission,
    Submitted,
    Unavailable,
)
from operator_node.engine import (
    Counts,
    Desk,
    Engine,
    Errands,
    Intake,
    Maker,
    Own,
    Policy,
)
from operator_node.engine import History as Records
from operator_node.node.crowding import known_topics
from operator_node.node.parts import make_clock
from operator_node.p2p import Identity, Network, Operator
from operator_node.shares import ShareSigner
from operator_node.signer.record import KeyHistory
from operator_node.signer.record_file import Owner
from operator_node.signer.rules import History
from operator_node.signer.store import SlashingStore
from operator_node.testing.fake_beacon import FakeBeacon
from operator_node.wire.generations import Generation
from sdk.testing.keys import operator_key
from sdk.types import OperatorId, Slot
from tests.bench.sockets.members import Members
from tests.bench.sockets.setting import Setting
from tests.bench.sockets.watch import Watch


class InstantBeacon:
    """Beacon nodes that know everything and take no time for it."""

    def __init__(self, clock: SlotClock) -> None:
        self._clock = clock
        self._nodes = FakeBeacon((), Random(0), compare_roots=False)

    async def answer(self, query: Query, *, deadline_ms: int) -> Answer:
        await trio.lowlevel.checkpoint()
        asked = self._nodes.ask(query, self._since_genesis_ms())
        return Unavailable(Reason.BN_DOWN) if asked is None else asked[1]

    async def submit(self, items: tuple[Submission, ...], /) -> tuple[Submitted, ...]:
        await trio.lowlevel.checkpoint()
        return tuple(Submitted(item, "") for item in items)

    def view(self, slot: Slot, /) -> CheckpointView | None:
        return self._nodes.view(slot, self._since_genesis_ms())

    def _since_genesis_ms(self) -> int:
        return self._clock.now_ms() - self._clock.genesis_ms


class Node:
    """The parts of one operator."""

    def __init__(self, setting: Setting, me: OperatorId, folder: Path) -> None:
        """Makes them; shares are armed in the record."""
        self.me = me
        chain, network, key = setting.chain(), setting.network(), operator_key(me)
        self.clock = clock = make_clock(chain)
        self.members = Members(setting, me)
        self.record = SlashingStore.open(
            folder / "slashing.sqlite",
            Owner(network.name, chain.genesis_validators_root, operator_id=me),
        )
        # In one step: a first start arms share by share, and waits for the disk each time.
        shares = self.members.own().values()
        self.record.merge(
            KeyHistory(each.share_key, History(), each.validator_key) for each in shares
        )
        self.record.arm_all(epoch=clock.epoch(), slot=clock.slot())
        signer = ShareSigner(record=self.record, clock=clock)
        for each in shares:
            signer.keep_share(each.validator_key, each.secret)
        self._meshes: dict[str, frozenset[OperatorId]] = {}
        for known in self.members.committees():
            if me in known.members.operators:  # several committees can share a topic
                topic = network.topic(Generation.BOOLE, known.subnet(Generation.BOOLE))
                others = frozenset(known.members.operators) - {me}
                self._meshes[topic] = self._meshes.get(topic, frozenset()) | others
        self.history = Records(folder / "duties.sqlite")
        self.counts = Counts()
        self.watch = Watch() if setting.watched and me == 1 else None
        own = Own(self.members, network)
        policy = Policy()
        maker = Maker(
            me=me, chain=chain, registry=self.members, own=own, signer=signer, policy=policy
        )
        self.intake = Intake(
            network=network,
            registry=self.members,
            clock=clock,
            concerns=lambda message_id: self.engine.concerns(message_id),
            take=lambda message, at_ms: self.engine.receive(message, at_ms),
        )
        self.network = Network(
            identity=_identity(me),
            listen=[f"/ip4/127.0.0.1/tcp/{setting.ports[me - 1]}"],
            judge=self.intake.judge,
            key_of=self.members.operator_keys().get,
            now_ms=clock.now_ms,
            domain=network.alan_domain,
            known_topics=known_topics(network),
            operator=Operator(me, key.sign),
            store=folder / "peers.json",
            bootstrap=() if me == 1 else (_place(setting, OperatorId(1)),),
        )
        beacon = InstantBeacon(clock)
        self.engine = Engine(
            me=me,
            own=own,
            desk=Desk(own, maker),
            errands=Errands(beacon=beacon, signer=signer, clock=clock, counts=self.counts),
            beacon=beacon,
            key=key,
            transport=self.network,
            clock=clock,
            history=self.history,
            counts=self.counts,
        )
        if self.watch is not None:
            self.watch.put_around(self.intake, self.network, self.engine)

    def use_streams(self, are_used: bool) -> None:
        """Whether own messages go by direct streams, too, from now on; the streams stay open."""
        parts: Any = self.network
        parts._direct = are_used

    def precise_steps(self) -> None:
        """Has the times of steps noted with their fractions of milliseconds."""
        engine: Any = self.engine
        clock: Any = self.clock

        def into_slot_ms(slot: int) -> float:
            clock.now_ms()  # takes over a jump of the wall clock, and sets the anchor at first
            now_s = clock._anchor_s + clock._lead_s + trio.current_time()
            return float(now_s * 1000 - clock.start_ms(slot))

        engine._into_slot_ms = into_slot_ms

    def is_connected(self) -> bool:
        """Whether it can speak to all co-operators, directly and in the meshes of its topics."""
        return not self.connections()

    def connections(self) -> str:
        """Which of them are lacking."""
        peers = {each.operator: each for each in self.network.peers()}
        lacking = [
            f"no stream to operator {other}"
            for other in self.members.co_operators
            if other not in peers or not peers[other].has_stream
        ]
        for topic, members in self._meshes.items():
            mesh = self.network.mesh_peers(topic)
            lacking += [
                f"operator {other} is not in the mesh of {topic}"
                for other in members
                if other not in peers or peers[other].peer not in mesh
            ]
        return ", ".join(lacking)


def _identity(operator: OperatorId) -> Identity:
    return Identity.of(sha256(b"network key %d" % operator).digest())


def _place(setting: Setting, operator: OperatorId) -> str:
    port = setting.ports[operator - 1]
    return f"/ip4/127.0.0.1/tcp/{port}/p2p/{_identity(operator).peer}"
