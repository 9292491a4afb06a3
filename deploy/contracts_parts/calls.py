"""Calldata, results and revert reasons by Solidity signature. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from sdk.types import keccak256

ERROR_STRING = keccak256(b"Error(string)")[:4]


def selector(signature: str) -> bytes:
    """First 4 bytes of a call: `selector("owner()")`."""
    return keccak256(signature.encode())[:4]


def call(signature: str, *arguments: Any) -> bytes:
    """Calldata of `name(type,type)` with arguments."""
    return selector(signature) + encode(types_of(signature), arguments)


def result(types: Sequence[str], data: bytes) -> Any:
    """The decoded values; a single one without its tuple."""
    values = decode(types, data)
    return values[0] if len(values) == 1 else values


def types_of(signature: str) -> list[str]:
    """Parameter types of a signature without tuples."""
    inside = signature[signature.index("(") + 1 : -1]
    return inside.split(",") if inside else []


def signature_of(entry: dict[str, Any]) -> str:
    """`name(type,type)` of an ABI entry."""
    return f"{entry['name']}({','.join(_type(given) for given in entry['inputs'])})"


def revert_reason(data: bytes, abis: Iterable[list[dict[str, Any]]]) -> str:
    """The custom error or message a revert carries, as text."""
    if not data:
        return "no reason given"
    if data[:4] == ERROR_STRING:
        return _message(data)
    for abi in abis:
        for entry in abi:
            if entry["type"] == "error" and selector(signature_of(entry)) == data[:4]:
                return _error(entry, data[4:])
    return f"unknown error 0x{data.hex()}"


def _message(data: bytes) -> str:
    try:
        return str(decode(["string"], data[4:])[0])
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return f"unreadable message 0x{data.hex()}"


def _error(entry: dict[str, Any], data: bytes) -> str:
    types = [_type(given) for given in entry["inputs"]]
    try:
        values = decode(types, data)
    except DecodingError:
        return str(entry["name"])
    shown = ("0x" + value.hex() if isinstance(value, bytes) else str(value) for value in values)
    return f"{entry['name']}({', '.join(shown)})"


def _type(given: dict[str, Any]) -> str:
    if not given["type"].startswith("tuple"):
        return str(given["type"])
    members = ",".join(_type(member) for member in given["components"])
    return f"({members}){given['type'][5:]}"
