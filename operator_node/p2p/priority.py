"""Which committee a message claims to be of, from its bytes alone.

For choosing what to look at first, and for nothing else: whether the claim is true, validation
tells. Costs a tenth of decoding the message.

Pure.

Source: docs/protocol.md, "Wire containers".
"""

from __future__ import annotations

from typing import Final

_ENVELOPE_AT: Final = 8
"""Where the third offset of a signed message is."""
_OFFSET_BYTES: Final = 4
_KIND_BYTES: Final = 8
_ID_BYTES: Final = 56


def claimed_id(data: bytes) -> bytes | None:
    """The message id, 56 bytes; None if the message is too short to have one."""
    envelope = int.from_bytes(data[_ENVELOPE_AT : _ENVELOPE_AT + _OFFSET_BYTES], "little")
    start = envelope + _KIND_BYTES
    message_id = data[start : start + _ID_BYTES]
    return message_id if len(message_id) == _ID_BYTES else None
