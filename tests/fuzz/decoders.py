"""Every decoder with plausible inputs, the exceptions it may raise, and what else must hold.

What a decoder accepts must encode to the very bytes that came: otherwise two nodes could disagree
about the same message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeVar
from zlib import crc32

from operator_node.signer.interchange import read_interchange, write_interchange
from operator_node.signer.record import KeyHistory
from operator_node.spec import Preset, find_block, ssz
from operator_node.spec.block_shapes import blinded_block_shape, block_contents_shape, block_shape
from operator_node.spec.ssz import MalformedSsz
from operator_node.spec.versions import CAPELLA, DENEB, FULU
from operator_node.wire import codec, record_codec, structure, value_codec
from operator_node.wire.faults import ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.messages import (
    ConsensusMessage,
    EnvelopeKind,
    PartialSignatures,
    SignedMessage,
)
from sdk.errors import InputError
from sdk.types import OperatorId
from tests.unit.operator_node.signer import guards
from tests.unit.operator_node.spec.reference import random_value
from tests.unit.operator_node.wire import examples

PRESET: Final = Preset.MINIMAL
"""Blocks of some kB: decoders have no other branches for more of the same."""
ROOT_EVERY: Final = 16
"""Hashing a block takes ten times as long as checking it."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Decoder:
    """One decoder under test.

    Attributes:
        samples: inputs that it accepts.
        documented: exceptions that it may raise for any bytes.
        read: decodes, and raises `AssertionError` if what it got does not encode to the same.
        share: how often it is drawn, relative to the others.
    """

    name: str
    samples: tuple[bytes, ...]
    documented: tuple[type[Exception], ...]
    read: Callable[[bytes], None]
    share: int


def _reads(
    name: str,
    decode: Callable[[bytes], _T],
    encode: Callable[[_T], bytes],
    *samples: _T,
    check: Callable[[_T], None] = lambda _: None,
    share: int = 6,
) -> Decoder:
    """A codec of the wire, whose decoder and checks raise `ProtocolFault` and nothing else."""

    def read(data: bytes) -> None:
        value = decode(data)
        assert encode(value) == data, f"{name}: decoded, yet encodes differently"
        check(value)

    return Decoder(name, tuple(map(encode, samples)), (ProtocolFault,), read, share)


def wire_decoders(messages: tuple[SignedMessage, ...]) -> Iterator[Decoder]:
    """Codecs and structure checks of messages, values and records."""
    for generation in Generation:
        yield from _message_decoders(generation, messages)
    vote, duty, value = value_codec.decode_beacon_vote, value_codec.decode_duty, examples.VALUE
    yield _reads("vote", vote, value_codec.encode_beacon_vote, examples.VOTE)
    yield _reads("duty", duty, value_codec.encode_duty, examples.DUTY)
    yield _reads(
        "validator value",
        value_codec.decode_validator_value,
        value_codec.encode_validator_value,
        value,
    )
    yield _reads(
        "aggregator committee value",
        value_codec.decode_aggregator_committee_value,
        value_codec.encode_aggregator_committee_value,
        examples.AGGREGATES,
        share=12,
    )
    yield _reads(
        "share",
        record_codec.decode_share,
        record_codec.encode_share,
        examples.SHARE,
        check=lambda share: record_codec.check_share(share, {examples.DOMAIN}),
    )
    yield _reads(
        "operator",
        record_codec.decode_operator,
        record_codec.encode_operator,
        examples.OPERATOR,
        check=record_codec.check_operator,
    )
    yield _reads(
        "committee member",
        record_codec.decode_committee_member,
        record_codec.encode_committee_member,
        examples.MEMBER,
        check=lambda member: record_codec.check_committee_member(member, {examples.DOMAIN}),
    )


