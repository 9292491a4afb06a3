"""Operator keystores: both spellings of the public key, the password file, the backup drill."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sdk.crypto.eip2335 import write_modules
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.operator_keystore import (
    OPERATOR_KEYSTORE_MAX_BYTES,
    backup_proves,
    decrypt_operator_key,
    encrypt_operator_key,
    parse_operator_keystore,
)
from sdk.crypto.password_box import Kdf, Pbkdf2, Scrypt, seal
from sdk.crypto.secret import Password
from sdk.errors import InputError, KeystoreError

OWN = OperatorPrivateKey.generate()
OTHER = OperatorPrivateKey.generate()
PASSWORD = Password(b"correct horse")
CHEAP = Pbkdf2(c=1)


def document(**fields: object) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(encrypt_operator_key(OWN, PASSWORD, kdf=CHEAP))
    del written["pubkey"]
    return written | fields


def as_bytes(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("kdf", [CHEAP, Scrypt(n=2, r=1, p=1), None])
def test_what_is_written_opens_to_the_same_key(kdf: Kdf | None) -> None:
    data = encrypt_operator_key(OWN, PASSWORD, kdf=kdf)
    keystore = parse_operator_keystore(data)
    assert keystore.public_key == OWN.public_key
    assert decrypt_operator_key(keystore, PASSWORD).reveal_pem() == OWN.reveal_pem()


def test_the_modules_stand_at_top_level_with_the_usual_cost() -> None:
    written = json.loads(encrypt_operator_key(OWN, PASSWORD))
    assert set(written) == {"kdf", "checksum", "cipher", "pubkey"}
    assert written["pubkey"] == OWN.public_key.text
    assert written["kdf"]["function"] == "pbkdf2"
    assert written["kdf"]["params"]["c"] == 262144
    assert written["cipher"]["function"] == "aes-128-ctr"


@pytest.mark.parametrize("name", ["pubkey", "pubKey"])
def test_the_public_key_is_read_under_both_names(name: str) -> None:
    keystore = parse_operator_keystore(as_bytes(document(**{name: OWN.public_key.text})))
    assert keystore.public_key == OWN.public_key


@pytest.mark.parametrize("fields", [{}, {"pubkey": ""}, {"pubKey": None}])
def test_a_keystore_without_public_key_opens(fields: dict[str, object]) -> None:
    keystore = parse_operator_keystore(as_bytes(document(**fields)))
    assert keystore.public_key is None
    assert decrypt_operator_key(keystore, PASSWORD).public_key == OWN.public_key


@pytest.mark.parametrize("name", ["pubkey", "pubKey"])
def test_a_keystore_that_names_another_key_is_refused(name: str) -> None:
    keystore = parse_operator_keystore(as_bytes(document(**{name: OTHER.public_key.text})))
    with pytest.raises(KeystoreError) as caught:
        decrypt_operator_key(keystore, PASSWORD)
    assert caught.value.code == "keystore_pubkey_mismatch"


def test_two_different_public_keys_in_one_file_are_refused() -> None:
    fields = document(pubkey=OWN.public_key.text, pubKey=OTHER.public_key.text)
    with pytest.raises(KeystoreError, match="different keys"):
        parse_operator_keystore(as_bytes(fields))


@pytest.mark.parametrize("raw", [b"correct horse\n", b" correct horse\r\n", b"\tcorrect horse"])
def test_white_space_around_the_password_is_dropped(raw: bytes) -> None:
    keystore = parse_operator_keystore(as_bytes(document()))
    assert decrypt_operator_key(keystore, Password(raw)).public_key == OWN.public_key
    again = parse_operator_keystore(encrypt_operator_key(OWN, Password(raw), kdf=CHEAP))
    assert decrypt_operator_key(again, PASSWORD).public_key == OWN.public_key


def test_a_wrong_password_is_told_by_code_and_file() -> None:
    keystore = parse_operator_keystore(as_bytes(document()), source="key.json")
    with pytest.raises(KeystoreError, match=r"^key\.json") as caught:
        decrypt_operator_key(keystore, Password(b"wrong"))
    assert caught.value.code == "keystore_password"


@pytest.mark.parametrize("payload", [b"", b"not a key", bytes(32)])
def test_content_that_is_no_private_key_is_refused(payload: bytes) -> None:
    modules = write_modules(seal(payload, PASSWORD, kdf=CHEAP, salt=bytes(32), iv=bytes(16)))
    fields = document() | {
        "checksum": {"function": "sha256", "message": modules.checksum.message},
        "cipher": {
            "function": "aes-128-ctr",
            "params": {"iv": modules.cipher.params.iv},
            "message": modules.cipher.message,
        },
    }
    fields["kdf"]["params"]["salt"] = modules.kdf.params.salt
    keystore = parse_operator_keystore(as_bytes(fields))
    with pytest.raises(KeystoreError) as caught:
        decrypt_operator_key(keystore, PASSWORD)
    assert caught.value.code == "keystore_content"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("kdf.params.c", 10**8 + 1, "keystore_cost"),
        ("kdf.params.dklen", 16, "keystore_malformed"),
        ("cipher.params.iv", "", "keystore_malformed"),
        ("checksum.message", "00", "keystore_malformed"),
        ("pubkey", "no key", "keystore_malformed"),
        ("pubkey", 1, "keystore_malformed"),
    ],
)
def test_a_malformed_field_is_named(field: str, value: object, code: str) -> None:
    fields = document()
    *parents, last = field.split(".")
    target = fields
    for name in parents:
        target = target[name]
    target[last] = value
    with pytest.raises(KeystoreError) as caught:
        parse_operator_keystore(as_bytes(fields), source="key.json")
    assert caught.value.code == code
    assert caught.value.message.startswith(f"key.json: {field}")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"[" * 60_000, b" " * (OPERATOR_KEYSTORE_MAX_BYTES + 1)]
)
def test_what_is_no_keystore_is_refused(data: bytes) -> None:
    with pytest.raises(KeystoreError) as caught:
        parse_operator_keystore(data)
    assert caught.value.code == "keystore_malformed"


def test_a_backup_proves_itself_against_the_registered_key() -> None:
    backup_proves(OWN, OWN.public_key.text)


def test_the_backup_of_another_key_fails_the_drill() -> None:
    with pytest.raises(KeystoreError) as caught:
        backup_proves(OTHER, OWN.public_key.text)
    assert caught.value.code == "operator_key_mismatch"
    assert OTHER.public_key.fingerprint in caught.value.message
    assert OWN.public_key.fingerprint in caught.value.message


def test_the_drill_needs_a_readable_expected_key() -> None:
    with pytest.raises(InputError) as caught:
        backup_proves(OWN, "no key")
    assert caught.value.code == "operator_key_malformed"
