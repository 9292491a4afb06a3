"""The family of encoded lengths: each kind of message is told by the keys of its JSON.

A case that claims the greatest size holds if every list in it is full: with one item or byte more,
the decoder refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from msgspec.structs import replace

from operator_node.wire import codec, value_codec
from operator_node.wire.faults import Fault
from operator_node.wire.generations import Generation
from operator_node.wire.messages import (
    ConsensusMessage,
    Envelope,
    PartialSignatures,
    SignedMessage,
)
from operator_node.wire.values import BeaconVote
from sdk.types import OperatorId
from tests.vectors.case import expect
from tests.vectors.ssv import reading
from tests.vectors.ssv.archive import Vectors
from tests.vectors.ssv.errors import fault_of

Sized: TypeAlias = SignedMessage | Envelope | ConsensusMessage | PartialSignatures | BeaconVote
Data: TypeAlias = dict[str, Any]

READERS: dict[str, Callable[[Data], Sized]] = {
    "FullData": reading.signed_message,
    "MsgID": lambda data: reading.signed_message(_around(data)).message,
    "DataRound": reading.consensus_message,
    "Messages": reading.partial_signatures,
    "SigningRoot": lambda data: reading.partial_signatures(_list_of(data)),
    "BlockRoot": reading.beacon_vote,
}
"""By a key that only this kind has."""


def check(vectors: Vectors, data: Data) -> None:
    """The encoded length is the expected one, and a full message takes nothing more."""
    of_kind = [read for key, read in READERS.items() if key in data["Object"]]
    expect(len(of_kind), 1, "kinds that the object can be")
    value = of_kind[0](data["Object"])
    encoded = _encode(value)
    frame = len(_encode(PartialSignatures(0, 0, ()))) if "SigningRoot" in data["Object"] else 0
    expect(len(encoded) - frame, data["ExpectedEncodedLength"], "encoded length")
    decode = partial(_decode, value, generation=vectors.generation)
    expect(decode(encoded) == value, True, "decoded again")
    for larger in grown(value) if data["IsMaxSize"] else ():
        fault = fault_of(partial(decode, larger))
        expect(fault, Fault.MALFORMED, f"fault of {len(larger)} bytes")


def grown(value: Sized) -> Iterator[bytes]:
    """Encodings in which one list has one item, or one byte, more."""
    match value:
        case SignedMessage():
            yield _encode(replace(value, signatures=(*value.signatures, b"")))
            yield _encode(replace(value, signatures=_longer(value.signatures)))
            yield _encode(replace(value, signers=(*value.signers, OperatorId(1))))
            yield _encode(replace(value, full_data=value.full_data + b"\x00"))
        case Envelope():
            yield _encode(replace(value, data=value.data + b"\x00"))
        case ConsensusMessage():
            changes, prepares = value.round_change_justification, value.prepare_justification
            yield _encode(replace(value, identifier=value.identifier + b"\x00"))
            yield _encode(replace(value, round_change_justification=(*changes, b"")))
            yield _encode(replace(value, round_change_justification=_longer(changes)))
            yield _encode(replace(value, prepare_justification=(*prepares, b"")))
            yield _encode(replace(value, prepare_justification=_longer(prepares)))
        case PartialSignatures():
            yield _encode(replace(value, items=(*value.items, value.items[0])))
        case BeaconVote():
            yield _encode(value) + b"\x00"


def _longer(items: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (*items[:-1], items[-1] + b"\x00")


def _around(envelope: Data) -> Data:
    return {"Signatures": None, "OperatorIDs": None, "SSVMessage": envelope, "FullData": None}


def _list_of(item: Data) -> Data:
    return {"Type": 0, "Slot": 0, "Messages": [item]}


def _encode(value: Sized) -> bytes:
    match value:
        case SignedMessage():
            return codec.encode_signed(value)
        case Envelope():
            return codec.encode_envelope(value)
        case ConsensusMessage():
            return codec.encode_consensus(value)
        case PartialSignatures():
            return codec.encode_partials(value)
        case BeaconVote():
            return value_codec.encode_beacon_vote(value)


def _decode(like: Sized, data: bytes, *, generation: Generation) -> Sized:
    match like:
        case SignedMessage():
            return codec.decode_signed(data, generation)
        case Envelope():
            return codec.decode_envelope(data, generation)
        case ConsensusMessage():
            return codec.decode_consensus(data)
        case PartialSignatures():
            return codec.decode_partials(data, generation)
        case BeaconVote():
            return value_codec.decode_beacon_vote(data)
