"""A recorded run of the reference registry, replayed on ours to the wei.

Every transaction is mined in the recorded block. The recording does not name the blocks of the
set-up, but its first struct gives them away: the network's index of 69 fees at block 85 dates its
opening to block 16, and the operators' 82 fees together date four registrations in a row to 63..66.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.behaviour.expected import held
from tests.contracts.behaviour.world import Cluster, World

RECORDING = Path(__file__).parents[1] / "data" / "accounting-vectors.json"
DOCUMENT: dict[str, Any] = json.loads(RECORDING.read_text())
NETWORK_OPENED = 16
FIRST_OPERATOR = 63
IDS = [1, 2, 3, 4]

Step = dict[str, Any]


@dataclass(slots=True)
class Replay:
    """The recorded run, one step after the other.

    Attributes:
        keys: of each owner's registered validators.
    """

    world: World
    keys: dict[str, list[bytes]] = field(default_factory=dict)

    def carry_out(self, step: Step) -> None:
        """Do what the step's text says, in its block."""
        self.world.anvil.mine_to(step["block"])
        for pattern, action in ACTIONS.items():
            match = re.fullmatch(pattern, step["step"])
            if match is not None:
                action(self, step.get("owner", "").lower(), *match.groups())
                assert self.world.anvil.block_number() == step["block"]
                return
        raise LookupError(step["step"])

    def register(self, owner: str, count: str, wei: str) -> None:
        keys = self.world.register(owner, IDS, keys=int(count), value=int(wei))
        self.keys.setdefault(owner, []).extend(keys)

    def remove(self, owner: str, count: str) -> None:
        keys = [self.keys[owner].pop() for _ in range(int(count))]
        cluster = self.world.latest(owner, IDS)
        self.world.registry.bulkRemoveValidator(keys, IDS, cluster, sender=owner)

    def deposit(self, owner: str, ether: str) -> None:
        cluster = self.world.latest(owner, IDS)
        sender = self.world.stranger
        self.world.registry.deposit(owner, IDS, cluster, sender=sender, value=wei_of(ether))

    def withdraw(self, owner: str, ether: str) -> None:
        cluster = self.world.latest(owner, IDS)
        self.world.registry.withdraw(IDS, wei_of(ether), cluster, sender=owner)

    def liquidate(self, owner: str) -> None:
        cluster = self.world.latest(owner, IDS)
        self.world.registry.liquidate(owner, IDS, cluster, sender=owner)

    def reactivate(self, owner: str, ether: str) -> None:
        cluster = self.world.latest(owner, IDS)
        self.world.registry.reactivate(IDS, cluster, sender=owner, value=wei_of(ether))

    def collect(self, _: str, operator: str, wei: str) -> None:
        self.world.registry.withdrawOperatorEarnings(
            int(operator), int(Decimal(wei)), sender=self.world.alice
        )

    def reduce(self, _: str, operator: str, fee: str) -> None:
        self.world.registry.reduceOperatorFee(int(operator), int(fee), sender=self.world.alice)

    def dismiss(self, _: str, operator: str) -> None:
        self.world.registry.removeOperator(int(operator), sender=self.world.alice)

    def double(self, _: str) -> None:
        fee = 2 * int(DOCUMENT["networkFee"])
        self.world.registry.updateNetworkFee(fee, sender=self.world.governor)

    def found(self, step: Step) -> Step:
        """What our registry shows of whatever the step recorded."""
        registry, shown = self.world.registry, dict(step)
        if "cluster" in step:
            cluster = self.world.latest(step["owner"].lower(), IDS)
            shown["cluster"] = recorded_form(cluster)
        if "operatorEarnings" in step:
            shown["operatorEarnings"] = [str(registry.getOperatorEarnings(one)) for one in IDS]
        if "networkEarnings" in step:
            shown["networkEarnings"] = str(registry.getNetworkEarnings())
        if "registryEth" in step:
            shown["registryEth"] = str(held(self.world))
        return shown


ACTIONS: dict[str, Callable[..., None]] = {
    r"register (\d+) validators with (\d+) wei": Replay.register,
    r"remove (\d+) validators?": Replay.remove,
    r"third party deposits ([\d.]+) ETH": Replay.deposit,
    r"owner withdraws ([\d.]+) ETH": Replay.withdraw,
    r"owner liquidates itself": Replay.liquidate,
    r"reactivate with ([\d.]+) ETH": Replay.reactivate,
    r"operator (\d+) withdraws ([\de]+) wei": Replay.collect,
    r"operator (\d+) reduces its fee to (\d+)": Replay.reduce,
    r"operator (\d+) removed": Replay.dismiss,
    r"network fee doubled": Replay.double,
}


def wei_of(ether: str) -> int:
    """A decimal number of ether, in wei."""
    return int(Decimal(ether) * 10**18)


def recorded_form(cluster: Cluster) -> Step:
    """A struct as the recording writes it."""
    return {
        "validatorCount": cluster.validator_count,
        "networkFeeIndex": str(cluster.network_fee_index),
        "index": str(cluster.index),
        "active": cluster.active,
        "balance": str(cluster.balance),
    }


def test_recorded_run_of_the_reference_is_reproduced_to_the_wei(world: World) -> None:
    world.anvil.mine_to(NETWORK_OPENED - 2)
    world = replace(world, registry=world.another(networkFee=int(DOCUMENT["networkFee"])))
    assert world.anvil.block_number() == NETWORK_OPENED
    world.anvil.mine_to(FIRST_OPERATOR)
    assert world.operators(4, fee=int(DOCUMENT["operatorFee"])) == IDS
    replay = Replay(world)
    for step in DOCUMENT["steps"]:
        for owner in filter(None, [step.get("owner", "").lower()]):
            assert owner in world.anvil.accounts
        replay.carry_out(step)
        assert replay.found(step) == step


@pytest.mark.parametrize("entry", DOCUMENT["clusterIds"], ids=lambda entry: entry["clusterId"][:10])
def test_cluster_ids_are_the_recorded_ones(world: World, entry: Step) -> None:
    found = world.registry.getClusterId(entry["owner"].lower(), entry["operatorIds"])
    assert f"0x{found.hex()}" == entry["clusterId"]
