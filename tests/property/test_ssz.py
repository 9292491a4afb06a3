"""Roots equal those of an independent SSZ implementation, for any content.

Annotations are not postponed here: the library reads a container's fields from them.
"""

from hypothesis import given
from hypothesis import strategies as st
from remerkleable.basic import uint64
from remerkleable.byte_arrays import ByteList, Bytes4, Bytes32, Bytes48, Bytes96, ByteVector
from remerkleable.complex import Container

from sdk import ssz

LIMITS = (1, 31, 32, 33, 64, 512, 2048, 2**23)


class DepositData(Container):  # type: ignore[misc] # the library carries no types
    pubkey: Bytes48
    withdrawal_credentials: Bytes32
    amount: uint64
    signature: Bytes96


@given(st.integers(0, 2**64 - 1))
def test_uint64(value: int) -> None:
    assert ssz.root_of_uint64(value) == bytes(uint64(value).hash_tree_root())


@given(st.binary(min_size=1, max_size=300))
def test_byte_vector(data: bytes) -> None:
    expected = ByteVector[len(data)](data).hash_tree_root()
    assert ssz.root_of_bytes_vector(data) == bytes(expected)


@given(st.binary(max_size=600), st.sampled_from(LIMITS))
def test_byte_list(data: bytes, limit: int) -> None:
    data = data[:limit]
    expected = ByteList[limit](data).hash_tree_root()
    assert ssz.root_of_byte_list(data, limit_bytes=limit) == bytes(expected)


@given(
    st.binary(min_size=48, max_size=48),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
    st.binary(min_size=96, max_size=96),
)
def test_container(pubkey: bytes, credentials: bytes, amount: int, signature: bytes) -> None:
    expected = DepositData(
        pubkey=pubkey, withdrawal_credentials=credentials, amount=amount, signature=signature
    ).hash_tree_root()
    assert ssz.root_of_container(
        ssz.root_of_bytes_vector(pubkey),
        ssz.root_of_bytes_vector(credentials),
        ssz.root_of_uint64(amount),
        ssz.root_of_bytes_vector(signature),
    ) == bytes(expected)


@given(st.binary(min_size=4, max_size=4))
def test_a_short_vector_fills_one_chunk(version: bytes) -> None:
    assert ssz.root_of_bytes_vector(version) == bytes(Bytes4(version).hash_tree_root())
