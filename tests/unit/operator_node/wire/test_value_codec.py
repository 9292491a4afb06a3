from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.value_codec import (
    decode_aggregator_committee_value,
    decode_beacon_vote,
    decode_duty,
    decode_validator_value,
    encode_aggregator_committee_value,
    encode_beacon_vote,
    encode_duty,
    encode_validator_value,
    value_root,
)
from operator_node.wire.values import AggregatorCommitteeValue, ValidatorValue
from sdk.errors import UsageError
from sdk.types import Epoch, PublicKey, Slot
from tests.unit.operator_node.wire.examples import AGGREGATES, ASSIGNED, DUTY, VALUE, VOTE


def is_malformed(decode: Callable[[bytes], object], data: bytes) -> bool:
    with pytest.raises(ProtocolFault) as caught:
        decode(data)
    return caught.value.fault is Fault.MALFORMED


def with_offset(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + value.to_bytes(4, "little") + data[at + 4 :]


def test_the_root_of_a_value_is_its_sha256() -> None:
    assert value_root(b"value") == sha256(b"value").digest()


# --- beacon vote ---------------------------------------------------------------------------


def test_a_beacon_vote_is_112_bytes_in_order() -> None:
    encoded = encode_beacon_vote(VOTE)
    source, target = b"\x03" + bytes(7) + b"\x02" * 32, b"\x04" + bytes(7) + b"\x03" * 32
    assert encoded == b"\x01" * 32 + source + target
    assert decode_beacon_vote(encoded) == VOTE


@pytest.mark.parametrize("length", [0, 111, 113])
def test_a_beacon_vote_of_another_length_is_refused(length: int) -> None:
    assert is_malformed(decode_beacon_vote, bytes(length))


# --- duty and validator value --------------------------------------------------------------


def test_a_duty_is_108_bytes_and_its_sync_indices() -> None:
    encoded = encode_duty(DUTY)
    numbers = b"".join(each.to_bytes(8, "little") for each in (12, 5, 1, 128, 64, 7))
    indices = b"\x03" + bytes(7) + b"\x82" + bytes(7)
    assert encoded == b"\x02" + bytes(7) + DUTY.public_key + numbers + b"\x6c\0\0\0" + indices
    assert decode_duty(encoded) == DUTY


def test_a_duty_names_at_most_13_sync_indices() -> None:
    full = replace(DUTY, sync_committee_indices=(1,) * 13)
    assert decode_duty(encode_duty(full)) == full
    assert is_malformed(decode_duty, encode_duty(replace(DUTY, sync_committee_indices=(1,) * 14)))


@pytest.mark.parametrize("offset", [0, 107, 109])
def test_a_dutys_list_starts_behind_its_fixed_part(offset: int) -> None:
    assert is_malformed(decode_duty, with_offset(encode_duty(DUTY), 104, offset))


@pytest.mark.parametrize("length", [0, 107])
def test_a_duty_shorter_than_its_fixed_part_is_refused(length: int) -> None:
    assert is_malformed(decode_duty, bytes(length))


@pytest.mark.parametrize("value", [VALUE, ValidatorValue(DUTY, 2**64 - 1, b"")])
def test_validator_values_survive_a_round_trip(value: ValidatorValue) -> None:
    encoded = encode_validator_value(value)
    assert encoded[:4] == b"\x10\0\0\0"
    assert decode_validator_value(encoded) == value


def test_a_beacon_object_has_at_most_8_mebibytes() -> None:
    encoded = encode_validator_value(replace(VALUE, data=bytes(2**23)))
    assert len(decode_validator_value(encoded).data) == 2**23
    assert is_malformed(decode_validator_value, encoded + b"\x00")


@pytest.mark.parametrize(("at", "offset"), [(0, 15), (0, 17), (12, 15), (12, 2**20), (12, 17)])
def test_offsets_of_a_validator_value_are_in_order(at: int, offset: int) -> None:
    encoded = with_offset(encode_validator_value(VALUE), at, offset)
    assert is_malformed(decode_validator_value, encoded)


@pytest.mark.parametrize("length", [0, 15])
def test_a_validator_value_shorter_than_its_fixed_part_is_refused(length: int) -> None:
    assert is_malformed(decode_validator_value, bytes(length))


# --- aggregator committee value ------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        AGGREGATES,
        AggregatorCommitteeValue(0, (), (), (), (), ()),
        replace(AGGREGATES, attestations=(b"", b"one", b""), contributions=()),
    ],
)
def test_aggregator_values_survive_a_round_trip(value: AggregatorCommitteeValue) -> None:
    assert decode_aggregator_committee_value(encode_aggregator_committee_value(value)) == value


