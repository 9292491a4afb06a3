"""EIP-2335's published keystores, and short ways to change and refuse them, for several tests."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import UUID

import pytest

from sdk.crypto.keystore import (
    Keystore,
    encrypt,
    parse_keystore,
)
from sdk.crypto.password_box import (
    Pbkdf2,
    seal,
)
from sdk.crypto.secret import Password, SecretKey
from sdk.errors import KeystoreError

# EIP-2335, test cases "scrypt" and "pbkdf2": password, its encoding, secret, both files.

# EIP-2335, test cases "scrypt" and "pbkdf2": password, its encoding, secret, both files.
EIP_PASSWORD = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"
EIP_PASSWORD_BYTES = bytes.fromhex("7465737470617373776f7264f09f9491")
EIP_SECRET = 0x000000000019D6689C085AE165831E934FF763AE46A2A6C172B3F1B60A8CE26F
EIP_SALT = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
EIP_PUBKEY = (
    "9612d7a727c9d0a22e185a1c768478dfe919cada9266988c"
    "b32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07"
)
EIP_SCRYPT: dict[str, Any] = {
    "crypto": {
        "kdf": {
            "function": "scrypt",
            "params": {"dklen": 32, "n": 262144, "p": 1, "r": 8, "salt": EIP_SALT},
            "message": "",
        },
        "checksum": {
            "function": "sha256",
            "params": {},
            "message": "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
        },
        "cipher": {
            "function": "aes-128-ctr",
            "params": {"iv": "264daa3f303d7259501c93d997d84fe6"},
            "message": "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f",
        },
    },
    "description": "This is a test keystore that uses scrypt to secure the secret.",
    "pubkey": EIP_PUBKEY,
    "path": "m/12381/60/3141592653/589793238",
    "uuid": "1d85ae20-35c5-4611-98e8-aa14a633906f",
    "version": 4,
}
EIP_PBKDF2: dict[str, Any] = copy.deepcopy(EIP_SCRYPT) | {
    "path": "m/12381/60/0/0",
    "uuid": "64625def-3331-4eea-ab6f-782f3ed16a83",
}
EIP_PBKDF2["crypto"]["kdf"] = {
    "function": "pbkdf2",
    "params": {"dklen": 32, "c": 262144, "prf": "hmac-sha256", "salt": EIP_SALT},
    "message": "",
}
EIP_PBKDF2["crypto"]["checksum"]["message"] = (
    "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1"
)
EIP_PBKDF2["crypto"]["cipher"]["message"] = (
    "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad"
)

SECRET = SecretKey(0xC0FFEE)
PASSWORD = Password(b"correct horse")
CHEAP = Pbkdf2(c=1)
SALT, IV, ID = bytes(range(32)), bytes(range(16)), UUID(int=7, version=4)


def changed(field: str, value: object, *, of: dict[str, Any] = EIP_PBKDF2) -> bytes:
    """The keystore with one field replaced; the field is dropped if the value is `...`."""
    document = copy.deepcopy(of)
    *parents, last = field.split(".")
    target = document
    for name in parents:
        target = target[name]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return json.dumps(document).encode()


def cheap_keystore(
    *, password: bytes = b"correct horse", plaintext: bytes | None = None
) -> Keystore:
    """A quickly opened keystore whose payload need not be a key."""
    document = json.loads(encrypt(SECRET, PASSWORD, kdf=CHEAP, salt=SALT, iv=IV, uuid=ID))
    keystore = parse_keystore(json.dumps(document).encode(), source="keystore-0.json")
    payload = SECRET.to_bytes() if plaintext is None else plaintext
    sealed = seal(payload, Password(password), kdf=CHEAP, salt=SALT, iv=IV)
    return Keystore(sealed, keystore.public_key, "", "", "", keystore.source)


def refused(data: bytes) -> KeystoreError:
    with pytest.raises(KeystoreError) as caught:
        parse_keystore(data, source="keystore-0.json")
    assert "keystore-0.json" in caught.value.message
    return caught.value
