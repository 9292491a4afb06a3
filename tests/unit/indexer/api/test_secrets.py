"""Names of secrets are known in every spelling, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from indexer.api.secrets import MOST_DEPTH, find_secret, is_secret_name


@pytest.mark.parametrize(
    "name",
    [
        *("password", "Password", "keystore_password", "KEYSTORE-PASSWORD", "passphrase"),
        *("private_key", "privateKey", "operatorPrivateKey", "secret", "secret_key", "seed"),
        *("mnemonic", "Mnemonics", "seed phrase", "recovery_phrase", "crypto", "keystores"),
    ],
)
def test_secrets_are_known_by_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("public_key", "publicKey", "operatorKey", "sharesData", "ownerNonce", "payload"),
        *("cursor", "owner", "q", "name", "topics", "encryptedKeys", "amount_wei", "seeded"),
    ],
)
def test_what_routes_and_keyshares_files_name_is_no_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"a": [{"b": {"password": "x"}}]}, "password"),
        ([[{"crypto": {"kdf": {}}}]], "crypto"),
        ({"a": "password"}, None),
        ({"password_hint_is_no_field": 1}, None),
        ("secret", None),
        ([], None),
    ],
)
def test_a_secret_is_found_wherever_it_stands(document: Any, found: str | None) -> None:
    assert find_secret(document) == found


def test_a_keyshares_file_holds_no_secret() -> None:
    names = {
        "data": {"ownerNonce": 1, "operators": [{"id": 1, "operatorKey": ""}]},
        "payload": {"publicKey": "", "operatorIds": [], "sharesData": ""},
    }
    assert find_secret({"version": "v1.2.0", "createdAt": "", "shares": [names]}) is None


def test_depth_is_bounded() -> None:
    document: Any = []
    for _ in range(MOST_DEPTH + 2):
        document = [document]
    with pytest.raises(RecursionError):
        find_secret(document)
