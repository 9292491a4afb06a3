"""The words that the contract's audit views must answer, built from records or their fields.

Pure: values in, 32 bytes out. Layouts: docs/contracts.md, "Words".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Final

from sdk.registry.records import Account, Cluster, Network, Operator
from sdk.types import keccak256

WORD_BYTES: Final = 32
COMMITMENT_BYTES: Final = 24
"""Of the hash of a struct's five words, the first ones."""
_OPERATOR_BITS: Final = (0, 32, 72, 136, 200, 232, 248)
_NETWORK_BITS: Final = (0, 32, 56, 112, 192, 232)
_NETWORK_BALANCE_BITS: Final = 80


def operator_word(operator: Operator) -> bytes:
    """As the contract keeps an operator; of a removed one without privacy, which nobody reads."""
    if operator.removed_at is not None:
        return removed_operator_word(operator.index_units)
    return operator_word_of(
        (
            operator.block,
            operator.fee_units,
            operator.index_units,
            operator.credit_units,
            operator.effective_balance_eth,
            operator.validator_count,
            operator.is_private,
        )
    )


def operator_word_of(values: Sequence[int]) -> bytes:
    """Of block, fee, index, credit, effective balance, validators and privacy."""
    return _packed(zip(_OPERATOR_BITS, values, strict=True))


def removed_operator_word(index_units: int) -> bytes:
    """Everything but the index is gone; privacy stays, and nobody asks for it any more."""
    return _packed([(72, index_units)])


def without_privacy(word: bytes) -> bytes:
    """An operator's word but for its highest byte."""
    return b"\0" + word[1:]


def cluster_word(cluster: Cluster) -> bytes:
    """As the contract keeps a cluster."""
    return cluster_word_of(
        astuple(cluster.snapshot), cluster.sequence, cluster.effective_balance_eth
    )


def cluster_word_of(struct: Sequence[int], sequence: int, effective_balance_eth: int) -> bytes:
    """The same, of the struct's five values in their order."""
    words = b"".join([int(each).to_bytes(WORD_BYTES, "big") for each in struct])
    rest = _packed([(0, sequence), (32, effective_balance_eth)])
    return keccak256(words)[:COMMITMENT_BYTES] + rest[COMMITMENT_BYTES:]


def owner_word(account: Account) -> bytes:
    """As the contract keeps an owner."""
    return owner_word_of(account.next_nonce, account.fee_recipient)


def owner_word_of(next_nonce: int, fee_recipient: bytes | None) -> bytes:
    """The same, of its two values."""
    return _packed([(0, next_nonce), (32, int.from_bytes(fee_recipient or b"", "big"))])


def network_word(network: Network) -> bytes:
    """As the contract keeps the network's account."""
    return network_word_of(
        (
            network.block,
            network.fee_units,
            network.index_units,
            network.credit_units - network.uncovered_debt_units,
            network.effective_balance_eth,
            network.validator_count,
        )
    )


def network_word_of(values: Sequence[int]) -> bytes:
    """Of block, fee, index, balance, which debt makes negative, effective balance, validators."""
    block, fee, index, balance, eth, validators = values
    signed = balance % 2**_NETWORK_BALANCE_BITS
    return _packed(zip(_NETWORK_BITS, (block, fee, index, signed, eth, validators), strict=True))


def counters_word(operators: int, clusters: int, validators: int) -> bytes:
    """What `getRegistryCounters` tells beside the block, as one word."""
    return _packed([(128, operators), (64, clusters), (0, validators)])


def _packed(fields: Iterable[tuple[int, int]]) -> bytes:
    """Values at their lowest bits."""
    return sum(int(value) << place for place, value in fields).to_bytes(WORD_BYTES, "big")
