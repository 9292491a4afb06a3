"""The common cases told at once: a step of consensus, a decision or a few signatures, in time.

Pure. What is approved here keeps every rule of its table. What is not may keep them all the same,
and the table tells. Most messages never see the tables, which halves what validating them costs
beside the signature. That nothing is approved which a table refuses is a property test.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from operator_node.validation import (
    consensus_rules,
    duty_rules,
    envelope_rules,
    full_data_rules,
    partial_rules,
    timing,
)
from operator_node.validation.arrival import Arrival
from operator_node.validation.envelope_rules import GOSSIPED_KINDS, ROLES
from operator_node.wire.codec import MAX_SIGNATURE_BYTES
from operator_node.wire.ids import COMMITTEE_ROLES, RunnerRole
from operator_node.wire.messages import ConsensusKind, ConsensusMessage, PartialSignatures

_PROPOSAL: Final = int(ConsensusKind.PROPOSAL)
_COMMIT: Final = int(ConsensusKind.COMMIT)
_ROUND_CHANGE: Final = int(ConsensusKind.ROUND_CHANGE)
_OPEN_ROUND: Final = 1 + timing.ROUNDS_AHEAD
"""The last round that may have begun with the slot."""
_FEW: Final[Mapping[int, int]] = {
    RunnerRole.COMMITTEE: partial_rules.COMMITTEE_ENTRIES_PER_VALIDATOR,
    RunnerRole.AGGREGATOR_COMMITTEE: partial_rules.AGGREGATOR_ENTRIES_PER_VALIDATOR,
    RunnerRole.SYNC_CONTRIBUTION: partial_rules.MAX_CONTRIBUTIONS,
}
"""What one validator may have is not too much for any committee. In other roles it is one."""


def keeps_form(arrival: Arrival) -> bool:
    """Whether a message keeps all of `envelope_rules.FORM`."""
    signed = arrival.signed
    signers, signatures, message = signed.signers, signed.signatures, signed.message
    return (
        (
            (
                len(signers) == 1 == len(signatures)
                and signers[0] != 0
                and len(signatures[0]) == MAX_SIGNATURE_BYTES
                and arrival.registry.has_operator(signers[0])
            )
            or (len(signers) > 1 and _is_signed_by_several(arrival))
        )
        and 0 < len(message.data) <= arrival.limits.message_data_bytes
        and message.kind in GOSSIPED_KINDS
        and message.id.startswith(arrival.chain.domain(arrival.generation))
        and arrival.role in ROLES[arrival.generation]
    )


def keeps_place(arrival: Arrival) -> bool:
    """Whether a message keeps `envelope_rules.PLACE` and fits its kind's bounds."""
    signed, committee = arrival.signed, arrival.committee
    signers = signed.signers
    return (
        arrival.topic == arrival.chain.topic_of(committee, arrival.generation)
        and (
            signers[0] in committee.members.members
            if len(signers) == 1
            else envelope_rules.signer_outside_committee(arrival) is None
        )
        and len(signed.message.data) <= arrival.limits.partials_data_bytes
    )


def keeps_consensus(arrival: Arrival, body: ConsensusMessage) -> bool:
    """Whether a message of one signer keeps `consensus_rules.CONSENSUS`."""
    signed, role, round_ = arrival.signed, arrival.role, body.round
    return (
        len(signed.signers) == 1
        and 0 < round_ <= timing.CUT_OFF_ROUND.get(role, 0)
        and body.identifier == signed.message.id
        and _has_its_data(arrival, body)
        and (
            not (body.prepare_justification or body.round_change_justification)
            or _has_its_proof(arrival, body)
        )
        and (round_ <= _OPEN_ROUND or consensus_rules.round_too_early(arrival, body) is None)
        and _is_in_time(arrival)
        and _is_next_step(arrival, body)
        and (role in COMMITTEE_ROLES or _is_due(arrival, body))
    )


