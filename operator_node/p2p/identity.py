"""The node's network identity: a secp256k1 key in a private file, made at the first start.

Independent of the operator key: it can be exchanged at any time, peers learn the new id by a new
address record. Never shows the key.

Source: libp2p peer ids; docs/protocol.md, "Identifiers".
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from libp2p.crypto.keys import KeyPair
from libp2p.crypto.secp256k1 import create_new_key_pair
from libp2p.peer.id import ID

from operator_node.p2p.scoring import PeerId
from sdk.errors import ConfigError, StorageError
from sdk.files import read_bounded, write_private

_KEY_BYTES: Final = 32
_FILE_BYTES: Final = 2 * _KEY_BYTES + 4
"""64 hex digits, perhaps `0x`, and a line end."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is to its peers."""

    peer: PeerId
    key: KeyPair = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Identity:
        """From the private key, 32 bytes.

        Raises:
            ConfigError: `network_key_malformed`; the key is not quoted.
        """
        if len(secret) != _KEY_BYTES:
            raise _malformed("it has not 32 bytes")
        try:
            key = create_new_key_pair(secret)
        except ValueError:
            raise _malformed("it is outside the curve's order") from None
        return cls(PeerId(ID.from_pubkey(key.public_key).to_base58()), key)


def load_identity(path: Path) -> Identity:
    """The identity in the file, a new one if there is no file yet.

    Raises:
        ConfigError: `network_key_malformed`; `network_key_exposed`, others may read the file.
        InputError: `file_unreadable`.
        StorageError: the disk refused a new file.
    """
    if not path.exists():
        secret = create_new_key_pair().private_key.to_bytes()
        write_private(path, secret.hex().encode() + b"\n")
        return Identity.of(secret)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as problem:
        raise StorageError(f"cannot look at {path}: {problem.strerror}") from problem
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{path} holds the network key and has mode {mode:04o}",
            code="network_key_exposed",
            hint=f"Take it away from others: chmod 600 {path}",
        )
    return identity_from_hex(read_bounded(path, limit_bytes=_FILE_BYTES).decode(errors="replace"))


def identity_from_hex(text: str) -> Identity:
    """From 64 hex digits, with or without `0x`.

    Raises:
        ConfigError: `network_key_malformed`.
    """
    try:
        return Identity.of(bytes.fromhex(text.strip().removeprefix("0x")))
    except ValueError:
        raise _malformed("it is no hexadecimal number") from None


def _malformed(why: str) -> ConfigError:
    return ConfigError(
        f"the network key cannot be used: {why}",
        code="network_key_malformed",
        hint="It is 64 hexadecimal digits. Without a file a new one is made.",
    )
