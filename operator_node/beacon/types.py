"""What the node asks of its beacon nodes and hears from them, as values.

Pure. Questions and answers of duties are in `operator_node.duties.types`; here is the rest: duties
of an epoch, states of validators, subscriptions, events, and how each beacon node is doing.

Source: Ethereum Beacon APIs, validator/duties, beacon/states, eventstream.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeAlias, TypeVar

from operator_node.wire.values import BeaconVote
from sdk.types import Epoch, PublicKey, Slot

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class AttesterDuty:
    """One validator's place in a beacon committee of an epoch."""

    validator_index: int
    public_key: PublicKey
    slot: Slot
    committee_index: int
    committee_length: int
    committees_at_slot: int
    validator_committee_index: int


@dataclass(frozen=True, slots=True)
class ProposerDuty:
    """One block to propose."""

    validator_index: int
    public_key: PublicKey
    slot: Slot


@dataclass(frozen=True, slots=True)
class SyncDuty:
    """A validator's positions in the sync committee of an epoch, at least one."""

    validator_index: int
    public_key: PublicKey
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EpochDuties(Generic[D]):
    """Duties of one epoch.

    Attributes:
        dependent_root: the block that fixed them, 32 bytes; when it changes, so may they. Empty
            for the sync committee, which a whole period keeps.
    """

    dependent_root: bytes
    duties: tuple[D, ...]


@dataclass(frozen=True, slots=True)
class ValidatorState:
    """A validator in the head state; `status` in the words of the API, such as `active_ongoing`."""

    index: int
    status: str
    activation_epoch: Epoch
    exit_epoch: Epoch
    effective_balance_gwei: int


@dataclass(frozen=True, slots=True)
class CommitteeSubscription:
    """A beacon committee whose subnet the beacon nodes are to listen to in a slot."""

    validator_index: int
    committee_index: int
    committees_at_slot: int
    slot: Slot
    is_aggregator: bool


@dataclass(frozen=True, slots=True)
class SyncSubscription:
    """Sync committee positions whose subnets the beacon nodes are to listen to."""

    validator_index: int
    positions: tuple[int, ...]
    until_epoch: Epoch


@dataclass(frozen=True, slots=True)
class HeadEvent:
    """A beacon node has a new head; roots are 32 bytes."""

    slot: Slot
    block_root: bytes
    previous_duty_dependent_root: bytes
    current_duty_dependent_root: bytes
    epoch_transition: bool


@dataclass(frozen=True, slots=True)
class FinalizedEvent:
    """An epoch is final."""

    epoch: Epoch
    block_root: bytes


@dataclass(frozen=True, slots=True)
class ReorgEvent:
    """A beacon node left `depth` slots of its chain for another one."""

    slot: Slot
    depth: int
    old_head_root: bytes
    new_head_root: bytes


@dataclass(frozen=True, slots=True)
class BlockSeenEvent:
    """A block of the slot is on its way, and may not be the head yet (DUT-6)."""

    slot: Slot
    block_root: bytes


@dataclass(frozen=True, slots=True)
class ViewChangedEvent:
    """`BeaconPool.view` answers otherwise than before, from this slot on."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class SlashingEvent:
    """Proof came in that these validators, by index, signed what they are slashed for."""

    indices: frozenset[int]


BeaconEvent: TypeAlias = (
    HeadEvent | FinalizedEvent | ReorgEvent | BlockSeenEvent | ViewChangedEvent | SlashingEvent
)


class NodeState(StrEnum):
    """How far a beacon node can be relied on, best first (BN-1)."""

    SYNCED = "synced"
    LAGGING = "lagging"
    OPTIMISTIC = "optimistic"
    FAR = "far"
    UNREACHABLE = "unreachable"
    WRONG_CHAIN = "wrong_chain"


CLIENT_FAMILIES: Final = ("lighthouse", "lodestar", "nimbus", "prysm", "teku", "grandine")


def family_of(client: str) -> str:
    """The client family that a version text names, such as `Lighthouse/v7`; empty if unknown."""
    lower = client.lower()
    return next((family for family in CLIENT_FAMILIES if lower.startswith(family)), "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Attestation data that one beacon node offered.

    Attributes:
        node: its name.
        client: its version text.
        took_ms: until its answer was there.
        was_chosen: whether its answer, or another one's with the same content, was taken.
    """

    node: str
    client: str
    vote: BeaconVote
    took_ms: int
    was_chosen: bool

    @property
    def told(self) -> dict[str, object]:
        """For the duty's record."""
        vote = self.vote
        return {
            "node": self.node,
            "client": self.client,
            "took_ms": self.took_ms,
            "was_chosen": self.was_chosen,
            "head": f"0x{vote.block_root.hex()}",
            "source": f"{vote.source.epoch}/0x{vote.source.root.hex()}",
            "target": f"{vote.target.epoch}/0x{vote.target.root.hex()}",
        }


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One beacon node as the status page shows it.

    Attributes:
        name: host and port; what else is in its address may be secret.
        client: its version text, empty while it has not told.
        state: as judged over several observations.
        is_answering: whether the last request was answered at all.
        head_slot: its head when it was last asked, None before.
        latency_ms: recent mean.
        last_trouble: the last thing that went wrong, empty if nothing has.
    """

    name: str
    client: str
    state: NodeState
    is_answering: bool
    head_slot: Slot | None
    latency_ms: int
    last_trouble: str
