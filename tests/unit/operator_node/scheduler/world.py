"""A small chain, a registry of validators, and beacon nodes that answer from a timetable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

import trio

from operator_node.beacon.types import (
    AttesterDuty,
    BeaconEvent,
    CommitteeSubscription,
    EpochDuties,
    HeadEvent,
    ProposerDuty,
    SyncDuty,
    SyncSubscription,
    ValidatorState,
)
from operator_node.scheduler.timing import Timing
from operator_node.spec.chain import FAR_FUTURE_EPOCH, ChainSpec, Fork
from operator_node.spec.presets import Preset
from operator_node.wire.committee import Committee
from sdk.errors import BeaconError
from sdk.types import Address, Epoch, PublicKey, Slot
from tests.unit.operator_node.mock_time import GENESIS, SLOT_MS, SLOTS_PER_EPOCH

FOUR: Final = Committee.of((1, 2, 3, 4))
OTHERS: Final = Committee.of((2, 3, 4, 5))
ELECTRA_NUMBER: Final = 6
CHAIN: Final = ChainSpec(
    preset=Preset.MINIMAL,
    genesis_time=GENESIS,
    seconds_per_slot=SLOT_MS // 1000,
    slots_per_epoch=SLOTS_PER_EPOCH,
    genesis_validators_root=b"\x01" * 32,
    genesis_fork_version=bytes([0, 0, 0, 1]),
    forks=tuple(Fork(n + 1, Epoch(0), bytes([n, 0, 0, 1])) for n in range(ELECTRA_NUMBER)),
)
FULU_CHAIN: Final = replace(CHAIN, forks=(*CHAIN.forks, Fork(7, Epoch(0), bytes([6, 0, 0, 1]))))
GLOAS_CHAIN: Final = replace(
    FULU_CHAIN, forks=(*FULU_CHAIN.forks, Fork(8, Epoch(2), bytes([7, 0, 0, 1])))
)
TIMING: Final = Timing(CHAIN)
OWNER: Final = Address(b"\x0e" * 20)
RECIPIENT: Final = Address(b"\x0f" * 20)


def key_of(index: int) -> PublicKey:
    return PublicKey(index.to_bytes(2, "big") * 24)


def root(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


def state_of(index: int, **more: object) -> ValidatorState:
    state = ValidatorState(index, "active_ongoing", Epoch(0), FAR_FUTURE_EPOCH, 32 * 10**9)
    return replace(state, **more)  # type: ignore[arg-type]


def attester(index: int, slot: int) -> AttesterDuty:
    return AttesterDuty(index, key_of(index), Slot(slot), index % 2, 16, 2, index % 16)


def proposer(index: int, slot: int) -> ProposerDuty:
    return ProposerDuty(index, key_of(index), Slot(slot))


def seat(index: int, *positions: int) -> SyncDuty:
    return SyncDuty(index, key_of(index), positions or (index,))


def head(
    slot: int, *, block: str = "block", previous: str = "genesis", current: str = "genesis"
) -> HeadEvent:
    return HeadEvent(Slot(slot), root(block), root(previous), root(current), False)


@dataclass(frozen=True, slots=True)
class Holding:
    """An own validator in the registry."""

    validator_key: PublicKey
    owner: Address = OWNER
    committee: Committee = FOUR
    fee_recipient: Address = RECIPIENT
    active: bool = True


@dataclass
class FakeRegistry:
    """Own validators and strangers."""

    holdings: dict[PublicKey, Holding] = field(default_factory=dict)
    strangers: set[PublicKey] = field(default_factory=set)

    def hold(self, *indices: int, committee: Committee = FOUR) -> None:
        for index in indices:
            self.holdings[key_of(index)] = Holding(key_of(index), committee=committee)

    def own(self) -> Mapping[PublicKey, Holding]:
        return self.holdings

    def known(self) -> Collection[PublicKey]:
        return {*self.holdings, *self.strangers}


@dataclass
class Learnt:
    """What the scheduler told others."""

    states: dict[PublicKey, ValidatorState] = field(default_factory=dict)
    told: Counter[PublicKey] = field(default_factory=Counter)
    proposers: dict[Epoch, frozenset[tuple[Slot, int]]] = field(default_factory=dict)
    members: dict[tuple[Epoch, Epoch], frozenset[int]] = field(default_factory=dict)

    def learn_states(self, states: Mapping[PublicKey, ValidatorState], epoch: Epoch) -> None:
        self.states.update(states)
        self.told.update(states.keys())

    def learn_proposers(self, epoch: Epoch, proposals: Collection[tuple[Slot, int]]) -> None:
        self.proposers[epoch] = frozenset(proposals)

    def learn_sync_members(
        self, first_epoch: Epoch, last_epoch: Epoch, indices: Collection[int]
    ) -> None:
        self.members[first_epoch, last_epoch] = frozenset(indices)


class FakeBeacon:
    """Beacon nodes of one mind.

    Attributes:
        asked: every question for duties or states, in order.
        down_until: trio time until which nothing is answered.
        delay_s: what an answer takes.
        slot_in_epoch: of each attester, plus a shift per epoch that a re-org may change.
    """

    def __init__(self) -> None:
        self.states: dict[PublicKey, ValidatorState] = {}
        self.proposals: list[ProposerDuty] = []
        self.seats: list[SyncDuty] = []
        self.shift: Counter[int] = Counter()
        self.roots: dict[int, str] = {}
        self.asked: list[tuple[str, int, tuple[int, ...]]] = []
        self.prepared: list[tuple[float, Mapping[int, Address]]] = []
        self.subscriptions: list[CommitteeSubscription] = []
        self.seated: list[SyncSubscription] = []
        self.down_until = -inf
        self.delay_s = 0.05
        self.tells, self._events = trio.open_memory_channel[BeaconEvent](64)

    def add(self, *indices: int, **more: object) -> None:
        for index in indices:
            self.states[key_of(index)] = state_of(index, **more)

    def subscribe(self) -> trio.MemoryReceiveChannel[BeaconEvent]:
        return self._events.clone()

    def count(self, kind: str, epoch: int) -> int:
        return sum(1 for each in self.asked if each[:2] == (kind, epoch))

    async def validators(self, keys: Sequence[PublicKey]) -> Mapping[PublicKey, ValidatorState]:
        await self._answer("states", -1, ())
        return {key: self.states[key] for key in keys if key in self.states}

    async def attester_duties(
        self, epoch: Epoch, indices: Sequence[int]
    ) -> EpochDuties[AttesterDuty]:
        await self._answer("attesters", epoch, indices)
        first = epoch * SLOTS_PER_EPOCH
        duties = [
            attester(index, first + (index + self.shift[epoch]) % SLOTS_PER_EPOCH)
            for index in indices
        ]
        return EpochDuties(root(self.roots.get(epoch, "genesis")), tuple(duties))

    async def proposer_duties(
        self, epoch: Epoch, indices: Sequence[int]
    ) -> EpochDuties[ProposerDuty]:
        await self._answer("proposers", epoch, indices)
        duties = [each for each in self.proposals if each.slot // SLOTS_PER_EPOCH == epoch]
        return EpochDuties(root(self.roots.get(epoch, "genesis")), tuple(duties))

    async def sync_duties(self, epoch: Epoch, indices: Sequence[int]) -> EpochDuties[SyncDuty]:
        await self._answer("sync", epoch, indices)
        return EpochDuties(b"", tuple(self.seats))

    async def prepare_proposers(self, recipients: Mapping[int, Address]) -> None:
        await self._answer("prepare", -1, ())
        self.prepared.append((trio.current_time(), recipients))

    async def subscribe_committees(self, subscriptions: tuple[CommitteeSubscription, ...]) -> None:
        await self._answer("subscribe", -1, ())
        self.subscriptions += subscriptions

    async def subscribe_sync(self, subscriptions: tuple[SyncSubscription, ...]) -> None:
        await self._answer("subscribe sync", -1, ())
        self.seated += subscriptions

    async def _answer(self, kind: str, epoch: int, indices: Sequence[int]) -> None:
        self.asked.append((kind, epoch, tuple(indices)))
        await trio.sleep(self.delay_s)
        if trio.current_time() < self.down_until:
            raise BeaconError("no beacon node answers")
