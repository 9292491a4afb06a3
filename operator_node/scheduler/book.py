"""Duties as beacon nodes listed them, page by page, and which pages have to be asked for again.

Pure. A page holds the duties of an epoch (of the sync committee: of a period), the block that fixed
them and the validators that they were asked for. A head event tells which block fixes them now:
pages of another one are asked for again, whole, and stay in use until the answer comes. Validators
that are new are asked for alone.

Source: docs/protocol.md, "Duties"; Ethereum Beacon APIs, validator/duties and eventstream
(dependent roots).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from operator_node.beacon.types import (
    AttesterDuty,
    EpochDuties,
    HeadEvent,
    ProposerDuty,
    SyncDuty,
)
from operator_node.spec.chain import ChainSpec
from operator_node.spec.versions import FULU

MOST_ASKED_UNDER_ONE_ROOT: Final = 3
"""From Fulu on clients differ in which block they name for proposals, and a node may be behind the
one that sent the head event: an answer under another root is asked for this often, then kept."""


class OfValidator(Protocol):
    """A duty of one validator."""

    @property
    def validator_index(self) -> int: ...


D = TypeVar("D", bound=OfValidator)


@dataclass(frozen=True, slots=True)
class _Page(Generic[D]):
    """`root` is what the answer named, `expected` what the head event said then, if it did."""

    root: bytes
    covered: frozenset[int]
    duties: tuple[D, ...]
    expected: bytes | None
    asked: int


class Pages(Generic[D]):
    """Duties of one kind by epoch or period."""

    def __init__(self) -> None:
        self._pages: dict[int, _Page[D]] = {}

    def missing(
        self, number: int, indices: frozenset[int], expected: bytes | None
    ) -> frozenset[int]:
        """The validators to ask for now, of those that are wanted; none if the page stands.

        Args:
            number: epoch or period.
            indices: validators that may have duties then.
            expected: the block that fixes the page according to the newest head, if known.
        """
        page = self._pages.get(number)
        if page is None or _is_stale(page, expected):
            return indices
        if page.covered is indices:  # all of a network's validators, as a rule
            return frozenset()
        return indices - page.covered

    def take(
        self,
        number: int,
        asked: frozenset[int],
        answer: EpochDuties[D],
        expected: bytes | None,
    ) -> bool:
        """Put an answer in its page; whether any duty changed.

        An answer under another root than the page's is the truth for those that were asked for;
        the others keep their duties, and are missing from now on.
        """
        page = self._pages.get(number)
        fresh = tuple(each for each in answer.duties if each.validator_index in asked)
        if page is None:
            self._pages[number] = _Page(answer.dependent_root, asked, fresh, expected, 1)
            return bool(fresh)
        kept = tuple(each for each in page.duties if each.validator_index not in asked)
        is_same_root = answer.dependent_root == page.root
        self._pages[number] = _Page(
            root=answer.dependent_root,
            covered=asked | page.covered if is_same_root else asked,
            duties=kept + fresh,
            expected=expected,
            asked=page.asked + 1 if expected == page.expected else 1,
        )
        return set(kept + fresh) != set(page.duties)

    def duties(self, number: int) -> tuple[D, ...]:
        """The page's duties; nothing if it was never answered."""
        page = self._pages.get(number)
        return () if page is None else page.duties

    def has(self, number: int) -> bool:
        """Whether the page was answered."""
        return number in self._pages

    def drop_before(self, number: int) -> None:
        """Forget older pages."""
        for old in [each for each in self._pages if each < number]:
            del self._pages[old]


def _is_stale(page: _Page[D], expected: bytes | None) -> bool:
    if expected is None or page.root == expected:
        return False
    return page.expected != expected or page.asked < MOST_ASKED_UNDER_ONE_ROOT


class Book:
    """All duties that are known.

    Attributes:
        attesters: of own validators, by epoch.
        proposers: of all known validators, by epoch.
        sync: of all known validators, by period.
        head: the newest head event; change it with `turn_head`.
    """

    def __init__(self, chain: ChainSpec, *, epochs_per_period: int) -> None:
        """An empty book.

        Args:
            chain: its epochs and forks.
            epochs_per_period: how long a sync committee serves.
        """
        self.attesters: Pages[AttesterDuty] = Pages()
        self.proposers: Pages[ProposerDuty] = Pages()
        self.sync: Pages[SyncDuty] = Pages()
        self.head: HeadEvent | None = None
        self._chain = chain
        self._epochs_per_period = epochs_per_period

    def turn_head(self, head: HeadEvent, *, now_slot: int) -> None:
        """A beacon node has another head. Older ones are of nodes that lag, or are left soon."""
        is_newer = self.head is None or head.slot >= self.head.slot
        if is_newer and head.slot <= now_slot + 1:
            self.head = head

    def attester_root(self, epoch: int) -> bytes | None:
        """The block that fixes an epoch's attesters on the newest head's chain, if it tells."""
        if self.head is None:
            return None
        match epoch - self._chain.epoch_of(self.head.slot):
            case 0:
                return self.head.previous_duty_dependent_root
            case 1:
                return self.head.current_duty_dependent_root
        return None

    def proposer_root(self, epoch: int) -> bytes | None:
        """Likewise of an epoch's proposers: from Fulu on they are fixed an epoch earlier."""
        if self.fixes_proposers_early(epoch):
            return self.attester_root(epoch)
        if self.head is None:
            return None
        match epoch - self._chain.epoch_of(self.head.slot):
            case 0:
                return self.head.current_duty_dependent_root
            case 1:
                return self.head.block_root
        return None

    def fixes_proposers_early(self, epoch: int) -> bool:
        """Whether an epoch's proposers are known an epoch ahead.

        The first epoch of Fulu is still looked up late: its lookahead is made by the upgrade.
        """
        return self._chain.version_at(self._chain.first_slot(max(epoch - 1, 0))) >= FULU

    def period_of(self, epoch: int) -> int:
        """The sync committee period of an epoch."""
        return epoch // self._epochs_per_period

    def first_epoch(self, period: int) -> int:
        """The first epoch of a sync committee period."""
        return period * self._epochs_per_period

    def own_proposals(self, slot: int, indices: Iterable[int]) -> tuple[ProposerDuty, ...]:
        """Proposals of these validators in a slot."""
        own = frozenset(indices)
        duties = self.proposers.duties(self._chain.epoch_of(slot))
        return tuple(each for each in duties if each.slot == slot and each.validator_index in own)

    def turn_to(self, epoch: int) -> None:
        """Forget what lies more than an epoch back."""
        self.attesters.drop_before(epoch - 1)
        self.proposers.drop_before(epoch - 1)
        self.sync.drop_before(self.period_of(max(epoch - 1, 0)))
