"""Rules E4 to E24: what holds for every message, whatever is inside.

Pure. A rule returns None if it is kept, otherwise what is wrong, with the values.

Source: docs/protocol.md, "Gossip validation", Envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final, TypeAlias

from operator_node.validation.arrival import Arrival
from operator_node.validation.registry_view import KnownCommittee, KnownValidator
from operator_node.validation.rules import Rule
from operator_node.wire.codec import MAX_SIGNATURE_BYTES
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import EnvelopeKind

GOSSIPED_KINDS: Final[frozenset[int]] = frozenset(
    {EnvelopeKind.CONSENSUS, EnvelopeKind.PARTIAL_SIGNATURES}
)
_ALAN_ROLES: Final[frozenset[int]] = frozenset(
    {
        RunnerRole.COMMITTEE,
        RunnerRole.AGGREGATOR,
        RunnerRole.PROPOSER,
        RunnerRole.SYNC_CONTRIBUTION,
        RunnerRole.VALIDATOR_REGISTRATION,
        RunnerRole.VOLUNTARY_EXIT,
    }
)
_BOOLE_ROLES: Final[frozenset[int]] = frozenset(
    {
        RunnerRole.COMMITTEE,
        RunnerRole.PROPOSER,
        RunnerRole.VALIDATOR_REGISTRATION,
        RunnerRole.VOLUNTARY_EXIT,
        RunnerRole.AGGREGATOR_COMMITTEE,
    }
)
ROLES: Final[Mapping[Generation, frozenset[int]]] = {
    Generation.ALAN: _ALAN_ROLES,
    Generation.BOOLE: _BOOLE_ROLES,
}
"""The roles that a generation has."""

Test: TypeAlias = Callable[[Arrival], str | None]


def no_signers(arrival: Arrival) -> str | None:
    """Somebody signed."""
    return None if arrival.signed.signers else "no signers"


def no_signatures(arrival: Arrival) -> str | None:
    """There are signatures."""
    return None if arrival.signed.signatures else "no signatures"


def signature_size(arrival: Arrival) -> str | None:
    """Every signature has the length of an RSA-2048 signature."""
    for signature in arrival.signed.signatures:
        if len(signature) != MAX_SIGNATURE_BYTES:
            return f"a signature has {MAX_SIGNATURE_BYTES} bytes, got {len(signature)}"
    return None


def signers_not_ascending(arrival: Arrival) -> str | None:
    """Signers are in order, so that a set of signers has one spelling."""
    signers = arrival.signed.signers
    if len(signers) > 1 and any(lower > upper for lower, upper in pairwise(signers)):
        return f"signers {signers}"
    return None


def signature_count(arrival: Arrival) -> str | None:
    """One signature per signer."""
    signed = arrival.signed
    if len(signed.signatures) == len(signed.signers):
        return None
    return f"{len(signed.signatures)} signatures of {len(signed.signers)} signers"


def signer_zero(arrival: Arrival) -> str | None:
    """Operator ids begin at 1; signers are in order here."""
    return None if arrival.signed.signers[0] else "operator ids begin at 1"


def signer_repeated(arrival: Arrival) -> str | None:
    """Nobody signed twice; signers are in order here."""
    signers = arrival.signed.signers
    if len(signers) > 1 and any(lower == upper for lower, upper in pairwise(signers)):
        return f"signers {signers}"
    return None


def unknown_operator(arrival: Arrival) -> str | None:
    """Every signer is registered."""
    for signer in arrival.signed.signers:
        if not arrival.registry.has_operator(signer):
            return f"operator {signer} is not registered"
    return None


def empty_envelope(arrival: Arrival) -> str | None:
    """The envelope holds something."""
    return None if arrival.signed.message.data else "an envelope holds data"


def envelope_too_large(arrival: Arrival) -> str | None:
    """The envelope's data fits the generation; the decoder knew only the larger bound."""
    size, limit = len(arrival.signed.message.data), arrival.limits.message_data_bytes
    return f"{size} bytes in the envelope, limit {limit}" if size > limit else None


