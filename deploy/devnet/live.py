"""The local network as it lives, in lines: what starts, each duty as it ends, how far the chain is.

Looks once a second (`sight`) and changes nothing. What is finally counted comes from the chain
(`observer`), never from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import trio

from deploy.devnet.duty_rows import HEADING, LEGEND, Row, Told, text_of
from deploy.devnet.inclusion import SLOTS_PER_EPOCH, Report
from deploy.devnet.misses import misses_of
from deploy.devnet.screen import Screen
from deploy.devnet.sight import Chain, Eyes, Node, Sight
from sdk.types import OperatorId

POLL_S: Final = 1.0
SAID_AGAIN_S: Final = 10
"""How often a start that takes its time says so where no line can be rewritten."""
HEADING_EVERY: Final = 20
"""Rows after which the heading is repeated."""
LEFT_OUT_SHOWN: Final = 50
"""Lines about votes that are in no block; a run as it should be has a few."""


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
        self._eyes = Eyes(nodes, chain)
        self._chain = chain
        self._screen = screen
        self._last_slot = last_slot
        self._rows_told = 0
        self._epoch: int | None = None

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
        self._show(self._eyes.rest())
        self._screen.close()

    async def look(self) -> None:
        """Ask everybody once and show what is new."""
        sight = await self._eyes.look()
        self._show_epoch(sight)
        self._show(sight.rows)
        self._screen.status(f"{self._place(sight.slot)}; {_progress(sight)}")

    def _place(self, slot: int) -> str:
        if self._last_slot is None:
            return f"slot {slot}"
        if slot <= self._last_slot:
            return f"slot {slot} of {self._last_slot}"
        return f"slot {slot}: awaiting blocks with votes of slot {self._last_slot}"

    def _show_epoch(self, sight: Sight) -> None:
        if sight.slot // SLOTS_PER_EPOCH != self._epoch:
            self._epoch = sight.slot // SLOTS_PER_EPOCH
            first = self._epoch * SLOTS_PER_EPOCH
            self._screen.line(f"epoch {self._epoch} begins with slot {first}; {_progress(sight)}")

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


def _progress(sight: Sight) -> str:
    if sight.head is None or sight.finalized is None:
        return "no beacon node answers yet"
    return f"head slot {sight.head}, finalized epoch {sight.finalized}"


def report_lines(
    report: Report,
    told: Mapping[int, Told] | None = None,
    *,
    aggregated_ms: int | None = None,
) -> Iterator[str]:
    """What the chain has of the operators' duties; the last line is the closing one.

    Args:
        report: by the chain's blocks.
        told: by slot, what the operators have on record of votes that are in no block.
        aggregated_ms: into a slot, when its votes are aggregated.
    """
    healthy = report.healthy_attestations
    included = [each for each in healthy if each.is_included]
    due, votes = len(report.attestations), sum(each.is_included for each in report.attestations)
    canonical = sum(each.is_canonical for each in report.proposals)
    signed = sum(each.done == each.due for each in report.sync)
    yield f"in the chain's blocks, of slots {report.first_slot} to {report.last_slot}:"
    share = f" ({(due - votes) / due:.1%})" if due else ""
    yield f"  votes due {due}, included {votes}, missed {due - votes}{share}"
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
    misses = misses_of(report, told or {}, aggregated_ms=aggregated_ms)
    for miss in misses[:LEFT_OUT_SHOWN]:
        yield f"  in no block: {miss}"
    if len(misses) > LEFT_OUT_SHOWN:
        yield f"  and {sum(len(each.validators) for each in misses[LEFT_OUT_SHOWN:])} votes more"
    yield report.closing_line()
