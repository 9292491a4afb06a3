"""Rows hold records without loss, and lie in the tables as the tables say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.project import LOG_COLUMNS, SHAPES, BlockRow, Shape
from indexer.store import tables
from sdk.events import ClusterSnapshot
from sdk.registry import (
    Account,
    Cluster,
    DeclaredFee,
    Network,
    Operator,
    Parameters,
    Refusal,
    RegistryState,
    Validator,
)

words = st.integers(0, 2**64 - 1)
amounts = st.integers(0, 2**256 - 1)
numbers = st.integers(0, 2**62)
addresses = st.binary(min_size=20, max_size=20)
names = st.binary(min_size=32, max_size=32)
maybe_addresses = st.none() | addresses
fees = st.builds(DeclaredFee, words, numbers, st.none() | words, st.none() | words)
operators = st.builds(
    Operator,
    operator_id=numbers,
    owner=addresses,
    public_key=st.binary(max_size=40),
    fee_units=words,
    block=numbers,
    index_units=words,
    credit_units=words,
    effective_balance_eth=numbers,
    validator_count=numbers,
    is_private=st.booleans(),
    whitelisting_contract=maybe_addresses,
    declared_fee=st.none() | fees,
    removed_at=st.none() | numbers,
)
snapshots = st.builds(ClusterSnapshot, numbers, words, words, st.booleans(), amounts)
clusters = st.builds(
    Cluster,
    names,
    addresses,
    st.lists(numbers, max_size=13).map(tuple),
    numbers,
    snapshots,
    numbers,
    numbers,
)
validators = st.builds(
    Validator,
    owner=addresses,
    public_key=st.binary(min_size=48, max_size=48),
    cluster_id=names,
    nonce=numbers,
    shares_digest=names,
    effective_balance_eth=numbers,
    last_proof_slot=words,
    refusal=st.none() | st.sampled_from(list(Refusal)),
    registered_at=numbers,
    exit_requested_at=st.none() | numbers,
)
accounts = st.builds(Account, addresses, numbers, maybe_addresses)
parameters = st.builds(
    Parameters,
    words,
    amounts,
    words,
    words,
    words,
    amounts,
    amounts,
    words,
    maybe_addresses,
    st.booleans(),
    maybe_addresses,
    st.booleans(),
    maybe_addresses,
    maybe_addresses,
)
networks = st.builds(Network, words, words, amounts, numbers, numbers, numbers, amounts, parameters)
by_table: dict[str, st.SearchStrategy[Any]] = {
    "operator_version": operators,
    "whitelist_version": st.tuples(numbers, addresses),
    "cluster_version": clusters,
    "validator_version": validators,
    "account_version": accounts,
    "network_version": networks,
}
KEPT_AS = {
    "operator_version": "operators",
    "whitelist_version": "_whitelist",
    "cluster_version": "clusters",
    "validator_version": "validators",
    "account_version": "accounts",
}


def as_read(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """As psycopg would give the row back: whole numbers of wide columns through a decimal."""
    return tuple(
        int(Decimal(each)) if isinstance(each, int) and not isinstance(each, bool) else each
        for each in row
    )


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.table)
def test_columns_are_those_of_the_table(shape: Shape) -> None:
    table = next(table for table in tables.VERSIONS if table.name == shape.table)
    own = {column.name for column in table.columns}
    assert own == {*shape.columns, "valid_from", "valid_to", "log_index"}
    keys = tuple(column.name for column in table.primary_key.columns)
    assert keys == (*shape.columns[: shape.keys], "valid_from")


def test_rows_of_logs_and_blocks_are_in_the_order_of_their_tables() -> None:
    assert tuple(column.name for column in tables.log.columns) == LOG_COLUMNS
    assert tuple(column.name for column in tables.block.columns) == BlockRow._fields


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.table)
def test_every_record_comes_back_from_its_row(shape: Shape) -> None:
    @given(by_table[shape.table])
    def check(record: Any) -> None:
        row = shape.row(record)
        assert len(row) == len(shape.columns)
        state = RegistryState()
        state.commit([shape.creation(as_read(row))])
        if shape.keys == 0:
            assert state.network == record
            return
        held = getattr(state, KEPT_AS[shape.table])
        kept = list(held if shape.table == "whitelist_version" else held.values())
        assert kept == [record]

    check()
