"""Log → event or `Undecodable`, and event → log.

Pure. `decode` answers for any bytes whatever and never raises: a log that is no canonical event
of the registry is an expected outcome with a reason, and is kept. The table is built from the
`ABI` declarations of the event classes; a test compares it with `sdk/abi/registry.json`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from sdk.events.abi import CLUSTER_TYPE, CODECS, WORD_BYTES, Malformed, Reason, Value
from sdk.events.abi import decode as decode_values
from sdk.events.abi import encode as encode_values
from sdk.events.layout import Layout, draw
from sdk.events.types import Event
from sdk.types import keccak256

MOST_LAYOUTS = 512
"""Sizes of data that are read fast; in practice there are some dozen."""
LONGEST_LAYOUT = 8_192
"""Bytes of data. The longest registration has 5,000; each word costs some hundred bytes of layout,
and hostile logs may fill the table."""
TOPICS_REMEMBERED = 16_384
"""Owners and ids in topics, which come many times."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A log that is no canonical event of the registry, kept with its bytes.

    Attributes:
        reason: one of a closed list.
        detail: which values, for a person.
    """

    reason: Reason
    detail: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class EventAbi:
    """One event's place in the ABI.

    Attributes:
        signature: canonical text whose hash is the first topic.
        names: ABI names of all arguments, in declared order.
        fields: fields of our class, in the same order.
        topic_types: types of the indexed arguments.
        data_types: types of the others.
        order: where each declared argument stands among indexed ones followed by the others.
    """

    event_class: type[Any]
    signature: str
    topic: bytes
    names: tuple[str, ...]
    fields: tuple[str, ...]
    topic_types: tuple[str, ...]
    data_types: tuple[str, ...]
    order: tuple[int, ...]


def decode(topics: Sequence[bytes], data: bytes) -> Event | Undecodable:
    """The event that a log of the registry carries, or why it carries none."""
    try:
        return _decode(topics, data)
    except Malformed as failure:
        return Undecodable(failure.reason, failure.detail, tuple(topics), data)


def encode(event: Event) -> tuple[tuple[bytes, ...], bytes]:
    """Topics and data exactly as the registry emits them.

    Raises:
        Malformed: `value_range`, a field does not fit its ABI type.
    """
    abi = _BY_CLASS[type(event)]
    places = sorted(zip(abi.order, abi.fields, strict=True))
    values = [getattr(event, field) for _, field in places]
    indexed = len(abi.topic_types)
    topics = [
        CODECS[name].write(value)
        for name, value in zip(abi.topic_types, values[:indexed], strict=True)
    ]
    return (abi.topic, *topics), encode_values(abi.data_types, values[indexed:])


def abi_arguments(event: Event) -> dict[str, Value]:
    """The event's arguments under their ABI names, in declared order."""
    abi = _BY_CLASS[type(event)]
    return {name: getattr(event, field) for name, field in zip(abi.names, abi.fields, strict=True)}


def operator_public_key_text(public_key: bytes) -> str | None:
    """The text inside `OperatorAdded.public_key`, normally base64 of a PEM public key.

    Reads an ABI-encoded text; older tools passed the bare text, which is the fallback. As lenient
    as existing nodes: what follows the text is ignored. None if neither form is ASCII text.
    Whether the text is a usable key is for `sdk.crypto` to say.
    """
    start = 2 * WORD_BYTES
    if len(public_key) >= start and public_key[:WORD_BYTES] == _OFFSET_OF_ONE_VALUE:
        length = int.from_bytes(public_key[WORD_BYTES:start], "big")
        if length <= len(public_key) - start:
            return _ascii(public_key[start : start + length])
    return _ascii(public_key)


def operator_public_key_bytes(text: str) -> bytes:
    """What `registerOperator` takes for a key of this text."""
    return encode_values(("bytes",), (text.encode(),))


def _decode(topics: Sequence[bytes], data: bytes) -> Event:
    if not topics:
        raise Malformed(Reason.NO_TOPICS, "the registry emits no anonymous events")
    abi = _BY_TOPIC.get(topics[0])
    if abi is None:
        raise Malformed(Reason.UNKNOWN_EVENT, f"first topic 0x{topics[0].hex()}")
    if len(topics) != 1 + len(abi.topic_types):
        raise Malformed(
            Reason.WRONG_TOPIC_COUNT,
            f"{abi.signature} has {1 + len(abi.topic_types)} topics, got {len(topics)}",
        )
    values = [
        _decode_topic(name, topic) for name, topic in zip(abi.topic_types, topics[1:], strict=True)
    ]
    values += _decode_data(abi, data)
    event: Event = abi.event_class(*[values[place] for place in abi.order])
    return event


def _decode_data(abi: EventAbi, data: bytes) -> list[Any]:
    """The values of the arguments that are not indexed, in one step if the data looks familiar."""
    known = _LAYOUTS.get((abi.topic, len(data)))
    values = None if known is None else known.read(data)
    if values is not None:
        return values
    values = decode_values(abi.data_types, data)
    if known is None and len(data) <= LONGEST_LAYOUT and len(_LAYOUTS) < MOST_LAYOUTS:
        _LAYOUTS[abi.topic, len(data)] = draw(abi.data_types, data)
    return values


@lru_cache(maxsize=TOPICS_REMEMBERED)
def _decode_topic(name: str, topic: bytes) -> Any:
    if len(topic) != WORD_BYTES:
        raise Malformed(Reason.BAD_TOPIC, f"a topic of {len(topic)} bytes")
    try:
        return CODECS[name].read(topic, 0)[0]
    except Malformed as failure:
        raise Malformed(Reason.BAD_TOPIC, f"{name} in a topic: {failure.detail}") from failure


def _ascii(raw: bytes) -> str | None:
    return raw.decode("ascii") if raw and raw.isascii() else None


def _event_abi(event_class: type[Any]) -> EventAbi:
    """Parse a class's `ABI` declaration, whose arguments stand in the order of its fields."""
    name, _, arguments = event_class.ABI.rstrip(")").partition("(")
    declared = [_ARGUMENT.fullmatch(part.strip()) for part in arguments.split(",")]
    parts = [match.groups() for match in declared if match is not None]
    types = [CLUSTER_TYPE if kind == "Cluster" else kind for kind, _, _ in parts]
    indexed = [place for place, (_, mark, _) in enumerate(parts) if mark]
    plain = [place for place, (_, mark, _) in enumerate(parts) if not mark]
    encoded = indexed + plain
    signature = f"{name}({','.join(types)})"
    return EventAbi(
        event_class=event_class,
        signature=signature,
        topic=keccak256(signature.encode()),
        names=tuple(argument for _, _, argument in parts),
        fields=tuple(event_class.__slots__),
        topic_types=tuple(types[place] for place in indexed),
        data_types=tuple(types[place] for place in plain),
        order=tuple(encoded.index(place) for place in range(len(parts))),
    )


_ARGUMENT = re.compile(r"(\S+) (indexed )?(\S+)")
_OFFSET_OF_ONE_VALUE = WORD_BYTES.to_bytes(WORD_BYTES, "big")

EVENT_ABIS: tuple[EventAbi, ...] = tuple(_event_abi(member) for member in get_args(Event))
"""Every event of the registry, in the order of the union `Event`."""
_BY_TOPIC = {abi.topic: abi for abi in EVENT_ABIS}
_LAYOUTS: dict[tuple[bytes, int], Layout] = {}
_BY_CLASS = {abi.event_class: abi for abi in EVENT_ABIS}
