"""Peer ids between libp2p's form and text; both ways are taken several times per message.

py-libp2p 0.8.1 does base58 anew each time, 0.1 ms per message and node.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from libp2p.peer.id import ID

from operator_node.p2p.scoring import PeerId

_REMEMBERED: Final = 4096
"""Many times the connections of a node."""


@lru_cache(maxsize=_REMEMBERED)
def name_of(peer: ID) -> PeerId:
    """In base58."""
    return PeerId(peer.to_base58())


@lru_cache(maxsize=_REMEMBERED)
def id_of(peer: PeerId) -> ID:
    """As libp2p has it; `peer` is base58 of our own making, or was checked."""
    return ID.from_base58(peer)
