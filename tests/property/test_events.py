"""The codec against an independent one, and against hostile bytes."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from eth_abi.abi import encode as reference_encode
from hypothesis import given
from hypothesis import strategies as st

from sdk.events import EVENT_ABIS, ClusterSnapshot, Event, EventAbi, Undecodable, decode, encode
from sdk.events.abi import CLUSTER_TYPE, Malformed
from sdk.events.abi import decode as decode_values
from sdk.events.layout import draw as draw_layout
from sdk.types import Wei

U32, U64, U256 = (st.integers(0, 2**bits - 1) for bits in (32, 64, 256))
ADDRESS = st.binary(min_size=20, max_size=20)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "uint32": U32,
    "uint64": U64,
    "uint256": U256,
    "bool": st.booleans(),
    "address": ADDRESS,
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes": st.binary(max_size=100),
    "uint64[]": st.lists(U64, max_size=13).map(tuple),
    "address[]": st.lists(ADDRESS, max_size=5).map(tuple),
    CLUSTER_TYPE: st.builds(ClusterSnapshot, U32, U64, U64, st.booleans(), U256.map(Wei)),
}


def types_in_order(abi: EventAbi) -> list[str]:
    encoded = (*abi.topic_types, *abi.data_types)
    return [encoded[place] for place in abi.order]


@st.composite
def events(draw: st.DrawFn) -> Event:
    abi = draw(st.sampled_from(EVENT_ABIS))
    event: Event = abi.event_class(*[draw(VALUES[name]) for name in types_in_order(abi)])
    return event


def reference_form(value: object) -> object:
    if isinstance(value, ClusterSnapshot):
        return astuple(value)
    return value


@given(events())
def test_topics_and_data_equal_those_of_an_independent_encoder(event: Event) -> None:
    abi = next(abi for abi in EVENT_ABIS if abi.event_class is type(event))
    values = [getattr(event, name) for name in abi.fields]
    indexed = [
        (kind, value)
        for kind, value, place in zip(types_in_order(abi), values, abi.order, strict=True)
        if place < len(abi.topic_types)
    ]
    others = [
        (kind, reference_form(value))
        for kind, value, place in zip(types_in_order(abi), values, abi.order, strict=True)
        if place >= len(abi.topic_types)
    ]
    topics, data = encode(event)
    assert topics == (abi.topic, *(reference_encode([kind], [value]) for kind, value in indexed))
    assert data == reference_encode([kind for kind, _ in others], [value for _, value in others])


@given(events())
def test_decoding_gives_back_the_event(event: Event) -> None:
    topics, data = encode(event)
    assert decode(topics, data) == event


@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([abi.topic for abi in EVENT_ABIS])),
        max_size=4,
    ),
    st.binary(max_size=400),
)
def test_any_bytes_get_an_answer(topics: list[bytes], data: bytes) -> None:
    result = decode(topics, data)
    if isinstance(result, Undecodable):
        assert (result.topics, result.data) == (tuple(topics), data)
    else:
        assert encode(result) == (tuple(topics), data)


@given(events(), st.data())
def test_a_changed_log_is_refused_or_is_the_one_form_of_another_event(
    event: Event, source: st.DataObject
) -> None:
    topics, data = encode(event)
    changed = bytearray(data)
    for _ in range(source.draw(st.integers(0, 3))):
        if changed:
            place = source.draw(st.integers(0, len(changed) - 1))
            changed[place] = source.draw(st.integers(0, 255))
    cut = source.draw(st.integers(0, len(changed)))
    tail = source.draw(st.binary(max_size=40))
    mutated = bytes(changed[:cut]) + tail if source.draw(st.booleans()) else bytes(changed)
    result = decode(topics, mutated)
    if not isinstance(result, Undecodable):
        assert encode(result) == (topics, mutated)


@given(events(), st.data())
def test_a_familiar_size_is_read_as_strictly_as_a_new_one(
    event: Event, data: st.DataObject
) -> None:
    """The fast way, learnt from one log, against the long way on one that is almost the same."""
    abi = next(abi for abi in EVENT_ABIS if abi.event_class is type(event))
    _, good = encode(event)
    layout = draw_layout(abi.data_types, good)
    assert layout.read(good) == decode_values(abi.data_types, good)
    if not good:
        return
    changed = bytearray(good)
    place = data.draw(st.integers(0, len(good) - 1))
    changed[place] = data.draw(st.sampled_from([0, 1, 2, 0xFF, changed[place] ^ 1]))
    found = layout.read(bytes(changed))
    try:
        expected = decode_values(abi.data_types, bytes(changed))
    except Malformed:
        assert found is None
    else:
        # A shorter length may be canonical too, which the layout leaves to the long way.
        assert found in (expected, None)
