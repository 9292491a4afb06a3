"""The deployed contracts as compiled for every test, and the input to publish for each.

Artifacts come from `sdk.toolchain.compile` rather than `ape compile`: one compiler run serves tests
and deployment, so what is deployed is what was tested, and its input is plain data that explorers
take as it is. A published input holds only what its contract imports; `verify-input` compiles it
alone, and holds that the code is the same.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.errors import ConfigError
from sdk.toolchain.compile import COMPILER, ROOT, compile_contracts, standard_input
from sdk.types import keccak256

OPENZEPPELIN = "node_modules/@openzeppelin/contracts"
SOURCES = {
    "TimelockController": f"{OPENZEPPELIN}/governance/TimelockController.sol",
    "BeaconVerifier": "contracts/proofs/BeaconVerifier.sol",
    "RegistryExtension": "contracts/RegistryExtension.sol",
    "Registry": "contracts/Registry.sol",
    "ERC1967Proxy": f"{OPENZEPPELIN}/proxy/ERC1967/ERC1967Proxy.sol",
}
LAYOUT_SOURCE = "contracts/storage/Layout.sol"
PROBE = "contracts/storage/LayoutProbe.sol"
# A namespaced struct is no state variable, and the compiler describes only variables.
PROBE_TEXT = """pragma solidity 0.8.37;
import {RegistryStorage} from "./Layout.sol";
contract LayoutProbe { RegistryStorage private held; }
"""
_IMPORT = re.compile(r"^\s*import\s[^;]*?\"([^\"]+)\"", re.MULTILINE)
_NAMESPACE = re.compile(r'keccak256\("([^"]+)"\)')
WORD_BYTES = 32
_PUSH32_ZERO = b"\x7f" + bytes(WORD_BYTES)


@dataclass(frozen=True, slots=True)
class Contract:
    """One compiled contract.

    Attributes:
        creation: code that makes it, without constructor arguments.
        runtime: code on chain, zeros where immutables go.
        standard_input: the compiler's input, complete.
    """

    name: str
    source: str
    abi: list[dict[str, Any]]
    creation: bytes
    runtime: bytes
    standard_input: dict[str, Any]

    @property
    def template_hash(self) -> str:
        """Keccak-256 of the code with zeros for immutables: the same on every chain."""
        return "0x" + keccak256(self.runtime).hex()


def build(*names: str, root: Path = ROOT) -> dict[str, Contract]:
    """Some of `SOURCES` by name, all if none is named."""
    artifacts = compile_contracts(root)
    return {
        name: Contract(
            name=name,
            source=SOURCES[name],
            abi=artifacts[name].abi,
            creation=artifacts[name].bytecode,
            runtime=artifacts[name].deployed_bytecode,
            standard_input=contract_input(name, root=root),
        )
        for name in names or SOURCES
    }


def contract_input(name: str, *, root: Path = ROOT) -> dict[str, Any]:
    """Standard-JSON input that makes this contract and nothing else."""
    outputs = ["abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode.object"]
    every = standard_input(root)
    return {
        "language": every["language"],
        "sources": _closure(every["sources"], SOURCES[name]),
        "settings": {**every["settings"], "outputSelection": {SOURCES[name]: {name: outputs}}},
    }


def compile_input(given: dict[str, Any], *, name: str, source: str, root: Path = ROOT) -> Contract:
    """The contract that a published input makes, by the compiler, whatever is kept from before.

    Raises:
        ConfigError: no compiler, or the input does not compile or has no such contract.
    """
    output = _compile(given, root)
    try:
        made = output["contracts"][source][name]
        return Contract(
            name=name,
            source=source,
            abi=made["abi"],
            creation=bytes.fromhex(made["evm"]["bytecode"]["object"]),
            runtime=bytes.fromhex(made["evm"]["deployedBytecode"]["object"]),
            standard_input=given,
        )
    except (KeyError, ValueError):
        raise ConfigError(f"the input makes no deployable {name} from {source}") from None


def storage_layout(*, root: Path = ROOT) -> dict[str, Any]:
    """The compiler's description of the registry's storage, and the name its slot comes from."""
    every = standard_input(root)
    sources = {**_closure(every["sources"], LAYOUT_SOURCE), PROBE: {"content": PROBE_TEXT}}
    selection = {PROBE: {"LayoutProbe": ["storageLayout"]}}
    given = {**every, "sources": sources}
    given["settings"] = {**every["settings"], "outputSelection": selection}
    described = _compile(given, root)["contracts"][PROBE]["LayoutProbe"]["storageLayout"]
    names = _NAMESPACE.findall(every["sources"][LAYOUT_SOURCE]["content"])
    if len(names) != 1:
        raise ConfigError(f"{LAYOUT_SOURCE} must name one namespace, found {names}")
    return {"namespace": names[0], **described}


def mismatch(contract: Contract, on_chain: bytes, values: tuple[bytes, ...] | None) -> str:
    """Why code on a chain is not this contract with these immutables, empty if it is.

    Args:
        contract: what it should be.
        on_chain: what `eth_getCode` answered.
        values: 32 bytes for each immutable, in any order: the compiler does not name them;
            None compares the code alone.
    """
    if not on_chain:
        return "there is no code"
    if len(on_chain) != len(contract.runtime):
        return f"the code has {len(on_chain)} bytes, compiled were {len(contract.runtime)}"
    masked, found = bytearray(on_chain), set()
    for start in immutable_places(contract.runtime):
        found.add(on_chain[start : start + WORD_BYTES])
        masked[start : start + WORD_BYTES] = bytes(WORD_BYTES)
    if bytes(masked) != contract.runtime:
        return "the code differs from what was compiled"
    if values is not None and found != set(values):
        return "the code is right, but its immutables are not those of this plan"
    return ""


def immutable_places(runtime: bytes) -> list[int]:
    """Where values of immutables go: the operands of PUSH32 that are zero.

    The optimiser writes every other zero as PUSH0. Were it to keep one, the comparison of values
    would fail loudly, never pass wrongly.
    """
    places, at = [], runtime.find(_PUSH32_ZERO)
    while at >= 0:
        places.append(at + 1)
        at = runtime.find(_PUSH32_ZERO, at + len(_PUSH32_ZERO))
    return places


def _closure(sources: dict[str, Any], first: str) -> dict[str, Any]:
    """A source and everything it imports, by path."""
    found: dict[str, Any] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = sources[name]
        for path in _IMPORT.findall(sources[name]["content"]):
            if path.startswith("."):
                waiting.append(os.path.normpath(Path(name).parent / path))
            else:
                waiting.append(path.replace("@openzeppelin/contracts", OPENZEPPELIN, 1))
    return dict(sorted(found.items()))


def _compile(given: dict[str, Any], root: Path) -> dict[str, Any]:
    import solcx  # slow to import, and needed only where an input is new

    try:
        output = solcx.compile_standard(given, solc_version=COMPILER, base_path=root)
    except solcx.exceptions.SolcNotInstalled:
        raise ConfigError(
            f"compiler {COMPILER} is not where SOLCX_BINARY_PATH points",
            hint="Run `make setup`, and start this through `phalanx deploy`.",
        ) from None
    except solcx.exceptions.SolcError as failed:
        reason = str(failed).split("\n> command:", 1)[0].strip()
        raise ConfigError(f"the input does not compile: {reason}") from failed
    return dict(output)
