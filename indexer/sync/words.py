"""The words that the contract's audit views must answer, built from rows of the tables.

Pure: values in, 32 bytes out. Layouts: docs/contracts.md, "Words".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sdk.types import keccak256

WORD_BYTES: Final = 32
COMMITMENT_BYTES: Final = 24
"""Of the hash of a struct's five words, the first ones."""
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
_PRIVATE_BIT: Final = 248
_NETWORK_BALANCE_BITS: Final = 80


def operator_word(row: Sequence[Any]) -> bytes:
    """Of a row with `OPERATOR_COLUMNS`."""
    _, block, fee, index, credit, eth, validators, is_private, removed_at = row
    if removed_at is not None:
        # Everything but the index is gone; privacy stays, and nobody asks for it any more.
        return without_privacy(_packed(((0, 0), (72, index))))
    fields = ((0, block), (32, fee), (72, index), (136, credit), (200, eth), (232, validators))
    return _packed((*fields, (_PRIVATE_BIT, is_private)))


def without_privacy(word: bytes) -> bytes:
    """An operator's word but for its highest byte."""
    return b"\0" + word[1:]


def cluster_word(row: Sequence[Any]) -> bytes:
    """Of a row with `CLUSTER_COLUMNS`."""
    _, sequence, eth, *struct = row
    words = b"".join([int(each).to_bytes(WORD_BYTES, "big") for each in struct])
    return keccak256(words)[:COMMITMENT_BYTES] + _packed(((0, sequence), (32, eth)))[-8:]


def owner_word(row: Sequence[Any]) -> bytes:
    """Of a row with `OWNER_COLUMNS`."""
    _, nonce, recipient = row
    return _packed(((0, nonce), (32, int.from_bytes(recipient or b"", "big"))))


def network_word(row: Sequence[Any]) -> bytes:
    """Of a row with `NETWORK_COLUMNS`."""
    block, fee, index, credit, debt, eth, validators = row
    balance = (credit - debt) % 2**_NETWORK_BALANCE_BITS
    fields = ((0, block), (32, fee), (56, index), (112, balance), (192, eth), (232, validators))
    return _packed(fields)


def _packed(fields: Sequence[tuple[int, int]]) -> bytes:
    """Values at their lowest bits."""
    return sum(int(value) << place for place, value in fields).to_bytes(WORD_BYTES, "big")
