"""What a peer may ask of the router in a heartbeat: joining, offers, requests, subscriptions.

py-libp2p 0.8.1 counts some of that per topic that the peer names, and remembers each name for good,
so that made-up names fill its memory; it dials whomever a peer recommends; it sends all recent
messages again each time that a peer subscribes; and it sends a message of any size as often as it
is asked for. Here everything is cut to a budget before upstream sees it, names that no network has
are left out, and recommendations, too: addresses come from operators' own records alone.

Whoever exceeds a budget is blamed once per heartbeat and kind: a bug must not cost a peer its
place at once, and abuse does within seconds.

Source: libp2p gossipsub 1.1, "Attacks, Countermeasures, and Design Considerations".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final

from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2

from operator_node.p2p.scoring import Fault, PeerId
from operator_node.p2p.upstream.peer_ids import name_of

CONTROL_BYTES: Final = 512 * 1024
"""Of one packet; a full offer of every topic has a fifth of that."""
LONGEST_BACKOFF_SECONDS: Final = 3600
"""For which a peer can ask not to be asked."""


class Kind(Enum):
    """What is counted."""

    GRAFT = "graft"
    PRUNE = "prune"
    OFFERED_ID = "offered_id"
    WANTED_ID = "wanted_id"
    SUBSCRIPTION = "subscription"
    ANSWER_BYTES = "answer_bytes"
    """What this node sends because the peer asked; the first message may have any size."""


PER_HEARTBEAT: Final = {
    Kind.GRAFT: 256,  # all subnets of two generations, as after a restart
    Kind.PRUNE: 256,
    Kind.OFFERED_ID: 5000,  # as in the Go implementation
    Kind.WANTED_ID: 5000,
    Kind.SUBSCRIPTION: 512,  # as after a restart, and undone once
    Kind.ANSWER_BYTES: 2 * 1024 * 1024,
}


class ControlLimits:
    """Cuts what peers ask for to their budgets.

    Args:
        blame: called with who exceeded one.
        known_topics: all that there can be.
    """

    def __init__(
        self, blame: Callable[[PeerId, Fault], None], known_topics: frozenset[str]
    ) -> None:
        self._blame = blame
        self._known = known_topics
        self._used: Counter[tuple[ID, Kind]] = Counter()
        self._blamed: set[tuple[ID, Fault, Kind]] = set()
        self.cut: Counter[Kind] = Counter()
        """Entries left out since the start."""

    def turn(self) -> None:
        """Begins a heartbeat."""
        self._used.clear()
        self._blamed.clear()

    def trim(self, peer: ID, control: rpc_pb2.ControlMessage) -> None:
        """Leaves in a packet's control part what is within the peer's budgets."""
        if control.ByteSize() > CONTROL_BYTES:
            control.Clear()
            self._exceeded(peer, Kind.OFFERED_ID, 1)
            return
        control.ClearField("idontwant")
        self._trim_entries(peer, Kind.GRAFT, control.graft)
        self._trim_entries(peer, Kind.PRUNE, control.prune)
        for prune in control.prune:
            prune.ClearField("peers")
            prune.backoff = min(prune.backoff, LONGEST_BACKOFF_SECONDS)
        _keep(control.ihave, (each for each in control.ihave if each.topicID in self._known))
        self._trim_ids(peer, Kind.OFFERED_ID, control.ihave)
        self._trim_ids(peer, Kind.WANTED_ID, control.iwant)

    def admits(self, peer: ID, kind: Kind, count: int = 1) -> bool:
        """Whether so many are within the peer's budget; if so, they are counted."""
        used = self._used[peer, kind]
        if used and used + count > PER_HEARTBEAT[kind]:
            self._exceeded(peer, kind, count)
            return False
        self._used[peer, kind] += count
        return True

    def blame_early_graft(self, peer: ID) -> None:
        """The peer asked into a mesh before it may."""
        self._blame_once(peer, Fault.EARLY_GRAFT, Kind.GRAFT)

    def _trim_entries(self, peer: ID, kind: Kind, entries: Any) -> None:
        granted = self._grant(peer, kind, len(entries))
        _keep(entries, (each for each in entries[:granted] if each.topicID in self._known))

    def _trim_ids(self, peer: ID, kind: Kind, entries: Any) -> None:
        for entry in entries:
            granted = self._grant(peer, kind, len(entry.messageIDs))
            del entry.messageIDs[granted:]
        _keep(entries, (each for each in entries if each.messageIDs))

    def _grant(self, peer: ID, kind: Kind, count: int) -> int:
        """How many of these are within the budget; counted."""
        granted = min(count, PER_HEARTBEAT[kind] - self._used[peer, kind])
        self._used[peer, kind] += granted
        if granted < count:
            self._exceeded(peer, kind, count - granted)
        return granted

    def _exceeded(self, peer: ID, kind: Kind, count: int) -> None:
        self.cut[kind] += count
        self._blame_once(peer, Fault.CONTROL_FLOOD, kind)

    def _blame_once(self, peer: ID, fault: Fault, kind: Kind) -> None:
        if (peer, fault, kind) not in self._blamed:
            self._blamed.add((peer, fault, kind))
            self._blame(name_of(peer), fault)


def _keep(entries: Any, kept: Iterable[Any]) -> None:
    """Leaves nothing but `kept` in a repeated field."""
    copies = list(kept)
    if len(copies) < len(entries):
        copies = [type(each).FromString(each.SerializeToString()) for each in copies]
        del entries[:]
        entries.extend(copies)
