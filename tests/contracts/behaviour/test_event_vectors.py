"""Recorded logs of the reference registry, emitted by ours byte for byte (contracts.md, 17.1).

Both ways are used. Operators, whitelists, fees and parameters are called with the recorded inputs,
in the recorded blocks where a log names its block. Cluster structs hold fee indexes, which no input
sets, so the run of accounting-vectors.json is repeated in its exact blocks with the recorded keys
and shares. Its first struct dates the set-up, which it does not name: the network's account opened
in block 16, and operators 1 to 4 were registered in blocks 63 to 66.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.contracts.behaviour.abi import describe_log, read_log
from tests.contracts.behaviour.anvil import Log
from tests.contracts.behaviour.world import World, operator_key, shares, validator_key

RECORDING = Path(__file__).parents[1] / "data" / "event-vectors.json"
LOGS: list[dict[str, Any]] = json.loads(RECORDING.read_text())["logs"]
NETWORK_OPENED = 16
FIRST_OPERATOR = 63
IDS = [1, 2, 3, 4]
ETHER = 10**18


class Recorded:
    """The recorded arguments, taken one log after the other."""

    def __init__(self) -> None:
        self._logs = iter(LOGS)

    def next(self, name: str) -> Any:
        """Arguments of the next recorded log with this name."""
        return next(log["args"] for log in self._logs if log["event"] == name)


def raw(log: dict[str, Any], address: str) -> Log:
    """A recorded log as our registry should emit it."""
    topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
    return Log(address=address, topics=topics, data=bytes.fromhex(log["data"][2:]))


def data(text: str) -> bytes:
    """Bytes of a recorded hex text."""
    return bytes.fromhex(text[2:])


def set_up(world: World, recorded: Recorded) -> None:
    """Operators, whitelists, fees and parameters, with the recorded inputs."""
    registry, alice, governor = world.registry, world.alice, world.governor
    world.anvil.mine_to(FIRST_OPERATOR)
    for operator in (1, 2, 3, 4, 5):
        key, fee = operator_key(operator), 1_770_000_000
        if operator <= 2:
            args = recorded.next("OperatorAdded")
            key, fee = data(args["publicKey"]), int(args["fee"])
        registry.registerOperator(key, fee, False, sender=alice)
    listed = recorded.next("OperatorMultipleWhitelistUpdated")["whitelistAddresses"]
    registry.setOperatorsWhitelists([5], listed, sender=alice)
    registry.removeOperatorsWhitelists([5], listed, sender=alice)
    contract = recorded.next("OperatorWhitelistingContractUpdated")["whitelistingContract"]
    code = world.anvil.rpc("eth_getCode", world.create("AllowList", []).address, "latest")
    world.anvil.rpc("anvil_setCode", contract, code)
    registry.setOperatorsWhitelistingContract([5], contract, sender=alice)
    declared = recorded.next("OperatorFeeDeclared")
    world.anvil.mine_to(int(declared["blockNumber"]))
    registry.declareOperatorFee(5, int(declared["fee"]), sender=alice)
    registry.cancelDeclaredOperatorFee(5, sender=alice)
    reduced = recorded.next("OperatorFeeExecuted")
    world.anvil.mine_to(int(reduced["blockNumber"]))
    registry.reduceOperatorFee(5, int(reduced["fee"]), sender=alice)
    recipient = recorded.next("FeeRecipientAddressUpdated")
    registry.setFeeRecipientAddress(
        recipient["recipientAddress"], sender=recipient["owner"].lower()
    )
    for name, function, argument in [
        ("NetworkFeeUpdated", "updateNetworkFee", "newFee"),
        ("OperatorFeeIncreaseLimitUpdated", "updateOperatorFeeIncreaseLimit", "value"),
        ("DeclareOperatorFeePeriodUpdated", "updateDeclareOperatorFeePeriod", "value"),
        ("ExecuteOperatorFeePeriodUpdated", "updateExecuteOperatorFeePeriod", "value"),
        ("OperatorMaximumFeeUpdated", "updateMaximumOperatorFee", "maxFee"),
        ("MinimumOperatorEthFeeUpdated", "updateMinimumOperatorEthFee", "minFee"),
        ("MinimumLiquidationCollateralUpdated", "updateMinimumLiquidationCollateral", "value"),
        ("LiquidationThresholdPeriodUpdated", "updateLiquidationThresholdPeriod", "value"),
    ]:
        registry.transact(function, int(recorded.next(name)[argument]), sender=governor)


def run_clusters(world: World, recorded: Recorded) -> None:
    """The run of accounting-vectors.json, in its blocks."""
    registry, anvil, alice = world.registry, world.anvil, world.alice
    first, second = recorded.next("ValidatorAdded"), recorded.next("ValidatorAdded")
    one, two = first["owner"].lower(), second["owner"].lower()
    exited = data(Recorded().next("ValidatorExited")["publicKey"])

    def register(owner: str, value: int, *pairs: tuple[bytes, bytes]) -> None:
        keys, parts = [key for key, _ in pairs], [part for _, part in pairs]
        cluster = world.latest(owner, IDS)
        registry.bulkRegisterValidator(keys, IDS, parts, cluster, sender=owner, value=value)

    anvil.mine_to(85)
    register(one, ETHER, (data(first["publicKey"]), data(first["shares"])))
    anvil.mine_to(93)
    others = [(validator_key(number), shares(4)) for number in (1, 2)]
    register(two, 2 * ETHER, (data(second["publicKey"]), data(second["shares"])), *others)
    anvil.mine_to(105)
    register(one, 0, (exited, shares(4)), (validator_key(3), shares(4)))
    anvil.mine_to(206)
    value = int(recorded.next("ClusterDeposited")["value"])
    registry.deposit(one, IDS, world.latest(one, IDS), sender=world.stranger, value=value)
    anvil.mine_to(210)
    value = int(recorded.next("ClusterWithdrawn")["value"])
    registry.withdraw(IDS, value, world.latest(one, IDS), sender=one)
    anvil.mine_to(216)
    key = data(recorded.next("ValidatorRemoved")["publicKey"])
    registry.removeValidator(key, IDS, world.latest(one, IDS), sender=one)
    registry.exitValidator(exited, IDS, sender=one)
    anvil.mine_to(227)
    value = int(recorded.next("OperatorWithdrawn")["value"])
    registry.withdrawOperatorEarnings(1, value, sender=alice)
    reduced = recorded.next("OperatorFeeExecuted")
    anvil.mine_to(int(reduced["blockNumber"]))
    registry.reduceOperatorFee(2, int(reduced["fee"]), sender=alice)
    anvil.mine_to(253)
    fee = int(recorded.next("NetworkFeeUpdated")["newFee"])
    registry.updateNetworkFee(fee, sender=world.governor)
    anvil.mine_to(274)
    registry.liquidate(two, IDS, world.latest(two, IDS), sender=two)
    anvil.mine_to(285)
    value = int(recorded.next("ClusterReactivated")["cluster"]["balance"])
    registry.reactivate(IDS, world.latest(two, IDS), sender=two, value=value)
    anvil.mine_to(296)
    registry.removeOperator(3, sender=alice)
    anvil.mine_to(307)
    keys = [data(second["publicKey"]), validator_key(1)]
    registry.bulkRemoveValidator(keys, IDS, world.latest(two, IDS), sender=two)


def test_every_recorded_log_is_emitted_in_order_and_byte_for_byte(world: World) -> None:
    world.anvil.mine_to(NETWORK_OPENED - 2)
    world = replace(world, registry=world.another())
    assert world.anvil.block_number() == NETWORK_OPENED
    recorded = Recorded()
    set_up(world, recorded)
    run_clusters(world, recorded)
    emitted = iter(world.anvil.logs(world.registry.address))
    for log in LOGS:
        expected = raw(log, world.registry.address)
        # Searching an iterator uses it up to the hit, so the order counts.
        assert expected in emitted, f"never emitted in order: {describe_log(expected)}"


def test_the_recorded_logs_decode_to_the_recorded_arguments() -> None:
    for log in LOGS:
        name, values = read_log(raw(log, ""))
        assert name == log["event"]
        assert {key: _text(value) for key, value in values.items()} == {
            key: _text(value) for key, value in log["args"].items()
        }


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(_text(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return tuple(_text(part) for part in value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value if isinstance(value, bool) else str(value).lower()
