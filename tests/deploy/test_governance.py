"""Upgrades and parameters through the timelock, on a real chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.types import Wei

from sdk.toolchain.compile import compile_contracts
from tests.deploy.chain import DEPLOYER, PROPOSER, Command, rpc
from tests.deploy.checkout import NEW_VERSION, changed_checkout

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

DELAY_S = 60  # deploy/parameters/local.toml
AS_PROPOSER = ("--account", "1", "--broadcast")
ETHER = Wei(10**18)


def registry(command: Command) -> Any:
    return command.w3.eth.contract(
        address=Web3.to_checksum_address(command.document["registry"]),
        abi=compile_contracts()["RegistryExtension"].abi,
    ).functions


def pass_time(command: Command, seconds: int) -> None:
    rpc(command.w3, "evm_increaseTime", seconds)
    rpc(command.w3, "evm_mine")


def propose(command: Command, *words: str) -> str:
    """Id of a fresh proposal."""
    ran = command("propose-parameter", *words, *AS_PROPOSER)
    assert ran.code == 0, ran.error
    return str(ran.result["operation"])


def test_a_parameter_changes_after_the_delay_and_not_before(deployed: Command) -> None:
    operation = propose(deployed, "updateNetworkFee", "4gwei")
    ran = deployed("execute", operation, "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "operation_waiting")
    assert " left (ready at " in ran.error["message"]
    assert registry(deployed).getNetworkFee().call() == 3_550_900_000

    ran = deployed("queue")
    (waiting,) = ran.result["operations"]
    assert waiting["operation"] == operation
    assert waiting["state"] == "waiting"
    assert 0 < waiting["remaining_s"] <= DELAY_S
    assert waiting["words"].startswith("updateNetworkFee 4 gwei per block and 32 ETH")

    pass_time(deployed, DELAY_S)
    ran = deployed("execute", operation)
    assert (ran.code, ran.result["sent"]) == (0, 0)
    assert registry(deployed).getNetworkFee().call() == 3_550_900_000
    ran = deployed("execute", operation, "--broadcast")
    assert ran.code == 0, ran.error
    assert registry(deployed).getNetworkFee().call() == 4_000_000_000

    ran = deployed("execute", operation, "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "operation_done")


def test_an_equal_proposal_gets_another_salt(deployed: Command) -> None:
    first = propose(deployed, "updateValidatorsPerOperatorLimit", "4000")
    second = deployed(
        "propose-parameter", "updateValidatorsPerOperatorLimit", "4000", "--predecessor", first
    )
    third = deployed("propose-parameter", "updateValidatorsPerOperatorLimit", "4000")
    assert second.result["predecessor"] == first
    assert int(second.result["salt"], 16) == 0
    assert int(third.result["salt"], 16) == 1
    assert len({first, second.result["operation"], third.result["operation"]}) == 3


def test_a_proposal_without_broadcast_is_calldata_for_a_safe(deployed: Command) -> None:
    w3 = deployed.w3
    before = w3.eth.block_number
    ran = deployed("propose-parameter", "updateDeclareOperatorFeePeriod", "14days")
    assert (ran.code, ran.result["sent"]) == (0, 0)
    assert w3.eth.block_number == before
    sent = w3.eth.send_transaction(
        {
            "from": PROPOSER,
            "to": deployed.document["timelock"],
            "data": ran.result["schedule_calldata"],
        }
    )
    assert w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    (waiting,) = deployed("queue").result["operations"]
    assert waiting["operation"] == ran.result["operation"]


def test_who_is_no_proposer_cannot_propose(deployed: Command) -> None:
    ran = deployed("propose-parameter", "updateNetworkFee", "4gwei", "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "not_proposer")
    assert DEPLOYER in ran.error["message"]


def test_a_call_the_registry_would_refuse_is_not_proposed(deployed: Command) -> None:
    ran = deployed("propose-parameter", "updateNetworkFee", "38gwei", *AS_PROPOSER)
    assert (ran.code, ran.error["code"]) == (4, "would_revert")
    assert "ParameterOutOfBounds" in ran.error["message"]


def test_an_upgrade_through_the_timelock_keeps_the_state(deployed: Command, tmp_path: Path) -> None:
    """By the code of a later version: another answer of a getter, a new member of the storage."""
    later = changed_checkout(tmp_path / "later")
    w3, old = deployed.w3, deployed.document
    paid = w3.eth.send_transaction(
        {
            "from": PROPOSER,
            "to": old["registry"],
            "value": ETHER,
            "data": registry(deployed).coverDebt()._encode_transaction_data(),
        }
    )
    w3.eth.wait_for_transaction_receipt(paid)
    earnings = registry(deployed).getNetworkEarnings().call()
    assert earnings == ETHER
    assert registry(deployed).getVersion().call() != NEW_VERSION

    nonce = w3.eth.get_transaction_count(PROPOSER)
    ran = deployed.in_checkout(later, "propose-upgrade", "--account", "1")
    assert (ran.code, ran.result["sent"]) == (0, 0), ran.error
    assert "new in storage: t_struct(RegistryStorage).later" in ran.steps
    assert w3.eth.get_transaction_count(PROPOSER) == nonce
    planned = ran.result["operation"]

    ran = deployed.in_checkout(later, "propose-upgrade", *AS_PROPOSER)
    assert ran.code == 0, ran.error
    assert ran.result["operation"] == planned
    ran = deployed("execute", planned, "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "operation_waiting")
    pass_time(deployed, DELAY_S)
    ran = deployed("execute", planned, "--broadcast")
    assert ran.code == 0, ran.error

    new = deployed.document
    assert new["implementation"] != old["implementation"]
    for step in ("core", "extension"):
        before, after = old["contracts"][step], new["contracts"][step]
        assert before["address"] != after["address"]
        assert before["template_hash"] != after["template_hash"]
    assert registry(deployed).getVersion().call() == NEW_VERSION
    assert {name: new[name] for name in ("registry", "timelock", "verifier", "start_block")} == {
        name: old[name] for name in ("registry", "timelock", "verifier", "start_block")
    }
    slot = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
    word = bytes(w3.eth.get_storage_at(new["registry"], int(slot, 16)))
    assert Web3.to_checksum_address(word[-20:]) == new["implementation"]
    assert registry(deployed).getNetworkEarnings().call() == earnings
    assert registry(deployed).owner().call() == old["timelock"]
    assert sorted(path.name for path in deployed.addresses.parent.iterdir()) == [
        "local.inputs",
        "local.json",
    ]


def test_code_that_would_misread_the_storage_is_refused(deployed: Command) -> None:
    document = deployed.document
    members = document["storage_layout"]["structs"]["t_struct(Parameters)"]
    members.insert(0, ["halfAsLong", 0, 0, "t_uint16"])
    deployed.addresses.write_text(json.dumps(document))
    nonce = deployed.w3.eth.get_transaction_count(PROPOSER)
    ran = deployed("propose-upgrade", *AS_PROPOSER)
    assert (ran.code, ran.error["code"]) == (4, "layout_conflict")
    assert "halfAsLong" in ran.error["message"]
    assert deployed.w3.eth.get_transaction_count(PROPOSER) == nonce


def test_renouncing_upgrades_ends_them_even_those_that_wait(deployed: Command) -> None:
    ran = deployed("propose-upgrade", *AS_PROPOSER)
    assert ran.code == 0, ran.error
    upgrade = ran.result["operation"]
    renounce = propose(deployed, "renounceUpgrades")
    pass_time(deployed, DELAY_S)
    assert deployed("execute", renounce, "--broadcast").code == 0
    assert registry(deployed).getUpgradesRenounced().call() is True

    ran = deployed("execute", upgrade, "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "would_revert")
    assert "UpgradesRenounced" in ran.error["message"]
    ran = deployed("propose-upgrade", *AS_PROPOSER)
    assert (ran.code, ran.error["code"]) == (4, "upgrades_renounced")
