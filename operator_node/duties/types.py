"""What a duty is given and what it asks for, as values. Every duty class speaks these words.

Pure. A duty never reads a clock, signs, fetches or sends: it returns `Command`s, and whoever
carries them out calls back: `provide` after `Fetch`, `signed` after `Sign`, `recovered` after
`Recover`, `submitted` after `Submit`. Answers may come in any order and after any delay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from operator_node.duties.reasons import Reason
from operator_node.duties.selection import ProofLottery, SelectionRule
from operator_node.qbft.types import Verdict
from operator_node.signer.rules import Guard
from operator_node.spec.chain import ChainSpec
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import PartialSignatures, ReceivedPartials
from operator_node.wire.records import Share
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk.types import OperatorId, PublicKey, Signature, Slot

# --- what a duty stands on -----------------------------------------------------------------


class ValueCheck(StrEnum):
    """What a decided aggregation must say of the duty at hand, beyond being consistent."""

    DUTY = "duty"
    """Alan: the duty's slot, and something to sign. Boole: only what the duty selects is signed."""
    NETWORK = "network"
    """What the network's rules ask: only the validators must be the duty's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all duties of one committee share.

    Attributes:
        me: the own operator id.
        chain: forks, domains and presets of the beacon chain.
        generation: the protocol generation that the duty began with and keeps.
        is_slashable: whether the slashing record forbids this; asked before a value is prepared
            (SAF-3). The signer asks again, and records, before it signs.
        selection: who aggregates.
        value_check: how closely aggregates and contributions must fit the duty; see `ProposalRules`
            for blocks. Operators may differ in it: it is about what one signs, not about messages.
    """

    committee: Committee
    me: OperatorId
    chain: ChainSpec
    generation: Generation
    is_slashable: Callable[[Share, Guard], bool]
    selection: SelectionRule = field(default_factory=ProofLottery)
    value_check: ValueCheck = ValueCheck.DUTY


class CheckpointView(Struct, frozen=True):
    """The checkpoints that this node's beacon nodes vouch for in a slot's epoch.

    Attributes:
        compare_roots: the stricter choice (FRK-1); the network's own rule compares epochs.
        is_stale: no beacon node answers any more, and these are the last checkpoints known. Values
            that agree with them are not vouched for (DUT-9).
    """

    source: Checkpoint
    target: Checkpoint
    compare_roots: bool = False
    is_stale: bool = False


class CommitteeDuty(Struct, frozen=True):
    """Duties of one committee's validators in one slot, in the order they are signed in."""

    slot: Slot
    duties: tuple[ValidatorDuty, ...]


# --- what a duty asks of the beacon node ---------------------------------------------------


class AttestationDataQuery(Struct, frozen=True):
    slot: Slot


@dataclass(frozen=True, slots=True)
class BlockQuery:
    """A block to propose; `is_local` asks for one of an own execution node, not a builder's."""

    slot: Slot
    validator_index: int
    randao_reveal: Signature
    graffiti: bytes
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """The best aggregate of one committee index, and who would publish it."""

    slot: Slot
    committee_index: int
    validator_index: int
    selection_proof: Signature


@dataclass(frozen=True, slots=True)
class ContributionQuery:
    slot: Slot
    subnet: int
    selection_proof: Signature


Query: TypeAlias = AttestationDataQuery | BlockQuery | AggregateQuery | ContributionQuery


@dataclass(frozen=True, slots=True)
class BeaconObject:
    """SSZ of a block (with its contents, or blinded), aggregate or contribution, and its fork."""

    version: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No beacon node gave a usable answer; `reason` says whose fault that is."""

    reason: Reason
    detail: str = ""


Answer: TypeAlias = BeaconVote | BeaconObject | Unavailable

# --- what a duty asks of the signer --------------------------------------------------------


class SignItem(Struct, frozen=True):
    """One root to sign with one share.

    `guard` is set where the slashing rules apply; the signer then checks and records first.
    """

    share: Share
    root: bytes
    guard: Guard | None = None


class Signed(Struct, frozen=True):
    item: SignItem
    signature: Signature


@dataclass(frozen=True, slots=True)
class Withheld:
    """The signer refused: slashing rules, a doppelganger watch, no key, no answer."""

    item: SignItem
    reason: Reason
    detail: str = ""


# --- partial signatures → a validator's signature ------------------------------------------


class RecoveryRequest(Struct, frozen=True):
    """Partial signatures of a quorum over one root, to be combined and verified.

    `partials` and `share_keys` are by operator; every operator in the first is in the second.
    """

    validator_index: int
    validator_key: PublicKey
    root: bytes
    partials: Mapping[OperatorId, bytes]
    share_keys: Mapping[OperatorId, PublicKey]
    threshold: int


class Recovered(Struct, frozen=True):
    """`signature` is verified, or None; then `culprits` sent the partials that do not verify."""

    request: RecoveryRequest
    signature: Signature | None
    culprits: frozenset[OperatorId] = frozenset()


# --- what goes to the beacon node ----------------------------------------------------------


class Submission(Struct, frozen=True, gc=False):
    """One finished object of one validator.

    Attributes:
        kind: which route it takes.
        version: fork of the object.
        data: SSZ of the signed object, as the beacon node takes it.
        root: hash tree root of it; of a block, the root that names the block on the chain, since
            hashing its blobs would delay it.
        validator_index: whose.
        blinded: of a block, whether it is a blinded one.
    """

    kind: SubmissionKind
    version: int
    data: bytes
    root: bytes
    validator_index: int
    blinded: bool = False


class SubmissionKind(StrEnum):
    ATTESTATION = "attestation"
    SYNC_MESSAGE = "sync_message"
    AGGREGATE = "aggregate"
    CONTRIBUTION = "contribution"
    BLOCK = "block"
    REGISTRATION = "registration"
    EXIT = "exit"


class Submitted(Struct, frozen=True):
    """`error` is empty when at least one beacon node took it."""

    item: Submission
    error: str = ""


# --- commands ------------------------------------------------------------------------------


class Fetch(Struct, frozen=True):
    query: Query


class Sign(Struct, frozen=True):
    """All or some may be withheld; the answer comes in one call of `signed`."""

    items: tuple[SignItem, ...]


class Publish(Struct, frozen=True):
    """Send these partial signatures to the duty's committee, and to myself."""

    body: PartialSignatures