def keeps_decision(arrival: Arrival, body: ConsensusMessage) -> bool:
    """Whether a message of several signers keeps `consensus_rules.CONSENSUS`."""
    signed, role = arrival.signed, arrival.role
    return (
        body.kind == _COMMIT
        and len(signed.signers) >= arrival.committee.members.quorum
        and len(signed.signers) > arrival.past.most_signers(body.height)
        and 0 < body.round <= timing.CUT_OFF_ROUND.get(role, 0)
        and body.identifier == signed.message.id
        and not body.prepare_justification
        and not body.round_change_justification
        and _brings_value(arrival, body)
        and consensus_rules.round_too_early(arrival, body) is None
        and _is_in_time(arrival)
        and duty_rules.too_many_duties(arrival, body) is None
        and (role in COMMITTEE_ROLES or _is_due(arrival, body))
    )


def keeps_partials(arrival: Arrival, body: PartialSignatures) -> bool:
    """Whether a few partial signatures of one signer keep `partial_rules.PARTIALS`."""
    signed, role = arrival.signed, arrival.role
    if len(signed.signers) != 1:
        return False
    record = arrival.past.slot_record(signed.signers[0], body.slot)
    return (
        not signed.full_data
        and 0 < len(body.items) <= _FEW.get(role, 1)
        and partial_rules.unknown_kind(arrival, body) is None
        and body.kind in partial_rules.KINDS_OF_ROLE[role]
        and partial_rules.signer_not_sender(arrival, body) is None
        and partial_rules.foreign_validator(arrival, body) is None
        and _is_in_time(arrival)
        and (
            duty_rules.too_many_duties(arrival, body) is None
            if record is None
            else not record.sent_partials(body.kind)
        )
        and (
            role in COMMITTEE_ROLES
            or (
                duty_rules.slot_advanced(arrival, body) is None
                and partial_rules.no_duty(arrival, body) is None
            )
        )
    )


def _is_signed_by_several(arrival: Arrival) -> bool:
    """Whether there is one signature of each signer, and all are registered and in order."""
    signers, signatures = arrival.signed.signers, arrival.signed.signatures
    return (
        len(signers) == len(signatures)
        and signers[0] != 0
        and all(lower < upper for lower, upper in pairwise(signers))
        and envelope_rules.signature_size(arrival) is None
        and envelope_rules.unknown_operator(arrival) is None
    )


def _has_its_data(arrival: Arrival, body: ConsensusMessage) -> bool:
    """Whether leaders, and who has prepared, bring a fitting value, and others bring none."""
    kind = body.kind
    if kind == _PROPOSAL:
        return consensus_rules.not_the_leader(arrival, body) is None and _brings_value(
            arrival, body
        )
    if kind == _ROUND_CHANGE and body.data_round:
        return _brings_value(arrival, body)
    return kind <= _ROUND_CHANGE and not arrival.signed.full_data


def _brings_value(arrival: Arrival, body: ConsensusMessage) -> bool:
    return (
        bool(arrival.signed.full_data)
        and full_data_rules.too_large(arrival, body) is None
        and full_data_rules.wrong_root(arrival, body) is None
    )


def _has_its_proof(arrival: Arrival, body: ConsensusMessage) -> bool:
    """Whether justifications are where they belong and can be read."""
    may_justify = body.kind == _PROPOSAL or (
        body.kind == _ROUND_CHANGE and not body.prepare_justification
    )
    return may_justify and consensus_rules.malformed_justification(arrival, body) is None


def _is_in_time(arrival: Arrival) -> bool:
    """Whether a message came after its slot began, and before its duty is over."""
    live_slots = timing.PASSED_ON_SLOTS.get(arrival.role, 0)
    return 0 <= arrival.since_slot_start_ms <= live_slots * arrival.chain.slot_ms


def _is_due(arrival: Arrival, body: ConsensusMessage) -> bool:
    """Whether a validator has the duty, and its signer has not moved on."""
    return (
        duty_rules.slot_advanced(arrival, body) is None
        and duty_rules.no_duty(arrival, body) is None
    )


def _is_next_step(arrival: Arrival, body: ConsensusMessage) -> bool:
    """Whether the signer is not ahead of it, did not send it before, and has duties left."""
    record = arrival.past.slot_record(arrival.signed.signers[0], body.height)
    if record is None:
        return duty_rules.too_many_duties(arrival, body) is None
    if body.round == record.round:
        return not record.took(body.kind)
    return body.round > record.round
