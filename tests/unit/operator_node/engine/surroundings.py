"""What an engine has around it: registry, beacon nodes, signer and keys, for four operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import trio
import trio.testing

from operator_node.clock import SlotClock
from operator_node.duties import Reason
from operator_node.duties.types import (
    Answer,
    CheckpointView,
    Query,
    Signed,
    SignItem,
    Submission,
    Submitted,
    Unavailable,
    Withheld,
)
from operator_node.signer.rules import Guard
from operator_node.spec.presets import Preset
from operator_node.testing.fake_beacon import FakeBeacon
from operator_node.testing.signing import Signer as ShareSigner
from operator_node.testing.standin import RealSignatures
from operator_node.testing.world import ALAN_DOMAIN, BOOLE_DOMAIN, CHAIN, FEE_RECIPIENT
from operator_node.validation import (
    Chain,
    KnownCommittee,
    KnownValidator,
)
from operator_node.wire.committee import Committee
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.testing.keys import operator_key
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot

IDS: Final = tuple(OperatorId(each) for each in (1, 2, 3, 4))
COMMITTEE: Final = Committee(IDS)
VALIDATORS: Final = (17, 18)
BOOLE_EPOCH: Final = Epoch(20)  # slot 160
NETWORK: Final = Chain(
    "holesky", ForkEpochs(CHAIN.slots_per_epoch, BOOLE_EPOCH), ALAN_DOMAIN, BOOLE_DOMAIN
)
SLOTS: Final = {Generation.ALAN: Slot(101), Generation.BOOLE: Slot(206)}
SLOT_MS: Final = NETWORK.slot_ms
HOP_S: Final = 0.01
_Result = TypeVar("_Result")
SIGNATURES: Final = RealSignatures()
DEALT: Final = {index: SIGNATURES.deal(index, IDS, 0) for index in VALIDATORS}
KEYS: Final = {operator: operator_key(1 + operator % 13) for operator in IDS}
"""The keys that `RealSignatures` signs with."""


async def inline(step: Callable[[], _Result], /, *, urgent: bool) -> _Result:
    """On the event loop: a mock clock would run on while a thread works."""
    await trio.lowlevel.checkpoint()
    return step()


class Everybody:
    """All selection proofs are chosen."""

    def is_aggregator(self, duty: ValidatorDuty, proof: bytes) -> bool:
        return True

    def is_contributor(self, duty: ValidatorDuty, proof: bytes, preset: Preset) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Assigned:
    """An own validator."""

    validator_key: PublicKey
    share_keys: Mapping[OperatorId, PublicKey]
    share_key: PublicKey
    committee: Committee = COMMITTEE
    fee_recipient: Address = FEE_RECIPIENT
    active: bool = True


def assigned(me: OperatorId) -> dict[PublicKey, Assigned]:
    """Both validators, as an operator holds them."""
    return {key: Assigned(key, shares, shares[me]) for key, shares in DEALT.values()}


class Registry:
    """Both validators are registered with the committee; they have every duty."""

    def __init__(self, me: OperatorId) -> None:
        self.assignments = assigned(me)
        self.known = KnownCommittee.of(IDS, VALIDATORS)
        self.keys = {each: KEYS[each].public_key for each in IDS}
        self.view = self

    def own(self) -> Mapping[PublicKey, Assigned]:
        return self.assignments

    def operator_keys(self) -> Mapping[OperatorId, OperatorPublicKey]:
        return self.keys

    def has_operator(self, operator: OperatorId, /) -> bool:
        return operator in self.keys

    def committee(self, committee_id: bytes, /) -> KnownCommittee | None:
        return self.known

    def validator(self, key: PublicKey, /) -> KnownValidator | None:
        index = next((each for each, dealt in DEALT.items() if dealt[0] == key), None)
        return None if index is None else KnownValidator(index, self.known)

    def proposers_known(self, epoch: Epoch, /) -> bool:
        return True

    def has_proposal(self, index: int, slot: Slot, /) -> bool:
        return True

    def in_sync_committee(self, index: int, epoch: Epoch, /) -> bool:
        return True

    def exit_requests(self, key: PublicKey, slot: Slot, /) -> int:
        return 1


@dataclass(slots=True)
class Beacon:
    """Answers after a moment; tests may take it away, or make it raise."""

    clock: SlotClock
    nodes: FakeBeacon
    is_there: bool = True
    problem: Exception | None = None
    refuses: str = ""
    asked: list[tuple[int, Query]] = field(default_factory=list)
    submitted: list[Submission] = field(default_factory=list)

    async def answer(self, query: Query, *, deadline_ms: int) -> Answer:
        self.asked.append((self.clock.now_ms(), query))
        if self.problem is not None:
            raise self.problem
        asked = self.nodes.ask(query, self._since_genesis_ms())
        if not self.is_there or asked is None:
            return Unavailable(Reason.BN_DOWN, "away")
        await trio.sleep(asked[0] / 1000)
        return asked[1]

    async def submit(self, items: tuple[Submission, ...], /) -> tuple[Submitted, ...]:
        self.submitted += items
        return tuple(Submitted(item, self.refuses) for item in items)

    def view(self, slot: Slot, /) -> CheckpointView | None:
        return self.nodes.view(slot, self._since_genesis_ms()) if self.is_there else None

    def _since_genesis_ms(self) -> int:
        return self.clock.now_ms() - self.clock.genesis_ms


@dataclass(slots=True)
class Signer:
    """The simulation's signer with real keys; tests may break it."""

    shares: ShareSigner
    problem: Exception | None = None
    unreadable: Exception | None = None
    lies: bool = False

    def sign(self, items: tuple[SignItem, ...], *, slot: Slot) -> tuple[Signed | Withheld, ...]:
        if self.problem is not None:
            raise self.problem
        results = self.shares.sign(items, slot)
        if not self.lies:
            return results
        return tuple(
            Signed(each.item, SIGNATURES.sign_root(each.item.share.share_key, bytes(32)))
            for each in results
        )

    def is_slashable(self, share: Share, guard: Guard, /) -> bool:
        if self.unreadable is not None:
            raise self.unreadable
        return self.shares.is_slashable(share, guard)
