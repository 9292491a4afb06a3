from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import CommitteeId, DomainType, committee_id
from operator_node.wire.record_codec import (
    check_committee_member,
    check_operator,
    check_share,
    decode_committee_member,
    decode_operator,
    decode_share,
    encode_committee_member,
    encode_operator,
    encode_share,
)
from operator_node.wire.records import Operator, ShareMember
from sdk.errors import UsageError
from sdk.types import OperatorId, PublicKey
from tests.unit.operator_node.wire.examples import DOMAIN, KEY, MEMBER, OPERATOR, SHARE

KNOWN = frozenset({DOMAIN})
ELSEWHERE = DomainType(b"\x00\x00\xff\xff")


def fault(check: Callable[..., object], *arguments: object) -> Fault:
    with pytest.raises(ProtocolFault) as caught:
        check(*arguments)
    return caught.value.fault


def with_offset(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + value.to_bytes(4, "little") + data[at + 4 :]


def committee(*operators: int) -> tuple[Operator, ...]:
    return tuple(Operator(OperatorId(each), b"k" * 459) for each in operators)


# --- encodings -----------------------------------------------------------------------------


def test_a_share_is_164_bytes_and_its_members() -> None:
    encoded = encode_share(SHARE)
    assert encoded[:8] == b"\x05" + bytes(7)
    assert encoded[8:104] == SHARE.validator_key + SHARE.share_key
    assert encoded[104:108] == b"\xa4\0\0\0"
    assert encoded[108:164] == SHARE.domain + SHARE.fee_recipient + SHARE.graffiti
    assert encoded[164:220] == b"\x01" * 48 + b"\x01" + bytes(7)
    assert decode_share(encoded) == SHARE


def test_an_operator_is_467_bytes() -> None:
    encoded = encode_operator(OPERATOR)
    assert encoded == b"\x01" + bytes(7) + b"k" * 459
    assert decode_operator(encoded) == OPERATOR


def test_a_committee_member_is_515_bytes_and_its_operators() -> None:
    encoded = encode_committee_member(MEMBER)
    assert len(encoded) == 515 + 4 * 467
    assert encoded[507:515] == b"\x03\x02\0\0" + DOMAIN
    assert decode_committee_member(encoded) == MEMBER


@pytest.mark.parametrize(
    ("encode", "decode", "record", "member"),
    [
        (encode_share, decode_share, SHARE, SHARE.committee[0]),
        (encode_committee_member, decode_committee_member, MEMBER, OPERATOR),
    ],
)
def test_a_committee_has_at_most_13_members(
    encode: Callable[[Any], bytes], decode: Callable[[bytes], object], record: Any, member: Any
) -> None:
    full = replace(record, committee=(member,) * 13)
    assert decode(encode(full)) == full
    larger = replace(record, committee=(member,) * 14)
    assert fault(decode, encode(larger)) is Fault.MALFORMED


@pytest.mark.parametrize(
    ("decode", "data"),
    [
        (decode_share, b""),
        (decode_share, bytes(163)),
        (decode_share, with_offset(encode_share(SHARE), 104, 163)),
        (decode_share, with_offset(encode_share(SHARE), 104, 165)),
        (decode_share, encode_share(SHARE) + b"\x00"),
        (decode_operator, bytes(466)),
        (decode_operator, bytes(468)),
        (decode_committee_member, b""),
        (decode_committee_member, bytes(514)),
        (decode_committee_member, with_offset(encode_committee_member(MEMBER), 507, 0)),
        (decode_committee_member, encode_committee_member(MEMBER)[:-1]),
    ],
)
def test_any_other_encoding_of_a_record_is_refused(
    decode: Callable[[bytes], object], data: bytes
) -> None:
    assert fault(decode, data) is Fault.MALFORMED


@pytest.mark.parametrize(
    ("encode", "record"),
    [
        (encode_share, replace(SHARE, validator_key=PublicKey(bytes(47)))),
        (encode_share, replace(SHARE, graffiti=bytes(33))),
        (encode_share, replace(SHARE, validator_index=-1)),
        (encode_share, replace(SHARE, committee=(ShareMember(OperatorId(1), PublicKey(b"")),))),
        (encode_operator, replace(OPERATOR, public_key=b"key")),
        (encode_operator, replace(OPERATOR, id=OperatorId(2**64))),
        (encode_committee_member, replace(MEMBER, committee_id=CommitteeId(b""))),
        (encode_committee_member, replace(MEMBER, committee=(Operator(OperatorId(1), b""),))),
    ],
)
def test_a_field_out_of_range_is_not_written(encode: Callable[[Any], bytes], record: Any) -> None:
    with pytest.raises(UsageError):
        encode(record)


# --- validity ------------------------------------------------------------------------------


def members(*signers: int) -> tuple[ShareMember, ...]:
    return tuple(ShareMember(OperatorId(each), KEY) for each in signers)


def test_a_share_in_a_known_network_is_valid() -> None:
    check_share(SHARE, KNOWN)
    check_share(replace(SHARE, domain=ELSEWHERE), {ELSEWHERE, DOMAIN})
    assert SHARE.domain in KNOWN


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"validator_key": PublicKey(bytes(48))}, "no validator key"),
        ({"validator_key": PublicKey(b"")}, "no validator key"),
        ({"committee": ()}, "distinct ids"),
        ({"committee": members(1, 0, 3, 4)}, "distinct ids"),
        ({"committee": members(1, 2, 1, 4)}, "distinct ids"),
        ({"domain": ELSEWHERE}, "unknown domain 0000ffff"),
    ],
)
def test_a_share_with_one_flaw_is_invalid(change: dict[str, Any], problem: str) -> None:
    share = replace(SHARE, **change)
    assert fault(check_share, share, KNOWN) is Fault.SHARE_INVALID
    with pytest.raises(ProtocolFault, match=problem):
        check_share(share, KNOWN)


