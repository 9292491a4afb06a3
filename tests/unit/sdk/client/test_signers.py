"""Keys are read only from where nobody else reads them, and are never shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from sdk.client.addresses import to_checksum
from sdk.client.signers import LocalSigner, NodeSigner, RemoteSigner
from sdk.client.transaction import Transaction, check_calldata, check_gas, check_signature
from sdk.crypto import Password
from sdk.errors import ChainError, ConfigError, InputError, KeystoreError, NetworkError

KEY = bytes(range(1, 33))
ADDRESS = to_checksum(Account.from_key(KEY).address)
TRANSACTION = Transaction(
    chain_id=31337,
    sender=ADDRESS,
    nonce=3,
    to=to_checksum("0x" + "11" * 20),
    value_wei=5,
    data=b"\x01\x02",
    gas=21_000,
    max_fee_wei=10**9,
    priority_fee_wei=1,
)


def written(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text", [KEY.hex(), f"0x{KEY.hex()}\n", f"  {KEY.hex().upper()} \r\n"])
def test_key_file_is_read(tmp_path: Path, text: str) -> None:
    assert LocalSigner.from_key_file(written(tmp_path / "key", text)).address == ADDRESS


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "key", KEY.hex(), mode)
    with pytest.raises(InputError, match="others may read it") as caught:
        LocalSigner.from_key_file(path)
    assert caught.value.code == "key_file_mode"
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize(
    "content", ["", KEY.hex()[:-1], KEY.hex() + "00", "z" * 64, "00" * 32, b"\xff" * 64, "a" * 999]
)
def test_malformed_key_file_is_refused_without_quoting_it(
    tmp_path: Path, content: str | bytes
) -> None:
    with pytest.raises(InputError) as caught:
        LocalSigner.from_key_file(written(tmp_path / "key", content))
    assert caught.value.code == "key_file_malformed"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert KEY.hex()[:20] not in str(caught.value)


def test_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        LocalSigner.from_key_file(tmp_path / "none")
    assert caught.value.code == "file_unreadable"


def keystore(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = Account.encrypt(KEY, "right", kdf="pbkdf2", iterations=2)
    made["crypto"]["kdfparams"] |= changes
    return made


def open_keystore(path: Path, document: Any, password: bytes = b"right") -> LocalSigner:
    written(path, json.dumps(document))
    return LocalSigner.from_keystore(path, lambda: Password(password))


def test_keystore_opens_with_its_password_alone(tmp_path: Path) -> None:
    assert open_keystore(tmp_path / "a", keystore(), b"right\n").address == ADDRESS
    for password in (b"wrong", b"\xff"):
        with pytest.raises(KeystoreError) as caught:
            open_keystore(tmp_path / "b", keystore(), password)
        assert caught.value.code == "keystore_password"
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "costs", [{"c": 10**9}, {"n": 2**24, "r": 8}, {"n": 2, "r": 2**26}, {"p": 1000}]
)
def test_keystore_with_absurd_costs_is_refused_before_its_password(
    tmp_path: Path, costs: dict[str, int]
) -> None:
    path = written(tmp_path / "keystore", json.dumps(keystore(**costs)))

    def ask() -> Password:
        raise AssertionError("the password was asked for")

    with pytest.raises(KeystoreError) as caught:
        LocalSigner.from_keystore(path, ask)
    assert caught.value.code == "keystore_cost"


@pytest.mark.parametrize(
    "document", [{}, [], {"version": 4, "crypto": {}}, {"version": 3}, keystore(c="many")]
)
def test_other_documents_are_no_keystores(tmp_path: Path, document: Any) -> None:
    with pytest.raises(InputError) as caught:
        open_keystore(tmp_path / "keystore", document)
    assert caught.value.code == "keystore_malformed"


@pytest.mark.parametrize("url", ["ftp://signer", "signer:9000", "http://", "http://u:p@signer"])
def test_signer_urls_hold_no_credentials(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RemoteSigner(url, ADDRESS)
    assert caught.value.code == "signer_url"
    assert "u:p" not in str(caught.value)


def test_signers_show_their_address_alone() -> None:
    signers = [
        LocalSigner(Account.from_key(KEY)),
        RemoteSigner("https://signer.example/key", ADDRESS, headers={"X-Key": "secret"}),
        NodeSigner(ADDRESS.lower()),
    ]
    for signer in signers:
        assert repr(signer) == f"{type(signer).__name__}({ADDRESS})"


def test_signature_binds_every_field() -> None:
    unsigned = {key: value for key, value in TRANSACTION.to_dict().items() if key != "from"}
    raw = bytes(Account.sign_transaction(unsigned, KEY).raw_transaction)
    assert check_signature(raw, TRANSACTION).raw == raw
    other = bytes(Account.sign_transaction(unsigned, bytes(31) + b"\x01").raw_transaction)
    listed = unsigned | {"accessList": [{"address": "0x" + "22" * 20, "storageKeys": []}]}
    with_list = bytes(Account.sign_transaction(listed, KEY).raw_transaction)
    for wrong, words in (
        (other, "signed by"),
        (with_list, "access list"),
        (raw[:-1], "decoded"),
        (raw + b"\x00", "decoded"),
        (b"", "type 2"),
    ):
        with pytest.raises(NetworkError, match=words):
            check_signature(wrong, TRANSACTION)


def test_other_types_of_transactions_are_refused() -> None:
    """They can carry everything that was asked for, and an authorisation besides."""
    unsigned = {key: value for key, value in TRANSACTION.to_dict().items() if key != "from"}
    handed_over = Account.sign_authorization(
        {"chainId": TRANSACTION.chain_id, "address": "0x" + 40 * "2", "nonce": 4}, KEY
    )
    price = {key: value for key, value in unsigned.items() if "PerGas" not in key}
    for other, begins in (
        (unsigned | {"type": 4, "authorizationList": [handed_over]}, "0x04"),
        (price | {"type": 1, "gasPrice": 10**9, "accessList": []}, "0x01"),
    ):
        raw = bytes(Account.sign_transaction(other, KEY).raw_transaction)
        with pytest.raises(NetworkError, match=f"not of type 2 .*{begins}") as caught:
            check_signature(raw, TRANSACTION)
        assert caught.value.code == "signer_answer"


def test_limits_of_a_transaction() -> None:
    check_calldata(bytes(128 * 1024 - 256))
    with pytest.raises(ChainError, match="131073 bytes") as caught:
        check_calldata(bytes(128 * 1024 + 1), items=100)
    assert caught.value.code == "calldata_too_large"
    assert caught.value.data["fitting"] == 99
    check_gas(2**24)
    with pytest.raises(ChainError) as gas:
        check_gas(2**24 + 1)
    assert gas.value.code == "gas_too_high"


def test_most_validators_of_the_bulk_limit_fit() -> None:
    for first, more, most in (
        (1860, 1504, 86),
        (2884, 2432, 53),
        (3876, 3328, 39),
        (4900, 4256, 30),
    ):
        check_calldata(bytes(first + (most - 1) * more))
        with pytest.raises(ChainError) as caught:
            check_calldata(bytes(first + most * more), items=most + 1)
        assert caught.value.data["fitting"] == most
