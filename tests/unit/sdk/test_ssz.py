"""Hash tree roots of small values, and the bounds."""

from __future__ import annotations

from hashlib import sha256

import pytest

from sdk import ssz
from sdk.errors import UsageError

ZERO = bytes(32)
A, B, C = (bytes([fill]) * 32 for fill in (1, 2, 3))


def pair(left: bytes, right: bytes) -> bytes:
    return sha256(left + right).digest()


@pytest.mark.parametrize(
    ("chunks", "limit", "root"),
    [
        ([], None, ZERO),
        ([A], None, A),
        ([A, B], None, pair(A, B)),
        ([A, B, C], None, pair(pair(A, B), pair(C, ZERO))),
        ([], 1, ZERO),
        ([], 2, pair(ZERO, ZERO)),
        ([A], 2, pair(A, ZERO)),
        ([A], 3, pair(pair(A, ZERO), pair(ZERO, ZERO))),
    ],
)
def test_chunks_are_padded_to_the_next_power_of_two(
    chunks: list[bytes], limit: int | None, root: bytes
) -> None:
    assert ssz.merkleize(chunks, limit) == root


def test_integers_are_little_endian() -> None:
    assert ssz.root_of_uint64(0x0102) == b"\x02\x01" + bytes(30)


def test_a_byte_list_mixes_in_its_length_not_its_limit() -> None:
    assert ssz.root_of_byte_list(b"\x01", limit_bytes=64) == pair(
        pair(b"\x01" + bytes(31), ZERO), b"\x01" + bytes(31)
    )
    assert ssz.root_of_byte_list(b"", limit_bytes=32) != ssz.root_of_byte_list(
        b"\x00", limit_bytes=32
    )


def test_a_container_is_the_tree_of_its_field_roots() -> None:
    assert ssz.root_of_container(A, B, C) == pair(pair(A, B), pair(C, ZERO))


@pytest.mark.parametrize("value", [-1, 2**64])
def test_an_integer_outside_64_bits_is_refused(value: int) -> None:
    with pytest.raises(UsageError):
        ssz.root_of_uint64(value)


def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(UsageError):
        ssz.merkleize([A, B], limit=1)
    with pytest.raises(UsageError):
        ssz.root_of_byte_list(bytes(33), limit_bytes=32)


def test_a_field_root_of_another_size_is_refused() -> None:
    with pytest.raises(UsageError):
        ssz.root_of_container(A, b"\x01")


def test_an_empty_vector_is_refused() -> None:
    with pytest.raises(UsageError):
        ssz.root_of_bytes_vector(b"")
