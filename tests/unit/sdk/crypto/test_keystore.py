"""EIP-2335 keystores: the published ones, passwords, bounds and what must be refused."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest

from sdk.crypto import bls, password_box
from sdk.crypto.keystore import (
    KEYSTORE_MAX_BYTES,
    decrypt,
    encrypt,
    parse_keystore,
)
from sdk.crypto.password_box import (
    Kdf,
    PasswordForm,
    Pbkdf2,
    Scrypt,
    memory_bytes,
    open_sealed,
    standard_password,
)
from sdk.crypto.secret import CURVE_ORDER, Password, SecretKey
from sdk.errors import KeystoreError
from tests.unit.sdk.crypto.eip2335_cases import (
    CHEAP,
    EIP_PASSWORD,
    EIP_PASSWORD_BYTES,
    EIP_PBKDF2,
    EIP_PUBKEY,
    EIP_SALT,
    EIP_SCRYPT,
    EIP_SECRET,
    ID,
    IV,
    PASSWORD,
    SALT,
    SECRET,
    changed,
    cheap_keystore,
    refused,
)


@pytest.mark.parametrize(
    ("document", "kdf"), [(EIP_SCRYPT, Scrypt()), (EIP_PBKDF2, Pbkdf2())], ids=["scrypt", "pbkdf2"]
)
def test_the_published_keystores_open(document: dict[str, Any], kdf: Kdf) -> None:
    keystore = parse_keystore(json.dumps(document).encode())
    assert keystore.sealed.kdf == kdf
    assert keystore.path == document["path"]
    opened = decrypt(keystore, Password.from_text(EIP_PASSWORD))
    assert opened.secret == SecretKey(EIP_SECRET)
    assert opened.public_key.hex() == EIP_PUBKEY
    assert opened.form is PasswordForm.STANDARD


@pytest.mark.parametrize("document", [EIP_SCRYPT, EIP_PBKDF2], ids=["scrypt", "pbkdf2"])
def test_the_published_keystores_are_written_field_by_field(document: dict[str, Any]) -> None:
    crypto = document["crypto"]
    written = encrypt(
        SecretKey(EIP_SECRET),
        Password.from_text(EIP_PASSWORD),
        kdf=Scrypt() if crypto["kdf"]["function"] == "scrypt" else Pbkdf2(),
        salt=bytes.fromhex(EIP_SALT),
        iv=bytes.fromhex(crypto["cipher"]["params"]["iv"]),
        uuid=UUID(document["uuid"]),
        path=document["path"],
        description=document["description"],
    )
    assert json.loads(written) == document


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        (EIP_PASSWORD, EIP_PASSWORD_BYTES),
        ("plain ascii", b"plain ascii"),
        ("é", b"e\xcc\x81"),
        ("e\u0301", b"e\xcc\x81"),
        ("ﬁ", b"fi"),
        ("a\x00\x1f\x7f\x80\x9fb", b"ab"),
        (" \u00a0~", b"  ~"),
        ("line\n", b"line"),
    ],
)
def test_passwords_are_normalised_and_stripped(text: str, standard: bytes) -> None:
    assert standard_password(text.encode()) == standard


@pytest.mark.parametrize("typed", ["é", "e\u0301", "e\u0301\n"])
def test_equal_passwords_open_the_keystore_however_they_are_typed(typed: str) -> None:
    keystore = cheap_keystore(password="é".encode())
    assert decrypt(keystore, Password.from_text(typed)).form is PasswordForm.STANDARD


@pytest.mark.parametrize("raw", ["é".encode(), b"tab\there", b"\xff\xfe"])
def test_a_keystore_made_with_raw_bytes_opens_and_says_so(
    raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken_tool:
        broken_tool.setattr(password_box, "standard_password", bytes)
        keystore = cheap_keystore(password=raw)
    opened = decrypt(keystore, Password(raw))
    assert (opened.secret, opened.form) == (SECRET, PasswordForm.RAW)


@pytest.mark.parametrize(("raw", "derivations"), [(b"ascii", 1), ("é".encode(), 2), (b"\xff", 1)])
def test_a_password_is_derived_once_per_distinct_form(
    raw: bytes, derivations: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keystore = cheap_keystore()
    calls = []
    derive = password_box._derive

    def counted(password: bytes, kdf: Kdf, salt: bytes, *, source: str) -> bytes:
        calls.append(password)
        return derive(password, kdf, salt, source=source)

    monkeypatch.setattr(password_box, "_derive", counted)
    with pytest.raises(KeystoreError):
        decrypt(keystore, Password(raw))
    assert len(calls) == derivations


@pytest.mark.parametrize("raw", [b"wrong", b"", b"correct horse ", b"\xff\xff"])
def test_a_wrong_password_is_told_apart_by_its_code(raw: bytes) -> None:
    with pytest.raises(KeystoreError) as caught:
        decrypt(cheap_keystore(), Password(raw))
    assert caught.value.code == "keystore_password"
    assert "keystore-0.json" in caught.value.message


def test_a_password_longer_than_any_real_one_is_refused() -> None:
    with pytest.raises(KeystoreError) as caught:
        decrypt(cheap_keystore(), Password(b"x" * 4097))
    assert caught.value.code == "keystore_password_form"


@pytest.mark.parametrize("raw", [b"", b"\n", b"\xff"])
def test_a_new_keystore_needs_a_password_with_a_standard_form(raw: bytes) -> None:
    with pytest.raises(KeystoreError) as caught:
        encrypt(SECRET, Password(raw), kdf=CHEAP, salt=SALT, iv=IV, uuid=ID)
    assert caught.value.code == "keystore_password_form"


def test_a_changed_ciphertext_is_noticed() -> None:
    message = EIP_PBKDF2["crypto"]["cipher"]["message"]
    data = changed("crypto.cipher.message", "00" + message[2:])
    with pytest.raises(KeystoreError) as caught:
        decrypt(parse_keystore(data), Password.from_text(EIP_PASSWORD))
    assert caught.value.code == "keystore_password"


def test_another_public_key_is_refused() -> None:
    data = changed("pubkey", bls.public_key(SecretKey(5)).hex())
    with pytest.raises(KeystoreError) as caught:
        decrypt(parse_keystore(data), Password.from_text(EIP_PASSWORD))
    assert caught.value.code == "keystore_pubkey_mismatch"


@pytest.mark.parametrize("value", [..., "", None])
def test_a_keystore_without_public_key_opens(value: object) -> None:
    keystore = parse_keystore(changed("pubkey", value))
    assert keystore.public_key is None
    opened = decrypt(keystore, Password.from_text(EIP_PASSWORD))
    assert opened.public_key.hex() == EIP_PUBKEY


@pytest.mark.parametrize("plaintext", [bytes(32), CURVE_ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_content_that_is_no_secret_key_is_refused(plaintext: bytes) -> None:
    with pytest.raises(KeystoreError) as caught:
        decrypt(cheap_keystore(plaintext=plaintext), PASSWORD)
    assert caught.value.code == "keystore_secret_range"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 0),
        ("n", 1),
        ("n", -2),
        ("n", 262143),
        ("n", 2**21),
        ("n", 2**64),
        ("n", 10**1000),
        ("r", 0),
        ("r", 2**31),
        ("r", 1025),
        ("r", 33),  # 128 · 33 · 2**18 is above 1 GiB
        ("p", 0),
        ("p", 17),
    ],
)
def test_scrypt_costs_are_bounded_before_deriving(field: str, value: int) -> None:
    error = refused(changed(f"crypto.kdf.params.{field}", value, of=EIP_SCRYPT))
    assert error.code in ("keystore_cost", "keystore_malformed")
    assert f"crypto.kdf.params.{field}" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize("value", [0, -1, 10**8 + 1, 2**63])
def test_pbkdf2_cost_is_bounded_before_deriving(value: int) -> None:
    error = refused(changed("crypto.kdf.params.c", value))
    assert error.code == "keystore_cost"
    assert str(value) in error.message


@pytest.mark.parametrize(
    ("kdf", "allowed"),
    [
        (Scrypt(n=2**20, r=8, p=16), True),
        (Scrypt(n=2, r=1, p=1), True),
        (Scrypt(n=2**20, r=9, p=1), False),
        (Scrypt(n=2**15, r=1, p=1), True),
        (Scrypt(n=2**16, r=1, p=1), False),
        (Pbkdf2(c=1), True),
        (Pbkdf2(c=10**8), True),
    ],
)
def test_the_bounds_themselves_are_allowed(kdf: Kdf, allowed: bool) -> None:
    if allowed:
        password_box.check_cost(kdf)
    else:
        with pytest.raises(KeystoreError):
            password_box.check_cost(kdf)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("crypto", ...),
        ("crypto", []),
        ("crypto.kdf", ...),
        ("crypto.kdf.function", "argon2"),
        ("crypto.kdf.function", ...),
        ("crypto.kdf.params.dklen", 64),
        ("crypto.kdf.params.dklen", "32"),
        ("crypto.kdf.params.c", 1.5),
        ("crypto.kdf.params.c", True),
        ("crypto.kdf.params.prf", "hmac-sha512"),
        ("crypto.kdf.params.salt", ""),
        ("crypto.kdf.params.salt", "00" * 65),
        ("crypto.kdf.params.salt", "0g"),
        ("crypto.checksum.function", "md5"),
        ("crypto.checksum.message", "00" * 31),
        ("crypto.cipher.function", "aes-256-gcm"),
        ("crypto.cipher.params.iv", "00" * 12),
        ("crypto.cipher.params", None),
        ("crypto.cipher.message", "00" * 31),
        ("crypto.cipher.message", "00" * 33),
        ("crypto.cipher.message", 7),
        ("pubkey", "00" * 47),
        ("pubkey", "zz" * 48),
        ("pubkey", 1),
        ("version", ...),
        ("version", "4"),
        ("path", 1),
    ],
)
def test_a_malformed_field_is_named(field: str, value: object) -> None:
    error = refused(changed(field, value))
    assert error.code == "keystore_malformed"
    shown = field.rpartition(".")[2] if value is ... else field
    assert shown in error.message


@pytest.mark.parametrize("version", [1, 3, 5, -4])
def test_other_versions_are_refused_as_such(version: int) -> None:
    assert refused(changed("version", version)).code == "keystore_version"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"4",
        b"NaN",
        b'{"version":NaN}',
        b'{"version":4',
        b'{"version":' + b"9" * 5000 + b"}",
        b'{"version":4,"crypto":' + b"[" * 60_000,
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"\xff\xfe{}",
        b'{"version":4,"path":"\\ud800"}',
        b" " * (KEYSTORE_MAX_BYTES + 1),
    ],
)
def test_what_is_no_keystore_is_refused(data: bytes) -> None:
    assert refused(data).code == "keystore_malformed"


def test_a_byte_order_mark_is_tolerated() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(EIP_PBKDF2).encode()
    assert parse_keystore(data).uuid == EIP_PBKDF2["uuid"]


def test_memory_is_that_of_the_scrypt_table() -> None:
    assert memory_bytes(Scrypt()) == 256 * 2**20
    assert memory_bytes(Pbkdf2()) == 0


def test_a_machine_without_the_memory_is_told_so() -> None:
    """In a process of its own, because the limit cannot be lifted again."""
    script = """
import resource
from sdk.crypto.password_box import Scrypt, seal
from sdk.crypto.secret import Password
from sdk.errors import KeystoreError

resource.setrlimit(resource.RLIMIT_AS, (600 * 2**20, 600 * 2**20))
try:
    seal(bytes(32), Password(b"x"), kdf=Scrypt(n=2**20), salt=bytes(32), iv=bytes(16))
except KeystoreError as error:
    print(error.code, error.message)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.startswith("keystore_memory new keystore: scrypt needs 1024 MiB")


def test_secrets_do_not_show() -> None:
    keystore = cheap_keystore()
    opened = decrypt(keystore, PASSWORD)
    assert f"{SECRET.reveal():x}" not in repr(opened).lower()
    assert repr(open_sealed(keystore.sealed, PASSWORD, source="x")) == "<redacted>"
