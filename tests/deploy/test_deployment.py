"""`phalanx deploy` on a real chain: plan, run, kill, resume, verify."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_typing import HexStr
from web3 import Web3
from web3.exceptions import ContractCustomError

from sdk.toolchain.compile import compile_contracts
from sdk.types import keccak256
from tests.deploy.chain import DEPLOYER, PROPOSER, ROOT, Answer, Command, Driver, anvil, rpc

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

HOODI_KEY = HexStr("0x" + "42" * 32)
STEPS = ["timelock", "verifier", "extension", "core", "proxy"]


@pytest.fixture(scope="module")
def empty_chain() -> Iterator[Web3]:
    """A chain on which nothing is ever deployed."""
    with anvil() as w3:
        yield w3


@pytest.fixture
def fresh(empty_chain: Web3, commands: Driver, tmp_path: Path) -> Command:
    return Command(empty_chain, tmp_path, commands)


def parameters(folder: Path, *, network: str = "local", **changes: str) -> Path:
    """A copy of a network's parameters file with some values replaced."""
    text = (ROOT / f"deploy/parameters/{network}.toml").read_text()
    for name, value in changes.items():
        text, count = re.subn(rf"^{name} = [^#\n]*", f"{name} = {value} ", text, flags=re.M)
        assert count == 1, name
    path = folder / "parameters.toml"
    path.write_text(text)
    return path


def contract(command: Command, name: str, address: str) -> Any:
    return command.w3.eth.contract(
        address=Web3.to_checksum_address(address), abi=compile_contracts()[name].abi
    )


def test_a_dry_run_tells_addresses_and_cost_and_sends_nothing(
    fresh: Command, first_deployment: Command
) -> None:
    ran = fresh.as_process("run")
    assert ran.code == 0
    assert fresh.w3.eth.get_transaction_count(DEPLOYER) == 0
    assert fresh.w3.eth.block_number == 0
    assert not fresh.addresses.parent.exists()
    assert [step["step"] for step in ran.result["steps"]] == STEPS
    assert all(step["gas"] > 100_000 for step in ran.result["steps"])
    # The same deployer on another chain: where the plan said, and what it said.
    made = first_deployment.document["contracts"]
    for step in ran.result["steps"]:
        assert made[step["step"]]["address"] == step["address"]


def test_plan_refuses_to_broadcast(fresh: Command) -> None:
    ran = fresh("plan", "--broadcast")
    assert (ran.code, ran.error["code"]) == (2, "usage")


def test_another_chain_id_is_refused(fresh: Command, tmp_path: Path) -> None:
    file = parameters(tmp_path, chain_id="560048")
    ran = fresh("run", "--broadcast", "--parameters", str(file))
    assert (ran.code, ran.error["code"]) == (2, "wrong_chain")
    assert "560048" in ran.error["message"]
    assert "31337" in ran.error["message"]
    assert fresh.w3.eth.get_transaction_count(DEPLOYER) == 0


def test_values_beyond_the_hard_caps_are_refused(fresh: Command, tmp_path: Path) -> None:
    file = parameters(
        tmp_path, network_fee_wei="38_000_100_000", validators_per_operator_limit="65_536"
    )
    ran = fresh("run", "--broadcast", "--parameters", str(file))
    assert (ran.code, ran.error["code"]) == (2, "parameters_refused")
    assert len(ran.error["data"]["faults"]) == 2
    assert fresh.w3.eth.get_transaction_count(DEPLOYER) == 0


def test_the_registry_belongs_to_the_timelock_and_the_deployer_has_no_role(
    deployed: Command,
) -> None:
    document = deployed.document
    registry = contract(deployed, "RegistryExtension", document["registry"])
    timelock = contract(deployed, "TimelockController", document["timelock"])
    assert registry.functions.owner().call() == document["timelock"]
    assert timelock.functions.getMinDelay().call() == 60
    for role in ("DEFAULT_ADMIN_ROLE", "PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"):
        word = timelock.functions[role]().call()
        assert not timelock.functions.hasRole(word, DEPLOYER).call()
        assert timelock.functions.hasRole(word, PROPOSER).call() is (
            role in ("PROPOSER_ROLE", "CANCELLER_ROLE")
        )


@pytest.mark.parametrize("name", ["implementation", "extension", "registry"])
def test_nothing_can_be_initialised_directly(deployed: Command, name: str) -> None:
    target = contract(deployed, "RegistryExtension", deployed.document[name])
    anything = (DEPLOYER, "0x" + "00" * 20, 0, 50_190, 10**14, 0, 0, 1, 0, 86_400, 86_400)
    with pytest.raises(ContractCustomError) as refused:
        target.functions.initialize(anything).call({"from": DEPLOYER})
    assert refused.value.data == "0x" + keccak256(b"InvalidInitialization()")[:4].hex()


def test_the_addresses_file_says_what_is_on_chain(deployed: Command) -> None:
    document = deployed.document
    assert document["chain_id"] == 31337
    assert document["start_block"] == document["contracts"]["proxy"]["block"] == 5
    assert list(document["contracts"]) == STEPS
    for entry in document["contracts"].values():
        code = bytes(deployed.w3.eth.get_code(entry["address"]))
        assert entry["code_hash"] == "0x" + keccak256(code).hex()


def test_what_is_deployed_is_what_all_other_tests_test(deployed: Command) -> None:
    tested = compile_contracts()
    for entry in deployed.document["contracts"].values():
        code = tested[entry["contract"]].deployed_bytecode
        assert entry["template_hash"] == "0x" + keccak256(code).hex(), entry["contract"]


