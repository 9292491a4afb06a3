"""The registry's interface as the rest of the SDK reads it: `python -m sdk.toolchain.abi`.

Writes `sdk/abi/registry.json` from the compiled contracts. A test holds the two equal.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sdk.toolchain.compile import ROOT, compile_contracts

FILE = ROOT / "sdk" / "abi" / "registry.json"
SOURCES = ("IRegistry", "Registry", "RegistryExtension", "BeaconVerifier")
"""The interface first, because its parameter names are the ones to show. Of the verifier only the
errors, which the registry passes on."""


def registry_abi() -> list[dict[str, Any]]:
    """Every entry of the registry behind its proxy once, sorted by kind, name and types."""
    contracts = compile_contracts()
    entries: dict[str, dict[str, Any]] = {}
    for name in SOURCES:
        for entry in contracts[name].abi:
            if entry["type"] in ("constructor", "fallback"):
                continue
            if name == "BeaconVerifier" and entry["type"] != "error":
                continue
            entries.setdefault(signature(entry), _plain(entry))
    return [entries[key] for key in sorted(entries)]


def signature(entry: dict[str, Any]) -> str:
    """Kind, name and argument types: what two entries of one ABI never share."""
    inputs = ",".join(_type(given) for given in entry["inputs"])
    return f"{entry['type']} {entry['name']}({inputs})"


def text() -> str:
    """Content of the file."""
    return json.dumps(registry_abi(), indent=1, sort_keys=True) + "\n"


def _type(given: dict[str, Any]) -> str:
    if not given["type"].startswith("tuple"):
        return str(given["type"])
    members = ",".join(_type(member) for member in given["components"])
    return f"({members}){given['type'].removeprefix('tuple')}"


def _plain(value: Any) -> Any:
    """The same without the compiler's names of Solidity types."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key != "internalType"}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def main() -> None:
    """Write the file."""
    FILE.write_text(text())
    sys.stdout.write(f"wrote {FILE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
