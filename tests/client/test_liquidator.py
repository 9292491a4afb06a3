"""`phalanx liquidator`: on a real chain, against the clock of its blocks and against others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import trio

from sdk.keeper.bidding import Limits
from sdk.keeper.sending import STUCK_BLOCKS
from sdk.types import keccak256
from tests.client.keeping import Station, until
from tests.client.proxy import Answer, Proxy, Rule
from tests.client.world import FEE_WEI, IDS, OWNER, STRANGER, World

pytestmark = pytest.mark.toolchain

SHORT_WEI = 940_000_000_000_000 + 50 * (4 * FEE_WEI + 3_550_900_000)
"""The minimum collateral, and the fees of 50 blocks of one validator."""
CALL_GAS = 150_000


@pytest.fixture
def liquidation_block(world: World) -> int:
    """First block in which the only cluster can be liquidated."""
    client = world.register(1, deposit_wei=SHORT_WEI)
    found = client.clusters.get(world.account(OWNER), IDS).liquidation_block
    assert found is not None
    return found


@pytest.fixture
def mined_on_demand(world: World, liquidation_block: int) -> Iterator[None]:
    """The chain makes a block when a test says so."""
    world.rpc("evm_setAutomine", False)
    yield
    world.rpc("evm_setAutomine", True)


def mine_to(world: World, block: int) -> None:
    world.mine(block - world.w3.eth.block_number)


def holding_the_first() -> Rule:
    """A node that takes the first call, knows it ever after, and shows it to nobody."""
    held: list[str] = []

    def hold(request: dict[str, Any]) -> Answer | None:
        match request["method"], request["params"]:
            case "eth_sendRawTransaction", [raw] if not held:
                held.append("0x" + keccak256(bytes.fromhex(raw[2:])).hex())
                return Answer.result(request, held[0])
            case "eth_getTransactionByHash", [name] if name in held:
                return Answer.result(request, {"hash": name})
        return None

    return hold


def is_active(world: World) -> bool:
    return world.client(None).clusters.get(world.account(OWNER), IDS).snapshot.active


def test_it_is_taken_in_the_first_block_that_allows_and_pays(
    world: World, liquidation_block: int
) -> None:
    station = Station(world)
    before = station.balance_wei

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 2)
            await station.idle()
            assert station.nonce == 0
            world.mine(1)
            await station.outcome("won")

    trio.run(run)
    assert station.heard.facts("next_block")[0] == liquidation_block
    assert not is_active(world)
    assert station.nonce == 1
    assert world.w3.eth.block_number == liquidation_block
    assert station.balance_wei - before >= station.limits.min_profit_wei


def test_dry_run_says_it_once_and_sends_nothing(world: World, liquidation_block: int) -> None:
    station = Station(world, sends=False)

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.idle()
            world.mine(2)
            await station.idle()

    trio.run(run)
    assert station.heard.facts("decision") == ["would_send"]
    assert station.nonce == 0
    assert is_active(world)


def test_it_waits_until_gas_is_cheap_enough(world: World, liquidation_block: int) -> None:
    greedy = Limits(max_tip_wei=10**9, min_profit_wei=10**18)
    station = Station(world, limits=greedy)

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.idle()
            world.mine(2)
            await station.idle()

    trio.run(run)
    assert station.heard.facts("decision") == ["unprofitable"]
    assert station.nonce == 0


@pytest.mark.usefixtures("mined_on_demand")
def test_a_lost_race_costs_one_reverted_call_and_nothing_more(
    world: World, liquidation_block: int
) -> None:
    station = Station(world)
    before = station.balance_wei

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.idle()
            assert station.sender is not None
            [flight] = station.sender.flights.values()
            competitor = world.client(world.funded_signer(5)).clusters.liquidate(
                world.account(OWNER), IDS
            )
            built = competitor.build(gas=CALL_GAS)
            data = {**built.to_dict(), "from": world.account(STRANGER)}
            data |= {"maxFeePerGas": 10**12, "maxPriorityFeePerGas": 10**11}
            del data["nonce"]
            world.w3.eth.send_transaction(data)  # type: ignore[arg-type]
            world.mine(1)
            await station.outcome("lost")
            world.mine(5)
            await station.idle()
            assert before - station.balance_wei <= flight.bid.most_cost_wei

    trio.run(run)
    assert not is_active(world)
    assert station.nonce == 1
    assert station.heard.facts("outcome") == ["lost"]


@pytest.mark.usefixtures("mined_on_demand")
def test_clusters_due_in_one_block_are_taken_in_one_block(
    world: World, liquidation_block: int
) -> None:
    world.rpc("evm_setAutomine", True)
    other = world.client(STRANGER)
    other.validators.register(
        world.shares(2, owner=STRANGER), deposit_wei=SHORT_WEI + 100
    ).transact()
    world.rpc("evm_setAutomine", False)
    second = other.clusters.get(world.account(STRANGER), IDS).liquidation_block
    assert second is not None
    station = Station(world)

    async def run() -> None:
        mine_to(world, max(second, liquidation_block))
        async with station.working():
            assert station.sender is not None
            assert sorted(station.sender.flights) == [0, 1]
            world.mine(1)
            await until(lambda: station.heard.facts("outcome") == ["won", "won"], station.heard)

    trio.run(run)
    assert station.nonce == 2
    assert not is_active(world)


@pytest.mark.usefixtures("mined_on_demand")
def test_whoever_was_seen_to_be_faster_is_not_raced(world: World, liquidation_block: int) -> None:
    station = Station(world)

    async def run() -> None:
        mine_to(world, liquidation_block - 1)
        stranger = world.client(STRANGER).clusters.liquidate(world.account(OWNER), IDS)
        data = {**stranger.build(gas=CALL_GAS).to_dict(), "maxFeePerGas": 10**12}
        world.w3.eth.send_transaction(data)  # type: ignore[arg-type]
        async with station.working():
            world.mine(1)
            await station.idle()

    trio.run(run)
    assert station.heard.facts("decision") == ["changed"]
    assert station.nonce == 0
    assert not is_active(world)


@pytest.mark.usefixtures("mined_on_demand")
def test_a_call_that_nobody_mines_is_replaced_under_the_same_nonce(
    world: World, liquidation_block: int, proxy: Proxy
) -> None:
    station = Station(world, url=proxy.url)
    proxy.rule = holding_the_first()

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.idle()
            assert station.sender is not None
            [flight] = station.sender.flights.values()
            first = flight.bid
            for _ in range(STUCK_BLOCKS):
                assert len(flight.attempts) == 1
                world.mine(1)
                await station.idle()
            assert len(flight.attempts) == 2
            assert 10 * flight.bid.tip_wei >= 11 * first.tip_wei
            assert 10 * flight.bid.max_fee_wei >= 11 * first.max_fee_wei
            assert list(station.sender.flights) == [flight.nonce]
            world.mine(1)
            await station.outcome("won")

    trio.run(run)
    assert station.nonce == 1
    assert not is_active(world)


@pytest.mark.usefixtures("mined_on_demand")
def test_a_call_that_the_pool_dropped_is_sent_again_when_gas_allows(
    world: World, liquidation_block: int
) -> None:
    station = Station(world)

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.idle()
            assert station.sender is not None
            [flight] = station.sender.flights.values()
            # This node keeps no call that offers less than the base fee.
            for _ in range(4):
                world.rpc("anvil_setNextBlockBaseFeePerGas", hex(100 * flight.bid.max_fee_wei))
                world.mine(1)
                await station.idle()
            assert is_active(world)
            assert list(station.sender.flights.values()) == [flight]
            for _ in range(3):
                world.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
                world.mine(1)
                await station.idle()
            await station.outcome("won")

    trio.run(run)
    assert station.nonce == 1
    assert not is_active(world)


@pytest.mark.usefixtures("mined_on_demand")
def test_a_call_that_waits_for_nothing_gives_its_nonce_back(
    world: World, liquidation_block: int, proxy: Proxy
) -> None:
    station = Station(world, url=proxy.url)
    proxy.rule = holding_the_first()

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.idle()
            world.client(STRANGER).clusters.liquidate(world.account(OWNER), IDS).send()
            for _ in range(STUCK_BLOCKS + 2):
                world.mine(1)
                await station.idle()
            await station.outcome("withdrawn")

    trio.run(run)
    assert station.nonce == 1
    assert station.heard.facts("outcome") == ["withdrawn"]


def test_nothing_is_sent_beside_a_transaction_that_is_not_ours(
    world: World, liquidation_block: int, proxy: Proxy
) -> None:
    station = Station(world, url=proxy.url)

    def pretend(request: dict[str, Any]) -> Answer | None:
        """What a process that was killed may have left in the pool."""
        if request["method"] == "eth_getTransactionCount" and "pending" in request["params"]:
            return Answer.result(request, "0x1")
        return None

    proxy.rule = pretend

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.idle()

    trio.run(run)
    assert station.heard.facts("decision") == ["account_busy"]
    assert station.nonce == 0


def test_a_reorganisation_brings_the_cluster_back_and_it_is_taken_again(
    world: World, liquidation_block: int
) -> None:
    station = Station(world)

    async def run() -> None:
        async with station.working():
            mine_to(world, liquidation_block - 1)
            await station.outcome("won")
            await station.idle()
            assert not is_active(world)
            world.rpc("anvil_rollback", 1)
            world.rpc("anvil_mine", hex(1))
            assert is_active(world)
            await until(lambda: not is_active(world), station.heard)
            await until(lambda: station.heard.facts("outcome") == ["won", "won"], station.heard)

    trio.run(run)
    assert station.nonce == 1
