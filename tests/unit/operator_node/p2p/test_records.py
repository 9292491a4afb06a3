"""Address records: nobody makes one for somebody else, none is read that is not exactly one."""

from __future__ import annotations

import pytest

from operator_node.p2p.records import (
    ADDRESSES,
    CLOCK_ERROR_MS,
    LIFETIME_MS,
    RECORD_BYTES,
    Refused,
    SignedRecord,
    check_record,
    read_record,
)
from sdk.errors import PeerError
from sdk.testing.keys import operator_key
from tests.unit.operator_node.p2p.builders import DOMAIN, NOW_MS, key_of, record


def verdict(signed: SignedRecord) -> Refused | None:
    key = key_of(signed.record.operator)
    return check_record(read_record(signed.raw), domain=DOMAIN, key=key, now_ms=NOW_MS)


def test_a_record_reads_back_as_it_was_signed() -> None:
    signed = record(3, addresses=("/ip4/192.0.2.1/tcp/1", "/dns4/node.example/tcp/2"))
    assert read_record(signed.raw) == signed
    assert verdict(signed) is None


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        (record(1, signer=2), Refused.FORGED),
        (record(1, domain=bytes(4)), Refused.OTHER_NETWORK),
        (record(1, expires_ms=NOW_MS), Refused.EXPIRED),
        (record(1, sequence=NOW_MS + CLOCK_ERROR_MS + 1), Refused.FROM_THE_FUTURE),
        (record(1, expires_ms=NOW_MS + LIFETIME_MS + 2 * CLOCK_ERROR_MS), Refused.FROM_THE_FUTURE),
        (record(9), Refused.UNKNOWN_OPERATOR),
    ],
)
def test_a_record_is_refused_by_its_first_fault(signed: SignedRecord, reason: Refused) -> None:
    assert verdict(signed) is reason


def test_no_byte_of_a_record_can_be_changed() -> None:
    raw = record().raw
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            refused = check_record(
                read_record(changed),
                domain=DOMAIN,
                key=operator_key(1).public_key,
                now_ms=NOW_MS,
            )
        except PeerError:
            continue
        assert refused is not None, place


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x02" + record().raw[1:],
        record().raw[:-1],
        record().raw + b"\x00",
        record(addresses=()).raw,
        record(addresses=("/ip4/192.0.2.1/tcp/1",) * (ADDRESSES + 1)).raw,
        record(addresses=("x" * 257,)).raw,
        record(addresses=("/dns4/nöd.example/tcp/1",)).raw,
    ],
)
def test_bytes_that_are_no_record_are_refused_with_one_code(raw: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        read_record(raw)
    assert caught.value.code == "record_malformed"


def test_a_peer_id_that_is_no_base58_is_refused() -> None:
    signed = record()
    peer = signed.record.peer.encode()
    with pytest.raises(PeerError, match="base58"):
        read_record(signed.raw.replace(peer, b"0" * len(peer)))


def test_the_largest_record_has_the_size_that_is_announced() -> None:
    largest = record(addresses=("/dns4/" + "a" * 250,) * ADDRESSES)
    assert len(largest.raw) <= RECORD_BYTES
    assert read_record(largest.raw) == largest
