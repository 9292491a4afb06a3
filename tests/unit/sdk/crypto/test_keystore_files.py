"""Keystores on disk: found in folders, read with bounds, made with fresh randomness."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from sdk.crypto import keystore_files
from sdk.crypto.keystore import (
    KEYSTORE_MAX_BYTES,
    decrypt,
    encrypt,
    looks_like_keystore,
)
from sdk.crypto.keystore_files import create_keystore, find_keystores, load_keystore
from sdk.crypto.password_box import (
    Kdf,
    Pbkdf2,
    Scrypt,
)
from sdk.crypto.secret import Password
from sdk.errors import InputError, KeystoreError
from tests.unit.sdk.crypto.eip2335_cases import (
    CHEAP,
    EIP_PBKDF2,
    EIP_SCRYPT,
    ID,
    IV,
    PASSWORD,
    SALT,
    SECRET,
    changed,
)


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
