"""Every custom error of the registry is an exception that explains itself."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from sdk.client import contract_errors
from sdk.client.abi import canonical_type, registry_abi
from sdk.client.calls import revert_data
from sdk.client.contract_errors import ERRORS, RegistryError, UnknownRevert, decode_revert
from sdk.client.operation import Refused
from sdk.types import keccak256

ABI_ERRORS = [entry for entry in registry_abi() if entry["type"] == "error"]


KEY = bytes(range(32))


def signature(entry: dict[str, object]) -> str:
    inputs = entry["inputs"]
    assert isinstance(inputs, list)
    return f"{entry['name']}({','.join(map(canonical_type, inputs))})"


def test_every_error_of_the_abi_has_a_class() -> None:
    declared = {signature(dict(entry)) for entry in ABI_ERRORS}
    assert declared <= {error.signature for error in ERRORS.values()}


def test_argument_names_are_those_of_the_abi() -> None:
    for entry in ABI_ERRORS:
        types = [canonical_type(each) for each in entry["inputs"]]
        samples = {"address": "0x" + "33" * 20, "bytes": b"1", "bytes4": b"1234", "bytes32": KEY}
        values = [samples.get(kind, 7) for kind in types]
        data = keccak256(signature(dict(entry)).encode())[:4] + encode(types, values)
        error = decode_revert(data, subject="test")
        assert type(error) is ERRORS[entry["name"]]
        assert list(error.data) == [each["name"] for each in entry["inputs"]]


def test_every_class_says_what_it_means_and_what_to_do() -> None:
    for name, error in ERRORS.items():
        made = decode_revert(keccak256(error.signature.encode())[:4], subject="deposit")
        assert type(made).__name__ == name
        assert made.message.startswith("deposit: ")
        assert name in made.message
        assert made.hint
        assert made.hint.endswith(".")
    assert len({error.default_code for error in ERRORS.values()}) == len(ERRORS)


def test_classes_are_imported_by_name() -> None:
    assert contract_errors.IncorrectClusterState is ERRORS["IncorrectClusterState"]
    assert issubclass(contract_errors.ETHTransferFailed, RegistryError)
    assert contract_errors.ETHTransferFailed.default_code == "eth_transfer_failed"
    with pytest.raises(AttributeError):
        _ = contract_errors.NoSuchError


def test_arguments_are_shown() -> None:
    data = keccak256(b"CallerNotWhitelistedWithData(uint64)")[:4] + encode(["uint64"], [42])
    error = decode_revert(data, subject="register")
    assert error.data == {"operatorId": 42}
    assert "operatorId 42" in str(error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "without a reason"),
        (b"\x01\x02", "unknown data 0x0102"),
        (b"\xde\xad\xbe\xef" + bytes(40), "unknown data 0xdeadbeef"),
        (keccak256(b"Error(string)")[:4] + encode(["string"], ["no"]), "says 'no'"),
        (keccak256(b"Panic(uint256)")[:4] + encode(["uint256"], [17]), "panics with code 17"),
        (keccak256(b"Error(string)")[:4] + b"\xff", "something unreadable"),
    ],
)
def test_foreign_reverts_are_told_apart(data: bytes, words: str) -> None:
    error = decode_revert(data, subject="call")
    assert type(error) is UnknownRevert
    assert words in error.message


def test_cut_off_arguments_do_not_hide_the_error() -> None:
    data = keccak256(b"CallerNotWhitelistedWithData(uint64)")[:4] + b"\x01"
    error = decode_revert(data, subject="register")
    assert type(error) is contract_errors.CallerNotWhitelistedWithData
    assert error.data == {}


@pytest.mark.parametrize(
    ("refused", "data"),
    [
        (Refused(3, "execution reverted", "0x1234"), b"\x12\x34"),
        (Refused(3, "execution reverted"), b""),
        (Refused(-32000, "execution reverted", "0x"), b""),
        (Refused(-32015, "VM execution error.", "Reverted 0x1234"), b"\x12\x34"),
        (Refused(-32000, "VM error", {"data": "0x1234"}), b"\x12\x34"),
        (Refused(-32000, "VM Exception: revert", {"other": 1}), b""),
        (Refused(-32000, "insufficient funds"), None),
        (Refused(-32000, "broken", "0xzz"), None),
    ],
)
def test_revert_data_is_found_where_nodes_put_it(refused: Refused, data: bytes | None) -> None:
    assert revert_data(refused) == data
