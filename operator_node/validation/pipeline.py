"""Bytes, topic and time of arrival in; a verdict out.

Pure: the time is an argument, the registry a view, signatures are verified by a function that is
handed in. Rules are applied in the order of docs/protocol.md and the first broken one is the
verdict. Operator signatures come last, because the cheap rules remove most junk; memory changes
only after they hold, so nobody can speak for somebody else.

One synchronous call per message: between two calls the memory is consistent, and two versions of
one message, delivered by two peers at once, cannot both slip through.

Source: docs/protocol.md, "Gossip validation", "Forks".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from operator_node.validation import at_once, consensus_rules, envelope_rules, partial_rules
from operator_node.validation.arrival import Arrival, Chain
from operator_node.validation.registry_view import RegistryView
from operator_node.validation.rules import Rule
from operator_node.validation.seen import Seen
from operator_node.validation.verdict import Accept, Ignore, Reject, Verdict, refuse
from operator_node.wire.codec import decode_consensus, decode_partials, decode_signed, signed_part
from operator_node.wire.faults import ProtocolFault
from operator_node.wire.generations import BOOLE, Generation
from operator_node.wire.ids import COMMITTEE_ROLES, committee_of, role_of, validator_of
from operator_node.wire.messages import EnvelopeKind, Received, ReceivedPartials, SignedMessage
from sdk.types import OperatorId

Verify: TypeAlias = Callable[[OperatorId, bytes, bytes], bool]
"""(operator, signed bytes, signature) → whether it is the operator's RSA signature."""

_Subject = TypeVar("_Subject")
_FITS_ALWAYS: Final = min(each.limits.envelope_bytes for each in Generation)
_SLOT_START: Final = 8
_SLOT_END: Final = 16
"""Height and slot are the second number of either content, whatever follows."""
_CONSENSUS: Final = int(EnvelopeKind.CONSENSUS)


