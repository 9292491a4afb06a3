"""The slashing record: histories per share and per validator, and who keeps them.

A share's signature counts for its validator, and a validator that was split anew has another
share but the same slashing risk. So every signature is judged and recorded twice: under the
share's key and under the validator's, over all shares this operator ever held of it.

`Records` is a pure value; `Protection` keeps one in memory. The signer asks `SlashingProtection`
and nothing else. Source: docs/slashing.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from operator_node.signer.evidence import Contradiction, find_contradictions
from operator_node.signer.rules import (
    AttestationGuard,
    BlockGuard,
    Guard,
    History,
    NotSafe,
    Reason,
    Safe,
    SameData,
    Verdict,
    judge,
    judge_minimal,
)
from operator_node.signer.trail import cover_all
from sdk.errors import InvariantBroken, UsageError
from sdk.types import Epoch, PublicKey, Slot

Histories: TypeAlias = Mapping[PublicKey, History]

_UNKNOWN: Final = History()
"""Permits nothing."""


class Intent(Struct, frozen=True, gc=False):
    """One signature that a share is about to make."""

    share_key: PublicKey
    validator_key: PublicKey
    guard: Guard


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """One key's history on its way between records.

    `validator_key` is the validator of a share; None if the key is a validator's own, or unknown.
    """

    key: PublicKey
    history: History
    validator_key: PublicKey | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Slashable data that came in with a merge."""

    key: PublicKey
    contradiction: Contradiction


