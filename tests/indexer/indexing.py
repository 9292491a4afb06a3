"""A whole indexer run up to a real chain's head, and its tables compared with the contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import psycopg
import trio

from indexer.metrics import Metrics
from indexer.store import Identity
from indexer.sync import Sync, judges
from indexer.sync.audit import KIND, audit, holdings
from indexer.sync.integrity import compare, write_outcome
from indexer.sync.sample import take_sample
from sdk.chain import Point, Rpc
from sdk.testing import keys
from sdk.types import BlockNumber, parse_address
from tests.client.world import ETHER, FEE_WEI, OPERATOR, STRANGER, World

PATIENCE_S = 240.0
"""A crowded machine takes its time to start processes."""


def live(world: World) -> None:
    """A little of everything."""
    owner = world.register(1, 2, 3)
    operator = world.client(OPERATOR).operators
    ids = (1, 2, 3, 4)
    world.mine(10)
    owner.clusters.deposit(ids, amount_wei=ETHER).transact()
    owner.clusters.withdraw(ids, amount_wei=ETHER // 2).transact()
    operator.declare_fee(2, fee_wei=FEE_WEI + 100_000_000).transact()
    operator.reduce_fee(3, fee_wei=1_000_000_000).transact()
    operator.set_whitelist([1], [world.account(STRANGER)]).transact()
    owner.owners.set_fee_recipient(world.account(STRANGER)).transact()
    owner.validators.exit(ids, [keys.key_share(1).public_key]).transact()
    owner.validators.remove(ids, [keys.key_share(2).public_key]).transact()
    world.mine(40)


def identity(world: World) -> Identity:
    return Identity(
        31337, parse_address(world.deployed.registry), BlockNumber(world.deployed.start_block)
    )


def index(
    world: World, url: str, check: Callable[[Sync], Awaitable[None]] | None = None
) -> Metrics:
    """Follow until the chain's head is in the tables, and then as long as `check` takes."""
    metrics = Metrics()

    async def main() -> None:
        with judges(1) as judging:
            async with Rpc([world.url]) as rpc:
                sync = Sync(
                    rpc,
                    url,
                    identity(world),
                    judges=judging,
                    metrics=metrics,
                    pause=partial(trio.sleep, 0.01),
                )
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(sync.run)
                    await caught_up(world, sync)
                    if check is not None:
                        await check(sync)
                    nursery.cancel_scope.cancel()

    trio.run(main)
    return metrics


async def caught_up(world: World, sync: Sync) -> None:
    block: Any = await trio.to_thread.run_sync(world.w3.eth.get_block, "latest")
    head = Point(BlockNumber(block["number"]), bytes(block["hash"]))
    await until(lambda: sync.tip == head)


async def until(is_true: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE_S):
        # The tables announce themselves to databases only.
        while not is_true():  # noqa: ASYNC110
            await trio.sleep(0.005)


def compared(world: World, url: str) -> tuple[int, list[str]]:
    """How many subjects were compared with the contract, and what differs."""

    async def main() -> tuple[int, list[str]]:
        sample = take_sample(url, most=None, since=BlockNumber(0))
        assert sample is not None
        async with Rpc([world.url]) as rpc:
            outcome = await compare(rpc, parse_address(world.deployed.registry), sample)
        write_outcome(url, outcome)
        return sum(outcome.compared.values()), [str(each) for each in outcome.mismatches]

    return trio.run(main)


def audited(world: World, url: str) -> tuple[int, list[str]]:
    """How many words were compared with the contract's audit views, and what differs."""

    async def main() -> tuple[int, list[str]]:
        held = holdings(url)
        assert held is not None
        async with Rpc([world.url]) as rpc:
            outcome, _ = await audit(rpc, parse_address(world.deployed.registry), held)
        return outcome.compared[KIND], [str(each) for each in outcome.mismatches]

    return trio.run(main)


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()
