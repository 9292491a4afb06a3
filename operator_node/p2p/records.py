"""Address records: where an operator's node can be reached, signed by the operator's own key.

Pure. A record binds operator, peer id, addresses, sequence number, expiry and network together, so
that nobody can make one for somebody else, replay an older one, or carry one over from another
network. Whoever passes records on can leave some out, but not change them.

The form is our own, all numbers little-endian: version (1 byte), domain (4), operator (8), sequence
(8), expiry (8), peer id (1 + n), number of addresses (1), each address (2 + n), signature (256).

Source: docs/protocol.md, "Identifiers" (domains); docs/keyshares.md (operator keys).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from operator_node.p2p.scoring import PEER_ID_FORM, PeerId
from sdk.errors import PeerError
from sdk.types import OperatorId

VERSION: Final = 1
DOMAIN_BYTES: Final = 4
SIGNATURE_BYTES: Final = 256
PEER_ID_BYTES: Final = 64
"""The most that `PEER_ID_FORM` lets through."""
ADDRESSES: Final = 8
"""Of one node: IPv4 and IPv6, inside and outside, with room to spare."""
ADDRESS_BYTES: Final = 256
"""A multiaddress of a host name of the greatest length DNS allows, 253, would just not fit."""
RECORD_BYTES: Final = 33 + PEER_ID_BYTES + ADDRESSES * (2 + ADDRESS_BYTES) + SIGNATURE_BYTES
LIFETIME_MS: Final = 24 * 3600 * 1000
"""Of a new record. Nodes renew theirs long before."""
CLOCK_ERROR_MS: Final = 3600 * 1000
"""By which another node's clock may be ahead of ours; a record cannot outlive it by more."""
_SIGNED_PREFIX: Final = b"phalanx address record\x00"
"""No message that operators sign otherwise begins like this."""


class VerifyingKey(Protocol):
    """An operator's public key, as the registry has it."""

    def verify(self, message: bytes, signature: bytes, /) -> bool:
        """Whether it is the PKCS#1 v1.5 / SHA-256 signature of `message`."""


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """Where an operator's node listens.

    Attributes:
        addresses: multiaddresses without a peer id.
        sequence: higher replaces lower; unix milliseconds of the signing.
        expires_ms: unix milliseconds.
        domain: 4 bytes, of the network.
    """

    operator: OperatorId
    peer: PeerId
    addresses: tuple[str, ...]
    sequence: int
    expires_ms: int
    domain: bytes


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record, its signature, and both as bytes."""

    record: AddressRecord
    signature: bytes
    raw: bytes


class Refused(Enum):
    """Why a record is not taken."""

    UNKNOWN_OPERATOR = "unknown_operator"
    OTHER_NETWORK = "other_network"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    REPLAYED = "replayed"
    """An older one than we have."""
    FORGED = "forged"
    NO_ROOM = "no_room"


def sign_record(record: AddressRecord, sign: Callable[[bytes], bytes]) -> SignedRecord:
    """The record with the operator's signature, 256 bytes from `sign`."""
    body = _encode(record)
    signature = sign(_SIGNED_PREFIX + body)
    return SignedRecord(record, signature, body + signature)


def read_record(raw: bytes) -> SignedRecord:
    """The record that bytes of a peer contain; nothing about it is verified.

    Raises:
        PeerError: `record_malformed`.
    """
    reader = _Reader(raw)
    if reader.number(1) != VERSION:
        raise _malformed("its version is not 1")
    domain = reader.take(DOMAIN_BYTES)
    operator, sequence, expires_ms = (reader.number(8) for _ in range(3))
    peer = reader.text(reader.number(1), limit=PEER_ID_BYTES)
    count = reader.number(1)
    if not 1 <= count <= ADDRESSES:
        raise _malformed(f"it has {count} addresses, 1 to {ADDRESSES} are allowed")
    addresses = tuple(reader.text(reader.number(2), limit=ADDRESS_BYTES) for _ in range(count))
    signature = reader.take(SIGNATURE_BYTES)
    reader.end()
    if PEER_ID_FORM.fullmatch(peer) is None:
        raise _malformed("its peer id is not base58")
    record = AddressRecord(
        OperatorId(operator), PeerId(peer), addresses, sequence, expires_ms, domain
    )
    return SignedRecord(record, signature, raw)


def check_record(
    signed: SignedRecord, *, domain: bytes, key: VerifyingKey | None, now_ms: int
) -> Refused | None:
    """Why not to take a record, None if it is good. The signature is looked at last.

    Args:
        signed: the record.
        domain: of the own network.
        key: the operator's, None if the registry does not know him.
        now_ms: unix milliseconds.
    """
    record = signed.record
    if record.domain != domain:
        return Refused.OTHER_NETWORK
    if record.expires_ms <= now_ms:
        return Refused.EXPIRED
    latest = now_ms + CLOCK_ERROR_MS
    if record.sequence > latest or record.expires_ms > latest + LIFETIME_MS:
        return Refused.FROM_THE_FUTURE
    if key is None:
        return Refused.UNKNOWN_OPERATOR
    return check_signature(signed, key)


def check_signature(signed: SignedRecord, key: VerifyingKey) -> Refused | None:
    """`FORGED` unless the operator of that key signed the record."""
    body = signed.raw[:-SIGNATURE_BYTES]
    return None if key.verify(_SIGNED_PREFIX + body, signed.signature) else Refused.FORGED


def _encode(record: AddressRecord) -> bytes:
    parts = [
        bytes([VERSION]),
        record.domain,
        *(
            number.to_bytes(8, "little")
            for number in (record.operator, record.sequence, record.expires_ms)
        ),
        bytes([len(record.peer)]),
        record.peer.encode(),
        bytes([len(record.addresses)]),
    ]
    for address in record.addresses:
        text = address.encode()
        parts += [len(text).to_bytes(2, "little"), text]
    return b"".join(parts)


class _Reader:
    """Takes bytes from the front."""

    __slots__ = ("_at", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def take(self, count: int) -> bytes:
        piece = self._raw[self._at : self._at + count]
        if len(piece) < count:
            raise _malformed(f"it ends after {len(self._raw)} bytes")
        self._at += count
        return piece

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")

    def text(self, count: int, *, limit: int) -> str:
        if not 1 <= count <= limit:
            raise _malformed(f"a text in it has {count} bytes, 1 to {limit} are allowed")
        piece = self.take(count)
        if not piece.isascii():
            raise _malformed("a text in it is not ASCII")
        return piece.decode("ascii")

    def end(self) -> None:
        if self._at != len(self._raw):
            raise _malformed(f"{len(self._raw) - self._at} bytes follow its end")


def _malformed(why: str) -> PeerError:
    return PeerError(f"an address record cannot be read: {why}", code="record_malformed")
