"""The operator's key in a node: every file form, closed files only, and no sight of the secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.signer.operator_key import OperatorKey
from sdk.crypto import bls
from sdk.crypto.operator_keys import OperatorPrivateKey, encrypt_share
from sdk.crypto.operator_keystore import encrypt_operator_key
from sdk.crypto.password_box import Pbkdf2
from sdk.crypto.secret import Password, SecretKey
from sdk.errors import ConfigError, InputError, KeysharesError, KeystoreError
from sdk.testing.keys import operator_key

KEY = operator_key(1)
PASSWORD = b"correct horse"


def private_file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def keystore(folder: Path, key: OperatorPrivateKey = KEY) -> Path:
    data = encrypt_operator_key(key, Password(PASSWORD), kdf=Pbkdf2(c=10))
    return private_file(folder / "key.json", data)


def test_keystore_opens_with_its_password_file(tmp_path: Path) -> None:
    password = private_file(tmp_path / "password", PASSWORD + b"\n")
    opened = OperatorKey.open(keystore(tmp_path), password_file=password)
    assert opened.public_key == KEY.public_key


def test_keystore_of_the_existing_node_opens(tmp_path: Path) -> None:
    path = keystore(tmp_path)
    private_file(path, path.read_bytes().replace(b'"pubkey"', b'"pubKey"'))
    password = private_file(tmp_path / "password", PASSWORD)
    assert OperatorKey.open(path, password_file=password).public_key == KEY.public_key


@pytest.mark.parametrize("text", [KEY.reveal_pem(), KEY.reveal_base64().encode() + b"\n"])
def test_pem_and_its_base64_open(tmp_path: Path, text: bytes) -> None:
    opened = OperatorKey.open(private_file(tmp_path / "key", text))
    assert opened.public_key == KEY.public_key


def test_raw_key_out_of_the_settings_opens() -> None:
    opened = OperatorKey.from_text(Password.from_text(KEY.reveal_base64()))
    assert opened.public_key == KEY.public_key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = private_file(tmp_path / "key", KEY.reveal_pem())
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"has mode {mode:04o}.*chmod 600") as caught:
        OperatorKey.open(path)
    assert caught.value.code == "key_file_open"


def test_password_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    password = private_file(tmp_path / "password", PASSWORD)
    password.chmod(0o644)
    with pytest.raises(ConfigError, match="password has mode 0644"):
        OperatorKey.open(keystore(tmp_path), password_file=password)


def test_keystore_without_password_file_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Set KeyStore\.PasswordFile or PASSWORD_FILE"):
        OperatorKey.open(keystore(tmp_path))


def test_wrong_password_is_refused_and_not_shown(tmp_path: Path) -> None:
    password = private_file(tmp_path / "password", b"open sesame")
    with pytest.raises(KeystoreError) as caught:
        OperatorKey.open(keystore(tmp_path), password_file=password)
    assert caught.value.code == "keystore_password"
    assert "sesame" not in f"{caught.value} {caught.value.data}"


def test_missing_and_oversized_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        OperatorKey.open(tmp_path / "none")
    with pytest.raises(InputError, match="more than 65536 bytes"):
        OperatorKey.open(private_file(tmp_path / "big", bytes(70_000)))


def test_key_signs_and_decrypts() -> None:
    key = OperatorKey(KEY)
    secret = SecretKey(99)
    signature = key.sign(b"message")
    assert len(signature) == 256
    assert key.public_key.verify(b"message", signature)
    ciphertext = encrypt_share(key.public_key, secret)
    assert key.decrypt(ciphertext, bls.public_key(secret)) == secret
    with pytest.raises(KeysharesError):
        key.decrypt(ciphertext, bls.public_key(SecretKey(98)))


def test_key_never_shows_itself() -> None:
    key = OperatorKey(KEY)
    assert f"{key!r} {key}" == "<redacted> <redacted>"