def unknown_envelope_kind(arrival: Arrival) -> str | None:
    """Consensus and partial signatures are gossiped, nothing else."""
    kind = arrival.signed.message.kind
    return None if kind in GOSSIPED_KINDS else f"kind {kind}"


def wrong_domain(arrival: Arrival) -> str | None:
    """The message is of this network and of its slot's generation."""
    message_id = arrival.signed.message.id
    domain = arrival.chain.domain(arrival.generation)
    if message_id.startswith(domain):
        return None
    return f"domain {message_id[: len(domain)].hex()}, expected {domain.hex()}"


def invalid_role(arrival: Arrival) -> str | None:
    """The generation has the role."""
    if arrival.role in ROLES[arrival.generation]:
        return None
    return f"role {arrival.role} in generation {arrival.generation.value}"


def signer_outside_committee(arrival: Arrival) -> str | None:
    """Only members speak for a committee."""
    members = arrival.committee.members
    for signer in arrival.signed.signers:
        if signer not in members:
            return f"operator {signer}, committee {members.operators}"
    return None


def wrong_topic(arrival: Arrival) -> str | None:
    """A message travels on its committee's topic in its slot's generation."""
    expected = arrival.chain.topic_of(arrival.committee, arrival.generation)
    return None if arrival.topic == expected else f"topic {arrival.topic}, expected {expected}"


def no_validators(committee: KnownCommittee) -> str | None:
    """A committee runs somebody."""
    return None if committee.validators else f"committee {committee.members.operators}"


def liquidated(validator: KnownValidator) -> str | None:
    """Somebody pays for the validator."""
    return f"validator {validator.index}" if validator.liquidated else None


def no_metadata(validator: KnownValidator) -> str | None:
    """The beacon chain knows the validator."""
    return "no index on the beacon chain" if validator.index is None else None


def not_attesting(validator: KnownValidator) -> str | None:
    """The validator has duties."""
    return None if validator.attesting else f"validator {validator.index} does not attest now"


FORM: Final[tuple[tuple[Rule, Test], ...]] = (
    (Rule.NO_SIGNERS, no_signers),
    (Rule.NO_SIGNATURES, no_signatures),
    (Rule.SIGNATURE_SIZE, signature_size),
    (Rule.SIGNERS_NOT_ASCENDING, signers_not_ascending),
    (Rule.SIGNATURE_COUNT, signature_count),
    (Rule.SIGNER_ZERO, signer_zero),
    (Rule.SIGNER_REPEATED, signer_repeated),
    (Rule.UNKNOWN_OPERATOR, unknown_operator),
    (Rule.EMPTY_ENVELOPE, empty_envelope),
    (Rule.ENVELOPE_TOO_LARGE, envelope_too_large),
    (Rule.UNKNOWN_ENVELOPE_KIND, unknown_envelope_kind),
    (Rule.WRONG_DOMAIN, wrong_domain),
    (Rule.INVALID_ROLE, invalid_role),
)
"""Before anybody knows whose message it is."""

COMMITTEE: Final[tuple[tuple[Rule, Callable[[KnownCommittee], str | None]], ...]] = (
    (Rule.NO_VALIDATORS, no_validators),
)
"""For the committee that a committee role's message names (E17: there is one)."""

VALIDATOR: Final[tuple[tuple[Rule, Callable[[KnownValidator], str | None]], ...]] = (
    (Rule.LIQUIDATED, liquidated),
    (Rule.NO_METADATA, no_metadata),
    (Rule.NOT_ATTESTING, not_attesting),
)
"""For the validator that another role's message names (E19: there is one)."""

PLACE: Final[tuple[tuple[Rule, Test], ...]] = (
    (Rule.SIGNER_OUTSIDE_COMMITTEE, signer_outside_committee),
    (Rule.WRONG_TOPIC, wrong_topic),
)
"""Once the committee is known."""