class Validator:
    """Judges messages one after the other and remembers the accepted ones, within bounds.

    Args:
        chain: the network's numbers, domains and fork epochs.
        registry: who is registered and has which duties.
        verify: asked about every signature of a message that breaks no rule.
        seen: memory; with the usual bounds if not given.
    """

    __slots__ = ("_alan_limits", "_boole_limits", "_chain", "_registry", "_verify", "seen")

    def __init__(
        self, chain: Chain, registry: RegistryView, verify: Verify, seen: Seen | None = None
    ) -> None:
        self._chain = chain
        self._registry = registry
        self._verify = verify
        self.seen = Seen() if seen is None else seen
        self._alan_limits = Generation.ALAN.limits
        self._boole_limits = Generation.BOOLE.limits

    def validate(self, data: bytes, topic: str, *, at_ms: int) -> Verdict:
        """Whether to use and pass on a message.

        Args:
            data: the data field of the gossip packet.
            topic: full name of the topic that it came on.
            at_ms: when it came, milliseconds since genesis.
        """
        if not data:
            return refuse(Rule.NO_DATA, "0 bytes")
        now_slot = at_ms // self._chain.slot_ms
        if len(data) > _FITS_ALWAYS:
            # No packet of this size decodes, so that its slot cannot be told: today's bound holds.
            limit = self._chain.forks.generation_at(now_slot).limits.envelope_bytes
            if len(data) > limit:
                return refuse(Rule.PACKET_TOO_LARGE, f"{len(data)} bytes, limit {limit}")
        try:
            # Boole's limits are the larger ones; the slot, which decides, is inside.
            signed = decode_signed(data, BOOLE)
        except ProtocolFault as fault:
            return refuse(Rule.MALFORMED, str(fault))
        arrival = self._arrival(signed, topic, at_ms)
        is_in_form = at_once.keeps_form(arrival)
        if broken := None if is_in_form else _first_broken(envelope_rules.FORM, arrival):
            return broken
        if broken := self._find_executor(arrival):
            return broken
        is_consensus = signed.message.kind == _CONSENSUS
        if not at_once.keeps_place(arrival):
            for rule, test in envelope_rules.PLACE:
                if why := test(arrival):
                    return refuse(rule, why, of_committee=arrival.validator_index is None)
            bounds = consensus_rules.BYTES if is_consensus else partial_rules.BYTES
            if broken := _first_broken(bounds, arrival):
                return broken
        if is_consensus:
            return self._consensus(arrival, data, now_slot)
        return self._partials(arrival, data, now_slot)

    def _arrival(self, signed: SignedMessage, topic: str, at_ms: int) -> Arrival:
        chain, message = self._chain, signed.message
        if len(message.data) >= _SLOT_END:
            slot = int.from_bytes(message.data[_SLOT_START:_SLOT_END], "little")
        else:
            slot = max(at_ms, 0) // chain.slot_ms
        generation = chain.forks.generation_at(slot)
        return Arrival(
            signed,
            topic,
            role_of(message.id),
            slot,
            generation,
            self._boole_limits if generation is BOOLE else self._alan_limits,
            at_ms - slot * chain.slot_ms,
            self.seen.past(message.id),
            chain,
            self._registry,
        )

    def _find_executor(self, arrival: Arrival) -> Ignore | Reject | None:
        """Rules E17 to E22: looks up whose message it is, and notes it in `arrival`."""
        message_id = arrival.signed.message.id
        if arrival.role in COMMITTEE_ROLES:
            committee = self._registry.committee(committee_of(message_id))
            if committee is None:
                why = f"committee {committee_of(message_id).hex()}"
                return refuse(Rule.UNKNOWN_COMMITTEE, why)
            arrival.committee = committee
            if committee.validators:
                return None
            return _first_broken(envelope_rules.COMMITTEE, committee)
        validator = self._registry.validator(validator_of(message_id))
        if validator is None:
            return refuse(Rule.UNKNOWN_VALIDATOR, f"validator {validator_of(message_id).hex()}")
        arrival.committee, arrival.validator_index = validator.committee, validator.index
        if validator.attesting and not validator.liquidated and validator.index is not None:
            return None
        return _first_broken(envelope_rules.VALIDATOR, validator)

    def _consensus(self, arrival: Arrival, data: bytes, now_slot: int) -> Verdict:
        signed = arrival.signed
        try:
            body = decode_consensus(signed.message.data)
        except ProtocolFault as fault:
            return refuse(Rule.CONSENSUS_MALFORMED, str(fault))
        is_single = len(signed.signers) == 1
        approves = at_once.keeps_consensus if is_single else at_once.keeps_decision
        if not approves(arrival, body):
            for rule, test in consensus_rules.CONSENSUS:
                if why := test(arrival, body):
                    return refuse(rule, why, of_committee=arrival.validator_index is None)
        if (forged := self._forged(signed, signed_part(data))) is not None:
            return refuse(Rule.CONSENSUS_SIGNATURE, f"operator {forged}")
        self.seen.note_consensus(signed, body, now_slot=now_slot)
        return Accept(Received(signed, body))

    def _partials(self, arrival: Arrival, data: bytes, now_slot: int) -> Verdict:
        signed = arrival.signed
        try:
            body = decode_partials(signed.message.data, arrival.generation)
        except ProtocolFault as fault:
            return refuse(Rule.PARTIALS_MALFORMED, str(fault))
        if not at_once.keeps_partials(arrival, body):
            for rule, test in partial_rules.PARTIALS:
                if why := test(arrival, body):
                    return refuse(rule, why)
        if (forged := self._forged(signed, signed_part(data))) is not None:
            return refuse(Rule.PARTIALS_SIGNATURE, f"operator {forged}")
        self.seen.note_partials(signed, body, now_slot=now_slot)
        return Accept(ReceivedPartials(signed, body))

    def _forged(self, signed: SignedMessage, covered: bytes) -> OperatorId | None:
        """The first signer whose signature does not hold."""
        signers, signatures = signed.signers, signed.signatures
        if len(signers) == 1:
            return None if self._verify(signers[0], covered, signatures[0]) else signers[0]
        for signer, signature in zip(signers, signatures, strict=True):
            if not self._verify(signer, covered, signature):
                return signer
        return None


def _first_broken(
    rules: tuple[tuple[Rule, Callable[[_Subject], str | None]], ...], subject: _Subject
) -> Ignore | Reject | None:
    for rule, test in rules:
        if why := test(subject):
            return refuse(rule, why)
    return None
