"""Rules P1 and P3 to P19: partial signatures.

Pure. A rule returns None if it is kept, otherwise what is wrong, with the values. Whether a partial
signature is valid is not judged here: it costs a pairing, and those who collect them find out.

Source: docs/protocol.md, "Gossip validation", Partial signature.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from operator_node.validation import duty_rules
from operator_node.validation.arrival import Arrival
from operator_node.validation.rules import Rule
from operator_node.wire.generations import BOOLE
from operator_node.wire.ids import COMMITTEE_ROLES, RunnerRole
from operator_node.wire.messages import PartialKind, PartialSignatures

SYNC_COMMITTEE_SIZE: Final = 512
SYNC_SUBNETS: Final = 4
MAX_CONTRIBUTIONS: Final = 13
"""Positions of one validator in a sync committee; more are beyond any reasonable chance."""
COMMITTEE_ENTRIES_PER_VALIDATOR: Final = 2
"""An attestation and a sync committee message."""
AGGREGATOR_ENTRIES_PER_VALIDATOR: Final = 1 + SYNC_SUBNETS
"""A selection proof, and one per sync subnet."""

_POST: Final = PartialKind.POST_CONSENSUS
_RANDAO: Final = int(PartialKind.RANDAO)
_AGGREGATORS: Final = int(RunnerRole.AGGREGATOR_COMMITTEE)
KINDS_OF_ROLE: Final[Mapping[int, frozenset[int]]] = {
    RunnerRole.COMMITTEE: frozenset({_POST}),
    RunnerRole.AGGREGATOR: frozenset({_POST, PartialKind.SELECTION_PROOF}),
    RunnerRole.PROPOSER: frozenset({_POST, PartialKind.RANDAO}),
    RunnerRole.SYNC_CONTRIBUTION: frozenset({_POST, PartialKind.CONTRIBUTION_PROOFS}),
    RunnerRole.VALIDATOR_REGISTRATION: frozenset({PartialKind.VALIDATOR_REGISTRATION}),
    RunnerRole.VOLUNTARY_EXIT: frozenset({PartialKind.VOLUNTARY_EXIT}),
    RunnerRole.AGGREGATOR_COMMITTEE: frozenset({_POST, PartialKind.AGGREGATOR_COMMITTEE}),
}
_KINDS_IN_BOTH: Final = frozenset(
    {
        _POST,
        PartialKind.RANDAO,
        PartialKind.VALIDATOR_REGISTRATION,
        PartialKind.VOLUNTARY_EXIT,
    }
)
_ALAN_KINDS: Final[frozenset[int]] = _KINDS_IN_BOTH | {
    PartialKind.SELECTION_PROOF,
    PartialKind.CONTRIBUTION_PROOFS,
}
_BOOLE_KINDS: Final[frozenset[int]] = _KINDS_IN_BOTH | {PartialKind.AGGREGATOR_COMMITTEE}

Test: TypeAlias = Callable[[Arrival, PartialSignatures], str | None]


def data_too_large(arrival: Arrival) -> str | None:
    """The data may be partial signatures."""
    size, limit = len(arrival.signed.message.data), arrival.limits.partials_data_bytes
    return f"{size} bytes of partial signatures, limit {limit}" if size > limit else None


def not_one_signer(arrival: Arrival, _: PartialSignatures) -> str | None:
    """Everybody sends the own ones."""
    signers = arrival.signed.signers
    return None if len(signers) == 1 else f"signers {signers}"


def full_data_present(arrival: Arrival, _: PartialSignatures) -> str | None:
    """Full data belongs to consensus."""
    size = len(arrival.signed.full_data)
    return f"{size} bytes of full data" if size else None


def unknown_kind(arrival: Arrival, body: PartialSignatures) -> str | None:
    """The generation knows what they are for."""
    kinds = _BOOLE_KINDS if arrival.generation is BOOLE else _ALAN_KINDS
    if body.kind in kinds:
        return None
    return f"kind {body.kind} in generation {arrival.generation.value}"


def kind_not_of_role(arrival: Arrival, body: PartialSignatures) -> str | None:
    """The role has such a phase."""
    if body.kind in KINDS_OF_ROLE[arrival.role]:
        return None
    return f"kind {body.kind} in role {arrival.role}"


def no_partials(_: Arrival, body: PartialSignatures) -> str | None:
    """There is something inside."""
    return None if body.items else "the list is empty"


def signer_not_sender(arrival: Arrival, body: PartialSignatures) -> str | None:
    """The envelope's signer signed all of them."""
    sender = arrival.signed.signers[0]
    for item in body.items:
        if item.signer != sender:
            return f"operator {sender} sent one of operator {item.signer}"
    return None


def foreign_validator(arrival: Arrival, body: PartialSignatures) -> str | None:
    """They are for the validator of the message id.

    In role 0 operators may know different validators of their committee, so any index passes.
    """
    own = arrival.validator_index
    if own is not None:
        for item in body.items:
            if item.validator_index != own:
                return f"validator {item.validator_index}, expected {own}"
    elif arrival.role == _AGGREGATORS:
        known = arrival.committee.validators
        for item in body.items:
            if item.validator_index not in known:
                return f"validator {item.validator_index} is not of the committee"
    return None


