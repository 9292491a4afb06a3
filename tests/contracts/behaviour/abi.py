"""A deployed contract as an object: its functions by name, its errors and events byte for byte.

Signatures come from the compiled ABI; encoding is eth_abi's. It knows no rule of the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode

from sdk.toolchain.abi import registry_abi
from sdk.toolchain.compile import Artifact, compile_contracts
from sdk.types import keccak256
from tests.contracts.behaviour.anvil import Anvil, Log, Receipt, Reverted

Entry = Mapping[str, Any]
NOBODY = "0x" + "ff" * 20
"""Who asks views, unless a test says otherwise."""


class Contract:
    """A contract on the chain; its functions are attributes.

    A function that changes state takes `sender=` and `value=` and returns the `Receipt`; one that
    does not takes `at=` ("latest" or "pending") and returns the value, or a tuple of several.
    """

    def __init__(self, anvil: Anvil, address: str, abi: Sequence[Entry]) -> None:
        self.anvil = anvil
        self.address = address
        self.abi = abi
        self._functions = {entry["name"]: entry for entry in abi if entry["type"] == "function"}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        entry = self.__dict__["_functions"].get(name)
        if entry is None:
            raise AttributeError(f"no function {name}")
        if entry["stateMutability"] in ("view", "pure"):
            return lambda *arguments, **options: self.view(name, *arguments, **options)
        return lambda *arguments, **options: self.transact(name, *arguments, **options)

    def encode(self, name: str, *arguments: Any) -> bytes:
        """Calldata."""
        entry = self._functions[name]
        return selector(entry) + encode(types(entry["inputs"]), arguments)

    def transact(self, name: str, *arguments: Any, sender: str, value: int = 0) -> Receipt:
        """Mine the call alone in the next block; `Reverted` if it failed."""
        return self.anvil.transact(sender, self.address, self.encode(name, *arguments), value)

    def submit(self, name: str, *arguments: Any, sender: str, value: int = 0) -> str:
        """Hash of the call, which waits for `Anvil.mine` together with others."""
        return self.anvil.submit(sender, self.address, self.encode(name, *arguments), value)

    def view(
        self, name: str, *arguments: Any, sender: str = NOBODY, value: int = 0, at: str = "latest"
    ) -> Any:
        """What the function answers, state-changing or not, without a transaction."""
        data = self.encode(name, *arguments)
        output = self.anvil.call(sender, self.address, data, value=value, at=at)
        values = decode(types(self._functions[name]["outputs"]), output)
        return values[0] if len(values) == 1 else values


@cache
def artifacts() -> dict[str, Artifact]:
    """Every compiled contract by name."""
    return compile_contracts()


@cache
def entries() -> tuple[Entry, ...]:
    """The registry's ABI, with the errors and events of what it inherits."""
    return (*registry_abi(), *artifacts()["ERC1967Proxy"].abi)


@contextmanager
def reverts(name: str, *arguments: Any, **named: Any) -> Iterator[None]:
    """Passes if the block reverts with exactly this error and these arguments.

    Args:
        name: of one of the registry's errors.
        arguments: in order, or `named` as in the ABI.
    """
    entry = _entry("error", name)
    expected = selector(entry) + encode(types(entry["inputs"]), _values(entry, arguments, named))
    try:
        yield
    except Reverted as reverted:
        if reverted.data != expected:
            raise AssertionError(
                f"reverted with {describe_error(reverted)}, expected {name}{arguments or named}"
            ) from None
    else:
        raise AssertionError(f"did not revert, expected {name}{arguments or named}")


@contextmanager
def reverts_silently() -> Iterator[None]:
    """Passes if the block reverts without data, as the compiler's own checks do."""
    try:
        yield
    except Reverted as reverted:
        if reverted.data:
            raise AssertionError(f"reverted with {describe_error(reverted)}") from None
    else:
        raise AssertionError("did not revert")


def describe_error(reverted: Reverted) -> str:
    """Name and arguments of a revert, or its bytes."""
    for entry in entries():
        if entry["type"] == "error" and selector(entry) == reverted.data[:4]:
            return f"{entry['name']}{decode(types(entry['inputs']), reverted.data[4:])}"
    return f"{reverted.reason} 0x{reverted.data.hex()}"


def event(name: str, *arguments: Any, **named: Any) -> tuple[tuple[bytes, ...], bytes]:
    """Topics and data of an event of the registry with these values, in the ABI's order."""
    entry = _entry("event", name)
    values = _values(entry, arguments, named)
    given = list(zip(entry["inputs"], values, strict=True))
    topics = [keccak256(signature(entry).encode())]
    topics += [encode([kind["type"]], [value]) for kind, value in given if kind["indexed"]]
    rest = [(kind, value) for kind, value in given if not kind["indexed"]]
    data = encode(types([kind for kind, _ in rest]), [value for _, value in rest])
    return tuple(topics), data


def assert_logs(receipt: Receipt, address: str, *expected: tuple[tuple[bytes, ...], bytes]) -> None:
    """Passes if the transaction's logs are these, byte for byte, in this order, and no others."""
    found = [(log.address, log.topics, log.data) for log in receipt.logs]
    wanted = [(address, topics, data) for topics, data in expected]
    if found != wanted:
        shown = "\n  ".join(describe_log(log) for log in receipt.logs)
        asked = "\n  ".join(describe_log(Log(address, *one)) for one in expected)
        raise AssertionError(f"logs are\n  {shown}\nexpected\n  {asked}")


def describe_log(log: Log) -> str:
    """Name and arguments of a log."""
    name, values = read_log(log)
    return f"{log.address} {name}{values}"


def read_log(log: Log) -> tuple[str, dict[str, Any]]:
    """Name and arguments of one of the registry's logs."""
    for entry in entries():
        if entry["type"] == "event" and keccak256(signature(entry).encode()) == log.topics[0]:
            break
    else:
        raise AssertionError(f"unknown log {log}")
    indexed = [kind for kind in entry["inputs"] if kind["indexed"]]
    rest = [kind for kind in entry["inputs"] if not kind["indexed"]]
    values = {
        kind["name"]: decode([kind["type"]], topic)[0]
        for kind, topic in zip(indexed, log.topics[1:], strict=True)
    }
    names = [kind["name"] for kind in rest]
    return entry["name"], {**values, **dict(zip(names, decode(types(rest), log.data), strict=True))}


def signature(entry: Entry) -> str:
    """Name and canonical types, as hashed for selectors and topics."""
    return f"{entry['name']}({','.join(types(entry['inputs']))})"


def selector(entry: Entry) -> bytes:
    """First four bytes of the signature's hash."""
    return keccak256(signature(entry).encode())[:4]


def types(inputs: Sequence[Entry]) -> list[str]:
    """Canonical types of arguments or results."""
    return [_type(kind) for kind in inputs]


def _type(kind: Entry) -> str:
    if not kind["type"].startswith("tuple"):
        return str(kind["type"])
    return f"({','.join(types(kind['components']))}){kind['type'][5:]}"


@cache
def _entry(kind: str, name: str) -> Entry:
    found = [entry for entry in entries() if entry["type"] == kind and entry["name"] == name]
    if not found:
        raise LookupError(f"the registry has no {kind} {name}")
    return found[0]


def _values(entry: Entry, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
    names = [kind["name"] for kind in entry["inputs"]]
    if not named:
        return list(arguments)
    if arguments or set(named) != set(names):
        raise TypeError(f"{entry['name']} takes {names}")
    return [named[name] for name in names]
