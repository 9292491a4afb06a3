"""Rules C1 and C3 to C25: consensus messages; and the order of all up to C28.

Pure. A rule returns None if it is kept, otherwise what is wrong, with the values. Whether a
justification justifies is not judged here: that takes signatures, and consensus does it. The rules
about full data are in `full_data_rules`.

Source: docs/protocol.md, "Gossip validation", Consensus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from operator_node.qbft.rounds import leader_alan, leader_boole
from operator_node.validation import duty_rules, full_data_rules, timing
from operator_node.validation.arrival import Arrival
from operator_node.validation.rules import Rule
from operator_node.wire.codec import decode_signed
from operator_node.wire.faults import ProtocolFault
from operator_node.wire.generations import BOOLE
from operator_node.wire.messages import ConsensusKind, ConsensusMessage

_PROPOSAL: Final = int(ConsensusKind.PROPOSAL)
_PREPARE: Final = int(ConsensusKind.PREPARE)
_COMMIT: Final = int(ConsensusKind.COMMIT)
_ROUND_CHANGE: Final = int(ConsensusKind.ROUND_CHANGE)

Test: TypeAlias = Callable[[Arrival, ConsensusMessage], str | None]


def data_too_large(arrival: Arrival) -> str | None:
    """The data may be a consensus message."""
    size, limit = len(arrival.signed.message.data), arrival.limits.consensus_data_bytes
    return f"{size} bytes of consensus data, limit {limit}" if size > limit else None


def several_signers(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Only a decided message, which is a commit, has several signers."""
    if body.kind == _COMMIT or len(arrival.signed.signers) == 1:
        return None
    return f"signers {arrival.signed.signers}, kind {body.kind}"


def below_quorum(arrival: Arrival, _: ConsensusMessage) -> str | None:
    """A decided message bears a quorum."""
    signers, quorum = len(arrival.signed.signers), arrival.committee.members.quorum
    return f"{signers} signers, quorum {quorum}" if 1 < signers < quorum else None


def unknown_kind(_: Arrival, body: ConsensusMessage) -> str | None:
    """There are four steps."""
    return f"kind {body.kind}" if body.kind > _ROUND_CHANGE else None


def round_zero(_: Arrival, body: ConsensusMessage) -> str | None:
    """Rounds begin at 1."""
    return None if body.round else "rounds begin at 1"


def no_consensus_in_role(arrival: Arrival, _: ConsensusMessage) -> str | None:
    """Registrations and exits are signed without consensus."""
    return None if arrival.role in timing.CUT_OFF_ROUND else f"role {arrival.role}"