@pytest.mark.parametrize(
    ("field", "item", "limit"),
    [
        ("aggregators", ASSIGNED, 3000),
        ("committee_indexes", 1, 64),
        ("attestations", b"", 64),
        ("contributors", ASSIGNED, 2048),
        ("contributions", bytes(160), 4),
    ],
)
def test_lists_of_an_aggregator_value_end_at_their_limits(
    field: str, item: Any, limit: int
) -> None:
    many: dict[str, Any] = {field: (item,) * limit}
    full = replace(AGGREGATES, **many)
    assert decode_aggregator_committee_value(encode_aggregator_committee_value(full)) == full
    many[field] = (*many[field], item)
    larger = replace(AGGREGATES, **many)
    encoded = encode_aggregator_committee_value(larger)
    assert is_malformed(decode_aggregator_committee_value, encoded)


def test_an_attestation_has_at_most_131308_bytes() -> None:
    full = replace(AGGREGATES, attestations=(bytes(131_308),))
    assert decode_aggregator_committee_value(encode_aggregator_committee_value(full)) == full
    larger = replace(AGGREGATES, attestations=(bytes(131_309),))
    encoded = encode_aggregator_committee_value(larger)
    assert is_malformed(decode_aggregator_committee_value, encoded)


@pytest.mark.parametrize(
    ("at", "offset"), [(8, 27), (8, 29), (12, 27), (12, 2**31), (16, 139), (20, 147), (24, 9999)]
)
def test_offsets_of_an_aggregator_value_are_in_order(at: int, offset: int) -> None:
    encoded = with_offset(encode_aggregator_committee_value(AGGREGATES), at, offset)
    assert is_malformed(decode_aggregator_committee_value, encoded)


@pytest.mark.parametrize("change", [b"\x00", bytes(159)])
def test_bytes_behind_the_last_contribution_are_refused(change: bytes) -> None:
    encoded = encode_aggregator_committee_value(AGGREGATES) + change
    assert is_malformed(decode_aggregator_committee_value, encoded)


def test_assigned_validators_are_whole() -> None:
    encoded = encode_aggregator_committee_value(replace(AGGREGATES, committee_indexes=(1,)))
    # The border between the first two lists moves by the size of a number.
    assert is_malformed(decode_aggregator_committee_value, with_offset(encoded, 12, 28 + 112 + 8))


@pytest.mark.parametrize("length", [0, 27])
def test_an_aggregator_value_shorter_than_its_fixed_part_is_refused(length: int) -> None:
    assert is_malformed(decode_aggregator_committee_value, bytes(length))


# --- what has no encoding ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encode", "value"),
    [
        (encode_beacon_vote, replace(VOTE, block_root=bytes(31))),
        (encode_beacon_vote, replace(VOTE, target=replace(VOTE.target, root=bytes(33)))),
        (encode_beacon_vote, replace(VOTE, source=replace(VOTE.source, epoch=Epoch(2**64)))),
        (encode_duty, replace(DUTY, public_key=PublicKey(bytes(47)))),
        (encode_duty, replace(DUTY, slot=Slot(-1))),
        (encode_duty, replace(DUTY, sync_committee_indices=(2**64,))),
        (encode_validator_value, replace(VALUE, version=-1)),
        (
            encode_aggregator_committee_value,
            replace(AGGREGATES, aggregators=(replace(ASSIGNED, selection_proof=b""),)),
        ),
        (encode_aggregator_committee_value, replace(AGGREGATES, contributions=(bytes(161),))),
    ],
)
def test_a_field_out_of_range_is_not_written(encode: Callable[[Any], bytes], value: Any) -> None:
    with pytest.raises(UsageError):
        encode(value)


def test_contributions_of_the_minimal_preset_are_shorter() -> None:
    contributions = (b"\1" * 145, b"\2" * 145)
    value = AggregatorCommitteeValue(6, (), (), (), (), contributions)
    data = encode_aggregator_committee_value(value, contribution_bytes=145)
    assert decode_aggregator_committee_value(data, contribution_bytes=145) == value
    with pytest.raises(ProtocolFault):
        decode_aggregator_committee_value(data)