def _message_decoders(
    generation: Generation, messages: tuple[SignedMessage, ...]
) -> Iterator[Decoder]:
    name = generation.value

    def read_signed(data: bytes) -> SignedMessage:
        return codec.decode_signed(data, generation)

    def read_partials(data: bytes) -> PartialSignatures:
        return codec.decode_partials(data, generation)

    def check_signed(message: SignedMessage) -> None:
        structure.check_signed(message, generation)

    def check_consensus(body: ConsensusMessage) -> None:
        structure.check_consensus(body, generation)

    def check_partials(body: PartialSignatures) -> None:
        structure.check_partials(body, OperatorId(1))

    yield _reads(
        f"signed {name}", read_signed, codec.encode_signed, *messages, check=check_signed, share=20
    )
    yield _reads(
        f"consensus {name}",
        codec.decode_consensus,
        codec.encode_consensus,
        *(codec.decode_consensus(data) for data in _contents(messages, EnvelopeKind.CONSENSUS)),
        check=check_consensus,
        share=20,
    )
    yield _reads(
        f"partials {name}",
        read_partials,
        codec.encode_partials,
        *(read_partials(data) for data in _contents(messages, EnvelopeKind.PARTIAL_SIGNATURES)),
        check=check_partials,
        share=12,
    )


def _contents(messages: tuple[SignedMessage, ...], kind: int) -> Iterator[bytes]:
    return (each.message.data for each in messages if each.message.kind == kind)


def block_decoders() -> Iterator[Decoder]:
    """SSZ check, root and block search, for every version that is proposed."""
    for version in range(CAPELLA, FULU + 1):
        shapes = [block_shape(version, PRESET), blinded_block_shape(version, PRESET)]
        if version >= DENEB:
            shapes[0] = block_contents_shape(version, PRESET)
        samples = tuple(ssz.encode(shape, _small(shape, version)) for shape in shapes)
        for shape, sample in zip(shapes, samples, strict=True):
            name = f"ssz {shape.name} {version}"
            yield Decoder(name, (sample,), (MalformedSsz,), _reader(shape), 1)

        def find(data: bytes, version: int = version) -> None:
            assert find_block(version, data, PRESET).data == data

        yield Decoder(f"block {version}", samples, (MalformedSsz,), find, 1)


def _small(shape: ssz.Container, seed: int) -> Any:
    """A random block; without blobs, whose bytes nobody looks into."""
    value = random_value(shape, Random(seed))
    if "blobs" in value:
        value = {**value, "blobs": ()}
    return value


def _reader(shape: ssz.Container) -> Callable[[bytes], None]:
    """Checks; for some inputs also that roots and values see the same bytes as malformed."""

    def read(data: bytes) -> None:
        if crc32(data) % ROOT_EVERY:
            ssz.check(shape, data)
            return
        try:
            ssz.check(shape, data)
        except MalformedSsz:
            _must_refuse(lambda: ssz.hash_tree_root(shape, data))
            _must_refuse(lambda: ssz.decode(shape, data))
            raise
        ssz.hash_tree_root(shape, data)
        assert ssz.encode(shape, ssz.decode(shape, data)) == data, "decoded, encodes differently"

    return read


def _must_refuse(read: Callable[[], object]) -> None:
    try:
        read()
    except MalformedSsz:
        return
    raise AssertionError("refused by the check, yet read")


def interchange_decoder() -> Decoder:
    """EIP-3076 files: whatever is read can be written and read again, with the same outcome."""
    history = guards.signed(guards.vote(1, 2), guards.vote(2, 3, None), guards.block(64))
    histories = (
        KeyHistory(guards.SHARE, history, guards.VALIDATOR),
        KeyHistory(guards.OTHER_SHARE, guards.signed(guards.block(65, None)), None),
    )
    sample = write_interchange(histories, genesis_validators_root=guards.GENESIS)

    def read(data: bytes) -> None:
        found = read_interchange(data, genesis_validators_root=guards.GENESIS)
        written = write_interchange(found, genesis_validators_root=guards.GENESIS)
        again = read_interchange(written, genesis_validators_root=guards.GENESIS)
        assert len(again) == len(found), "an interchange file that was written is not read back"

    return Decoder("interchange", (sample,), (InputError,), read, 6)
