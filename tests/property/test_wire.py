"""Strict decoders against an independent SSZ implementation: same verdict, same bytes, same root.

Whatever bytes arrive, a decoder returns a value that encodes to exactly those bytes, or refuses
them as malformed; no other exception ever leaves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import CommitteeId, DomainType, MessageId
from operator_node.wire.messages import (
    ConsensusMessage,
    Envelope,
    PartialSignature,
    PartialSignatures,
    SignedMessage,
)
from operator_node.wire.records import CommitteeMember, Operator, Share, ShareMember
from operator_node.wire.roots import Encodable, root_of
from operator_node.wire.structure import check_consensus, check_partials, check_signed
from operator_node.wire.values import (
    AggregatorCommitteeValue,
    Assigned,
    BeaconVote,
    Checkpoint,
    ValidatorDuty,
    ValidatorValue,
)
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot
from tests.unit.operator_node.wire import wire_oracle as oracle

Bytes: TypeAlias = st.SearchStrategy[bytes]

uint64s = st.integers(0, 2**64 - 1)
operators = uint64s.map(OperatorId)
generations = st.sampled_from(Generation)


def exactly(length: int) -> Bytes:
    return st.binary(min_size=length, max_size=length)


def some(items: st.SearchStrategy[Any], limit: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=limit).map(tuple)


keys = exactly(48).map(PublicKey)
roots = exactly(32)
checkpoints = st.builds(Checkpoint, uint64s.map(Epoch), roots)
envelopes = st.builds(Envelope, uint64s, exactly(56).map(MessageId), st.binary(max_size=100))
signed = st.builds(
    SignedMessage,
    some(st.binary(max_size=256), 13),
    some(operators, 13),
    envelopes,
    st.binary(max_size=100),
)
consensus = st.builds(
    ConsensusMessage,
    uint64s,
    uint64s,
    uint64s,
    st.binary(max_size=56),
    roots,
    uint64s,
    some(st.binary(max_size=60), 13),
    some(st.binary(max_size=60), 13),
)
partial_signatures = st.builds(
    PartialSignatures,
    uint64s,
    uint64s,
    some(st.builds(PartialSignature, exactly(96), roots, operators, uint64s)),
)
votes = st.builds(BeaconVote, roots, checkpoints, checkpoints)
duties = st.builds(
    ValidatorDuty,
    uint64s,
    keys,
    uint64s.map(Slot),
    uint64s,
    uint64s,
    uint64s,
    uint64s,
    uint64s,
    some(uint64s, 13),
)
validator_values = st.builds(ValidatorValue, duties, uint64s, st.binary(max_size=100))
assigned = st.builds(Assigned, uint64s, exactly(96), uint64s)
aggregates = st.builds(
    AggregatorCommitteeValue,
    uint64s,
    some(assigned),
    some(uint64s, 64),
    some(st.binary(max_size=60)),
    some(assigned),
    some(exactly(160)),
)
shares = st.builds(
    Share,
    uint64s,
    keys,
    keys,
    some(st.builds(ShareMember, operators, keys), 13),
    exactly(4).map(DomainType),
    exactly(20).map(Address),
    roots,
)
operator_records = st.builds(Operator, operators, exactly(459))
committee_members = st.builds(
    CommitteeMember,
    operators,
    roots.map(CommitteeId),
    exactly(459),
    uint64s,
    some(operator_records),
    exactly(4).map(DomainType),
)
KINDS: dict[type[Encodable], st.SearchStrategy[Any]] = {
    SignedMessage: signed,
    Envelope: envelopes,
    ConsensusMessage: consensus,
    PartialSignatures: partial_signatures,
    BeaconVote: votes,
    ValidatorDuty: duties,
    ValidatorValue: validator_values,
    AggregatorCommitteeValue: aggregates,
    Share: shares,
    Operator: operator_records,
    CommitteeMember: committee_members,
}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def draw_mutated(data: st.DataObject, encoded: bytes) -> bytes:
    """The bytes with one or two places overwritten, cut or lengthened; numbers resemble offsets."""
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(encoded)))
        removed = data.draw(st.sampled_from([0, 1, 4, 8, len(encoded)]))
        number = st.integers(max(len(encoded) - 9, 0), len(encoded) + 9) | st.integers(0, 300)
        offset = number.map(lambda each: each.to_bytes(4, "little"))
        inserted = data.draw(st.binary(max_size=9) | offset)
        encoded = encoded[:at] + inserted + encoded[at + removed :]
    return encoded


def fault_of(check: Callable[[], object]) -> Fault | None:
    try:
        check()
    except ProtocolFault as problem:
        return problem.fault
    return None


def is_accepted(kind: type[Encodable], encoded: bytes, generation: Generation) -> bool:
    """Whether our decoder takes the bytes; what it takes, it must write back unchanged."""
    fault = fault_of(lambda: oracle.decode(kind, encoded, generation))
    if fault is None:
        assert oracle.encode(oracle.decode(kind, encoded, generation)) == encoded
    else:
        assert fault is Fault.MALFORMED
    return fault is None


@each_kind
@settings(max_examples=30)
@given(st.data(), generations)
def test_values_survive_a_round_trip_and_agree_in_bytes_and_root(
    kind: type[Encodable], data: st.DataObject, generation: Generation
) -> None:
    value = data.draw(KINDS[kind])
    encoded = oracle.encode(value)
    assert oracle.decode(kind, encoded, generation) == value
    assert oracle.accepts(kind, encoded, generation)
    assert root_of(value, generation) == oracle.root(value, generation)


@each_kind
@settings(max_examples=100)
@given(st.data(), generations)
def test_mutated_encodings_get_the_same_verdict(
    kind: type[Encodable], data: st.DataObject, generation: Generation
) -> None:
    encoded = draw_mutated(data, oracle.encode(data.draw(KINDS[kind])))
    accepted = is_accepted(kind, encoded, generation)
    assert accepted == oracle.accepts(kind, encoded, generation)


@each_kind
@settings(max_examples=30)
@given(st.binary(max_size=700), generations)
def test_any_bytes_get_the_same_verdict(
    kind: type[Encodable], encoded: bytes, generation: Generation
) -> None:
    accepted = is_accepted(kind, encoded, generation)
    assert accepted == oracle.accepts(kind, encoded, generation)


@given(signed, consensus, partial_signatures, generations)
def test_structure_checks_pass_or_raise_a_fault(
    message: SignedMessage,
    body: ConsensusMessage,
    partials: PartialSignatures,
    generation: Generation,
) -> None:
    if fault_of(lambda: check_signed(message, generation)) is None:
        assert len(message.signers) == len(message.signatures) > 0
    if fault_of(lambda: check_consensus(body, generation)) is None:
        assert body.round > 0
    if fault_of(lambda: check_partials(partials, OperatorId(1))) is None:
        assert {item.signer for item in partials.items} == {1}
