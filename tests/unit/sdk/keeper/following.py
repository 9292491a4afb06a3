"""Someone who follows the chain in memory, one turn per block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio

from sdk.chain import Rpc
from sdk.keeper.following import Judge, Turn, follow, unchecked
from sdk.types import BlockNumber
from tests.indexer.chain import CONTRACT, FIRST, Chain

PATIENCE_S = 60.0


@dataclass
class Onlooker:
    """Remembers turns and words; `look` is called at each turn."""

    look: Callable[[Turn], None] = lambda turn: None
    turns: list[Turn] = field(default_factory=list)
    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    @property
    def tip(self) -> bytes | None:
        """Hash of the newest block looked at."""
        point = self.turns[-1].book.tip if self.turns else None
        return None if point is None else point.hash

    async def act(self, turn: Turn) -> bool:
        self.look(turn)
        self.turns.append(turn)
        return False

    def step(self, text: str, **facts: object) -> None:
        self.lines.append((text, facts))

    def note(self, text: str, **facts: object) -> None:
        self.lines.append((text, facts))


@asynccontextmanager
async def following(
    chain: Chain, onlooker: Onlooker, *, judge: Judge = unchecked
) -> AsyncIterator[None]:
    """The onlooker follows while the block runs."""
    rpc = Rpc(["http://n"], transport=chain.transport)
    async with rpc, trio.open_nursery() as nursery:
        nursery.start_soon(
            partial(
                follow,
                rpc,
                registry=CONTRACT,
                first_block=BlockNumber(FIRST),
                act=onlooker.act,
                voice=onlooker,
                judge=judge,
                poll_s=0.002,
            )
        )
        yield
        nursery.cancel_scope.cancel()


async def reach(chain: Chain, onlooker: Onlooker, *, patience_s: float = PATIENCE_S) -> None:
    """Returns once the chain's newest block was looked at."""
    newest = bytes.fromhex(chain.blocks[-1]["hash"][2:])
    with trio.fail_after(patience_s):
        while onlooker.tip != newest:  # noqa: ASYNC110 - what a thread does sets no event of trio
            await trio.sleep(0.002)
