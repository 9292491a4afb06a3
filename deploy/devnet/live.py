"""The local network as it lives: what starts, each duty as it ends, how far the chain is.

Asks the operators' own APIs, once a second, and changes nothing; a node that does not answer is
told as silent. What is finally counted comes from the chain (`observer`), never from here.

Source: docs/node-api.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import trio

from deploy.devnet.duty_rows import HEADING, LEGEND, Record, Row, Rows, text_of
from deploy.devnet.inclusion import SLOTS_PER_EPOCH, Report
from deploy.devnet.screen import Screen
from sdk.errors import BeaconError, NetworkError
from sdk.types import OperatorId

POLL_S: Final = 1.0
ANSWER_S: Final = 3.0
"""After which a node counts as silent; they answer in milliseconds, on busy cores in a second."""
SAID_AGAIN_S: Final = 10
"""How often a start that takes its time says so where no line can be rewritten."""
HEADING_EVERY: Final = 20
"""Rows after which the heading is repeated."""
DUTIES_ASKED: Final = 1000
LEFT_OUT_SHOWN: Final = 5


class Node(Protocol):
    """An operator's node."""

    async def ask(self, path: str, **query: object) -> Any:
        """A route of its API.

        Raises:
            NetworkError: no answer.
        """


class Chain(Protocol):
    """The beacon chain, as `observer` sees it."""

    def current_slot(self) -> int:
        """By the clock."""

    def seconds_to_genesis(self) -> float:
        """0 from then on."""

    async def head_slot(self) -> int:
        """Of the newest block."""

    async def finalized_epoch(self) -> int:
        """Of the head."""


class StartUp:
    """Tells each step of the start, and how long it has taken by now."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._said_at: float | None = None
        self._counting = trio.CancelScope()

    def say(self, text: str) -> None:
        """The next step begins."""
        self._screen.status("")
        self._screen.line(f"==> {text}")
        self._said_at = trio.current_time()

    async def run(self) -> None:
        """Counts the seconds of a step that lasts; returns at the `end`."""
        with self._counting:
            while True:
                await trio.sleep(1)
                if self._said_at is not None:
                    self._count(round(trio.current_time() - self._said_at))

    def end(self) -> None:
        """Everything has started."""
        self._screen.status("")
        self._counting.cancel()

    def _count(self, seconds: int) -> None:
        self._screen.status(f"    {seconds} s")
        if not self._screen.is_terminal and seconds and seconds % SAID_AGAIN_S == 0:
            self._screen.line(f"    {seconds} s")


class Live:
    """Shows duties as they end.

    Args:
        nodes: by operator id.
        chain: how far it is.
        screen: where it is shown.
        last_slot: of the run, None if it has no end.
    """

    def __init__(
        self,
        nodes: Mapping[OperatorId, Node],
        chain: Chain,
        screen: Screen,
        *,
        last_slot: int | None = None,
    ) -> None:
        self._nodes = dict(nodes)
        self._chain = chain
        self._screen = screen
        self._last_slot = last_slot
        self._rows = Rows()
        self._rows_told = 0
        self._epoch: int | None = None
        self._head: int | None = None
        self._finalized: int | None = None

    async def run(self) -> None:
        """Never returns; cancel it, then call `finish`."""
        while True:
            if (seconds := self._chain.seconds_to_genesis()) > 0:
                self._screen.status(f"genesis in {seconds:.0f} s")
            else:
                await self.look()
            await trio.sleep(POLL_S)

    def finish(self) -> None:
        """Shows what still runs, as it is."""
        self._show(self._rows.rest())
        self._screen.close()

    async def look(self) -> None:
        """Ask everybody once and show what is new."""
        slot = self._chain.current_slot()
        told: dict[OperatorId, list[Record] | None] = {}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._ask_chain)
            for operator in self._nodes:
                nursery.start_soon(self._ask_node, operator, slot, told)
        self._show_epoch(slot)
        self._show(self._rows.take(told, slot_now=slot))
        self._screen.status(f"{self._place(slot)}; {self._progress()}")

    def _place(self, slot: int) -> str:
        if self._last_slot is None:
            return f"slot {slot}"
        if slot <= self._last_slot:
            return f"slot {slot} of {self._last_slot}"
        return f"slot {slot}: awaiting blocks with votes of slot {self._last_slot}"

    async def _ask_node(
        self, operator: OperatorId, slot: int, told: dict[OperatorId, list[Record] | None]
    ) -> None:
        told[operator] = None
        query = {"from": self._rows.first_slot(slot), "limit": DUTIES_ASKED}
        with suppress(NetworkError), trio.move_on_after(ANSWER_S):
            told[operator] = (await self._nodes[operator].ask("/v2/duties", **query))["data"]

    async def _ask_chain(self) -> None:
        with suppress(BeaconError), trio.move_on_after(ANSWER_S):
            self._head = await self._chain.head_slot()
            self._finalized = await self._chain.finalized_epoch()

    def _show_epoch(self, slot: int) -> None:
        if slot // SLOTS_PER_EPOCH != self._epoch:
            self._epoch = slot // SLOTS_PER_EPOCH
            first = self._epoch * SLOTS_PER_EPOCH
            self._screen.line(f"epoch {self._epoch} begins with slot {first}; {self._progress()}")

    def _progress(self) -> str:
        if self._head is None or self._finalized is None:
            return "no beacon node answers yet"
        return f"head slot {self._head}, finalized epoch {self._finalized}"

    def _show(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if self._last_slot is not None and row.slot > self._last_slot:
                continue
            if self._rows_told == 0:
                self._screen.line(LEGEND)
            if self._rows_told % HEADING_EVERY == 0:
                self._screen.line(HEADING)
            self._screen.outcome(*text_of(row))
            self._rows_told += 1


def report_lines(report: Report) -> Iterator[str]:
    """What the chain has of the operators' duties; the last line is the closing one."""
    healthy = report.healthy_attestations
    included = [each for each in healthy if each.included_at is not None]
    canonical = sum(each.is_canonical for each in report.proposals)
    signed = sum(each.done == each.due for each in report.sync)
    yield f"in the chain's blocks, of slots {report.first_slot} to {report.last_slot}:"
    yield (
        f"  attestations {len(included)} of {len(healthy)} in slots with blocks; head right in "
        f"{sum(each.is_head_right for each in included)}, "
        f"target in {sum(each.is_target_right for each in included)}"
    )
    yield (
        f"  blocks {canonical} of {len(report.proposals)}; "
        f"sync messages {signed} of {len(report.sync)}; slots without block "
        f"{len(report.empty_slots)}"
    )
    left_out = [each.duty for each in healthy if each.included_at is None]
    for duty in left_out[:LEFT_OUT_SHOWN]:
        yield f"  in no block: the vote of validator {duty.validator}, slot {duty.slot}"
    if len(left_out) > LEFT_OUT_SHOWN:
        yield f"  and {len(left_out) - LEFT_OUT_SHOWN} more"
    yield report.closing_line()
