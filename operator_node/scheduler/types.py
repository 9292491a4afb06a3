"""What the scheduler is given and what it says, as values and as the edges that tests replace.

Pure. Nothing here asks for the time.

Source: docs/protocol.md, "Duties".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from operator_node.beacon.types import ValidatorState
from operator_node.duties.types import CommitteeDuty
from operator_node.spec.presets import Preset
from operator_node.wire.committee import Committee
from operator_node.wire.ids import RunnerRole
from operator_node.wire.values import ValidatorDuty
from sdk.types import Address, Epoch, PublicKey, Slot

EPOCHS_PER_SYNC_PERIOD: Final[Mapping[Preset, int]] = {Preset.MAINNET: 256, Preset.MINIMAL: 8}
"""consensus-specs, presets, altair.yaml: EPOCHS_PER_SYNC_COMMITTEE_PERIOD."""


@dataclass(frozen=True, slots=True)
class DutyDue:
    """A duty that is to be begun.

    Attributes:
        committee: who does it together.
        at_ms: unix milliseconds at which it starts. Nothing of it may be sent earlier.
        data_at_ms: when its data may be asked of a beacon node at the earliest.
        deadline_ms: when it is given up.
        duty: of a committee role all validators' parts, otherwise the one validator's.
    """

    role: RunnerRole
    slot: Slot
    committee: Committee
    at_ms: int
    data_at_ms: int
    deadline_ms: int
    duty: CommitteeDuty | ValidatorDuty

    @property
    def parts(self) -> tuple[ValidatorDuty, ...]:
        """What each validator is to do."""
        return self.duty.duties if isinstance(self.duty, CommitteeDuty) else (self.duty,)


@dataclass(frozen=True, slots=True)
class Member:
    """An own validator that the beacon chain knows."""

    key: PublicKey
    index: int
    committee: Committee


@dataclass(frozen=True, slots=True)
class Request:
    """A duty that an event of the registry asks for, in its slot or as soon as may be after it."""

    role: RunnerRole
    key: PublicKey
    slot: Slot


class Assignment(Protocol):
    """A validator of which this operator holds a share, as the registry has it."""

    @property
    def validator_key(self) -> PublicKey: ...

    @property
    def owner(self) -> Address: ...

    @property
    def committee(self) -> Committee: ...

    @property
    def fee_recipient(self) -> Address: ...

    @property
    def active(self) -> bool:
        """False while its cluster is liquidated."""


class Registry(Protocol):
    """What the scheduler reads of the registry, at once from memory."""

    def own(self) -> Mapping[PublicKey, Assignment]:
        """Validators with a share of mine."""

    def known(self) -> Collection[PublicKey]:
        """Every validator whose messages this node judges, the own ones among them."""


class Learner(Protocol):
    """Who is told what the beacon chain knows of validators; gossip validation, and the watch for
    doppelgangers.
    """

    def learn_states(self, states: Mapping[PublicKey, ValidatorState], epoch: Epoch, /) -> None:
        """These validators' states, as of an epoch; validators that are not named stay."""

    def learn_proposers(self, epoch: Epoch, proposals: Collection[tuple[Slot, int]], /) -> None:
        """All proposals of known validators in an epoch, by slot and validator index."""

    def learn_sync_members(
        self, first_epoch: Epoch, last_epoch: Epoch, indices: Collection[int], /
    ) -> None:
        """Known validators that sit in the sync committee of these epochs, both included."""
