"""What goes wrong in one simulated run, as data: the plan that a seed is drawn into.

Pure values. A plan says everything that a run is decided by, so its text (`describe`) opens every
transcript. Times are milliseconds since genesis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from operator_node.wire.generations import NEVER
from operator_node.wire.ids import RunnerRole
from sdk.types import Epoch, OperatorId, Slot

SLOT_MS: Final = 12_000
SLOTS_PER_EPOCH: Final = 8
"""Short, so that a run of a few slots crosses epochs, and with them forks."""


FOREVER_MS: Final = 10_000 * SLOT_MS
"""Longer than any run."""


@dataclass(frozen=True, slots=True)
class Links:
    """How every link behaves.

    Attributes:
        fastest_ms, slowest_ms: bounds of the usual delay.
        straggling: chance that a packet takes up to `straggler_ms` longer, so that later ones
            overtake it.
        loss: chance that the first try is lost.
        unrecovered: chance, at each try after the first, that gossip gives up.
        duplicates: chance that a packet comes once more, seconds later.
    """

    fastest_ms: int = 1
    slowest_ms: int = 60
    straggling: float = 0.0
    straggler_ms: int = 0
    loss: float = 0.0
    unrecovered: float = 0.0
    duplicates: float = 0.0


CALM_LINKS: Final = Links()
"""Of a network that works."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Nothing passes between one side and everybody else."""

    side: frozenset[OperatorId]
    from_ms: int
    until_ms: int

    def cuts(self, one: OperatorId, other: OperatorId, now_ms: int) -> bool:
        """Whether these two cannot hear each other now."""
        return self.from_ms <= now_ms < self.until_ms and (one in self.side) != (other in self.side)


@dataclass(frozen=True, slots=True)
class Muffle:
    """The network holds back an operator's commits and decisions: it decides, and nobody hears.

    Networks may delay whatever they like; this is the worst that they can choose.
    """

    operator: OperatorId
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Crash:
    """A process stands still; `keeps_state` tells a pause from a restart.

    The slashing record survives either way. A restarted operator has forgotten every duty, round
    and message, and takes up the duties of the slot it comes back in.
    """

    operator: OperatorId
    from_ms: int
    until_ms: int
    keeps_state: bool


class BeaconTrouble(StrEnum):
    """What is wrong with one operator's beacon node."""

    ABSENT = "absent"
    """Refuses every question at once; the operator knows no checkpoints."""
    SILENT = "silent"
    """Never answers; checkpoints known before stay known."""
    SLOW = "slow"
    """Answers seconds late."""
    STALE = "stale"
    """Its head is the block before."""
    LYING = "lying"
    """Votes for checkpoints of its own, and garbage for blocks and aggregates."""


@dataclass(frozen=True, slots=True)
class BeaconFault:
    operator: OperatorId
    trouble: BeaconTrouble
    from_ms: int
    until_ms: int


class Lie(StrEnum):
    """One habit of a byzantine operator; it may have several."""

    ABSENT = "absent"
    """Says nothing at all."""
    MUTE_COMMITS = "mute_commits"
    """Helps up to the prepare quorum, then falls silent: in round 1, or unless it leads."""
    TWO_PROPOSALS = "two_proposals"
    """Proposes one value to some and another to the rest."""
    TWO_VOTES = "two_votes"
    """Prepares and commits for two values, to different operators."""
    FALSE_CHANGES = "false_changes"
    """Claims preparations that never were; as leader justifies its value with forgeries."""
    BAD_VALUES = "bad_values"
    """Proposes what must not be signed."""
    REPLAYS = "replays"
    """Sends other operators' messages again, in other rounds and duties, and with other senders."""
    NO_PARTIALS = "no_partials"
    BAD_PARTIALS = "bad_partials"
    """Partial signatures that are no points, of other roots, or of other shares."""
    EDGES = "edges"
    """Sends each message at the last or first moment at which it may be accepted."""
    SELECTIVE = "selective"
    """Sends each message to some operators only."""