@pytest.mark.parametrize(
    "operator", [replace(OPERATOR, id=OperatorId(0)), replace(OPERATOR, public_key=bytes(458))]
)
def test_an_operator_has_an_id_and_a_key(operator: Operator) -> None:
    check_operator(OPERATOR)
    assert fault(check_operator, operator) is Fault.OPERATOR_INVALID


@pytest.mark.parametrize("size", [1, 4, 7, 10, 13])
def test_a_committee_of_three_f_plus_one_is_valid(size: int) -> None:
    ids = range(1, size + 1)
    member = replace(
        MEMBER,
        committee=committee(*ids),
        faulty=(size - 1) // 3,
        committee_id=committee_id(ids),
    )
    check_committee_member(member, KNOWN)
    assert len(member.committee) == 3 * member.faulty + 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"me": OperatorId(0)}, "operator 0 is not in it"),
        ({"me": OperatorId(9)}, "operator 9 is not in it"),
        ({"committee": ()}, "not in it"),
        ({"committee": committee(1, 2, 3)}, "3f"),
        ({"faulty": 2}, "f = 2"),
        ({"committee": committee(1, 2, 3, 3)}, "twice"),
        ({"committee": committee(1, 2, 3, 5)}, "id is not"),
        ({"domain": ELSEWHERE}, "unknown domain"),
    ],
)
def test_a_committee_with_one_flaw_is_invalid(change: dict[str, Any], problem: str) -> None:
    member = replace(MEMBER, **change)
    assert fault(check_committee_member, member, KNOWN) is Fault.COMMITTEE_MEMBER_INVALID
    with pytest.raises(ProtocolFault, match=problem):
        check_committee_member(member, KNOWN)


def test_an_invalid_operator_makes_its_committee_invalid_under_its_own_fault() -> None:
    member = replace(MEMBER, committee=committee(1, 2, 3, 0))
    assert fault(check_committee_member, member, KNOWN) is Fault.OPERATOR_INVALID
