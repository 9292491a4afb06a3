"""Looks up on the chain whom own proposals paid, and writes it into their records (DUT-13).

A byzantine leader can choose a builder that pays nothing, and no value check sees that: only the
public block does. Found out afterwards, with the leader's name, it tells whom to part with. Nothing
waits for it, and what cannot be looked up is recorded as such.

Source: docs/security.md, "Proposals".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

import trio

from operator_node.beacon.chain_block import ChainBlock
from operator_node.clock import SlotClock
from operator_node.duties.payment import Way, payment_of
from operator_node.engine import DutyRecord
from sdk.errors import BeaconError
from sdk.types import Address, Slot, checksum_address, parse_address

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

_log = logging.getLogger(__name__)

LOOK_AFTER_SLOTS: Final = (2, 4, 8, 32)
"""A head is rarely replaced after two slots; a beacon node may be away for longer."""
WAITING_MOST: Final = 64
"""Proposals that wait to be looked up: an operator of 3,000 validators has some in an hour."""


class Blocks(Protocol):
    """Where blocks are looked up."""

    async def block(self, slot: Slot) -> ChainBlock | None:
        """The chain's block of a slot, None if it has none there."""


class Payments:
    """The task that looks up own proposals.

    Attributes:
        mispaid: proposals so far that paid none of their recipients.
    """

    def __init__(
        self,
        *,
        blocks: Blocks,
        clock: SlotClock,
        note: Callable[[DutyRecord, Mapping[str, object]], None],
        on_mispaid: Callable[[], None],
    ) -> None:
        """Nothing is asked before `run`.

        Args:
            blocks: the beacon nodes.
            clock: of the chain.
            note: adds facts to a record.
            on_mispaid: called for a proposal that paid somebody else.
        """
        self.mispaid = 0
        self._blocks = blocks
        self._clock = clock
        self._note = note
        self._on_mispaid = on_mispaid
        self._send, self._receive = trio.open_memory_channel[DutyRecord](WAITING_MOST)

    def take(self, record: DutyRecord) -> None:
        """A proposal was published. Returns at once."""
        try:
            self._send.send_nowait(record)
        except trio.WouldBlock:
            _log.warning("%s is not looked up: %d others wait", record.id, WAITING_MOST)

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Looks up one after the other until it is cancelled."""
        task_status.started()
        async for record in self._receive:
            try:
                self._note(record, await self._look(record))
            except Exception:  # the outer boundary of a task that no duty depends on
                _log.exception("looking up whom %s paid failed", record.id)

    async def _look(self, record: DutyRecord) -> Mapping[str, object]:
        trouble = "the chain has no block of this proposer in the slot"
        for slots in LOOK_AFTER_SLOTS:
            await self._clock.sleep_until(self._clock.start_ms(record.slot + slots))
            try:
                block = await self._blocks.block(record.slot)
            except BeaconError as problem:
                trouble = problem.message
                continue
            if block is not None and block.proposer_index in record.validators:
                return self._judge(record, block)
        return {"on_chain": False, "payment": trouble}

    def _judge(self, record: DutyRecord, block: ChainBlock) -> Mapping[str, object]:
        accepted = _recipients(record)
        payment = payment_of(block.fee_recipient, block.last_transaction, accepted)
        recipient = checksum_address(payment.recipient)
        facts: dict[str, object] = {
            "on_chain": True,
            "paid_by": payment.way.value,
            "paid_to": recipient,
        }
        if payment.wei is not None:
            facts["paid_wei"] = str(payment.wei)
        if payment.way is Way.NOBODY:
            self.mispaid += 1
            self._on_mispaid()
            _log.warning(
                "%s, led by operator %s, paid %s and none of %s; see docs/security.md, Proposals",
                record.id,
                record.leader,
                recipient,
                ", ".join(map(checksum_address, accepted)),
            )
        return facts


def _recipients(record: DutyRecord) -> tuple[Address, ...]:
    found = record.detail.get("recipients")
    return tuple(parse_address(str(each)) for each in found) if isinstance(found, list) else ()
