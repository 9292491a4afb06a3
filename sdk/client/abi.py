"""Encoding calls of the registry and decoding its answers, from `sdk/abi/registry.json`.

Pure but for reading that file once. Source: Solidity documentation, Contract ABI Specification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from sdk.errors import ChainError, UsageError
from sdk.types import keccak256

SELECTOR_BYTES = 4


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the registry.

    Attributes:
        inputs: canonical types, structs as tuples.
        input_names: ABI names of the arguments.
    """

    name: str
    inputs: tuple[str, ...]
    input_names: tuple[str, ...]
    outputs: tuple[str, ...]
    is_payable: bool

    @property
    def signature(self) -> str:
        """Text whose hash gives the selector."""
        return f"{self.name}({','.join(self.inputs)})"

    @property
    def selector(self) -> bytes:
        """First four bytes of every call."""
        return keccak256(self.signature.encode())[:SELECTOR_BYTES]


@cache
def registry_abi() -> tuple[Mapping[str, Any], ...]:
    """The entries of `sdk/abi/registry.json`."""
    return tuple(json.loads(files("sdk").joinpath("abi/registry.json").read_text()))


@cache
def functions() -> Mapping[str, Function]:
    """Every function of the registry by name; none is overloaded."""
    found = {}
    for entry in registry_abi():
        if entry["type"] == "function":
            found[entry["name"]] = Function(
                name=entry["name"],
                inputs=tuple(map(canonical_type, entry["inputs"])),
                input_names=tuple(each["name"] for each in entry["inputs"]),
                outputs=tuple(map(canonical_type, entry["outputs"])),
                is_payable=entry["stateMutability"] == "payable",
            )
    return found


def canonical_type(parameter: Mapping[str, Any]) -> str:
    """The type as it stands in a signature: `tuple` becomes its components."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(map(canonical_type, parameter["components"]))
    return f"({inner}){kind.removeprefix('tuple')}"


def encode_call(name: str, arguments: Sequence[Any]) -> bytes:
    """Calldata of a call.

    Raises:
        UsageError: `argument_range`, an argument does not fit its type.
    """
    function = functions()[name]
    try:
        return function.selector + encode(function.inputs, arguments)
    except EncodingError as problem:
        raise UsageError(
            f"the arguments of {function.signature} do not fit: {problem}",
            code="argument_range",
        ) from None


def decode_answer(name: str, data: bytes) -> tuple[Any, ...]:
    """Values that a call returned.

    Raises:
        ChainError: `no_registry`, not what this function returns.
    """
    function = functions()[name]
    try:
        return tuple(decode(function.outputs, data))
    except (DecodingError, OverflowError) as problem:
        what = "nothing" if not data else f"{len(data)} bytes that do not decode"
        raise ChainError(
            f"{name} of the registry returned {what}",
            code="no_registry",
            hint="Check the registry's address and the network the node follows.",
        ) from problem
