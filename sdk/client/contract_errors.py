"""Every error of the registry as an exception: what it means, why it comes, what to do.

Pure. One class per custom error, made from the table below; `RegistryError` is their base.
`from sdk.client.contract_errors import IncorrectClusterState` works for every name in it. A test
holds the table equal to the ABI. `code` is the name in snake case; `data` holds the arguments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from sdk.client.error_table import TABLE
from sdk.errors import ChainError
from sdk.types import keccak256

_WORD_START: Final = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_PLAIN_REVERT: Final = keccak256(b"Error(string)")[:4]
_PANIC: Final = keccak256(b"Panic(uint256)")[:4]


class RegistryError(ChainError):
    """The registry reverted. `meaning` says what its error stands for in general."""

    default_code = "reverted"
    meaning: ClassVar[str] = "the call reverted"
    signature: ClassVar[str] = ""


class UnknownRevert(RegistryError):
    """A revert that is no error of the registry's: a text, a panic, other bytes, or nothing."""

    default_code = "reverted_unknown"


@dataclass(frozen=True, slots=True)
class _Shape:
    error: type[RegistryError]
    names: tuple[str, ...]
    types: tuple[str, ...]


def _make_classes() -> dict[bytes, _Shape]:
    shapes = {}
    for declaration, meaning, hint in TABLE:
        name, _, rest = declaration.rstrip(")").partition("(")
        arguments = [part.split() for part in rest.split(",") if part]
        types = tuple(kind for kind, _ in arguments)
        signature = f"{name}({','.join(types)})"
        error = type(
            name,
            (RegistryError,),
            {
                "__module__": __name__,
                "__doc__": f"{meaning[0].upper()}{meaning[1:]}. {hint}",
                "default_code": re.sub(_WORD_START, "_", name).lower(),
                "meaning": meaning,
                "default_hint": hint,
                "signature": signature,
            },
        )
        names = tuple(argument for _, argument in arguments)
        shapes[keccak256(signature.encode())[:4]] = _Shape(error, names, types)
    return shapes


_BY_SELECTOR: Final = _make_classes()
ERRORS: Final = {shape.error.__name__: shape.error for shape in _BY_SELECTOR.values()}
"""Every exception class by the name of its custom error."""


def __getattr__(name: str) -> type[RegistryError]:
    try:
        return ERRORS[name]
    except KeyError:
        raise AttributeError(f"module {__name__} has no attribute {name}") from None


def decode_revert(data: bytes, *, subject: str, message: str = "") -> RegistryError:
    """The exception for revert data.

    Args:
        data: what the call returned, empty if nothing.
        subject: what was tried, in words.
        message: the node's own text.
    """
    shape = _BY_SELECTOR.get(data[:4]) if len(data) >= 4 else None
    if shape is not None:
        return _typed(shape, data, subject=subject)
    if data[:4] == _PLAIN_REVERT:
        told = f"says {_first(('string',), data)!r}"
    elif data[:4] == _PANIC:
        told = f"panics with code {_first(('uint256',), data)}"
    elif data:
        told = f"reverts with unknown data 0x{data[:36].hex()}"
    else:
        told = f"reverts without a reason{f' ({message[:120]})' if message else ''}"
    return UnknownRevert(
        f"{subject}: the registry {told}",
        hint="Check the registry's address, and that this SDK belongs to its version.",
        data={"revert_data": "0x" + data.hex()},
    )


def _typed(shape: _Shape, data: bytes, *, subject: str) -> RegistryError:
    try:
        values = decode(shape.types, data[4:])
    except (DecodingError, OverflowError):
        values = ()
    named: dict[str, Any] = {
        name: "0x" + value.hex() if isinstance(value, bytes) else value
        for name, value in zip(shape.names, values, strict=False)
    }
    told = ", ".join(f"{name} {value}" for name, value in named.items())
    name = shape.error.__name__
    return shape.error(
        f"{subject}: {shape.error.meaning} ({name}{f': {told}' if told else ''})",
        hint=getattr(shape.error, "default_hint", ""),
        data=named,
    )


def _first(types: tuple[str, ...], data: bytes) -> object:
    try:
        value = decode(types, data[4:])[0]
    except (DecodingError, OverflowError):
        return "something unreadable"
    return value[:200] if isinstance(value, str) else value