@dataclass(frozen=True, slots=True)
class Liar:
    operator: OperatorId
    lies: frozenset[Lie]


@dataclass(frozen=True, slots=True)
class PlannedCluster:
    """A committee, the validators it holds shares of, and when the registry says so.

    Attributes:
        until_ms: when the registry removes its validators, None for never.
        sees_removal_ms: per operator that learns of the removal late, when it does. It learns of a
            registration that came with the removal at the same time.
        is_watched: whether its operators wait for signs of another user of the keys (SAF-24).
    """

    operators: tuple[OperatorId, ...]
    validators: tuple[int, ...]
    from_ms: int = 0
    until_ms: int | None = None
    sees_removal_ms: tuple[tuple[OperatorId, int], ...] = ()
    is_watched: bool = False


@dataclass(frozen=True, slots=True)
class PlannedDuty:
    """One duty of one cluster in one slot.

    Attributes:
        validators: attesters, aggregators, or the one validator of a validator role.
        sync: validators with a seat in the sync committee, where the role has them.
        contested: some validator has a second duty of this kind in the same epoch, as after a
            re-org of the schedule; the slashing rules then forbid finishing both.
    """

    slot: Slot
    role: RunnerRole
    validators: tuple[int, ...]
    sync: tuple[int, ...] = ()
    cluster: int = 0
    contested: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides one run.

    Attributes:
        calm_ms: from here on links are good, nobody is cut off or down, and honest operators'
            beacon nodes answer; liars go on lying.
        links: before that.
        clock_errors_ms: how far operators' clocks are ahead.
        work_ms: longest time that signing, recovering and submitting take.
        compare_roots: whether checkpoints are compared by root too (FRK-1).
        beyond_f: more operators are faulty than consensus bears; only slashing safety is owed.
    """

    seed: int
    story: str
    clusters: tuple[PlannedCluster, ...]
    first_slot: Slot
    slots: int
    boole: Epoch
    duties: tuple[PlannedDuty, ...]
    calm_ms: int
    links: Links = CALM_LINKS
    partitions: tuple[Partition, ...] = ()
    muffles: tuple[Muffle, ...] = ()
    crashes: tuple[Crash, ...] = ()
    beacon_faults: tuple[BeaconFault, ...] = ()
    liars: tuple[Liar, ...] = ()
    clock_errors_ms: tuple[tuple[OperatorId, int], ...] = ()
    work_ms: int = 0
    compare_roots: bool = False
    beyond_f: bool = False

    @property
    def size(self) -> int:
        """Operators of the first cluster."""
        return len(self.clusters[0].operators)

    def describe(self) -> Iterator[str]:
        """The plan in lines, one fact each; facts that say nothing are left out."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                for item in value:
                    yield f"{field.name}: {_words(item)}"
            elif value != field.default:
                yield f"{field.name}: {_words(value)}"


def slot_start_ms(slot: int) -> int:
    """When a slot begins."""
    return slot * SLOT_MS


def _words(value: object) -> str:
    match value:
        case frozenset():
            return "{" + ", ".join(sorted(_words(item) for item in value)) + "}"
        case tuple():
            return "(" + ", ".join(_words(item) for item in value) + ")"
        case StrEnum() | str():
            return str(value)
        case RunnerRole():
            return value.name.lower()
        case int() if value == NEVER:
            return "never"
        case Plan() | Links() | Partition() | Muffle() | Crash() | BeaconFault() | Liar():
            return _fields_in_words(value)
        case PlannedCluster() | PlannedDuty():
            return _fields_in_words(value)
        case _:
            return repr(value)


def _fields_in_words(value: object) -> str:
    named = ((field, getattr(value, field.name)) for field in fields(value))  # type: ignore[arg-type]
    return ", ".join(
        f"{field.name} {_words(fact)}" for field, fact in named if fact != field.default
    )
