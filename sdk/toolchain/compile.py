"""Compiles the contracts with py-solc-x, once per content.

The settings are those of ape-config.yaml and foundry.toml, which a test holds equal. The compiler
is the one that `SOLCX_BINARY_PATH` names (deploy/toolchain/run sets it); nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
COMPILER = "0.8.37"
SETTINGS: dict[str, Any] = {
    "evmVersion": "prague",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 10_000},
    "remappings": ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
    "outputSelection": {
        "*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "storageLayout"]}
    },
}


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    Attributes:
        source: path below the repository, as in `contracts/Registry.sol`.
        bytecode: creation code, without constructor arguments.
        deployed_bytecode: code on chain, with zeros where immutables go.
    """

    name: str
    source: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes


def compile_contracts(root: Path = ROOT) -> dict[str, Artifact]:
    """Every contract, interface and library below `contracts/`, by name.

    The result is kept in `.build/contracts` under a hash of sources, settings and compiler, so a
    second call with the same sources only reads a file.

    Raises:
        ConfigError: no sources or no compiler here, or the sources do not compile.
    """
    output = compiler_output(root)
    return {
        name: Artifact(
            name=name,
            source=source,
            abi=contract["abi"],
            bytecode=_code(contract["evm"]["bytecode"]["object"]),
            deployed_bytecode=_code(contract["evm"]["deployedBytecode"]["object"]),
        )
        for source, contracts in output["contracts"].items()
        for name, contract in contracts.items()
    }


def compiler_output(root: Path = ROOT) -> dict[str, Any]:
    """The compiler's standard-JSON output for `standard_input`."""
    given = standard_input(root)
    digest = hashlib.sha256(json.dumps([COMPILER, given], sort_keys=True).encode()).hexdigest()
    kept = root / ".build" / "contracts" / f"{digest[:32]}.json"
    if kept.exists():
        return _object(kept.read_text())
    output = _compile(given, root)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as fresh:
        json.dump(output, fresh)
    Path(fresh.name).replace(kept)
    return output


def standard_input(root: Path = ROOT) -> dict[str, Any]:
    """Standard-JSON input of all contracts and what they import, texts included."""
    files = sorted((root / "contracts").rglob("*.sol"))
    own = [file for file in files if ".cache" not in file.relative_to(root).parts]
    if not own:
        raise ConfigError(
            f"no contract sources below {root / 'contracts'}",
            hint="Run this from a checkout of the repository.",
        )
    sources: dict[str, dict[str, str]] = {}
    waiting = [file.relative_to(root).as_posix() for file in own]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        text = (root / name).read_text()
        sources[name] = {"content": text}
        waiting += _imports(name, text)
    return {
        "language": "Solidity",
        "sources": dict(sorted(sources.items())),
        "settings": SETTINGS,
    }


def _imports(name: str, text: str) -> list[str]:
    """Paths that a source imports, from the repository's root."""
    found = []
    for line in text.replace("\n", " ").split("import ")[1:]:
        quoted = line.split(";", 1)[0]
        if '"' not in quoted:
            continue
        path = quoted.split('"')[1]
        if path.startswith("@openzeppelin/"):
            found.append(f"node_modules/{path}")
        elif path.startswith("."):
            found.append(os.path.normpath(Path(name).parent / path))
    return found


def _compile(given: dict[str, Any], root: Path) -> dict[str, Any]:
    import solcx  # slow to import, and needed only where the sources changed

    try:
        output = solcx.compile_standard(given, solc_version=COMPILER, base_path=root)
    except solcx.exceptions.SolcNotInstalled as missing:
        raise ConfigError(
            f"compiler {COMPILER} is not where SOLCX_BINARY_PATH points",
            hint="Run `make setup`, and start this through deploy/toolchain/run.",
        ) from missing
    except solcx.exceptions.SolcError as failed:
        # What follows is the command line and all of the compiler's output.
        reason = str(failed).split("\n> command:", 1)[0].strip()
        raise ConfigError(f"the contracts do not compile: {reason}") from failed
    return _object(json.dumps(output))


def _object(text: str) -> dict[str, Any]:
    read = json.loads(text)
    if not isinstance(read, dict):
        raise ConfigError("the compiler answered with something that is no JSON object")
    return read


def _code(text: str) -> bytes:
    """Code as bytes; libraries are all internal, so nothing is left to link."""
    return bytes.fromhex(text)