class Open(Struct, frozen=True):
    """Take part in consensus from now on, still without a value of my own."""


class Propose(Struct, frozen=True):
    """My value for consensus; a later one replaces it in later rounds."""

    value: bytes


class Review(Struct, frozen=True):
    """What I know has changed: judge the proposal accepted in this round again (DUT-9)."""


class Recover(Struct, frozen=True):
    requests: tuple[RecoveryRequest, ...]


class Submit(Struct, frozen=True):
    """Send as one batch."""

    items: tuple[Submission, ...]


class Reached(Struct, frozen=True):
    """A step of the duty is done; whoever has the clock notes the time under this word."""

    step: Step


class Step(StrEnum):
    """The steps that a duty's record has times for."""

    STARTED = "started"
    PRE_SIGNED = "pre_signed"
    PRE_QUORUM = "pre_quorum"
    DATA = "data"
    DECIDED = "decided"
    SIGNED = "signed"
    POST_QUORUM = "post_quorum"
    SUBMITTED = "submitted"


class Finish(Struct, frozen=True):
    """The duty is over; returned exactly once."""

    outcome: DutyOutcome


@dataclass(frozen=True, slots=True)
class DutyOutcome:
    """How a duty ended.

    Attributes:
        id: the duty's name in logs and API.
        reason: `Reason.DONE`, or why it was not or only partly done.
        detail: facts of the reason, such as the operators that were missing.
        submitted: validator indexes whose object was accepted by a beacon node.
        due: validator indexes that the duty was for.
    """

    id: str
    role: RunnerRole
    slot: Slot
    reason: Reason
    detail: Mapping[str, object]
    submitted: tuple[int, ...]
    due: tuple[int, ...]


Command: TypeAlias = (
    Fetch
    | Sign
    | Publish
    | Open
    | Propose
    | Review
    | Recover
    | Submit
    | Reached
    | Complain
    | Finish
)


class Duty(Protocol):
    """One duty of one slot. `session` joins it with consensus; drivers carry out its commands.

    `finished` is true from the moment nothing is left to do. A duty without consensus never
    returns `Open` or `Propose`, and answers `check_value` and `decide` with its own fault.
    Any method may raise `ProtocolFault` for what it refuses, if it has changed nothing; the session
    turns that into `Complain`. Duty classes inherit from this one, so that a method with a body
    here needs writing only where it concerns the duty.
    """

    role: RunnerRole
    slot: Slot
    finished: bool
    decided_value: bytes

    def begin(self) -> list[Command]: ...

    def provide(self, query: Query, answer: Answer) -> list[Command]: ...

    def signed(self, results: tuple[Signed | Withheld, ...]) -> list[Command]: ...

    def receive(self, message: ReceivedPartials) -> list[Command]: ...

    def recovered(self, results: tuple[Recovered, ...]) -> list[Command]: ...

    def check_value(self, value: bytes, *, round_number: int) -> Verdict:
        """Whether this node would sign what the value leads to, proposed in this round."""

    def enter_round(self, round_number: int) -> list[Command]:
        """A round of consensus begins here; from the second on, what is proposed may be stale."""
        return []

    def update_view(self, view: CheckpointView | None) -> list[Command]:
        """This node vouches for other checkpoints than before, None for none."""
        return []

    def decide(self, value: bytes) -> list[Command]: ...

    def submitted(self, results: tuple[Submitted, ...]) -> list[Command]: ...

    def expire(self) -> list[Command]: ...