def no_duty(arrival: Arrival, body: PartialSignatures) -> str | None:
    """There is a duty; RANDAO is too early in an epoch for everybody to know the proposers."""
    if body.kind == _RANDAO and _proposers_may_be_unknown(arrival):
        return None
    return duty_rules.no_duty(arrival, body)


def repeated_partials(arrival: Arrival, body: PartialSignatures) -> str | None:
    """An operator sends each phase once per slot."""
    signer = arrival.signed.signers[0]
    record = arrival.past.slot_record(signer, body.slot)
    if record is None or not record.sent_partials(body.kind):
        return None
    return f"kind {body.kind} of operator {signer}, slot {body.slot}"


def too_many_partials(arrival: Arrival, body: PartialSignatures) -> str | None:
    """A committee has so many duties in a slot: per validator, and per seat of a sync committee."""
    if arrival.role not in COMMITTEE_ROLES:
        return None
    validators = len(arrival.committee.validators)
    if arrival.role == RunnerRole.AGGREGATOR_COMMITTEE:
        seats = SYNC_COMMITTEE_SIZE * SYNC_SUBNETS
        limit = min(AGGREGATOR_ENTRIES_PER_VALIDATOR * validators, validators + seats)
    else:
        seats = SYNC_COMMITTEE_SIZE
        limit = min(COMMITTEE_ENTRIES_PER_VALIDATOR * validators, validators + seats)
    return f"{len(body.items)}, at most {limit}" if len(body.items) > limit else None


def validator_repeated(arrival: Arrival, body: PartialSignatures) -> str | None:
    """A committee's validator has so many duties in a slot."""
    if arrival.role not in COMMITTEE_ROLES:
        return None
    limit = (
        AGGREGATOR_ENTRIES_PER_VALIDATOR
        if arrival.role == RunnerRole.AGGREGATOR_COMMITTEE
        else COMMITTEE_ENTRIES_PER_VALIDATOR
    )
    if len(body.items) <= limit:
        return None
    times = Counter(item.validator_index for item in body.items)
    index, most = max(times.items(), key=lambda entry: entry[1])
    return f"validator {index} has {most}, at most {limit}" if most > limit else None


def too_many_contributions(arrival: Arrival, body: PartialSignatures) -> str | None:
    """A validator has so many positions in a sync committee."""
    if arrival.role != RunnerRole.SYNC_CONTRIBUTION or len(body.items) <= MAX_CONTRIBUTIONS:
        return None
    return f"{len(body.items)}, at most {MAX_CONTRIBUTIONS}"


def not_one_partial(arrival: Arrival, body: PartialSignatures) -> str | None:
    """All other duties are signed once."""
    if len(body.items) == 1 or arrival.role in COMMITTEE_ROLES:
        return None
    if arrival.role == RunnerRole.SYNC_CONTRIBUTION:
        return None
    return f"{len(body.items)} partial signatures in role {arrival.role}"


def _proposers_may_be_unknown(arrival: Arrival) -> bool:
    """Whether the epoch just began, so that its duties may still be on their way to us."""
    if arrival.slot % arrival.chain.forks.slots_per_epoch:
        return False
    if arrival.since_slot_start_ms >= arrival.chain.slot_ms:
        return False
    return not arrival.registry.proposers_known(duty_rules.epoch_of(arrival))


BYTES: Final[tuple[tuple[Rule, Callable[[Arrival], str | None]], ...]] = (
    (Rule.PARTIALS_TOO_LARGE, data_too_large),
)
"""Before the message is decoded."""

PARTIALS: Final[tuple[tuple[Rule, Test], ...]] = (
    (Rule.NOT_ONE_SIGNER, not_one_signer),
    (Rule.PARTIALS_WITH_FULL_DATA, full_data_present),
    (Rule.UNKNOWN_PARTIAL_KIND, unknown_kind),
    (Rule.KIND_NOT_OF_ROLE, kind_not_of_role),
    (Rule.NO_PARTIALS, no_partials),
    (Rule.SIGNER_NOT_SENDER, signer_not_sender),
    (Rule.FOREIGN_VALIDATOR, foreign_validator),
    (Rule.PARTIALS_SLOT_ADVANCED, duty_rules.slot_advanced),
    (Rule.PARTIALS_NO_DUTY, no_duty),
    (Rule.REPEATED_PARTIALS, repeated_partials),
    (Rule.PARTIALS_EARLY, duty_rules.too_early),
    (Rule.PARTIALS_LATE, duty_rules.too_late),
    (Rule.PARTIALS_TOO_MANY_DUTIES, duty_rules.too_many_duties),
    (Rule.TOO_MANY_PARTIALS, too_many_partials),
    (Rule.VALIDATOR_REPEATED, validator_repeated),
    (Rule.TOO_MANY_CONTRIBUTIONS, too_many_contributions),
    (Rule.NOT_ONE_PARTIAL, not_one_partial),
)
"""All but the signature, which comes last because it costs most."""
