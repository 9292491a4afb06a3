"""The example sounds the alarm in time, on a real local chain whose blocks pass at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web3 import HTTPProvider, Web3

from examples import register_validators, watch_cluster
from sdk.client import Client
from sdk.toolchain.deploy import deploy_local

pytestmark = pytest.mark.toolchain

IDS = [1, 2, 3, 4]
LEFT, LEAST = 30, 20
"""Blocks of runway that the owner leaves, and that the alarm is set to."""


@pytest.fixture
def owner(anvil: str) -> Client:
    """Owner of a cluster with two validators and little runway."""
    w3 = Web3(HTTPProvider(anvil))
    deployed = deploy_local(w3)
    operators = register_validators.register_operators(
        register_validators.client_of(w3, deployed, 1)
    )
    client = register_validators.client_of(w3, deployed, 2)
    register_validators.register(client, register_validators.split_validators(client, operators))
    cluster = client.clusters.get(client.account or "", IDS)
    spare = cluster.withdrawable_wei - LEFT * cluster.burn_rate_wei
    client.clusters.withdraw(IDS, amount_wei=spare).transact()
    return client


def test_alarm_comes_before_it_is_due_when_it_is_and_when_it_is_over(
    owner: Client, anvil: str
) -> None:
    w3 = Web3(HTTPProvider(anvil))
    happens = events(owner, w3)
    account = owner.account or ""
    lines = list(
        watch_cluster.watch(
            lambda: owner.clusters.get(account, IDS),
            least_blocks=LEAST,
            pause=lambda: next(happens),
        )
    )
    told = [line.split(": ", 1)[1].split(";")[0] for line in lines]
    assert told == [
        "fine",
        f"ALARM: less than {LEAST} blocks of runway",
        "ALARM: anybody may liquidate it now",
        "liquidated",
    ]
    # The last block told as safe is the one before that in which it could be liquidated.
    due = int(lines[0].rsplit(" ", 1)[1])
    assert int(lines[2].split(":")[0].removeprefix("block ")) == due


def events(owner: Client, w3: Web3) -> Iterator[None]:
    """What passes between two looks."""
    cluster = owner.clusters.get(owner.account or "", IDS)
    due = cluster.liquidation_block
    assert due is not None
    mine(w3, 1)
    yield
    mine(w3, due - LEAST + 1 - w3.eth.block_number)
    yield
    mine(w3, due - 1 - w3.eth.block_number)
    yield
    mine(w3, 1)
    yield
    owner.clusters.liquidate(owner.account or "", IDS).transact()
    yield
    yield


def mine(w3: Web3, blocks: int) -> None:
    w3.provider.make_request("anvil_mine", [hex(blocks)])  # type: ignore[arg-type]
