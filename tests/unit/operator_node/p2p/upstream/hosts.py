"""Hosts that are connected to nobody, and messages as gossip has them."""

from __future__ import annotations

from hashlib import sha256

from libp2p.host.basic_host import BasicHost
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub

from operator_node.p2p.identity import Identity
from operator_node.p2p.intake import Intake
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.upstream.control import ControlLimits
from operator_node.p2p.upstream.framing import FrameRoom
from operator_node.p2p.upstream.host import new_host
from operator_node.p2p.upstream.pubsub import AnonymousPubsub
from operator_node.p2p.upstream.router import Router
from operator_node.validation.verdict import Verdict
from tests.p2p.nodes import TOPIC, TOPICS, accept


def identity(number: int) -> Identity:
    return Identity.of(sha256(b"host %d" % number).digest())


def host(number: int) -> BasicHost:
    return new_host(identity(number).key)


def peer(number: int) -> ID:
    return ID.from_base58(identity(number).peer)


def stock_router() -> GossipSub:
    """As upstream makes it, apart from what it does not default."""
    return GossipSub([PROTOCOL_ID_V11], 8, 6, 12)


def stock_pubsub() -> Pubsub:
    return Pubsub(host(1), stock_router(), strict_signing=False)


def our_pubsub(
    judged: list[bytes] | None = None, *, kept: frozenset[ID] = frozenset()
) -> tuple[AnonymousPubsub, Router, Intake]:
    """Subscribed to nothing, judging everything as good, with co-operators."""

    def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
        if judged is not None:
            judged.append(data)
        return accept(data)

    intake = Intake(judge, Standing())
    intake.topics = frozenset({TOPIC})
    limits = ControlLimits(intake.blame, TOPICS)
    router = Router(score=lambda _peer: 0.0, limits=limits, is_kept=lambda each: each in kept)
    pubsub = AnonymousPubsub(host(1), router, intake, TOPICS, limits, FrameRoom())
    return pubsub, router, intake


def anonymous(data: bytes) -> rpc_pb2.Message:
    return rpc_pb2.Message(topicIDs=[TOPIC], data=data)