def round_too_high(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Instances end."""
    last = timing.CUT_OFF_ROUND[arrival.role]
    return f"round {body.round}, last is {last}" if body.round > last else None


def wrong_identifier(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """The instance is that of the message id."""
    if body.identifier == arrival.signed.message.id:
        return None
    return f"identifier {body.identifier.hex()}, message id {arrival.signed.message.id.hex()}"


def unexpected_prepares(_: Arrival, body: ConsensusMessage) -> str | None:
    """Prepares justify proposals; those of a round change are in its other list."""
    if body.prepare_justification and body.kind != _PROPOSAL:
        return f"{len(body.prepare_justification)} prepares, kind {body.kind}"
    return None


def unexpected_round_changes(_: Arrival, body: ConsensusMessage) -> str | None:
    """Prepares and commits need no justification."""
    if body.round_change_justification and body.kind in (_PREPARE, _COMMIT):
        return f"{len(body.round_change_justification)} round changes, kind {body.kind}"
    return None


def malformed_justification(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Justifications are signed messages."""
    try:
        for encoded in body.round_change_justification:
            decode_signed(encoded, arrival.generation)
        for encoded in body.prepare_justification:
            decode_signed(encoded, arrival.generation)
    except ProtocolFault as fault:
        return str(fault)
    return None


def not_the_leader(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """The round's leader proposes."""
    if body.kind != _PROPOSAL:
        return None
    leader_of = leader_boole if arrival.generation is BOOLE else leader_alan
    leader = leader_of(arrival.committee.members, body.height, body.round)
    signer = arrival.signed.signers[0]
    if signer == leader:
        return None
    return f"operator {signer}, slot {body.height} round {body.round} is operator {leader}'s"


def round_advanced(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Operators do not go back. A decision is news in any round."""
    signers = arrival.signed.signers
    if len(signers) > 1:
        return None
    record = arrival.past.slot_record(signers[0], body.height)
    if record is None or body.round >= record.round:
        return None
    return f"round {body.round}, operator {signers[0]} is in {record.round}"


def second_proposal(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """A leader has one value per round."""
    if body.kind != _PROPOSAL:
        return None
    record = arrival.past.slot_record(arrival.signed.signers[0], body.height)
    if record is None or body.round != record.round or not record.took(_PROPOSAL):
        return None
    if body.root == record.proposed_root:
        return None
    return f"round {body.round}: {body.root.hex()} after {record.proposed_root.hex()}"


def repeated_step(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """An operator takes each step once per round. Decisions are counted by C19."""
    signers = arrival.signed.signers
    if len(signers) > 1:
        return None
    record = arrival.past.slot_record(signers[0], body.height)
    if record is None or body.round != record.round or not record.took(body.kind):
        return None
    return f"kind {body.kind} of operator {signers[0]}, slot {body.height} round {body.round}"


def repeated_decision(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Only more signers make a decision worth passing on again.

    Whoever holds all commits of 13 operators could make 1,093 sets of signers, without a key.
    """
    signers = arrival.signed.signers
    if len(signers) == 1:
        return None
    most = arrival.past.most_signers(body.height)
    if len(signers) <= most:
        return f"slot {body.height}, {len(signers)} signers, {most} seen"
    return None


def round_too_early(arrival: Arrival, body: ConsensusMessage) -> str | None:
    """Rounds take their time."""
    if body.round <= 1 + timing.ROUNDS_AHEAD:
        return None
    estimated = timing.estimated_round(arrival.since_slot_start_ms)
    if body.round <= estimated + timing.ROUNDS_AHEAD:
        return None
    return f"round {body.round}, slot {body.height} is in {estimated} at most"


BYTES: Final[tuple[tuple[Rule, Callable[[Arrival], str | None]], ...]] = (
    (Rule.CONSENSUS_TOO_LARGE, data_too_large),
)
"""Before the message is decoded."""

CONSENSUS: Final[tuple[tuple[Rule, Test], ...]] = (
    (Rule.SEVERAL_SIGNERS, several_signers),
    (Rule.BELOW_QUORUM, below_quorum),
    (Rule.UNEXPECTED_FULL_DATA, full_data_rules.unexpected),
    (Rule.WRONG_ROOT, full_data_rules.wrong_root),
    (Rule.UNKNOWN_CONSENSUS_KIND, unknown_kind),
    (Rule.ROUND_ZERO, round_zero),
    (Rule.NO_CONSENSUS_IN_ROLE, no_consensus_in_role),
    (Rule.ROUND_TOO_HIGH, round_too_high),
    (Rule.WRONG_IDENTIFIER, wrong_identifier),
    (Rule.UNEXPECTED_PREPARES, unexpected_prepares),
    (Rule.UNEXPECTED_ROUND_CHANGES, unexpected_round_changes),
    (Rule.MALFORMED_JUSTIFICATION, malformed_justification),
    (Rule.NOT_THE_LEADER, not_the_leader),
    (Rule.ROUND_ADVANCED, round_advanced),
    (Rule.SECOND_PROPOSAL, second_proposal),
    (Rule.REPEATED_STEP, repeated_step),
    (Rule.REPEATED_DECISION, repeated_decision),
    (Rule.ROUND_TOO_EARLY, round_too_early),
    (Rule.CONSENSUS_SLOT_ADVANCED, duty_rules.slot_advanced),
    (Rule.CONSENSUS_NO_DUTY, duty_rules.no_duty),
    (Rule.CONSENSUS_EARLY, duty_rules.too_early),
    (Rule.CONSENSUS_LATE, duty_rules.too_late),
    (Rule.CONSENSUS_TOO_MANY_DUTIES, duty_rules.too_many_duties),
    (Rule.NO_FULL_DATA, full_data_rules.missing),
    (Rule.IDLE_FULL_DATA, full_data_rules.idle),
    (Rule.FULL_DATA_TOO_LARGE, full_data_rules.too_large),
)
"""All but the signature, which comes last because it costs most."""
