"""The network between operators, and what it must know of duties to treat peers rightly.

Which messages come first when there are too many, and when a peer can be let go unnoticed. Never
decides about a peer itself.

Source: docs/security.md, "Peers"; docs/run-a-node.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from operator_node.clock import SlotClock
from operator_node.config import Settings
from operator_node.p2p import Network, Operator, claimed_id
from operator_node.validation import Chain, Verdict
from operator_node.wire.generations import Generation
from operator_node.wire.ids import SUBNETS
from sdk.types import OperatorId

if TYPE_CHECKING:
    from operator_node.node.parts import Base

PEERS_FILE: Final = "peers.json"
QUIET_FROM: Final = (5, 12)
"""Of a slot: proposals and attestations are over by then, in a slot of 12 s after five."""


def looks_own(concerns: Callable[[bytes], bool], data: bytes) -> bool:
    """Whether a message, undecoded, claims to be of an own committee or validator.

    Args:
        concerns: whether messages of an id are for this operator.
        data: an encoded `SignedMessage`, or anything else.
    """
    message_id = claimed_id(data)
    return message_id is not None and concerns(message_id)


def is_quiet(clock: SlotClock) -> bool:
    """Whether the part of the slot goes on in which a lost peer is missed the least."""
    into_slot_ms = clock.now_ms() - clock.start_ms(clock.slot())
    part, whole = QUIET_FROM
    return into_slot_ms * whole >= clock.slot_ms * part


def make_network(
    settings: Settings,
    base: Base,
    judge: Callable[[bytes, str, object], Verdict],
    me: OperatorId,
    *,
    concerns: Callable[[bytes], bool],
) -> Network:
    """The network of a node, not running yet.

    Args:
        settings: of the node.
        base: its clock, keys and registry.
        judge: the verdict on a message that came on a topic, by a peer.
        me: the own operator.
        concerns: whether messages of an id are for this operator.
    """
    peers, key = settings.peers, base.private.operator_key
    announced = () if peers.host is None else (_address(peers.host, peers.tcp_port),)
    return Network(
        identity=base.private.peer,
        listen=(f"/ip4/0.0.0.0/tcp/{peers.tcp_port}",),
        judge=judge,
        key_of=lambda operator: base.registry.operator_keys().get(operator),
        now_ms=base.clock.now_ms,
        domain=base.network.alan_domain,
        known_topics=known_topics(base.network),
        operator=Operator(me, key.sign),
        store=settings.data_folder / PEERS_FILE,
        bootstrap=tuple(each for each in peers.bootnodes if each.startswith("/")),
        trusted=peers.trusted,
        announce=announced,
        concerns=partial(looks_own, concerns),
        max_peers=peers.max_peers,
        limits_addresses=peers.limits_addresses,
        may_trim=partial(is_quiet, base.clock),
    )


def known_topics(network: Chain) -> frozenset[str]:
    """All that peers may listen to, in both generations."""
    return frozenset(
        network.topic(generation, subnet) for generation in Generation for subnet in range(SUBNETS)
    )


def _address(host: str, port: int) -> str:
    """A multiaddress of a name or an IP address."""
    if ":" in host:
        return f"/ip6/{host}/tcp/{port}"
    kind = "ip4" if host.replace(".", "").isdigit() else "dns"
    return f"/{kind}/{host}/tcp/{port}"
