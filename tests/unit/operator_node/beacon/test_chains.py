"""A node of another chain is left out; one that wants an update is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio

from operator_node.beacon import BeaconPool, NodeState
from operator_node.beacon.chains import (
    Account,
    deposit_contract_of,
    difference,
    most_agreed,
    outdated,
)
from operator_node.spec import ChainSpec, Fork
from operator_node.spec.presets import Preset
from sdk.types import Epoch
from tests.unit.operator_node.beacon.fake_node import FakeNode, chain_of_fake, config
from tests.unit.operator_node.beacon.pools import with_pool

OURS = chain_of_fake()
NOW = 2


def with_fork(epoch: int, version: int = 9) -> ChainSpec:
    fork = Fork(len(OURS.forks) + 1, Epoch(epoch), bytes([version]) * 4)
    return replace(OURS, forks=(*OURS.forks, fork))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (OURS, OURS, ""),
        (OURS, replace(OURS, genesis_validators_root=bytes(32)), "genesis validators root"),
        (OURS, replace(OURS, genesis_time=5), "genesis time 5"),
        (OURS, replace(OURS, seconds_per_slot=3), "slots of 3 s"),
        (OURS, replace(OURS, preset=Preset.MAINNET), "preset mainnet"),
        (with_fork(NOW), OURS, "does not know the fork of epoch 2 with version 0x09090909"),
        (OURS, with_fork(NOW), "only it knows the fork of epoch 2"),
        (with_fork(NOW), with_fork(NOW, 8), "does not know the fork of epoch 2"),
        (with_fork(NOW + 1), OURS, ""),
        (with_fork(NOW + 1), with_fork(NOW + 2), ""),
    ],
)
def test_what_has_begun_belongs_to_the_chain(
    ours: ChainSpec, theirs: ChainSpec, expected: str
) -> None:
    found = difference(ours, theirs, epoch=NOW)
    assert expected in found
    assert bool(found) is bool(expected)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (with_fork(9), with_fork(9), ""),
        (with_fork(9), OURS, "does not know the fork of epoch 9 with version 0x09090909; update"),
        (OURS, with_fork(9), "knows the fork of epoch 9 with version 0x09090909, and the first"),
    ],
)
def test_coming_forks_tell_who_wants_an_update(
    ours: ChainSpec, theirs: ChainSpec, expected: str
) -> None:
    found = outdated(ours, theirs)
    assert expected in found
    assert bool(found) is bool(expected)


def test_a_configuration_names_its_deposit_contract_or_does_not() -> None:
    named = {"DEPOSIT_CONTRACT_ADDRESS": "0xAB", "DEPOSIT_CHAIN_ID": "5"}
    assert deposit_contract_of(named) == "0xab of chain 5"
    assert deposit_contract_of({"DEPOSIT_CONTRACT_ADDRESS": 7}) == ""


def test_a_node_that_comes_back_on_another_chain_is_left_out() -> None:
    first = config() | {"DEPOSIT_CONTRACT_ADDRESS": "0xCD", "DEPOSIT_CHAIN_ID": "5"}
    kept, changed = FakeNode({"/eth/v1/config/spec": {"data": first}}), FakeNode()

    async def use(pool: BeaconPool) -> list[tuple[NodeState, bool]]:
        await trio.sleep(1)
        changed.is_down = True
        await trio.sleep(60)
        changed.is_down = False
        other = config() | {"DEPOSIT_CONTRACT_ADDRESS": "0xAB", "DEPOSIT_CHAIN_ID": "5"}
        changed.routes["/eth/v1/config/spec"] = {"data": other}
        await trio.sleep(60)
        return [(each.state, "0xab" in each.last_trouble) for each in pool.status()]

    assert with_pool(use, kept, changed, is_running=True) == [
        (NodeState.SYNCED, False),
        (NodeState.WRONG_CHAIN, True),
    ]


def test_a_node_that_misses_a_coming_fork_is_named_and_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    coming = config() | {"FULU_FORK_EPOCH": "900", "FULU_FORK_VERSION": "0x06000001"}
    new, old = FakeNode({"/eth/v1/config/spec": {"data": coming}}), FakeNode()

    async def use(pool: BeaconPool) -> list[NodeState]:
        await trio.sleep(1)
        return [each.state for each in pool.status()]

    assert with_pool(use, new, old, is_running=True) == [NodeState.SYNCED] * 2
    assert "beacon node b:5052 (Fake/v1) does not know the fork of epoch 900" in caplog.text


NO_FORK = {key: text for key, text in config().items() if not key.startswith("ELECTRA")}
SHORT = config() | {"SECONDS_PER_SLOT": "6"}
ELSEWHERE = config() | {"DEPOSIT_CONTRACT_ADDRESS": "0xAB", "DEPOSIT_CHAIN_ID": "5"}
CONTRACT = config() | {"DEPOSIT_CONTRACT_ADDRESS": "0xCD", "DEPOSIT_CHAIN_ID": "5"}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [(SHORT, config()), (NO_FORK, config()), (ELSEWHERE, CONTRACT)],
)
def test_the_first_node_alone_does_not_decide_the_chain(
    wrong: dict[str, str], right: dict[str, str]
) -> None:
    nodes = [FakeNode({"/eth/v1/config/spec": {"data": each}}) for each in (wrong, right, right)]

    async def use(pool: BeaconPool) -> list[NodeState]:
        await trio.sleep(1)
        return [each.state for each in pool.status()]

    states = [NodeState.WRONG_CHAIN, NodeState.SYNCED, NodeState.SYNCED]
    assert with_pool(use, *nodes, is_running=True) == states


@pytest.mark.parametrize(
    ("chains", "expected"),
    [
        ([OURS], 0),
        ([OURS, replace(OURS, genesis_time=5)], 0),
        ([replace(OURS, genesis_time=5), OURS, OURS], 1),
        ([replace(OURS, genesis_time=10**6), OURS, OURS], 1),
        ([with_fork(900), OURS, OURS], 0),
    ],
)
def test_most_accounts_decide_and_the_first_of_equally_many(
    chains: list[ChainSpec], expected: int
) -> None:
    assert most_agreed([Account(each) for each in chains], now_s=NOW * 32 * 12) == expected
