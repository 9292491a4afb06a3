"""What the registry looks after when there is nothing to read: exits, the audit, its repair.

All of it a little at a time and in one task with the reading, so nothing here ever sees half a
step. Trouble upstream is told and tried again at the next look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

import trio

from operator_node.registry.audit import Audit
from operator_node.registry.audit_views import touched_by
from operator_node.registry.exits import HeldExits
from operator_node.registry.notices import ExitRequested
from operator_node.registry.proof import Proof
from operator_node.registry.record import Progress, Record
from operator_node.registry.rereading import Rereading
from operator_node.registry.roster import Roster
from sdk.errors import ConfigError, NetworkError, StorageError
from sdk.types import BlockNumber

log = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 600.0
LONGEST_WAIT_S: Final = 86_400.0
"""Between readings that do not find what is missing."""
SHARE: Final = 0.5
"""Of the time between two looks at the chain that a second reading may take."""


class Upkeep:
    """The second look at what was read."""

    def __init__(
        self,
        proof: Proof,
        audit: Audit,
        *,
        reread: Callable[[Proof], Rereading],
        poll_s: float,
    ) -> None:
        """Nothing is looked after yet.

        Args:
            proof: of what is read.
            audit: of what was read.
            reread: makes a second reading under a proof of its own.
            poll_s: seconds between looks at the chain.
        """
        self.proof = proof
        self.audit = audit
        self.held = HeldExits(proof)
        self._reread = reread
        self._poll_s = poll_s
        self._reading: Rereading | None = None
        self._ready: Rereading | None = None
        self._next_s = 0.0
        self._wait_s = FIRST_WAIT_S

    @property
    def is_ready(self) -> bool:
        """A whole store lies beside the one in use, which is to be closed (`put_in_place`)."""
        return self._ready is not None

    def counts(self) -> dict[str, int]:
        """For `RegistryStatus.counts`."""
        return self.proof.counts() | {
            "refused_exits": self.held.refused,
            "differences": self.audit.found,
            "mended": self.audit.settled,
        }

    async def extended(self, record: Record, progress: Progress, *, is_complete: bool) -> None:
        """A step was applied; before the first pass is over a round of the audit is yet to come."""
        await self.keep_certain(record, (each.block for each in progress.new_exits))
        if is_complete:
            self.audit.touch(list(touched_by(progress.changes)))

    def went_back(self, to: BlockNumber) -> None:
        """Blocks above are gone."""
        self.proof.go_back(to)
        self.held.go_back(to)
        self.audit.go_back(to)

    async def caught_up(self, record: Record, roster: Roster) -> list[ExitRequested]:
        """There is nothing to read; exits of own validators that are proven by now."""
        exits = await self.held.look_again()
        await self.keep_certain(record, (each.block_number for each in exits))
        if roster.tip is not None:
            try:
                self.audit.operators_missing = len(record.missing_operators())
                await self.audit.look(roster.tip, record.subjects, record.words)
                if self._is_wrong or self._reading is not None:
                    await self._mend(roster)
            except (NetworkError, StorageError, ConfigError) as failure:
                if isinstance(failure, ConfigError) and failure.code != "wrong_chain":
                    raise
                log.warning("registry: not compared at block %d: %s", roster.tip.number, failure)
        return [each for each in exits if each.validator_key in roster.own]

    async def keep_certain(self, record: Record, blocks: Iterable[BlockNumber]) -> None:
        """Remember which exits were proven, so that a restart needs no chain."""
        certain = frozenset(each for each in blocks if self.proof.is_certain(each))
        if certain:
            await trio.to_thread.run_sync(record.keep_certain, certain)

    async def put_in_place(self) -> None:
        """What was read a second time is what the next start of reading finds."""
        ready, self._ready = self._ready, None
        if ready is None:
            return
        self.proof.adopt(ready.proof)
        await trio.to_thread.run_sync(ready.put_in_place)
        log.warning("registry: repaired: what was read a second time is in use")

    def pause(self) -> None:
        """The store in use was closed; a second reading that is not whole begins anew."""
        if self._reading is not None:
            self._reading.drop()
            self._reading = None

    @property
    def _is_wrong(self) -> bool:
        return bool(self.audit.differences or self.audit.operators_missing)

    async def _mend(self, roster: Roster) -> None:
        if not self._is_wrong:
            self.pause()
            return
        if self._reading is None:
            if trio.current_time() < self._next_s:
                return
            self._reading = self._reread(self.proof.anew())
        reading = self._reading
        found = await reading.advance(SHARE * self._poll_s)
        if found is None:
            return
        record, tip = found
        self._reading = None
        missing = len(record.missing_operators())
        is_better = await self.audit.agrees_with(tip, record.words)
        if is_better is None:
            is_better = missing < self.audit.operators_missing
        if is_better:
            await trio.to_thread.run_sync(record.settle, reading.same_as(roster.assigned))
            self._ready = reading
            self._wait_s, self._next_s = FIRST_WAIT_S, 0.0
            return
        await trio.to_thread.run_sync(reading.drop)
        self._next_s = trio.current_time() + self._wait_s
        log.error(
            "registry: a second reading has not found what is missing; the next one is in %.0f s. "
            "Name another execution node, or check the one there is",
            self._wait_s,
        )
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
