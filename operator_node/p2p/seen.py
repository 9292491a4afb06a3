"""Which messages came already, by content, whatever way they came.

Pure and bounded: two generations, of which the older is dropped when the younger is full or its
time is over. The network's ids have 8 bytes that a peer can make collide, so they only answer what
other peers offer; what counts as a copy is decided by a strong hash of topic and data. A copy on a
wrong topic cannot suppress the message on the right one.

Source: docs/protocol.md, "Topics and gossip ids".
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from operator_node.p2p.scoring import PeerId
from operator_node.wire.gossip import gossip_id

GENERATION_MESSAGES: Final = 200_000
"""Kept at least; two minutes and more of the heaviest sustained load, about 50 MB."""
GENERATION_SECONDS: Final = 200
"""After which the owner calls `turn`: a message is known for 200 to 400 s, as on the network."""
_DIGEST_BYTES: Final = 16


class SeenMessages:
    """Claims messages, each once.

    `has` and `add` have the names and types that libp2p's cache of ids has.
    """

    __slots__ = ("_generation", "_new", "_new_ids", "_old", "_old_ids")

    def __init__(self, *, generation: int = GENERATION_MESSAGES) -> None:
        self._generation = generation
        self._new: dict[bytes, PeerId | None] = {}
        self._old: dict[bytes, PeerId | None] = {}
        self._new_ids: set[bytes] = set()
        self._old_ids: set[bytes] = set()

    def claim(self, topic: str, data: bytes, *, bearer: PeerId | None = None) -> bool:
        """Whether this is the first time; from now on it is known.

        Args:
            topic: full name.
            data: an encoded `SignedMessage`.
            bearer: who brought it; None for this node.
        """
        digest = _digest(topic, data)
        if digest in self._new or digest in self._old:
            return False
        if len(self._new) >= self._generation:
            self.turn()
        self._new[digest] = bearer
        self._new_ids.add(gossip_id(data))
        return True

    def bearer(self, topic: str, data: bytes) -> PeerId | None:
        """Who brought a message the first time; None if it is unknown, or of this node."""
        digest = _digest(topic, data)
        return self._new.get(digest, self._old.get(digest))

    def has(self, message_id: bytes) -> bool:
        """Whether a message of that network id came."""
        return message_id in self._new_ids or message_id in self._old_ids

    def add(self, message_id: bytes) -> bool:
        """Notes an id alone; whether it was new."""
        is_new = not self.has(message_id)
        self._new_ids.add(message_id)
        return is_new

    def turn(self) -> None:
        """Drops the older generation and begins a new one."""
        self._old, self._new = self._new, {}
        self._old_ids, self._new_ids = self._new_ids, set()

    def __len__(self) -> int:
        return len(self._new) + len(self._old)


def _digest(topic: str, data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_BYTES, key=topic.encode()[:64]).digest()
