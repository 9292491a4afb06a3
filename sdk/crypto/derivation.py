"""Validator keys derived from a seed.

Pure. Mnemonics are turned into seeds elsewhere; nothing here reads or draws one.

Source: EIP-2333 (key tree), EIP-2334 (paths).
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.errors import InputError, UsageError

SEED_MIN_BYTES: Final = 32
INDEX_LIMIT: Final = 2**32
PATH_MAX_LEVELS: Final = 16
"""Validator paths have four levels; each level costs about a millisecond."""

_SALT: Final = b"BLS-SIG-KEYGEN-SALT-"
_CANDIDATE_BYTES: Final = 48
"""L of hkdf_mod_r: ceil(1.5 · ceil(log2 r) / 8), so that the bias modulo r is negligible."""
_CHUNK_BYTES: Final = 32
_CHUNKS: Final = 255
"""Chunks of one Lamport key, the most that HKDF-SHA-256 can expand to."""
_PATH: Final = re.compile(r"m(/(0|[1-9][0-9]{0,9}))*")


def master_key(seed: bytes) -> SecretKey:
    """The root of the key tree of `seed`.

    Raises:
        InputError: `seed_length`, fewer than 32 bytes.
    """
    if len(seed) < SEED_MIN_BYTES:
        raise InputError(
            f"a seed has at least {SEED_MIN_BYTES} bytes, got {len(seed)}", code="seed_length"
        )
    return _hkdf_mod_r(seed)


def child_key(parent: SecretKey, index: int) -> SecretKey:
    """The child of `parent` at `index`, 0 to 2**32 - 1.

    Raises:
        InputError: `derivation_path`, index out of range.
    """
    if not 0 <= index < INDEX_LIMIT:
        raise InputError(
            f"a key index is from 0 to {INDEX_LIMIT - 1}, got {index}", code="derivation_path"
        )
    return _hkdf_mod_r(_compressed_lamport_key(parent, index.to_bytes(4, "big")))


def derive_path(seed: bytes, path: str) -> SecretKey:
    """The key at a path such as `m/12381/3600/0/0/0`.

    Raises:
        InputError: `seed_length`, or `derivation_path`.
    """
    if len(path) > PATH_MAX_LEVELS * 11 or not _PATH.fullmatch(path):
        raise InputError(
            f"{path[:64]!r} is no key path",
            code="derivation_path",
            hint="Expected m/12381/3600/<index>/0/0.",
        )
    levels = [int(level) for level in path.split("/")[1:]]
    if len(levels) > PATH_MAX_LEVELS:
        raise InputError(
            f"{path} has {len(levels)} levels, the limit is {PATH_MAX_LEVELS}",
            code="derivation_path",
        )
    key = master_key(seed)
    for index in levels:
        key = child_key(key, index)
    return key


def validator_path(index: int) -> str:
    """The path of the signing key of the validator at `index` of a seed.

    Source: EIP-2334, Ethereum specific parameters.
    """
    return f"{withdrawal_path(index)}/0"


def withdrawal_path(index: int) -> str:
    """The path of the withdrawal key of the validator at `index` of a seed."""
    if not 0 <= index < INDEX_LIMIT:
        raise UsageError(f"a validator index is from 0 to {INDEX_LIMIT - 1}, got {index}")
    return f"m/12381/3600/{index}/0"


def _hkdf_mod_r(material: bytes) -> SecretKey:
    salt = _SALT
    while True:
        # The standard rehashes the salt before every try, the first included.
        salt = hashlib.sha256(salt).digest()
        expand = HKDF(
            algorithm=SHA256(),
            length=_CANDIDATE_BYTES,
            salt=salt,
            info=_CANDIDATE_BYTES.to_bytes(2, "big"),
        )
        scalar = int.from_bytes(expand.derive(material + b"\x00"), "big") % CURVE_ORDER
        if scalar:
            return SecretKey(scalar)


def _compressed_lamport_key(parent: SecretKey, salt: bytes) -> bytes:
    material = parent.to_bytes()
    flipped = bytes(byte ^ 0xFF for byte in material)
    digest = hashlib.sha256()
    for half in (material, flipped):
        for chunk in _lamport_chunks(half, salt):
            digest.update(hashlib.sha256(chunk).digest())
    return digest.digest()


def _lamport_chunks(material: bytes, salt: bytes) -> list[bytes]:
    length = _CHUNK_BYTES * _CHUNKS
    stream = HKDF(algorithm=SHA256(), length=length, salt=salt, info=b"").derive(material)
    return [stream[start : start + _CHUNK_BYTES] for start in range(0, length, _CHUNK_BYTES)]
