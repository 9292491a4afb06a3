"""Several execution nodes beside each other: who is on the chain, who is behind, who is away.

Shell. Whoever is not good is passed over as long as somebody else is, and is named. Nothing here
says which chain is right where two nodes contradict each other: proofs do.

Source: docs/run-a-node.md, "Proof of the registry".
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
import trio

from operator_node.registry.status import SourceState, SourceStatus
from sdk.chain import Rpc
from sdk.chain.reading import read_headers
from sdk.errors import ConfigError, NetworkError

log = logging.getLogger(__name__)

LOOK_S: Final = 4.0
"""For all of them together; a node that takes longer for its block number is of little use."""
TOLERANCE_BLOCKS: Final = 5
_TEXT: Final = msgspec.json.Decoder(str)


class Sources:
    """The nodes behind one `Rpc`, looked at one by one."""

    def __init__(
        self,
        rpc: Rpc,
        each: Sequence[Rpc],
        *,
        tolerance_blocks: int = TOLERANCE_BLOCKS,
        distance: int,
    ) -> None:
        """Nobody is known.

        Args:
            rpc: told whom to avoid.
            each: one per node, in the same order; fewer than two are not looked at.
            tolerance_blocks: how far behind the others a node may be.
            distance: blocks behind the head where all should have the same block.
        """
        self._rpc = rpc
        self._each = each if len(each) > 1 else ()
        self._tolerance = tolerance_blocks
        self._distance = distance
        self._told: dict[int, SourceStatus] = {}

    def told(self) -> tuple[SourceStatus, ...]:
        """How each is, in the configured order; empty if there is only one."""
        return tuple(self._told[place] for place in sorted(self._told))

    async def look(self, *, failed: str = "") -> None:
        """Ask everybody, and have those avoided that are not good.

        Args:
            failed: name of the one that something just failed with; how far the chain is the
                others say this time, and they are asked before it.
        """
        if not self._each:
            return
        found: dict[int, SourceStatus] = {}
        async with trio.open_nursery() as nursery:
            for place in range(len(self._each)):
                nursery.start_soon(self._ask, place, found)
        self._sort_out_late(found, failed)
        await self._sort_out_foreign(found)
        for place, status in found.items():
            before = self._told.get(place)
            if before is not None and before.state is not status.state:
                log.warning("registry: %s is %s: %s", status.name, status.state, status.problem)
        self._told = found
        bad = {place for place, each in found.items() if each.state is not SourceState.GOOD}
        self._rpc.avoided = frozenset(bad) if len(bad) < len(found) else frozenset()
        self._rpc.away = frozenset(place for place, each in found.items() if each.head is None)
        if self._rpc.name == failed:
            self._rpc.leave()

    async def _ask(self, place: int, found: dict[int, SourceStatus]) -> None:
        rpc = self._each[place]
        state, problem, head = SourceState.AWAY, "no answer in time", None
        with trio.move_on_after(LOOK_S):
            try:
                text = await rpc.call("eth_blockNumber", form=_TEXT)
                head = int(text, 16)
                state, problem = SourceState.GOOD, ""
            except NetworkError as failure:
                problem = failure.message
            except ConfigError as failure:
                state, problem = SourceState.WRONG_CHAIN, failure.message
            except ValueError:
                problem = "its block number cannot be read"
        found[place] = SourceStatus(rpc.name, state, head, problem)

    def _sort_out_late(self, found: dict[int, SourceStatus], failed: str) -> None:
        heads = [(each.name, each.head) for each in found.values() if each.head is not None]
        # One that claims a head which nobody can read would have all others passed over.
        believed = [head for name, head in heads if name != failed] or [head for _, head in heads]
        best = max(believed, default=0)
        for place, each in found.items():
            if each.head is None or abs(best - each.head) <= self._tolerance:
                continue
            problem = f"is at block {each.head}, others are at {best}"
            state = SourceState.BEHIND if each.head < best else SourceState.FORKED
            found[place] = SourceStatus(each.name, state, each.head, problem)

    async def _sort_out_foreign(self, found: dict[int, SourceStatus]) -> None:
        """Those that stand alone with their block, where a majority has another one."""
        good = {place: each.head for place, each in found.items() if each.state is SourceState.GOOD}
        heads = [head for head in good.values() if head is not None]
        number = min(heads, default=0) - self._distance
        if len(good) < 2 or number < 0:
            return
        hashes: dict[int, bytes] = {}
        async with trio.open_nursery() as nursery:
            for place in good:
                nursery.start_soon(self._hash, place, number, hashes)
        [(most, votes)] = Counter(hashes.values()).most_common(1) or [(b"", 0)]
        if 2 * votes <= len(hashes):
            return
        for place, name in hashes.items():
            if name != most:
                each = found[place]
                problem = f"has another block {number} than the other nodes"
                found[place] = SourceStatus(each.name, SourceState.FORKED, each.head, problem)

    async def _hash(self, place: int, number: int, hashes: dict[int, bytes]) -> None:
        with trio.move_on_after(LOOK_S):
            try:
                [block] = await read_headers(self._each[place], [number])
            except (NetworkError, ConfigError):
                return
            if block is not None:
                hashes[place] = block.hash
