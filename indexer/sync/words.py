"""The words that the contract's audit views must answer, built from rows of the tables.

Pure: values in, 32 bytes out. The layouts are in `sdk.registry.words`; here is which column goes
where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sdk.registry.words import (
    cluster_word_of,
    network_word_of,
    operator_word_of,
    owner_word_of,
    removed_operator_word,
    without_privacy,
)

__all__ = [
    "CLUSTER_COLUMNS",
    "NETWORK_COLUMNS",
    "OPERATOR_COLUMNS",
    "OWNER_COLUMNS",
    "cluster_word",
    "network_word",
    "operator_word",
    "owner_word",
    "without_privacy",
]

OPERATOR_COLUMNS: Final = (
    *("operator_id", "account_block", "fee_units", "index_units", "credit_units"),
    *("effective_balance_eth", "validator_count", "is_private", "removed_at"),
)
CLUSTER_COLUMNS: Final = (
    *("cluster_id", "sequence", "effective_balance_eth", "snapshot_validator_count"),
    *("snapshot_network_fee_index", "snapshot_index", "snapshot_active", "snapshot_balance_wei"),
)
OWNER_COLUMNS: Final = ("owner", "next_nonce", "fee_recipient")
NETWORK_COLUMNS: Final = (
    *("account_block", "fee_units", "index_units", "credit_units", "uncovered_debt_units"),
    *("effective_balance_eth", "validator_count"),
)


def operator_word(row: Sequence[Any]) -> bytes:
    """Of a row with `OPERATOR_COLUMNS`."""
    _, block, fee, index, credit, eth, validators, is_private, removed_at = row
    if removed_at is not None:
        return removed_operator_word(index)
    return operator_word_of((block, fee, index, credit, eth, validators, is_private))


def cluster_word(row: Sequence[Any]) -> bytes:
    """Of a row with `CLUSTER_COLUMNS`."""
    _, sequence, eth, *struct = row
    return cluster_word_of(struct, sequence, eth)


def owner_word(row: Sequence[Any]) -> bytes:
    """Of a row with `OWNER_COLUMNS`."""
    _, nonce, recipient = row
    return owner_word_of(nonce, recipient)


def network_word(row: Sequence[Any]) -> bytes:
    """Of a row with `NETWORK_COLUMNS`."""
    block, fee, index, credit, debt, eth, validators = row
    return network_word_of((block, fee, index, credit - debt, eth, validators))
