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


def lock(command: Command) -> Any:
    return command.w3.eth.contract(
        address=Web3.to_checksum_address(command.document["timelock"]),
        abi=compile_contracts()["TimelockController"].abi,
    ).functions


def send(command: Command, call: Any, sender: str) -> None:
    """What another wallet than ours does."""
    sent = call.transact({"from": sender})
    assert command.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1


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


def test_a_dry_run_says_why_it_knows_no_cost(deployed: Command) -> None:
    ran = deployed("propose-parameter", "updateNetworkFee", "4gwei")
    assert (ran.code, ran.result["gas"]) == (0, 0)
    (note,) = (step for step in ran.steps if step.startswith("no gas estimate"))
    assert f"AccessControlUnauthorizedAccount({DEPLOYER.lower()}" in note
    ran = deployed("propose-parameter", "updateNetworkFee", "4gwei", "--account", "1")
    assert ran.result["gas"] > 0
    assert not any(step.startswith("no gas estimate") for step in ran.steps)


def test_a_batch_is_listed_call_by_call_and_executed_as_a_whole(deployed: Command) -> None:
    document, words = deployed.document, lock(deployed)
    fee = registry(deployed).updateNetworkFee(4 * 10**9)._encode_transaction_data()
    delay = words.updateDelay(120)._encode_transaction_data()
    targets = [document["registry"], document["timelock"], DEPLOYER]
    batch = (targets, [0, 0, 5], [fee, delay, b""], bytes(32), (9).to_bytes(32, "big"))
    send(deployed, words.scheduleBatch(*batch, DELAY_S), PROPOSER)
    alone = ([targets[0]], [0], [fee], words.hashOperationBatch(*batch).call(), bytes(32))
    send(deployed, words.scheduleBatch(*alone, DELAY_S), PROPOSER)

    first, second = deployed("queue").result["operations"]
    assert first["operation"] == "0x" + words.hashOperationBatch(*batch).call().hex()
    said = [each["words"] for each in first["calls"]]
    assert said[0].startswith("updateNetworkFee 4 gwei")
    assert said[1:] == ["updateDelay 2 min", f"call {DEPLOYER} with 0x and 0.000000005 gwei"]
    assert first["words"] == "; ".join(said)
    assert [each["words"] for each in second["calls"]] == said[:1]

    pass_time(deployed, DELAY_S)
    ran = deployed("execute", second["operation"], "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "predecessor_open")
    ran = deployed("execute", first["operation"])
    assert (ran.code, ran.result["sent"]) == (0, 0), ran.error
    for operation in (first, second):
        ran = deployed("execute", operation["operation"], "--broadcast")
        assert ran.code == 0, ran.error
    assert registry(deployed).getNetworkFee().call() == 4 * 10**9
    assert words.getMinDelay().call() == 120
    states = [each["state"] for each in deployed("queue").result["operations"]]
    assert states == ["done", "done"]


def test_a_batch_of_which_one_call_fails_is_not_sent(deployed: Command) -> None:
    fees = [
        registry(deployed).updateNetworkFee(fee)._encode_transaction_data()
        for fee in (4 * 10**9, 10**18)
    ]
    batch = ([deployed.document["registry"]] * 2, [0, 0], fees, bytes(32), bytes(32))
    send(deployed, lock(deployed).scheduleBatch(*batch, DELAY_S), PROPOSER)
    pass_time(deployed, DELAY_S)
    nonce = deployed.w3.eth.get_transaction_count(DEPLOYER)
    (listed,) = deployed("queue").result["operations"]
    ran = deployed("execute", listed["operation"], "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "would_revert")
    assert "ParameterOutOfBounds" in ran.error["message"]
    assert deployed.w3.eth.get_transaction_count(DEPLOYER) == nonce


def test_malformed_proposals_do_not_hide_the_others(deployed: Command) -> None:
    document, words = deployed.document, lock(deployed)
    fee = registry(deployed).updateNetworkFee(4 * 10**9)._encode_transaction_data()
    upgrade = bytes.fromhex("4f1ef286")  # upgradeToAndCall(address,bytes)
    malformed = [
        (document["registry"], upgrade + b"\xff" * 64),
        (document["registry"], bytes.fromhex(fee[2:10])),
        (document["timelock"], upgrade),
        (PROPOSER, bytes.fromhex(fee[2:])),
    ]
    for target, data in malformed:
        send(deployed, words.schedule(target, 0, data, bytes(32), bytes(32), DELAY_S), PROPOSER)
    send(
        deployed,
        words.schedule(document["registry"], 0, fee, bytes(32), bytes(32), 2**200),
        PROPOSER,
    )
    operation = propose(deployed, "renounceUpgrades")

    listed = deployed("queue").result["operations"]
    assert len(listed) == len(malformed) + 2
    for entry, (target, data) in zip(listed, malformed, strict=False):
        assert entry["words"] == f"call {target} with 0x{data.hex()}"
    assert listed[-2]["words"].startswith("updateNetworkFee 4 gwei")
    assert listed[-2]["remaining_s"] > 2**199
    assert (listed[-1]["operation"], listed[-1]["words"]) == (operation, "renounceUpgrades")


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


def test_an_upgrade_executed_by_somebody_else_reaches_the_addresses_file(
    deployed: Command,
) -> None:
    """With one input moved already, as by an `execute` that was killed."""
    old = deployed.document
    ran = deployed("propose-upgrade", *AS_PROPOSER)
    assert ran.code == 0, ran.error
    operation = ran.result["operation"]
    pass_time(deployed, DELAY_S)
    sent = deployed.w3.eth.send_transaction(
        {"from": DEPLOYER, "to": old["timelock"], "data": ran.result["execute_calldata"]}
    )
    assert deployed.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    folder = deployed.addresses.parent
    name = "RegistryExtension.json"
    (folder / "local.pending.inputs" / name).replace(folder / "local.inputs" / name)

    before = deployed.w3.eth.get_transaction_count(DEPLOYER)
    ran = deployed("execute", operation)
    assert (ran.code, ran.result["addresses"]) == (0, "behind"), ran.error
    assert deployed.document == old
    ran = deployed("execute", operation, "--broadcast")
    assert (ran.code, ran.result["addresses"], ran.result["sent"]) == (0, "updated", 0), ran.error
    assert deployed.document["implementation"] != old["implementation"]
    assert sorted(path.name for path in folder.iterdir()) == ["local.inputs", "local.json"]
    assert deployed("verify-input").code == 0
    assert deployed.w3.eth.get_transaction_count(DEPLOYER) == before

    ran = deployed("execute", operation, "--broadcast")
    assert (ran.code, ran.error["code"]) == (4, "operation_done")


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
