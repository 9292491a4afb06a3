"""The registry's compiler behind the wrapper behaves as the native program does."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import solcx
from solcx.exceptions import SolcError

from sdk.toolchain.compile import COMPILER, SETTINGS

pytestmark = pytest.mark.toolchain

LIBRARY = "pragma solidity ^0.8.0; library L { uint256 constant SEVEN = 7; }"
USER = 'pragma solidity ^0.8.0; import "./lib/L.sol"; contract C { uint256 public n = L.SEVEN; }'


@pytest.fixture
def wrapper(tools: dict[str, str], solc_version: str) -> Path:
    return Path(tools["SOLCX_BINARY_PATH"]) / f"solc-v{solc_version}"


def standard_json(**sources: dict[str, Any]) -> dict[str, Any]:
    return {
        "language": "Solidity",
        "sources": sources,
        "settings": {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}}},
    }


def test_version_is_told_in_the_two_lines_of_the_native_program(
    wrapper: Path, solc_version: str
) -> None:
    ran = subprocess.run([wrapper, "--version"], capture_output=True, text=True, check=True)
    first, second = ran.stdout.splitlines()
    assert first == "solc, the solidity compiler commandline interface"
    assert re.fullmatch(
        rf"Version: {re.escape(solc_version)}\+commit\.[0-9a-f]{{8}}\.Linux\.g\+\+", second
    )


def test_relative_import_is_found_under_the_base_path(
    tools: dict[str, str], solc_version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/L.sol").write_text(LIBRARY)
    output = solcx.compile_standard(
        standard_json(**{"C.sol": {"content": USER}}),
        solc_version=solc_version,
        base_path=str(tmp_path),
    )
    contract = output["contracts"]["C.sol"]["C"]
    assert [entry["name"] for entry in contract["abi"]] == ["n"]
    assert bytes.fromhex(contract["evm"]["bytecode"]["object"])


def test_import_that_exists_nowhere_is_an_error(
    tools: dict[str, str], solc_version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    with pytest.raises(SolcError, match="File not found"):
        solcx.compile_standard(
            standard_json(**{"C.sol": {"content": USER}}),
            solc_version=solc_version,
            base_path=str(tmp_path),
        )


def test_include_path_is_searched_after_the_base_path(wrapper: Path, tmp_path: Path) -> None:
    for folder, number in (("base", 1), ("include", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Both.sol").write_text(f"contract Both{number} {{}}")
    (tmp_path / "include/Only.sol").write_text("contract Only {}")
    text = 'import "Both.sol"; import "Only.sol"; contract C {}'
    ran = subprocess.run(
        [wrapper, "--standard-json", "--include-path", "include", "--base-path", "base"],
        input=json.dumps(standard_json(**{"C.sol": {"content": text}})),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    contracts = json.loads(ran.stdout)["contracts"]
    assert list(contracts["Both.sol"]) == ["Both1"]
    assert list(contracts["Only.sol"]) == ["Only"]


@pytest.mark.parametrize("arguments", [["--combined-json", "abi"], ["C.sol"], []])
def test_call_that_is_not_understood_exits_with_one(wrapper: Path, arguments: list[str]) -> None:
    ran = subprocess.run([wrapper, *arguments], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")


def test_every_configuration_names_the_same_compiler_and_settings(
    root: Path, solc_version: str
) -> None:
    foundry = tomllib.loads((root / "foundry.toml").read_text())["profile"]["default"]
    ape = (root / "ape-config.yaml").read_text()
    solhint = json.loads((root / ".solhint.json").read_text())

    def ape_setting(name: str) -> str:
        found = re.search(rf"^  {name}: (.*)$", ape, re.MULTILINE)
        assert found, name
        return found[1]

    assert Path(foundry["solc"]).name == f"solc-v{solc_version}"
    assert ape_setting("version") == solc_version
    assert solhint["rules"]["compiler-version"] == ["error", solc_version]
    assert ape_setting("evm_version") == foundry["evm_version"]
    assert ape_setting("optimization_runs") == str(foundry["optimizer_runs"])
    assert ape_setting("via_ir") == str(foundry["via_ir"]).lower()
    assert ape_setting("optimize") == str(foundry["optimizer"]).lower()
    assert ape_setting("version") == COMPILER
    assert SETTINGS["evmVersion"] == foundry["evm_version"]
    assert SETTINGS["viaIR"] == foundry["via_ir"]
    assert SETTINGS["remappings"] == foundry["remappings"]
    assert SETTINGS["optimizer"] == {
        "enabled": foundry["optimizer"],
        "runs": foundry["optimizer_runs"],
    }
