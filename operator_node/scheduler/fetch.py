"""Keeps the book and the roster up to date, and tells beacon nodes what own validators will need.

One task per subject, so that none waits for another. Each looks, asks for what is missing and waits
for the next change or slot. When beacon nodes do not answer, it tries again with growing pauses,
and what was known stays in use. Nothing here starts a duty.

Source: Ethereum Beacon APIs, validator; consensus-specs, phase0/validator.md (look-ahead).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import trio

from operator_node.beacon.types import (
    AttesterDuty,
    CommitteeSubscription,
    EpochDuties,
    ProposerDuty,
    SyncDuty,
    SyncSubscription,
    ValidatorState,
)
from operator_node.clock import SlotClock
from operator_node.scheduler.bell import Bell
from operator_node.scheduler.book import Book
from operator_node.scheduler.roster import Roster
from operator_node.scheduler.types import Learner, Member, Registry
from operator_node.spec.chain import ChainSpec
from operator_node.spec.versions import ALTAIR
from sdk.errors import BeaconError
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 4.0
"""Long enough not to hammer a node that is starting, short enough to be back within a slot."""
CALL_S: Final = 20.0
"""All duties of thousands of validators may take a node some seconds; none takes this long."""
SYNC_AHEAD_EPOCHS: Final = 2
SYNC_SPREAD_SLOTS: Final = 16
"""Operators ask for the next period one after another, not all of the network in one slot."""

_log = logging.getLogger(__name__)


class Beacon(Protocol):
    """What is asked of the beacon nodes. Every call may raise `BeaconError`."""

    async def validators(
        self, keys: Sequence[PublicKey], /
    ) -> Mapping[PublicKey, ValidatorState]: ...

    async def attester_duties(
        self, epoch: Epoch, indices: Sequence[int], /
    ) -> EpochDuties[AttesterDuty]: ...

    async def proposer_duties(
        self, epoch: Epoch, indices: Sequence[int], /
    ) -> EpochDuties[ProposerDuty]: ...

    async def sync_duties(
        self, epoch: Epoch, indices: Sequence[int], /
    ) -> EpochDuties[SyncDuty]: ...

    async def prepare_proposers(self, recipients: Mapping[int, Address], /) -> None: ...

    async def subscribe_committees(
        self, subscriptions: tuple[CommitteeSubscription, ...], /
    ) -> None: ...

    async def subscribe_sync(self, subscriptions: tuple[SyncSubscription, ...], /) -> None: ...


class Fetcher:
    """The tasks that ask.

    Attributes:
        failures: how often each subject could not be had since the start.
    """

    def __init__(
        self,
        *,
        clock: SlotClock,
        chain: ChainSpec,
        me: OperatorId,
        beacon: Beacon,
        registry: Registry,
        learner: Learner,
        book: Book,
        roster: Roster,
        bell: Bell,
    ) -> None:
        """Nothing is asked before `run`.

        Args:
            clock: of the chain.
            chain: its epochs and forks.
            me: spreads some questions over the operators of the network.
            beacon: who is asked.
            registry: which validators there are.
            learner: told what is learnt of validators.
            book: filled with duties.
            roster: filled with states.
            bell: rung when something changed, and listened to.
        """
        self.failures: Counter[str] = Counter()
        self._clock = clock
        self._chain = chain
        self._me = me
        self._beacon = beacon
        self._registry = registry
        self._learner = learner
        self._book = book
        self._roster = roster
        self._bell = bell
        self._known_seen: tuple[int, int] = (-1, -1)
        self._subscribed: set[tuple[int, Slot]] = set()
        self._seated: set[tuple[int, int]] = set()
        self._prepared: tuple[int, Mapping[int, Address]] = (-1, {})
        self._prepared_slot = -1

    async def run(self) -> None:
        """Asks until it is cancelled."""
        async with trio.open_nursery() as nursery:
            for subject, step, offset_ms in (
                ("proposer duties", self._proposers, 0),
                ("attester duties", self._attesters, 0),
                # What follows can wait until the start of the slot is over.
                ("validators", self._states, self._clock.slot_ms // 2),
                ("sync committee duties", self._sync, self._clock.slot_ms // 2),
                ("committee subscriptions", self._subscribe, self._clock.slot_ms // 2),
                ("sync committee subscriptions", self._subscribe_sync, self._clock.slot_ms // 2),
                ("proposer preparations", self._prepare, self._clock.slot_ms // 2),
            ):
                nursery.start_soon(self._keep, subject, step, offset_ms)

    async def _keep(
        self, subject: str, step: Callable[[], Awaitable[None]], offset_ms: int
    ) -> None:
        """One subject for good: the outer boundary of its errors."""
        pause_s = FIRST_PAUSE_S
        while True:
            rung = self._bell.listen()
            try:
                with trio.move_on_after(CALL_S) as limit:
                    await step()
                if limit.cancelled_caught:
                    raise BeaconError(f"{subject}: no answer within {CALL_S:g} s")
            except Exception as problem:
                self.failures[subject] += 1
                expected = isinstance(problem, BeaconError)
                _log.warning(
                    "%s could not be had, again in %g s: %s",
                    subject,
                    pause_s,
                    problem,
                    exc_info=None if expected else problem,
                )
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            pause_s = FIRST_PAUSE_S
            next_slot = self._clock.slot_at(self._clock.now_ms() - offset_ms) + 1
            await self._clock.wait(rung, until_ms=self._clock.start_ms(next_slot) + offset_ms)

    # --- who there is ------------------------------------------------------------------------

    async def _states(self) -> None:
        epoch = self._epoch()
        own = self._registry.own()
        now_ms = self._clock.now_ms()
        wanted = self._roster.wanted_own(own, epoch=epoch, now_ms=now_ms)
        await self._ask_states(wanted, own=True)
        known = self._registry.known()
        seen = (epoch, len(known))
        if seen == self._known_seen:  # all of a network's validators are too many for every slot
            return
        wanted = self._roster.wanted(known, epoch=epoch, now_ms=self._clock.now_ms())
        await self._ask_states(wanted)
        self._roster.keep({*known, *own})
        self._known_seen = seen

    async def _ask_states(self, wanted: tuple[PublicKey, ...], *, own: bool = False) -> None:
        if not wanted:
            return
        epoch = self._epoch()
        states = await self._beacon.validators(wanted)
        self._learner.learn_states(states, epoch)  # before any duty of theirs can begin
        now_ms = self._clock.now_ms()
        is_changed = self._roster.take(wanted, states, epoch=epoch, now_ms=now_ms, own=own)
        if is_changed:
            self._bell.ring()

    # --- duties ------------------------------------------------------------------------------

    async def _attesters(self) -> None:
        slot, epoch = self._slot(), self._epoch()
        self._book.turn_to(epoch)
        await self._ask_attesters(epoch)
        if self._is_time_for_next(slot):
            await self._ask_attesters(Epoch(epoch + 1))

    def _is_time_for_next(self, slot: Slot) -> bool:
        """From the middle of the epoch on, if possible not while a block is to be proposed."""
        size = self._chain.slots_per_epoch
        place = slot % size
        if place < size // 2:
            return False
        own = [each.index for each in self._members(self._epoch())]
        return place == size - 1 or not self._book.own_proposals(slot, own)

    async def _ask_attesters(self, epoch: Epoch) -> None:
        own = frozenset(each.index for each in self._members(epoch))
        expected = self._book.attester_root(epoch)
        missing = self._book.attesters.missing(epoch, own, expected)
        if not missing:
            return
        answer = await self._beacon.attester_duties(epoch, sorted(missing))
        if self._book.attesters.take(epoch, missing, answer, expected):
            self._bell.ring()

    async def _proposers(self) -> None:
        epoch = self._epoch()
        await self._ask_proposers(epoch)
        if self._book.fixes_proposers_early(epoch + 1):
            await self._ask_proposers(Epoch(epoch + 1))

    async def _ask_proposers(self, epoch: Epoch) -> None:
        expected = self._book.proposer_root(epoch)
        wanted = self._roster.active_indices(epoch)
        missing = self._book.proposers.missing(epoch, wanted, expected)
        if not missing:
            return
        answer = await self._beacon.proposer_duties(epoch, sorted(missing))
        is_changed = self._book.proposers.take(epoch, missing, answer, expected)
        proposals = self._book.proposers.duties(epoch)
        self._learner.learn_proposers(
            epoch, frozenset((each.slot, each.validator_index) for each in proposals)
        )
        if is_changed:
            self._bell.ring()

    async def _sync(self) -> None:
        slot, epoch = self._slot(), self._epoch()
        period = self._book.period_of(epoch)
        await self._ask_sync(period, epoch)
        following = Epoch(self._book.first_epoch(period + 1))
        spread = self._me % min(SYNC_SPREAD_SLOTS, self._chain.slots_per_epoch)
        if slot >= self._chain.first_slot(following - SYNC_AHEAD_EPOCHS) + spread:
            await self._ask_sync(period + 1, following)

    async def _ask_sync(self, period: int, epoch: Epoch) -> None:
        wanted = self._roster.active_indices(epoch)
        missing = self._book.sync.missing(period, wanted, None)
        if not missing or self._chain.version_at(self._chain.first_slot(epoch)) < ALTAIR:
            return
        answer = await self._beacon.sync_duties(epoch, sorted(missing))
        is_changed = self._book.sync.take(period, missing, answer, None)
        first, after = self._book.first_epoch(period), self._book.first_epoch(period + 1)
        self._learner.learn_sync_members(
            Epoch(max(first - 1, 0)),  # the last slot before a period is its committee's already
            Epoch(after - 1),
            frozenset(each.validator_index for each in self._book.sync.duties(period)),
        )
        if is_changed:
            self._bell.ring()

    # --- what beacon nodes should know -------------------------------------------------------

    async def _subscribe(self) -> None:
        slot, epoch = self._slot(), self._epoch()
        self._subscribed = {each for each in self._subscribed if each[1] >= slot}
        subscriptions = tuple(
            CommitteeSubscription(
                validator_index=each.validator_index,
                committee_index=each.committee_index,
                committees_at_slot=each.committees_at_slot,
                slot=each.slot,
                # The proof that selects is not made yet; whoever may be selected is prepared for.
                is_aggregator=True,
            )
            for page in (epoch, epoch + 1)
            for each in self._book.attesters.duties(page)
            if each.slot >= slot and (each.validator_index, each.slot) not in self._subscribed
        )
        if subscriptions:
            await self._beacon.subscribe_committees(subscriptions)
            self._subscribed |= {(each.validator_index, each.slot) for each in subscriptions}

    async def _subscribe_sync(self) -> None:
        epoch = self._epoch()
        period = self._book.period_of(epoch)
        self._seated = {each for each in self._seated if each[0] >= period}
        own = {each.index for each in self._members(epoch)}
        wanted = {
            (number, each.validator_index): SyncSubscription(
                validator_index=each.validator_index,
                positions=each.positions,
                until_epoch=Epoch(self._book.first_epoch(number + 1)),
            )
            for number in (period, period + 1)
            for each in self._book.sync.duties(number)
            if each.validator_index in own and (number, each.validator_index) not in self._seated
        }
        if wanted:
            await self._beacon.subscribe_sync(tuple(wanted.values()))
            self._seated |= wanted.keys()

    async def _prepare(self) -> None:
        """Each epoch, after a change, and a slot before each own proposal."""
        slot, epoch = self._slot(), self._epoch()
        own = self._registry.own()
        members = self._members(epoch)
        recipients = {each.index: own[each.key].fee_recipient for each in members}
        indices = [each.index for each in members]
        is_proposal_near = self._prepared_slot != slot and bool(
            self._book.own_proposals(slot + 1, indices)
        )
        if recipients and (is_proposal_near or self._prepared != (epoch, recipients)):
            await self._beacon.prepare_proposers(recipients)
            self._prepared, self._prepared_slot = (epoch, recipients), slot

    def _members(self, epoch: int) -> tuple[Member, ...]:
        return self._roster.members(self._registry.own(), epoch)

    def _slot(self) -> Slot:
        return Slot(max(self._clock.slot(), 0))

    def _epoch(self) -> Epoch:
        return self._chain.epoch_of(self._slot())
