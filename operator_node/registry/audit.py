"""The registry as it was read against the contract's own account of it, a portion at every look.

What a block touched is compared at once, everything else in turn, at a bounded rate; a whole round
without a difference vouches for the block at which it began. What differs is asked of the other
nodes, too: a node that stands alone against them and us is wrong. A contract without audit views
vouches for nothing.

Shell. Nothing here changes the registry; `operator_node.registry.repair` does.

Source: docs/contracts.md, "Audit views"; docs/run-a-node.md, "Proof of the registry".
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, TypeAlias

import trio

from operator_node.registry.audit_views import REGISTRY, Subject, agrees, calls_of, words_in
from operator_node.registry.status import AuditStatus, Difference
from sdk.chain import Point, Rpc
from sdk.chain.calls import ask_contract
from sdk.errors import ConfigError, NetworkError
from sdk.types import Address, BlockNumber

log = logging.getLogger(__name__)

MOST_TOUCHED: Final = 20_000
"""Subjects that wait for their turn; with more, everything is compared anew."""
MOST_DIFFERENCES: Final = 256
"""Kept; a store that is wrong in more is as wrong."""
PROBE_EVERY: Final = 300
"""Looks after which a contract without audit views is asked for them again: about an hour."""

Subjects: TypeAlias = Callable[[], Sequence[Subject]]
Words: TypeAlias = Callable[[Sequence[Subject]], Sequence[bytes]]


class Audit:
    """One registry's audit.

    Attributes:
        differences: by subject, what differs and was not found to be right again.
        found: differences so far, each counted once.
        settled: of these, those that are right by now.
        operators_missing: how many ids below the highest one were not read.
    """

    def __init__(
        self, rpc: Rpc, registry: Address, *, others: Sequence[Rpc] = (), calls_per_look: int = 60
    ) -> None:
        """Nothing is compared.

        Args:
            rpc: to ask.
            registry: the contract.
            others: one per execution node, where there are several.
            calls_per_look: of up to 200 words each.
        """
        self.differences: dict[Subject, Difference] = {}
        self.found = 0
        self.settled = 0
        self._rpc = rpc
        self._registry = registry
        self._others = others
        self._calls = calls_per_look
        self._touched: dict[Subject, None] = {}
        self._round: deque[Subject] | None = None
        self._began: BlockNumber | None = None
        self._vouched: BlockNumber | None = None
        self.operators_missing = 0
        self._missing = ""
        self._looks_until_probe = 0

    def touch(self, subjects: Sequence[Subject]) -> None:
        """A block changed these."""
        self._touched.update(dict.fromkeys(subjects))
        if len(self._touched) > MOST_TOUCHED:
            self._touched.clear()
            self.start_over()

    def start_over(self) -> None:
        """Compare everything anew."""
        self._round = self._began = None

    def go_back(self, to: BlockNumber) -> None:
        """Blocks above are gone."""
        if self._began is not None and self._began > to:
            self.start_over()
        if self._vouched is not None and self._vouched > to:
            self._vouched = to

    def told(self, whole: tuple[BlockNumber, BlockNumber] | None) -> AuditStatus:
        """For people.

        Args:
            whole: the stretch of which every block is proven, which adds to what is vouched for.
        """
        verified = self._vouched
        if verified is not None and whole is not None and whole[0] <= verified + 1:
            verified = max(verified, whole[1])
        return AuditStatus(
            verified=verified,
            differences=tuple(self.differences.values()),
            missing=self._missing,
            operators_missing=self.operators_missing,
            left=len(self._touched) + len(self._round or ()),
        )

    async def look(self, tip: Point, subjects: Subjects, words: Words) -> None:
        """Compare a portion at the newest block read.

        Args:
            tip: that block.
            subjects: everybody, as of it; called in a worker thread.
            words: of some of them; likewise.

        Raises:
            NetworkError: no node answers, or none has the state of this block.
        """
        if self._missing:
            self._looks_until_probe -= 1
        if self._looks_until_probe > 0:
            return
        if self._round is None:
            if await self._ask(self._rpc, REGISTRY[:1], tip) is None:
                self._touched.clear()
                self._looks_until_probe = PROBE_EVERY
                return
            self._round = deque(await trio.to_thread.run_sync(subjects))
            self._began = tip.number
        most = self._calls * 100
        touched = list(islice(self._touched, most))
        swept = list(islice(self._round, most - len(touched)))
        portion = [*REGISTRY, *sorted({*self.differences, *touched, *swept} - {*REGISTRY})]
        ours = dict(zip(portion, await trio.to_thread.run_sync(words, portion), strict=True))
        theirs = await self._ask(self._rpc, portion, tip)
        if theirs is None:
            return
        differing = {
            each: Difference(str(each), tip.number, ours[each], theirs[each], self._rpc.name)
            for each in portion
            if not agrees(ours[each], each, theirs[each])
        }
        if differing:
            differing = await self._confirmed(differing, ours, tip)
        self._note(differing, portion)
        for each in touched:
            self._touched.pop(each, None)
        for _ in swept:
            self._round.popleft()
        if not self._round:
            self._end_round()

    async def agrees_with(self, tip: Point, words: Words) -> bool | None:
        """Whether somebody else's registry has right what differs in ours; None without views.

        Args:
            tip: newest block that it read.
            words: of that registry; called in a worker thread.

        Raises:
            NetworkError: as `look`.
        """
        portion = [*REGISTRY, *sorted({*self.differences} - {*REGISTRY})]
        ours = await trio.to_thread.run_sync(words, portion)
        theirs = await self._ask(self._rpc, portion, tip)
        if theirs is None:
            return None
        return all(agrees(*each, theirs[each[1]]) for each in zip(ours, portion, strict=True))

    def _end_round(self) -> None:
        if not self.differences and self._began is not None:
            self._vouched = max(self._began, self._vouched or self._began)
        self.start_over()

    def _note(self, differing: dict[Subject, Difference], portion: Sequence[Subject]) -> None:
        for each in portion:
            if each not in differing and self.differences.pop(each, None) is not None:
                self.settled += 1
        for each, difference in differing.items():
            if each not in self.differences and len(self.differences) < MOST_DIFFERENCES:
                self.found += 1
                self.differences[each] = difference
                log.error(
                    "registry: %s differs from the contract at block %d: read 0x%s, %s says 0x%s",
                    *(difference.subject, difference.block, difference.ours.hex()),
                    *(difference.node, difference.theirs.hex()),
                )

    async def _confirmed(
        self, differing: dict[Subject, Difference], ours: dict[Subject, bytes], tip: Point
    ) -> dict[Subject, Difference]:
        """Those in which no other node agrees with us."""
        asked = sorted(differing)
        for other in self._others:
            if other.name == self._rpc.name:
                continue
            try:
                theirs = await self._ask(other, asked, tip)
            except (NetworkError, ConfigError) as failure:
                log.info("registry: %s does not say what differs: %s", other.name, failure)
                continue
            if theirs is None:
                continue
            for each in asked:
                if each in differing and agrees(ours[each], each, theirs[each]):
                    log.error(
                        "registry: %s is wrong about %s at block %d, %s agrees with what was read",
                        *(self._rpc.name, each, tip.number, other.name),
                    )
                    del differing[each]
        return differing

    async def _ask(
        self, rpc: Rpc, portion: Sequence[Subject], tip: Point
    ) -> dict[Subject, bytes] | None:
        """The contract's words; None if it has no audit views."""
        calls = calls_of(portion)
        answers = await ask_contract(rpc, self._registry, [call for call, _ in calls], tip)
        if not answers[0]:
            self._missing = "the contract has no audit views"
            return None
        self._missing = ""
        found: dict[Subject, bytes] = {}
        for (_, group), answer in zip(calls, answers, strict=True):
            try:
                found |= zip(group, words_in(answer or b"", group), strict=True)
            except ValueError as problem:
                raise NetworkError(
                    f"{rpc.name}: what the contract says of {group[0]} cannot be read ({problem})",
                    code="rpc_answer",
                    hint="Use another node.",
                ) from None
        return found
