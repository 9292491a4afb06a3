"""What is let in, and which refusal comes first."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.session import admit
from operator_node.wire.codec import encode_consensus, encode_envelope, encode_partials
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import (
    RunnerRole,
    committee_id,
    committee_message_id,
    validator_message_id,
)
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    Received,
    ReceivedPartials,
    SignedMessage,
)
from sdk.types import OperatorId
from tests.unit.operator_node.duties.many_validators import partials_of
from tests.unit.operator_node.duties.single_validator import KEY, OPERATORS
from tests.unit.operator_node.qbft.acting import holds, signature_of
from tests.unit.operator_node.session.operators import (
    DOMAIN,
    SLOT,
    committee_sessions,
    validator_sessions,
)

ID = committee_message_id(DOMAIN, RunnerRole.COMMITTEE, committee_id(OPERATORS))
PREPARE = ConsensusMessage(ConsensusKind.PREPARE, SLOT, 1, ID, b"\x05" * 32)
PARTIALS = partials_of(2, [(17, b"\x01" * 32)], slot=SLOT).body


def signed(envelope: Envelope, *signers: int) -> SignedMessage:
    names = tuple(OperatorId(signer) for signer in signers or (2,))
    covered = encode_envelope(envelope)
    return SignedMessage(tuple(signature_of(who, covered) for who in names), names, envelope)


CONSENSUS = Envelope(EnvelopeKind.CONSENSUS, ID, encode_consensus(PREPARE))
PARTIAL = Envelope(EnvelopeKind.PARTIAL_SIGNATURES, ID, encode_partials(PARTIALS))


def let_in(message: SignedMessage) -> Received | ReceivedPartials:
    return admit(
        message,
        generation=Generation.BOOLE,
        verify=holds,
        check_owner=committee_sessions().check_owner,
    )


def test_messages_of_both_kinds_are_decoded() -> None:
    assert let_in(signed(CONSENSUS)) == Received(signed(CONSENSUS), PREPARE)
    assert let_in(signed(PARTIAL)) == ReceivedPartials(signed(PARTIAL), PARTIALS)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (SignedMessage((), (), CONSENSUS), Fault.NO_SIGNERS),
        (replace(signed(CONSENSUS), signatures=(b"\x01" * 256,)), Fault.OPERATOR_SIGNATURE),
        (
            signed(replace(CONSENSUS, id=committee_message_id(DOMAIN, 0, b"\x09" * 32))),
            Fault.OTHER_COMMITTEE,
        ),
        (
            signed(replace(CONSENSUS, id=committee_message_id(DOMAIN, 2, committee_id(OPERATORS)))),
            Fault.ROLE_NOT_OF_COMMITTEE,
        ),
        (signed(replace(CONSENSUS, data=b"")), Fault.MALFORMED),
        (signed(replace(CONSENSUS, data=b"\x01")), Fault.MALFORMED),
        (
            signed(replace(CONSENSUS, data=encode_consensus(replace(PREPARE, round=0)))),
            Fault.ROUND_ZERO,
        ),
        (signed(PARTIAL, 2, 3), Fault.SEVERAL_SIGNERS),
        (signed(PARTIAL, 3), Fault.SIGNER_NOT_SENDER),
        (
            signed(replace(PARTIAL, data=encode_partials(replace(PARTIALS, items=())))),
            Fault.NO_PARTIAL_SIGNATURES,
        ),
        (signed(replace(CONSENSUS, kind=EnvelopeKind.DKG)), Fault.MESSAGE_TYPE),
    ],
)
def test_first_broken_rule_is_named(message: SignedMessage, fault: Fault) -> None:
    with pytest.raises(ProtocolFault) as caught:
        let_in(message)
    assert caught.value.fault is fault


def test_structure_comes_before_the_signature_and_the_signature_before_the_owner() -> None:
    foreign = replace(CONSENSUS, id=committee_message_id(DOMAIN, 0, b"\x09" * 32), data=b"")
    repeated = SignedMessage((b"a", b"b"), (OperatorId(2), OperatorId(2)), foreign)
    unsigned = SignedMessage((b"a",), (OperatorId(2),), foreign)
    faults = []
    for message in (repeated, unsigned, signed(foreign)):
        with pytest.raises(ProtocolFault) as caught:
            let_in(message)
        faults.append(caught.value.fault)
    assert faults == [Fault.SIGNER_REPEATED, Fault.OPERATOR_SIGNATURE, Fault.OTHER_COMMITTEE]


@pytest.mark.parametrize(
    ("key", "role", "fault"),
    [
        (KEY, RunnerRole.PROPOSER, None),
        (b"\x01" * 48, RunnerRole.PROPOSER, Fault.OTHER_COMMITTEE),
        (KEY, RunnerRole.COMMITTEE, Fault.NO_RUNNER),
        (KEY, RunnerRole.AGGREGATOR, Fault.NO_RUNNER),
    ],
)
def test_validator_owns_its_key_in_the_roles_of_its_generation(
    key: bytes, role: RunnerRole, fault: Fault | None
) -> None:
    found = None
    try:
        validator_sessions().check_owner(validator_message_id(DOMAIN, role, key))
    except ProtocolFault as refusal:
        found = refusal.fault
    assert found is fault