def test_a_second_run_compares_and_sends_nothing(deployed: Command) -> None:
    before = deployed.w3.eth.block_number
    ran = deployed("run", "--broadcast")
    assert ran.code == 0
    assert ran.result == deployed.document
    assert deployed.w3.eth.block_number == before


def test_a_killed_run_goes_on_where_it_stopped(commands: Driver, tmp_path: Path) -> None:
    with anvil("--no-mining") as w3:
        command = Command(w3, tmp_path, commands)
        journal = command.addresses.with_suffix(".journal.json")
        run_until(command, "extension: sent")
        rpc(w3, "anvil_dropAllTransactions")  # as if it had never reached the node
        first = json.loads(journal.read_text())["steps"]
        assert list(first) == ["timelock", "verifier", "extension"]
        assert "block" not in first["extension"]

        run_until(command, "core: sent")
        rpc(w3, "evm_mine")  # as if it had been mined while nobody was looking
        second = json.loads(journal.read_text())["steps"]
        assert second["timelock"] == first["timelock"]
        assert second["extension"]["address"] == first["extension"]["address"]

        rpc(w3, "evm_setAutomine", True)
        ran = command("run", "--broadcast")
        assert ran.code == 0, ran.error
        assert not journal.exists()
        assert w3.eth.get_transaction_count(DEPLOYER) == len(STEPS)
        for step, entry in command.document["contracts"].items():
            if step in second:
                assert entry["address"] == second[step]["address"]
                assert entry["transaction"] == second[step]["transaction"]


def run_until(command: Command, text: str) -> None:
    """Run, mining each transaction when it was sent, and kill the process at that line."""
    with command.started("run", "--broadcast") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if text in line:
                process.kill()
                return
            if ": sent " in line:
                rpc(command.w3, "evm_mine")
        pytest.fail(f"the run ended before {text!r}")


def test_a_journal_of_another_chain_is_refused(fresh: Command) -> None:
    fresh.addresses.parent.mkdir()
    header = {"version": 1, "chain_id": 31337, "genesis": "0x00", "deployer": DEPLOYER}
    journal = fresh.addresses.with_suffix(".journal.json")
    journal.write_text(json.dumps({**header, "parameters": "", "code": "", "steps": {}}))
    ran = fresh("run", "--broadcast")
    assert (ran.code, ran.error["code"]) == (2, "journal_mismatch")
    assert fresh.w3.eth.get_transaction_count(DEPLOYER) == 0


def test_the_published_input_makes_the_deployed_code(deployed: Command) -> None:
    ran = deployed("verify-input", "--contract", "proxy", "--contract", "verifier")
    assert ran.code == 0, ran.error
    assert set(ran.result["verified"]) == {"proxy", "verifier"}


def test_a_changed_input_is_noticed(deployed: Command) -> None:
    path = deployed.addresses.with_suffix(".inputs") / "ERC1967Proxy.json"
    given = json.loads(path.read_text())
    given["settings"]["optimizer"]["runs"] = 1
    path.write_text(json.dumps(given))
    ran = deployed("verify-input", "--contract", "proxy")
    assert (ran.code, ran.error["code"]) == (4, "code_mismatch")


def test_a_public_network_is_deployed_from_a_keystore(commands: Driver, tmp_path: Path) -> None:
    """Hoodi's own file on a chain of Hoodi's id, with the Safe's address filled in."""
    account = Account.from_key(HOODI_KEY)
    keystores = tmp_path / "ape" / "accounts"
    keystores.mkdir(parents=True)
    sealed = Account.encrypt(HOODI_KEY, "a long password", iterations=2)
    (keystores / "deployer.json").write_text(json.dumps(sealed))
    with anvil("--chain-id", "560048") as w3:
        command = Command(w3, tmp_path, commands, network="testnet")
        rpc(w3, "anvil_setBalance", account.address, hex(10**18))
        window = str(w3.eth.get_block("latest")["timestamp"] + 30 * 86_400)

        def run(proposers: str, *words: str, password: str = "") -> Answer:
            file = parameters(
                tmp_path,
                network="testnet",
                proposers=proposers,
                confirmations="1",
                valid_until_s=window,
            )
            return command.as_process(
                *("run", "--account", "deployer", "--parameters", str(file), *words),
                APE_DATA_FOLDER=str(tmp_path / "ape"),
                APE_ACCOUNTS_deployer_PASSPHRASE=password,
                HOME=str(tmp_path / "home"),
            )

        ran = run("[]")
        assert (ran.code, ran.error["code"]) == (2, "parameters_refused")
        assert "proposers is empty" in ran.error["message"]
        ran = run(f'["{account.address}"]')
        assert (ran.code, ran.error["code"]) == (2, "parameters_refused")
        assert "the deployer" in ran.error["message"]
        sending = (f'["{PROPOSER}"]', "--broadcast", "--yes")
        ran = run(*sending, password="a wrong password")
        assert (ran.code, ran.error["code"]) == (3, "keystore_password")
        assert w3.eth.get_transaction_count(account.address) == 0

        ran = run(*sending, password="a long password")
        assert ran.code == 0, ran.error
        assert w3.eth.get_transaction_count(account.address) == len(STEPS)
        timelock = contract(command, "TimelockController", command.document["timelock"])
        assert timelock.functions.getMinDelay().call() == 7 * 86_400
    # Ape's own files stay in the repository: of the user's folder a keystore was read, no more.
    assert not (tmp_path / "home").exists()
    assert [path.name for path in (tmp_path / "ape").rglob("*")] == ["accounts", "deployer.json"]
