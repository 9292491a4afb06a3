"""The slot clock: the only place of the node that reads time.

Time is the machine's wall clock, carried from one reading to the next by trio's clock. So tasks
that sleep and tasks that look at the time agree, and in tests trio's mock clock moves both. When
the wall clock jumps against the monotonic one (somebody set it, or the machine slept, which the
monotonic clock of Linux does not count), the jump is taken over at once, counted and logged.
Whoever walks slots counts those that were skipped: this module never decides what is still to do.

Times are unix milliseconds. Worker threads may ask for the time too: they get the wall clock's.

Source: consensus-specs, phase0/beacon-chain.md (slots and epochs).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

import trio

from sdk.errors import ConfigError
from sdk.types import Epoch, Slot

JUMP_MS: Final = 250
"""A wall clock that is steered gains or loses half a millisecond in a second; this much between two
readings is a step."""
LONGEST_SLEEP_S: Final = 1.0
"""Sleeping counts monotonic time, so a sleeper looks at the wall clock this often: that is how late
it can be after the machine slept."""
_MOST_READINGS: Final = 3
"""Tries for two clocks to be read as of one moment."""
_ONE_MOMENT_S: Final = 0.001
_EXACT_MS: Final = 0.01
"""More than floating point loses, so that a full millisecond is one."""

_log = logging.getLogger(__name__)


def wall_ms() -> int:
    """Unix milliseconds, for whoever needs the time before the chain is known."""
    return int(time.time() * 1000)


def boot_ms() -> int:
    """Milliseconds since the machine booted, time asleep included; the same in all processes."""
    # Elsewhere than on Linux only the wall clock tells that the machine slept.
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000_000


class SlotClock:
    """Slots and epochs of one chain, now.

    Attributes:
        jumps: how often the wall clock jumped since the first reading.
        jumped_ms: by how much in sum, positive when it went forward.
    """

    def __init__(
        self,
        *,
        genesis_time: int,
        slot_ms: int,
        slots_per_epoch: int,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """A clock that has not been read.

        Args:
            genesis_time: unix seconds of slot 0.
            slot_ms: length of a slot, milliseconds.
            slots_per_epoch: of the chain's preset.
            wall: unix seconds; another one only in tests of jumps.
            monotonic: seconds from anywhere; likewise.

        Raises:
            ConfigError: no length of slot or epoch.
        """
        if slot_ms <= 0 or slots_per_epoch <= 0:
            raise ConfigError(
                f"a chain with slots of {slot_ms} ms and epochs of {slots_per_epoch} slots",
                code="chain_spec",
                hint="Check what the beacon node answers for its configuration.",
            )
        self.genesis_ms = genesis_time * 1000
        self.slot_ms = slot_ms
        self.slots_per_epoch = slots_per_epoch
        self.jumps = 0
        self.jumped_ms = 0
        self._wall = wall
        self._monotonic = monotonic
        self._anchor_s: float | None = None
        """Monotonic time minus trio's time; they run equally fast."""
        self._lead_s = 0.0
        """Wall time minus monotonic time, when last read."""

    def now_ms(self) -> int:
        """Unix milliseconds."""
        # Trio has it; the stubs that libp2p brings do not.
        if not trio.lowlevel.in_trio_run():  # type: ignore[attr-defined]
            # A worker thread: trio's time and the notes about jumps are not its own.
            return int(self._wall() * 1000 + _EXACT_MS)
        wall_s, monotonic_s = self._read()
        lead_s = wall_s - monotonic_s
        if self._anchor_s is None:
            self._anchor_s = wall_s - lead_s - trio.current_time()
            self._lead_s = lead_s
        change_ms = round((lead_s - self._lead_s) * 1000)
        if abs(change_ms) >= JUMP_MS:
            self._note_jump(change_ms)
        self._lead_s = lead_s
        return int((self._anchor_s + lead_s + trio.current_time()) * 1000 + _EXACT_MS)

    def slot(self) -> Slot:
        """The slot that is running; negative before genesis."""
        return self.slot_at(self.now_ms())

    def epoch(self) -> Epoch:
        """The epoch that is running; negative before genesis."""
        return Epoch(self.slot() // self.slots_per_epoch)

    def slot_at(self, at_ms: int) -> Slot:
        """The slot that a moment belongs to."""
        return Slot((at_ms - self.genesis_ms) // self.slot_ms)

    def start_ms(self, slot: int) -> int:
        """When the slot begins."""
        return self.genesis_ms + slot * self.slot_ms

    async def sleep_until(self, at_ms: int) -> None:
        """Returns at that moment of the wall clock, or at once if it has passed."""
        await self.wait(trio.Event(), until_ms=at_ms)

    async def wait(self, event: trio.Event, *, until_ms: int) -> bool:
        """Whether the event was set; at that moment of the wall clock it stops waiting for it."""
        while not event.is_set() and (left_ms := until_ms - self.now_ms()) > 0:
            with trio.move_on_after(min(left_ms / 1000, LONGEST_SLEEP_S)):
                await event.wait()
        await trio.lowlevel.checkpoint()
        return event.is_set()

    def _read(self) -> tuple[float, float]:
        """Wall and monotonic time of one moment: between the two the process may have to pause."""
        before_s = self._monotonic()
        for _ in range(_MOST_READINGS):
            wall_s, after_s = self._wall(), self._monotonic()
            if after_s - before_s < _ONE_MOMENT_S:
                break
            before_s = after_s
        return wall_s, after_s

    def _note_jump(self, jump_ms: int) -> None:
        self.jumps += 1
        self.jumped_ms += jump_ms
        _log.warning(
            "the clock jumped by %d ms (%.1f slots): set by somebody, or the machine slept",
            jump_ms,
            jump_ms / self.slot_ms,
        )
