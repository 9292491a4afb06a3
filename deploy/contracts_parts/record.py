"""The addresses file: what was deployed where, so that others can use, verify and upgrade it.

Written once a deployment is whole, and again when an upgrade was executed. It names code by hash
rather than by commit: whoever compiles the inputs beside it gets the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.contracts_parts.build import Contract
from deploy.contracts_parts.plan import CONTRACTS, Step
from sdk.errors import InputError
from sdk.files import make_private_folder, write_private
from sdk.toolchain.compile import COMPILER, SETTINGS
from sdk.types import keccak256

VERSION = 1
PUBLIC_FILE_MODE = 0o644
_FIELDS = ("chain_id", "genesis", "registry", "timelock", "contracts", "storage_layout")


def make(
    *,
    network: str,
    chain_id: int,
    genesis: str,
    deployer: str,
    parameters_digest: str,
    contracts: Mapping[str, Mapping[str, Any]],
    storage_layout: Mapping[str, Any],
) -> dict[str, Any]:
    """The file's content.

    `contracts` are by step, from `entry`; `storage_layout` is from `layout.describe`.
    """
    settings = {name: value for name, value in SETTINGS.items() if name != "outputSelection"}
    return {
        "version": VERSION,
        "network": network,
        "chain_id": chain_id,
        "genesis": genesis,
        "registry": contracts["proxy"]["address"],
        "implementation": contracts["core"]["address"],
        "extension": contracts["extension"]["address"],
        "verifier": contracts["verifier"]["address"] if "verifier" in contracts else None,
        "timelock": contracts["timelock"]["address"],
        "start_block": contracts["proxy"]["block"],
        "deployer": deployer,
        "compiler": COMPILER,
        "compiler_settings": settings,
        "parameters_digest": parameters_digest,
        "contracts": dict(contracts),
        "storage_layout": dict(storage_layout),
    }


def entry(step: Step, *, code: bytes, transaction: str, block: int) -> dict[str, Any]:
    """One contract of the file; `template_hash` is that of its code with zeros for immutables."""
    return {
        "contract": step.contract.name,
        "source": step.contract.source,
        "address": step.address,
        "transaction": transaction,
        "block": block,
        "code_hash": hash_of(code),
        "template_hash": step.contract.template_hash,
        "constructor_arguments": "0x" + step.arguments.hex(),
    }


def hash_of(code: bytes) -> str:
    """Keccak-256 of code, as `EXTCODEHASH` gives it."""
    return "0x" + keccak256(code).hex()


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file, whole, readable by everybody."""
    make_private_folder(path.parent)
    write_private(path, json.dumps(document, indent=2).encode() + b"\n", overwrite=True)
    path.chmod(PUBLIC_FILE_MODE)


def read(path: Path) -> dict[str, Any]:
    """The file's content.

    Raises:
        InputError: `addresses_unreadable`.
    """
    try:
        document = json.loads(path.read_text())
        missing = [name for name in _FIELDS if name not in document]
    except (OSError, ValueError, TypeError):
        missing = ["everything"]
    if missing:
        raise InputError(
            f"{path} is no addresses file (missing: {', '.join(missing)})",
            code="addresses_unreadable",
            hint="`phalanx deploy run --broadcast` writes it; --addresses names another.",
        )
    return dict(document)


def input_path(addresses: Path, contract: str) -> Path:
    """Where the standard-JSON input of a contract is, beside the addresses file."""
    return addresses.with_suffix(".inputs") / f"{contract}.json"


def write_inputs(addresses: Path, contracts: Mapping[str, Contract], names: list[str]) -> None:
    """Write the standard-JSON inputs that explorers and others verify the sources with."""
    for name in names:
        contract = contracts[CONTRACTS[name]]
        path = input_path(addresses, contract.name)
        make_private_folder(path.parent)
        data = json.dumps(contract.standard_input, indent=1, sort_keys=True).encode() + b"\n"
        write_private(path, data, overwrite=True)
        path.chmod(PUBLIC_FILE_MODE)