class SlashingProtection(Protocol):
    """What the signer needs of a record, wherever it is kept.

    Whatever a method raises, nothing may be signed on account of that call: `StorageError` if the
    record could not be read or made durable, `InvariantBroken` if it contradicts itself.
    """

    def check(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        """What signing each would come to now; records nothing (before consensus)."""
        ...

    def check_and_record(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        """Judges in order and records what is safe, all in one atomic, durable step.

        A refused item leaves the others alone. An item sees those before it.
        """
        ...

    def arm(
        self, share_key: PublicKey, validator_key: PublicKey, /, *, epoch: Epoch, slot: Slot
    ) -> None:
        """Raises the bounds to the present; whenever a share is added, re-added, reactivated.

        Raises:
            UsageError: the share is armed for another validator.
        """
        ...

    def lower_armed_source(self, share_key: PublicKey, /, *, source_epoch: Epoch) -> None:
        """Lowers the bound that `arm` set; by the operator's command only."""
        ...

    def merge(self, items: Iterable[KeyHistory], /) -> tuple[Conflict, ...]:
        """Takes in histories from elsewhere; bounds only rise. It can stand in for `arm`."""
        ...

    def key_histories(self) -> Iterator[KeyHistory]:
        """Everything recorded, for export."""
        ...


class Records(Struct, frozen=True):
    """Histories by public key, of shares and of validators; whose share a key is."""

    histories: Histories = field(default_factory=dict)
    validators: Mapping[PublicKey, PublicKey] = field(default_factory=dict)

    def check(self, intent: Intent) -> Verdict:
        """The stricter of the share's and the validator's verdict.

        A key without history is never safe: what it signed elsewhere is unknown until `arm`.
        """
        return _check(self.histories, self.validators, intent)

    def check_and_record(self, intents: Sequence[Intent]) -> tuple[Records, tuple[Verdict, ...]]:
        """The verdicts in order, and the record with everything that was safe.

        Raises:
            InvariantBroken: recording changed nothing; do not sign.
        """
        histories = dict(self.histories)
        verdicts = []
        for intent in intents:
            verdict = _check(histories, self.validators, intent)
            verdicts.append(verdict)
            if isinstance(verdict, Safe):
                _record(histories, intent)
        return replace(self, histories=histories), tuple(verdicts)

    def arm(
        self, share_key: PublicKey, validator_key: PublicKey, *, epoch: Epoch, slot: Slot
    ) -> Records:
        """With the bounds of share and validator at source epoch - 1, target epoch, and slot.

        They never fall. What this operator may have signed before, and forgot, lies below them.

        Share keys are public. Somebody who registers another's share key for a validator of their
        own must not take the share away from its owner; a caller arms only shares that recombine to
        the key of the validator that it names.

        Raises:
            UsageError: `share_of_another`, armed for another validator before.
        """
        share = self.histories.get(share_key, _UNKNOWN)
        owner = self.validators.get(share_key, validator_key)
        if owner != validator_key and share.attestations.armed is not None:
            raise UsageError(
                f"share 0x{share_key.hex()} is armed for validator 0x{owner.hex()}, not for "
                f"0x{validator_key.hex()}",
                code="share_of_another",
                hint="Arm only shares that recombine to the validator's key.",
            )
        validator = self.histories.get(validator_key, _UNKNOWN).merged(share)
        vote, block = armed_bounds(epoch=epoch, slot=slot)
        of_share = share.raised(vote, block)
        of_validator = of_share if validator == share else validator.raised(vote, block)
        if of_share == of_validator:
            of_validator = of_share  # a validator's only share: one history, recorded in once
        raised = {validator_key: of_validator, share_key: of_share}
        return Records({**self.histories, **raised}, {**self.validators, share_key: validator_key})

    def lower_armed_source(self, share_key: PublicKey, *, source_epoch: Epoch) -> Records:
        """With a lower armed source for the share and its validator; nothing else gives way.

        The validator's stays at what its other shares were armed with.

        For a chain that does not justify, where a source of epoch - 1 does not occur. A vote that
        was signed unseen, on another fork, could then be surrounded.

        Raises:
            UsageError: `not_armed`.
        """
        validator_key = self.validators.get(share_key)
        if validator_key is None or self.histories[share_key].attestations.armed is None:
            raise UsageError(
                f"share 0x{share_key.hex()} was never armed, so it has no bound to lower",
                code="not_armed",
                hint="Check the share's public key.",
            )
        share = _with_lower_source(self.histories[share_key], source_epoch)
        others = (
            self.histories[key].attestations.armed
            for key, owner in self.validators.items()
            if owner == validator_key and key != share_key
        )
        armed = cover_all((share.attestations.armed, *others))
        lowest = source_epoch if armed is None else armed.source_epoch
        validator = _with_lower_source(self.histories[validator_key], lowest)
        changed = {share_key: share, validator_key: validator}
        return replace(self, histories={**self.histories, **changed})

    def merge(self, items: Iterable[KeyHistory]) -> tuple[Records, tuple[Conflict, ...]]:
        """With other histories taken in: every entry kept, every bound the higher one.

        A share's history counts for its validator, too. Slashable data is kept like all other,
        because so the strictest values hold; what was not known before is returned.

        A share that was never armed here, and comes with its validator's key, may sign from now on
        what its history permits: that is how a signer hands over to the next. So only the complete
        record of a stopped signer is merged that way; any other share is to be armed as well.
        """
        histories, validators = dict(self.histories), dict(self.validators)
        conflicts: dict[Conflict, None] = {}
        for item in items:
            if item.validator_key is not None:
                validators.setdefault(item.key, item.validator_key)
            share = histories.get(item.key, _UNKNOWN).merged(item.history)
            owners = (validators.get(item.key), item.validator_key)
            for key in dict.fromkeys(key for key in (item.key, *owners) if key is not None):
                known = histories.get(key, _UNKNOWN)
                histories[key] = known.merged(share)
                conflicts |= dict.fromkeys(_new_conflicts(key, known, histories[key]))
        return Records(histories, validators), tuple(conflicts)

    def key_histories(self) -> Iterator[KeyHistory]:
        """Every share's history, then those of validators that know more than their shares do."""
        implied: dict[PublicKey, History] = {}
        for key in sorted(self.validators):
            validator_key, history = self.validators[key], self.histories[key]
            yield KeyHistory(key, history, validator_key)
            implied[validator_key] = implied.get(validator_key, _UNKNOWN).merged(history)
        for key in sorted(self.histories.keys() - self.validators.keys()):
            if implied.get(key) != self.histories[key]:
                yield KeyHistory(key, self.histories[key])


class Protection:
    """A slashing record in memory: for simulations, examples and tests of what stands on it.

    Durable only as long as the process; a node keeps its record in a file. One thread at a time.
    """

    def __init__(self, records: Records | None = None) -> None:
        self.records = records or Records()

    def check(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        """See `SlashingProtection`; each item alone."""
        return tuple(map(self.records.check, intents))

    def check_and_record(self, intents: Sequence[Intent], /) -> tuple[Verdict, ...]:
        """See `SlashingProtection`."""
        self.records, verdicts = self.records.check_and_record(intents)
        return verdicts

    def arm(
        self, share_key: PublicKey, validator_key: PublicKey, /, *, epoch: Epoch, slot: Slot
    ) -> None:
        """See `SlashingProtection`."""
        self.records = self.records.arm(share_key, validator_key, epoch=epoch, slot=slot)

    def lower_armed_source(self, share_key: PublicKey, /, *, source_epoch: Epoch) -> None:
        """See `SlashingProtection`."""
        self.records = self.records.lower_armed_source(share_key, source_epoch=source_epoch)

    def merge(self, items: Iterable[KeyHistory], /) -> tuple[Conflict, ...]:
        """See `SlashingProtection`."""
        self.records, conflicts = self.records.merge(items)
        return conflicts

    def key_histories(self) -> Iterator[KeyHistory]:
        """See `SlashingProtection`."""
        return self.records.key_histories()


def armed_bounds(*, epoch: Epoch, slot: Slot) -> tuple[AttestationGuard, BlockGuard]:
    """What counts as signed unseen by a share that is armed in this epoch and slot."""
    return AttestationGuard(Epoch(max(epoch - 1, 0)), epoch), BlockGuard(slot)


def _check(
    histories: Histories, validators: Mapping[PublicKey, PublicKey], intent: Intent
) -> Verdict:
    validator_key = validators.get(intent.share_key)
    if validator_key is None:
        return NotSafe(Reason.NO_HISTORY)
    if validator_key != intent.validator_key:
        return NotSafe(Reason.OTHER_VALIDATOR)
    share = histories.get(intent.share_key, _UNKNOWN)
    validator = histories.get(validator_key, _UNKNOWN)
    of_share = judge(share, intent.guard)
    if validator is share:
        return of_share
    of_validator = judge(validator, intent.guard)
    # Safe for one and a repeat for the other: the first has still to record it.
    is_share_stricter = _permissiveness(of_share) <= _permissiveness(of_validator)
    return of_share if is_share_stricter else of_validator


def _record(histories: dict[PublicKey, History], intent: Intent) -> None:
    """Adds a signature to both histories; to the same one once, as `arm` makes it for most keys."""
    guard = intent.guard
    share, validator = histories[intent.share_key], histories[intent.validator_key]
    of_share = share.recording(guard)
    of_validator = of_share if validator is share else validator.recording(guard)
    for recorded in (of_share, of_validator):
        if isinstance(judge_minimal(recorded, guard), Safe):
            raise InvariantBroken(f"{guard} was recorded and still counts as new")
    histories[intent.share_key], histories[intent.validator_key] = of_share, of_validator


def _with_lower_source(history: History, source_epoch: Epoch) -> History:
    votes = history.attestations
    if votes.armed is None or votes.armed.source_epoch <= source_epoch:
        return history
    lowered = AttestationGuard(source_epoch, votes.armed.target_epoch)
    return replace(history, attestations=votes.armed_at(lowered))


def _permissiveness(verdict: Verdict) -> int:
    match verdict:
        case NotSafe():
            return 0
        case Safe():
            return 1
        case SameData():
            return 2
        case _:
            assert_never(verdict)


def _new_conflicts(key: PublicKey, known: History, merged: History) -> Iterator[Conflict]:
    """Contradictions of the merged history with at least one entry that was not known."""
    for found in find_contradictions(merged):
        guards = [guard for guard in (found.one, found.other) if guard is not None]
        if not all(_knows(known, guard) for guard in guards):
            yield Conflict(key, found)


def _knows(history: History, guard: Guard) -> bool:
    if isinstance(guard, AttestationGuard):
        return guard in history.attestations
    return guard in history.blocks
