"""EIP-2335 keystores: the published ones, passwords, bounds and what must be refused."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sdk.crypto import bls, keystore_files, password_box
from sdk.crypto.keystore import (
    KEYSTORE_MAX_BYTES,
    Keystore,
    decrypt,
    encrypt,
    looks_like_keystore,
    parse_keystore,
)
from sdk.crypto.keystore_files import create_keystore, find_keystores, load_keystore
from sdk.crypto.password_box import (
    Kdf,
    PasswordForm,
    Pbkdf2,
    Scrypt,
    memory_bytes,
    open_sealed,
    seal,
    standard_password,
)
from sdk.crypto.secret import CURVE_ORDER, Password, SecretKey
from sdk.errors import InputError, KeystoreError

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


@pytest.mark.parametrize(
    ("data", "is_keystore"),
    [
        (json.dumps(EIP_SCRYPT).encode(), True),
        (changed("crypto", None), True),
        (json.dumps(EIP_SCRYPT).encode()[:700], True),
        (b'[{"pubkey": "00", "amount": 32000000000}]', False),
        (b'{"version": "v1.2.0", "shares": []}', False),
        (b'{"kdf": {}, "checksum": {}, "cipher": {}, "pubKey": "x"}', False),
        (b"", False),
        (b"[" * 50_000, False),
        (b'"crypto"' * KEYSTORE_MAX_BYTES, False),
    ],
)
def test_files_meant_as_keystores_are_told_from_others(data: bytes, is_keystore: bool) -> None:
    assert looks_like_keystore(data) is is_keystore


def test_a_folder_gives_its_keystores_by_name_and_nothing_else(tmp_path: Path) -> None:
    keystore = json.dumps(EIP_PBKDF2).encode()
    for name, data in {
        "keystore-b.json": keystore,
        "a-renamed.json": keystore,
        "keystore-c.json": b"",
        "deposit_data-1.json": b"[]",
        "keystore-d.txt": keystore,
        "notes.json": b"not json",
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "keystore-folder.json").mkdir()
    names = [path.name for path in find_keystores(tmp_path)]
    assert names == ["a-renamed.json", "keystore-b.json", "keystore-c.json"]


def test_a_folder_with_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore_files, "FOLDER_MAX_FILES", 1)
    for name in ("1.json", "2.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(InputError) as caught:
        find_keystores(tmp_path)
    assert caught.value.code == "folder_too_large"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for read in (load_keystore, find_keystores):
        with pytest.raises(InputError, match="absent") as caught:
            read(tmp_path / "absent")
        assert caught.value.code == "file_unreadable"


def test_a_loaded_keystore_is_named_in_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "keystore-9.json"
    path.write_bytes(create_keystore(SECRET, PASSWORD, kdf=CHEAP))
    keystore = load_keystore(path)
    assert decrypt(keystore, PASSWORD).secret == SECRET
    with pytest.raises(KeystoreError, match=r"^keystore-9\.json"):
        decrypt(keystore, Password(b"other"))
    path.write_bytes(b" " * (KEYSTORE_MAX_BYTES + 9))
    with pytest.raises(KeystoreError, match="limit is 65536"):
        load_keystore(path)


def test_new_keystores_never_share_salt_iv_or_uuid() -> None:
    first, second = (json.loads(create_keystore(SECRET, PASSWORD, kdf=CHEAP)) for _ in range(2))
    assert first["uuid"] != second["uuid"]
    assert UUID(first["uuid"]).version == 4
    for module, field in (("kdf", "salt"), ("cipher", "iv")):
        assert first["crypto"][module]["params"][field] != second["crypto"][module]["params"][field]


@pytest.mark.parametrize(
    ("kdf", "salt", "iv", "code"),
    [
        (Scrypt(n=3), SALT, IV, "keystore_cost"),
        (Pbkdf2(c=0), SALT, IV, "keystore_cost"),
        (CHEAP, b"", IV, "keystore_malformed"),
        (CHEAP, bytes(65), IV, "keystore_malformed"),
        (CHEAP, SALT, bytes(15), "keystore_malformed"),
    ],
)
def test_a_new_keystore_obeys_the_same_bounds(kdf: Kdf, salt: bytes, iv: bytes, code: str) -> None:
    with pytest.raises(KeystoreError) as caught:
        encrypt(SECRET, PASSWORD, kdf=kdf, salt=salt, iv=iv, uuid=ID)
    assert caught.value.code == code
