"""The families of part `types` that need no beacon blocks; the others are in `value_families`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias, TypeVar

from operator_node.duties.aggregation import check_value
from operator_node.spec.presets import Preset
from operator_node.wire import codec, record_codec, value_codec
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import MessageId, executor_of
from operator_node.wire.messages import Envelope, PartialSignatures, SignedMessage
from operator_node.wire.roles import runner_of
from operator_node.wire.roots import Encodable, root_of
from operator_node.wire.structure import check_partials, check_signed
from sdk.crypto.operator_keys import OperatorPrivateKey, parse_public_key
from sdk.types import OperatorId
from tests.vectors.case import expect
from tests.vectors.ssv import reading, structure_sizes
from tests.vectors.ssv.archive import States, Vectors
from tests.vectors.ssv.errors import expected_fault, fault_of

Data: TypeAlias = dict[str, Any]
Checks: TypeAlias = Iterator[tuple[str, Callable[[], None]]]
Family: TypeAlias = Callable[[Vectors, States, str, Data], Checks]
Encoded = TypeVar("Encoded", bound=Encodable)

DOMAINS = frozenset({bytes.fromhex("00000301")})
"""The network of all cases."""


def whole(check: Callable[[Vectors, Data], None]) -> Family:
    """A family whose files are one case each."""

    def family(vectors: Vectors, _states: States, _file: str, data: Data) -> Checks:
        yield data["Name"], partial(check, vectors, data)

    return family


def encoding(
    encode: Callable[[Encoded], bytes], decode: Callable[[bytes, Generation], Encoded]
) -> Family:
    """Decodes, encodes to the same bytes, and compares the root if there is one."""

    def check(vectors: Vectors, data: Data) -> None:
        encoded = reading.raw(data["Data"])
        value = decode(encoded, vectors.generation)
        expect(encode(value).hex(), encoded.hex(), "encoded again")
        root = root_of(value, vectors.generation)
        if "ExpectedRoot" in data:
            expect(root.hex(), reading.raw(data["ExpectedRoot"]).hex(), "root")

    return whole(check)


def of_any_generation(
    decode: Callable[[bytes], Encoded],
) -> Callable[[bytes, Generation], Encoded]:
    """A decoder whose limits never changed."""
    return lambda data, _generation: decode(data)


def _partial_messages(vectors: Vectors, data: Data) -> None:
    messages = [reading.partial_signatures(each) for each in reading.rows(data["Messages"])]
    wanted = expected_fault(data["ExpectedErrorCode"], vectors.generation)
    expect(fault_of(*(partial(_check_partials, each) for each in messages)), wanted, "fault")
    for message, encoded in zip(messages, reading.rows(data["EncodedMessages"]), strict=False):
        expect(codec.encode_partials(message), reading.raw(encoded), "encoding")
    for message, root in zip(messages, reading.rows(data["ExpectedRoots"]), strict=False):
        expect(root_of(message, vectors.generation), reading.raw(root), "root")


def _check_partials(message: PartialSignatures) -> None:
    """The case has no envelope; its sender is who signed first."""
    sender = message.items[0].signer if message.items else OperatorId(1)
    check_partials(message, sender)


def _signed_messages(vectors: Vectors, data: Data) -> None:
    rows = reading.rows(data["Messages"])
    fault = fault_of(*(partial(_check_signed, each, vectors.generation) for each in rows))
    expect(fault, expected_fault(data["ExpectedErrorCode"], vectors.generation), "fault")
    keys = [parse_public_key(reading.raw(each)) for each in reading.rows(data["RSAPublicKey"])]
    if fault or not keys:
        return
    for message in map(reading.signed_message, rows):
        covered = codec.signs_over(message)
        for key, signature in zip(keys, message.signatures, strict=True):
            expect(key.verify(covered, signature), True, "the operator's signature holds")


def _check_signed(row: Data, generation: Generation) -> SignedMessage:
    """Only JSON can omit the inner message; a flawless one stands in for it up to that check."""
    if row["SSVMessage"] is not None:
        message = reading.signed_message(row)
        check_signed(message, generation)
        return message
    signatures = tuple(reading.raw(each) for each in reading.rows(row["Signatures"]))
    signers = tuple(OperatorId(each) for each in reading.rows(row["OperatorIDs"]))
    stand_in = Envelope(0, MessageId(bytes(56)), b"")
    check_signed(SignedMessage(signatures, signers, stand_in), generation)
    raise ProtocolFault(Fault.NO_MESSAGE, "a signed message has no inner message")


def _committee_member(vectors: Vectors, data: Data) -> None:
    member = reading.committee_member(data["CommitteeMember"])
    record_codec.check_committee_member(member, DOMAINS)
    encoded = record_codec.encode_committee_member(member)
    expect(record_codec.decode_committee_member(encoded), member, "encoded and decoded")
    committee = Committee.of(operator.id for operator in member.committee)
    expect(committee.f, member.faulty, "faulty operators")
    message = reading.signed_message(data["Message"])
    fault = fault_of(partial(check_signed, message, vectors.generation))
    expect(fault, expected_fault(data["ExpectedErrorCode"], vectors.generation), "fault")
    signers = len(set(message.signers))
    expect(signers >= committee.quorum, data["ExpectedHasQuorum"], "has a quorum")
    expect(signers == len(committee), data["ExpectedFullCommittee"], "is the full committee")


def _message_ids(vectors: Vectors, data: Data) -> None:
    key = reading.hexed(vectors.keys["sets"]["4"]["validator_pk"])
    for each in data["MessageIDs"]:
        expect(executor_of(reading.hexed(each)) == key, data["BelongsToValidator"], "belongs")


def _duty_role(vectors: Vectors, data: Data) -> None:
    expect(runner_of(data["BeaconRole"], vectors.generation), data["RunnerRole"], "runner role")


def _encryption(_vectors: Vectors, data: Data) -> None:
    private = OperatorPrivateKey.from_text(reading.raw(data["SKPem"]))
    pem = reading.raw(data["PKPem"])
    expect(base64.b64decode(private.public_key.text), pem, "public key's PEM")
    plaintext = reading.raw(data["PlainText"])
    ciphertext = parse_public_key(pem).encrypt(plaintext)
    expect(private.decrypt_unchecked(ciphertext), plaintext, "decrypted")


def _aggregator_rules(vectors: Vectors, data: Data) -> None:
    value = reading.aggregator_committee_value(data["AggCommConsensusData"])
    encoded = value_codec.encode_aggregator_committee_value(value)
    decoded = value_codec.decode_aggregator_committee_value(encoded)
    expect(decoded, value, "encoded and decoded")
    fault = fault_of(partial(check_value, value, Preset.MAINNET))
    expect(fault, expected_fault(data["ExpectedErrorCode"], vectors.generation), "fault")


_VALIDATOR_VALUE = encoding(
    value_codec.encode_validator_value, of_any_generation(value_codec.decode_validator_value)
)

FAMILIES: dict[str, Family] = {
    "aggregatorcommitteeconsensusdata.AggregatorCommitteeConsensusDataTest": whole(
        _aggregator_rules
    ),
    "aggregatorcommitteeconsensusdata.EncodingTest": encoding(
        value_codec.encode_aggregator_committee_value,
        of_any_generation(value_codec.decode_aggregator_committee_value),
    ),
    "beaconvote.EncodingTest": encoding(
        value_codec.encode_beacon_vote, of_any_generation(value_codec.decode_beacon_vote)
    ),
    "committeemember.CommitteeMemberTest": whole(_committee_member),
    "duty.DutySpecTest": whole(_duty_role),
    "encryption.EncryptionSpecTest": whole(_encryption),
    "maxmsgsize.StructureSizeTest": whole(structure_sizes.check),
    "partialsigmessage.EncodingTest": encoding(codec.encode_partials, codec.decode_partials),
    "partialsigmessage.MsgSpecTest": whole(_partial_messages),
    "proposerconsensusdata.EncodingTest": _VALIDATOR_VALUE,
    "share.EncodingTest": encoding(
        record_codec.encode_share, of_any_generation(record_codec.decode_share)
    ),
    "signedssvmsg.EncodingTest": encoding(codec.encode_signed, codec.decode_signed),
    "signedssvmsg.SignedSSVMessageTest": whole(_signed_messages),
    "ssvmsg.EncodingTest": encoding(codec.encode_envelope, codec.decode_envelope),
    "ssvmsg.SSVMessageTest": whole(_message_ids),
    "validatorconsensusdata.EncodingTest": _VALIDATOR_VALUE,
}
