"""The name that a gossip message goes by on the network.

Pure. Source: docs/protocol.md, "Topics and gossip ids".
"""

from __future__ import annotations

from typing import Final

from xxhash import xxh64_intdigest

_HASH_BYTES: Final = 8
_PADDING: Final = bytes(4)
"""The network's names have 12 bytes."""


def gossip_id(data: bytes) -> bytes:
    """12 bytes that equal content shares, whoever sent it; a peer can make two contents collide.

    `data` is the message's data field, an encoded `SignedMessage`.
    """
    return xxh64_intdigest(data).to_bytes(_HASH_BYTES, "little") + _PADDING
