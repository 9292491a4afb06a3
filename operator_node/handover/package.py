"""What one instance hands to the next, as a value and as an encrypted file.

Pure. The file is JSON with the password box of EIP-2335 around compressed msgpack, so it is as hard
to open as a keystore. It holds no key: the operator's key travels by itself.

Source: docs/slashing.md, "Moving an operator"; EIP-2335.
"""

from __future__ import annotations

import zlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from sdk.crypto.eip2335 import Modules, check_modules, write_modules
from sdk.crypto.password_box import IV_BYTES, Kdf, open_sealed, seal
from sdk.crypto.secret import Password
from sdk.errors import InputError
from sdk.json_documents import read_json

SCHEMA: Final = 1
SALT_BYTES: Final = 32
FILE_MAX_BYTES: Final = 1024 * 1024 * 1024
"""Twice the largest content, since the file is in hex."""
CONTENT_MAX_BYTES: Final = 640 * 1024 * 1024
"""Unpacked: a record of 3,000 validators takes 400 MB, and peers and watches 20 MB at most."""
_COMPRESSION: Final = 1
"""Signing roots are random; more effort gains nothing."""


class Registry(Struct, frozen=True):
    """The last block of the registry that was applied, to compare."""

    block: int
    block_hash: bytes


class Package(Struct, frozen=True):
    """Everything that the next instance needs beside the operator's key.

    Attributes:
        id: of this handover, 32 hex digits.
        number: of handovers that this record has behind it, this one included.
        made_ms: unix time.
        slot: the last one that this instance can have signed for; None where the chain's time is
            not known to the command.
        network: its name in the settings.
        genesis_validators_root: 32 bytes.
        operator_id: None if the record was never bound to one.
        operator_key: fingerprint of the operator's public key, None if the record has none.
        term: fencing number of the lease, and what the record is complete up to.
        record: a complete EIP-3076 file with the validators of shares.
        peers: the address book, None if there is none.
        watches: of the doppelganger watch, None if there are none.
    """

    schema: int
    id: str
    number: Annotated[int, Meta(ge=1)]
    made_ms: int
    slot: int | None
    network: str
    genesis_validators_root: Annotated[bytes, Meta(min_length=32, max_length=32)]
    operator_id: int | None
    operator_key: str | None
    term: int
    record_id: str
    sequence: int
    record: bytes
    peers: bytes | None
    watches: bytes | None
    registry: Registry | None


class _Document(Struct):
    phalanx_handover: int
    crypto: Modules


def write_package(
    package: Package, password: Password, *, kdf: Kdf, salt: bytes, iv: bytes
) -> bytes:
    """The encrypted file.

    Args:
        package: what is handed over.
        password: see `seal`.
        kdf: cost of the key derivation.
        salt: `SALT_BYTES` random bytes.
        iv: `IV_BYTES` random bytes.

    Raises:
        KeystoreError: the password has no standard form.
    """
    packed = zlib.compress(msgspec.msgpack.encode(package), _COMPRESSION)
    sealed = seal(packed, password, kdf=kdf, salt=salt, iv=iv)
    return msgspec.json.encode(_Document(SCHEMA, write_modules(sealed)))


def read_package(data: bytes, password: Password, *, source: str) -> Package:
    """What a file holds.

    Args:
        data: of the file; one byte past the limit says that it is too large.
        password: that it was made with.
        source: its name for errors.

    Raises:
        KeystoreError: `keystore_password`, or it is malformed.
        InputError: `handover_malformed`, it is no handover file of this version.
    """
    document = read_json(
        data, _Document, source=source, limit_bytes=FILE_MAX_BYTES, code="handover_malformed"
    )
    if document.phalanx_handover != SCHEMA:
        raise _malformed(source, f"has version {document.phalanx_handover}, known is {SCHEMA}")
    sealed = check_modules(document.crypto, source=source, prefix="crypto.")
    packed = open_sealed(sealed, password, source=source).reveal()
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, CONTENT_MAX_BYTES)
        if not unpacking.eof:
            raise _malformed(source, f"is cut off, or holds more than {CONTENT_MAX_BYTES} bytes")
        package = msgspec.msgpack.decode(content, type=Package)
    except (zlib.error, msgspec.DecodeError) as problem:
        raise _malformed(source, f"holds something else: {problem}") from problem
    return package


def _malformed(source: str, what: str) -> InputError:
    return InputError(
        f"{source} {what}",
        code="handover_malformed",
        hint="Name a file that `phalanx node handover export` of this version wrote.",
    )


__all__ = ["IV_BYTES", "SALT_BYTES", "Package", "Registry", "read_package", "write_package"]
