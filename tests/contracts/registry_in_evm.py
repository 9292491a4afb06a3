"""The compiled registry on a `Chain`: deployment, calls by name, views, errors by name.

It knows the ABI and nothing of the registry's rules; those are in `tests.contracts.invariants`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from typing import Any

from sdk.toolchain import compile_contracts
from sdk.toolchain.compile import Artifact
from sdk.types import Address, keccak256
from tests.contracts import abi
from tests.contracts.chain import Chain, Outcome, RawLog
from tests.contracts.evm import Evm, with_settable_base_fee

DEPLOYER = Address(b"\x0d" * 20)
RICH_WEI = 10**30


@dataclass(frozen=True, slots=True)
class Failure:
    """A custom error: its name and arguments. Anything else is a name in angle brackets."""

    name: str
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        shown = (
            "0x" + part.hex() if isinstance(part, bytes) else str(part) for part in self.arguments
        )
        return f"{self.name}({', '.join(shown)})"


@dataclass(frozen=True, slots=True)
class _Entry:
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InitialParameters:
    """What the initializer takes, in its order (contracts/interfaces/Types.sol)."""

    owner: Address
    beacon_verifier: Address
    network_fee_wei: int
    liquidation_period_blocks: int
    minimum_collateral_wei: int
    minimum_operator_fee_wei: int
    maximum_operator_fee_wei: int
    validators_per_operator_limit: int
    fee_increase_limit_per_10000: int
    declare_period_s: int
    execute_period_s: int


class RegistryAbi:
    """Functions and errors of the registry by name and selector."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.functions = {
            entry["name"]: _entry(entry) for entry in entries if entry["type"] == "function"
        }
        errors = [entry for entry in entries if entry["type"] == "error"]
        self.errors = {_entry(entry).selector: (entry["name"], _entry(entry)) for entry in errors}

    def encode(self, function: str, arguments: Sequence[Any]) -> bytes:
        """Calldata. Cluster snapshots stand for their tuples."""
        entry = self.functions[function]
        return entry.selector + abi.encode(entry.inputs, arguments)

    def decode(self, function: str, output: bytes) -> tuple[Any, ...]:
        """Values that the function answered."""
        return abi.decode(self.functions[function].outputs, output)

    def failure(self, outcome: Outcome) -> Failure:
        """Why the call failed."""
        if outcome.halted:
            return Failure("<halt>", (outcome.halted,))
        data = outcome.output
        found = self.errors.get(data[:4])
        if found is None:
            return Failure("<empty>") if not data else Failure("<unknown>", (data,))
        name, entry = found
        return Failure(name, abi.decode(entry.inputs, data[4:]))


class Registry:
    """One registry behind its proxy."""

    def __init__(self, chain: Chain, address: Address, known: RegistryAbi) -> None:
        self.chain = chain
        self.address = address
        self.abi = known

    def view(self, function: str, *arguments: Any, encoded: bytes | None = None) -> Any:
        """What a view answers: the value, or a tuple of several; `Failure` if it reverts.

        `encoded` are the arguments if they are at hand, for views that take the same.
        """
        if encoded is None:
            data = self.abi.encode(function, arguments)
        else:
            data = self.abi.functions[function].selector + encoded
        outcome = self.chain.call(DEPLOYER, self.address, data)
        if not outcome.succeeded:
            return self.abi.failure(outcome)
        values = self.abi.decode(function, outcome.output)
        return values[0] if len(values) == 1 else values


def deploy_registry(
    chain: Chain, parameters: InitialParameters
) -> tuple[Registry, tuple[RawLog, ...]]:
    """Extension, core and proxy, initialised in the transaction that creates the proxy.

    Returns:
        The registry, and the logs of its initializer.
    """
    known = RegistryAbi(_entries())
    chain.give_ether(DEPLOYER, RICH_WEI)
    extension, _ = deploy(chain, "RegistryExtension")
    core, _ = deploy(chain, "Registry", abi.encode(["address"], [extension]))
    initializer = known.encode("initialize", [astuple(parameters)])
    proxy, logs = deploy(
        chain, "ERC1967Proxy", abi.encode(["address", "bytes"], [core, initializer])
    )
    return Registry(chain, proxy, known), tuple(log for log in logs if log.address == proxy)


def deploy(chain: Chain, name: str, arguments: bytes = b"") -> tuple[Address, tuple[RawLog, ...]]:
    """One of our contracts by name, and the logs of its constructor."""
    artifact = _artifacts()[name]
    code = artifact.bytecode
    if isinstance(chain, Evm):
        code = with_settable_base_fee(creation=code, runtime=artifact.deployed_bytecode)
    return chain.deploy(code + arguments, sender=DEPLOYER)


@cache
def _artifacts() -> dict[str, Artifact]:
    return compile_contracts()


def _entries() -> list[dict[str, Any]]:
    """ABI of the registry as seen through the proxy: core and extension, every entry once."""
    found = {}
    for name in ("Registry", "RegistryExtension", "IRegistry"):
        for entry in _artifacts()[name].abi:
            types = ",".join(_type(part) for part in entry.get("inputs", []))
            found[entry["type"], entry.get("name"), types] = entry
    return list(found.values())


def _entry(entry: Mapping[str, Any]) -> _Entry:
    inputs = tuple(_type(part) for part in entry["inputs"])
    outputs = tuple(_type(part) for part in entry.get("outputs", ()))
    signature = f"{entry['name']}({','.join(inputs)})"
    return _Entry(keccak256(signature.encode())[:4], inputs, outputs)


def _type(part: Mapping[str, Any]) -> str:
    name = str(part["type"])
    if not name.startswith("tuple"):
        return name
    inner = ",".join(_type(component) for component in part["components"])
    return f"({inner}){name.removeprefix('tuple')}"
