"""What the cases of consensus assume around an instance: keys, leader, value check, cut-off."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from operator_node.qbft import (
    Broadcast,
    Decide,
    Leader,
    Output,
    Setup,
    Spread,
    StartTimer,
    Verdict,
)
from operator_node.wire.codec import encode_consensus, encode_envelope, signs_over
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import Envelope, EnvelopeKind, SignedMessage
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.types import OperatorId
from tests.vectors.case import expect
from tests.vectors.ssv.archive import Vectors
from tests.vectors.ssv.errors import expected_fault

CUT_OFF = 15
ME = OperatorId(1)
_REFUSED_VALUES = (b"", b"\x01\x01\x01\x01")
_FIRST_OWN_NUMBER = 1000
"""Faults above it have no number in the specification, so no case names them."""
_LEADER_2_HEIGHT = 10
"""The one height in instance cases that operator 2 leads."""


@cache
def operator_key(vectors: Vectors, committee_size: int, operator: int) -> OperatorPrivateKey:
    """The key of one operator of the set with so many."""
    keys = vectors.keys["sets"][str(committee_size)]["operator_rsa_pkcs1_der_hex"]
    return OperatorPrivateKey.from_text(_pem(bytes.fromhex(keys[str(operator)])))


def _pem(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN RSA PRIVATE KEY-----\n" + body + b"-----END RSA PRIVATE KEY-----\n"


def setup_of(vectors: Vectors, identifier: bytes, members: Iterable[int], leader: Leader) -> Setup:
    """The local operator in a committee of one of the key sets."""
    committee = Committee.of(members)

    def verify(signed: SignedMessage) -> bool:
        covered = signs_over(signed)
        return all(
            operator_key(vectors, len(committee), signer).public_key.verify(covered, signature)
            for signer, signature in zip(signed.signers, signed.signatures, strict=True)
        )

    return Setup(
        committee=committee,
        me=ME,
        identifier=identifier,
        leader=leader,
        check_value=check_value,
        verify=verify,
        generation=vectors.generation,
        cut_off=CUT_OFF,
    )


def check_value(value: bytes) -> Verdict:
    """The cases' rule."""
    if value in _REFUSED_VALUES:
        raise ProtocolFault(Fault.VALUE_INVALID, f"the cases refuse {value.hex()!r}")
    return Verdict.VALID


def always_first(_height: int, _round: int) -> OperatorId:
    """Leader of all cases but some."""
    return ME


def second_at_ten(height: int, _round: int) -> OperatorId:
    """Leader of the cases of message processing."""
    return OperatorId(2) if height == _LEADER_2_HEIGHT else ME


def members_of(committee_member: dict[str, Any]) -> list[int]:
    """Operator ids of a dumped committee member."""
    return [each["OperatorID"] for each in committee_member["Committee"]]


def sign(vectors: Vectors, draft: Broadcast, committee_size: int) -> SignedMessage:
    """A broadcast as the local operator publishes it."""
    envelope = Envelope(
        EnvelopeKind.CONSENSUS, MessageId(draft.body.identifier), encode_consensus(draft.body)
    )
    key = operator_key(vectors, committee_size, ME)
    return SignedMessage((key.sign(encode_envelope(envelope)),), (ME,), envelope, draft.full_data)


@dataclass(slots=True)
class Transcript:
    """What came out of a case so far.

    Attributes:
        fault: number of the last complaint that has one.
        timeouts: timers started.
        round: of the last timer.
    """

    vectors: Vectors
    committee_size: int
    fault: int = 0
    timeouts: int = 0
    round: int = 0
    sent: list[SignedMessage] = field(default_factory=list)
    decisions: list[Decide] = field(default_factory=list)

    def note(self, outputs: Iterable[Output]) -> None:
        """Adds outputs."""
        for output in outputs:
            match output:
                case Broadcast():
                    self.sent.append(sign(self.vectors, output, self.committee_size))
                case Spread(signed=signed, to=None):
                    self.sent.append(signed)
                case StartTimer(round=round_):
                    self.timeouts += 1
                    self.round = round_
                case Decide():
                    self.decisions.append(output)
                case Complain(fault=fault) if fault < _FIRST_OWN_NUMBER:
                    self.fault = int(fault)

    def expect_fault(self, code: int) -> None:
        """Fails unless the last complaint has the case's number; 0 is none."""
        expect(self.fault, expected_fault(code, self.vectors.generation), "last fault")

    def expect_timer(self, wanted: dict[str, int] | None) -> None:
        """Fails unless timers were started as the case says, if it does."""
        if wanted is not None:
            expect((self.timeouts, self.round), (wanted["Timeouts"], wanted["Round"]), "timer")
