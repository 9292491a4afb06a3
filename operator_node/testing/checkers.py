"""What must never happen, looked for at every step: the safety checkers of a simulated run.

Each checker is told what operators that are not liars do, and answers with a `Violation` at the
step that breaks its rule. None of them asks the rooms under test whether all is well, except where
it says so: what counts is what left the operators.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from operator_node.duties.types import Submission
from operator_node.signer.rules import AttestationGuard, BlockGuard, Guard
from operator_node.testing.transcript import short
from operator_node.testing.world import DutyKey
from sdk.types import OperatorId, PublicKey


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule. `is_safety` tells it from a failure of liveness."""

    rule: str
    text: str
    is_safety: bool = True


class Agreement:
    """No two operators decide differently on one duty, and none decides twice.

    Restarted operators count: what they decide rests on a quorum of others.
    """

    def __init__(self) -> None:
        self._values: dict[DutyKey, tuple[OperatorId, bytes]] = {}

    def decided(self, operator: OperatorId, key: DutyKey, value: bytes) -> Violation | None:
        """An operator's duty was told the decided value."""
        first, agreed = self._values.setdefault(key, (operator, value))
        if agreed == value:
            return None
        return Violation(
            "agreement",
            f"slot {key.slot}: operator {first} decided {short(agreed[:32])}…, "
            f"operator {operator} {short(value[:32])}…",
        )


class Validity:
    """Whatever is decided passes the value check of a node that sees the chain.

    The check is handed in; it is a second one, written from the specification.
    """

    def __init__(self, is_valid: Callable[[DutyKey, bytes], str]) -> None:
        self._is_valid = is_valid
        self._judged: dict[tuple[DutyKey, bytes], str] = {}

    def decided(self, operator: OperatorId, key: DutyKey, value: bytes) -> Violation | None:
        """An operator's duty was told the decided value."""
        judged = self._judged.get((key, value))
        if judged is None:
            judged = self._judged[key, value] = self._is_valid(key, value)
        if not judged:
            return None
        return Violation("validity", f"slot {key.slot}: operator {operator} decided, but {judged}")


class Slashing:
    """No two signatures that the beacon chain would slash, by one validator key.

    Looked at twice: no operator signs both of a pair, with whatever shares of the validator it
    holds; and no pair has enough partial signatures for both to be recovered, where liars are
    taken to have signed everything.
    """

    def __init__(self, liars: frozenset[OperatorId]) -> None:
        self._liars = liars
        self._by_operator: dict[tuple[OperatorId, PublicKey], set[Guard]] = defaultdict(set)
        self._signers: dict[tuple[PublicKey, PublicKey, Guard], set[OperatorId]] = defaultdict(set)
        self._recoverable: dict[PublicKey, set[Guard]] = defaultdict(set)

    def signed(
        self,
        operator: OperatorId,
        validator_key: PublicKey,
        guard: Guard,
        committee: Mapping[OperatorId, PublicKey],
        quorum: int,
    ) -> Violation | None:
        """An operator let a partial signature out.

        Args:
            operator: who.
            validator_key: whose signature it is a part of.
            guard: what was signed, with its signing root.
            committee: share keys of the dealing.
            quorum: partials of one dealing that make a signature.
        """
        earlier = self._by_operator[operator, validator_key]
        for other in earlier:
            if is_slashable_pair(guard, other):
                return Violation(
                    "slashing",
                    f"operator {operator} signed {describe(other)} and {describe(guard)}",
                )
        earlier.add(guard)
        # Any share key names the dealing: no two dealings share one.
        signers = self._signers[validator_key, min(committee.values()), guard]
        signers.add(operator)
        if len(signers) + sum(liar in committee for liar in self._liars) < quorum:
            return None
        recoverable = self._recoverable[validator_key]
        if guard not in recoverable:
            for other in recoverable:
                if is_slashable_pair(guard, other):
                    return Violation(
                        "slashing",
                        f"validator {short(validator_key)}: both {describe(other)} and "
                        f"{describe(guard)} can be recovered",
                    )
            recoverable.add(guard)
        return None


def is_slashable_pair(one: Guard, other: Guard) -> bool:
    """Whether the beacon chain slashes a validator for these two.

    Source: consensus-specs, phase0/beacon-chain.md (is_slashable_attestation_data,
    process_proposer_slashing).
    """
    match one, other:
        case BlockGuard(), BlockGuard():
            return one.slot == other.slot and one.signing_root != other.signing_root
        case AttestationGuard(), AttestationGuard():
            is_double = (
                one.target_epoch == other.target_epoch and one.signing_root != other.signing_root
            )
            surrounds = (
                one.source_epoch < other.source_epoch and other.target_epoch < one.target_epoch
            )
            is_surrounded = (
                other.source_epoch < one.source_epoch and one.target_epoch < other.target_epoch
            )
            return is_double or surrounds or is_surrounded
        case _:
            return False


def describe(guard: Guard) -> str:
    """What was signed, in words."""
    root = short(guard.signing_root or b"")
    match guard:
        case AttestationGuard():
            return f"vote {guard.source_epoch}→{guard.target_epoch} ({root})"
        case BlockGuard():
            return f"block of slot {guard.slot} ({root})"


class Endings:
    """Every duty that begins ends once, is called done only if it is, and sends nothing twice."""

    def __init__(self) -> None:
        self._running: set[tuple[OperatorId, DutyKey]] = set()
        self._ended: set[tuple[OperatorId, DutyKey]] = set()
        self._sent: set[tuple[OperatorId, DutyKey, str, int, bytes]] = set()

    def began(self, operator: OperatorId, key: DutyKey) -> Violation | None:
        """A session began; after a restart it may begin again."""
        self._running.add((operator, key))
        self._ended.discard((operator, key))
        return None

    def submitted(self, operator: OperatorId, key: DutyKey, item: Submission) -> Violation | None:
        """An object went to the beacon node."""
        sent = (operator, key, item.kind, item.validator_index, item.root)
        if sent in self._sent:
            return Violation(
                "endings",
                f"operator {operator} sent the {item.kind} of validator {item.validator_index} "
                f"for slot {key.slot} twice",
            )
        self._sent.add(sent)
        return None

    def ended(
        self, operator: OperatorId, key: DutyKey, *, done: bool, complete: bool
    ) -> Violation | None:
        """A session told its outcome; `complete` if everything due was submitted."""
        if (operator, key) in self._ended:
            return Violation("endings", f"operator {operator} ended slot {key.slot} twice")
        self._ended.add((operator, key))
        self._running.discard((operator, key))
        if done and not complete:
            return Violation(
                "endings", f"operator {operator} says slot {key.slot} is done, but not all was sent"
            )
        return None

    def forgotten(self, operator: OperatorId) -> None:
        """The operator's process restarted without its state."""
        self._running = {each for each in self._running if each[0] != operator}
        self._sent = {each for each in self._sent if each[0] != operator}

    def unfinished(self) -> Iterator[Violation]:
        """At the end of the run: what never ended."""
        for operator, key in sorted(self._running):
            yield Violation(
                "endings", f"operator {operator} never ended slot {key.slot}", is_safety=False
            )
