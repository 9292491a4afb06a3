"""A keeper at work on the tests' chain, and what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio

from sdk.beacon_proofs.source import BeaconSource
from sdk.chain import Rpc
from sdk.keeper.acting import Actor
from sdk.keeper.bidding import Limits
from sdk.keeper.following import Act, Judge, Turn, follow, unchecked
from sdk.keeper.liquidator import Liquidator
from sdk.keeper.prover import Prover
from sdk.keeper.sending import Sender
from sdk.types import BlockNumber, parse_address
from tests.client.world import World

PATIENCE_S = 30.0
LIMITS = Limits(max_tip_wei=5 * 10**9, min_profit_wei=10**14)


@dataclass
class Heard:
    """A voice that remembers."""

    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def step(self, text: str, **facts: object) -> None:
        self.lines.append((text, facts))

    def note(self, text: str, **facts: object) -> None:
        self.lines.append((text, facts))

    def facts(self, name: str) -> list[object]:
        return [facts[name] for _, facts in list(self.lines) if name in facts]


async def until(holds: Callable[[], bool], heard: Heard | None = None) -> None:
    """Returns once that holds."""
    with trio.move_on_after(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what a thread does sets no event of trio
            await trio.sleep(0.01)
        return
    raise AssertionError(heard.lines if heard else "too late")


@asynccontextmanager
async def following(
    world: World, act: Act, heard: Heard, *, judge: Judge = unchecked
) -> AsyncIterator[None]:
    """Someone acts at every block of the chain while the block runs."""
    async with Rpc([world.url]) as rpc, trio.open_nursery() as nursery:
        nursery.start_soon(
            partial(
                follow,
                rpc,
                registry=parse_address(world.deployed.registry),
                first_block=BlockNumber(world.deployed.start_block),
                act=act,
                voice=heard,
                judge=judge,
                poll_s=0.02,
            )
        )
        yield
        nursery.cancel_scope.cancel()


@dataclass
class Station:
    """A liquidator with an account of its own; with a beacon node a prover."""

    world: World
    heard: Heard = field(default_factory=Heard)
    sends: bool = True
    limits: Limits = LIMITS
    seen: int = 0
    url: str = ""
    source: BeaconSource | None = None

    def __post_init__(self) -> None:
        self.signer = self.world.funded_signer(77)
        self.client = self.world.client(self.signer, url=self.url)
        self.sender = Sender(self.client) if self.sends else None
        actor = Actor(self.client, sender=self.sender, limits=self.limits, voice=self.heard)
        self._work: Liquidator | Prover = Liquidator(actor, self.heard)
        if self.source is not None:
            self._work = Prover(self.client, self.source, actor, self.heard, every_s=600)

    async def act(self, turn: Turn) -> bool:
        over = await self._work.act(turn)
        self.seen = turn.block
        return over

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        async with following(self.world, self.act, self.heard):
            await self.idle()
            yield

    async def idle(self) -> None:
        """Returns once the newest block was dealt with."""
        await until(lambda: self.seen == self.world.w3.eth.block_number, self.heard)

    async def outcome(self, wanted: str) -> None:
        await until(lambda: wanted in self.heard.facts("outcome"), self.heard)

    @property
    def nonce(self) -> int:
        return self.world.w3.eth.get_transaction_count(self.signer.address)

    @property
    def balance_wei(self) -> int:
        return self.world.w3.eth.get_balance(self.signer.address)
