"""Packets of gossip from their bytes, after a look at how many parts they have.

Two bytes make an empty message, and the decoder needs forty times as much for it: a packet of the
largest size could take half a gigabyte for a moment. A look at the outermost lengths costs less
than a microsecond per part and tells before. Never looks into a message.

Source: libp2p pubsub's protobuf definition; protobuf's wire format.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError
from libp2p.pubsub.pb import rpc_pb2

from operator_node.p2p.upstream.control import CONTROL_BYTES
from sdk.errors import PeerError

PARTS: Final = 5000
"""Messages and subscriptions of a packet: as many as a peer may send in a burst."""
_CONTROL: Final = 3
_LENGTH_DELIMITED: Final = 2


def packet_of(frame: bytes) -> rpc_pb2.RPC:
    """A peer's packet, without the record of its sender that upstream verifies.

    Raises:
        PeerError: `packet_malformed`, it is none; `packet_overfull`.
    """
    at = parts = 0
    try:
        while at < len(frame):
            tag, at = _number(frame, at)
            if tag & 7 != _LENGTH_DELIMITED:
                raise PeerError(f"a packet with a field {tag}", code="packet_malformed")
            length, at = _number(frame, at)
            at += length
            parts += 1
            if parts > PARTS or (tag >> 3 == _CONTROL and length > CONTROL_BYTES):
                raise PeerError(
                    f"part {parts} of a packet is one too many, or has {length} bytes of control",
                    code="packet_overfull",
                )
        packet = rpc_pb2.RPC.FromString(frame)
    except (DecodeError, IndexError) as problem:
        raise PeerError("bytes that are no packet", code="packet_malformed") from problem
    packet.ClearField("senderRecord")
    return packet


def _number(frame: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    number = shift = 0
    while True:
        byte = frame[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
        if shift > 63:
            raise IndexError
