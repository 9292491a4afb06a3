"""anvil, forge, ape and solhint work on the sample contracts without any download."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.exceptions import ContractCustomError

pytestmark = pytest.mark.toolchain

ANVIL_CHAIN_ID = 31_337
# Whatever tries to reach the network through these meets nobody and fails.
NO_NETWORK = dict.fromkeys(
    ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
)


def build_with_forge(project: Path, tools: dict[str, str]) -> dict[str, Any]:
    """The Counter artefact that forge writes."""
    ran = subprocess.run(
        ["forge", "build"], cwd=project, env=tools | NO_NETWORK, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    artefact = json.loads((project / ".build/forge/out/Counter.sol/Counter.json").read_text())
    assert isinstance(artefact, dict)
    return artefact


def test_contract_built_by_forge_runs_on_anvil(
    project: Path, tools: dict[str, str], chain: Web3
) -> None:
    artefact = build_with_forge(project, tools)
    assert chain.eth.chain_id == ANVIL_CHAIN_ID

    owner, stranger, *_ = list(chain.eth.accounts)
    code = artefact["bytecode"]["object"]
    deployed = chain.eth.contract(abi=artefact["abi"], bytecode=code).constructor(41)
    receipt = chain.eth.wait_for_transaction_receipt(deployed.transact({"from": owner}))
    counter = chain.eth.contract(address=receipt["contractAddress"], abi=artefact["abi"])
    assert counter.functions.total().call() == 41

    counter.functions.add(1).transact({"from": owner})
    assert counter.functions.total().call() == 42
    with pytest.raises(ContractCustomError):
        counter.functions.add(1).call({"from": stranger})
    with pytest.raises(ContractCustomError):
        counter.functions.add(959).call({"from": owner})


def test_ape_compiles_the_same_code_as_forge(
    root: Path, project: Path, tools: dict[str, str], tmp_path: Path
) -> None:
    ran = subprocess.run(
        [root / ".venv-contracts/bin/ape", "compile"],
        cwd=project,
        env=tools | NO_NETWORK | {"APE_DATA_FOLDER": str(tmp_path / "ape")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    types = json.loads((project / ".build/__local__.json").read_text())["contractTypes"]
    by_ape = types["Counter"]["runtimeBytecode"]["bytecode"].removeprefix("0x")
    # Ape has unpacked the dependency below contracts/ by now; forge must not build all of it.
    by_forge = build_with_forge(project, tools)["deployedBytecode"]["object"].removeprefix("0x")
    assert without_metadata(by_ape) == without_metadata(by_forge)
    assert not (project / ".build/forge/out/ERC20.sol").exists()


def without_metadata(code: str) -> str:
    """Runtime code without the trailing hash of the sources' paths.

    Source: Solidity documentation, "Contract Metadata": the last two bytes hold its length.
    """
    raw = bytes.fromhex(code)
    return raw[: -2 - int.from_bytes(raw[-2:], "big")].hex()


def test_solhint_has_nothing_to_say_about_the_sample(project: Path, tools: dict[str, str]) -> None:
    ran = subprocess.run(
        ["solhint", "--disc", "--max-warnings", "0", "contracts/*.sol"],
        cwd=project,
        env=tools,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_sample_is_formatted_as_forge_formats(project: Path, tools: dict[str, str]) -> None:
    ran = subprocess.run(
        ["forge", "fmt", "--check"], cwd=project, env=tools, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout
