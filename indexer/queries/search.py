"""What a text that somebody typed could mean, and what of it exists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from indexer.queries import accounts, clusters, operators
from indexer.queries.reading import View
from indexer.store.tables import log, validator_version
from sdk.types import (
    ADDRESS_BYTES,
    MAX_OPERATOR_ID,
    PUBLIC_KEY_BYTES,
    Address,
    ClusterId,
    OperatorId,
)

MOST_HITS: Final = 20
LEAST_KEY_DIGITS: Final = 6
"""A shorter start of a key says nothing: a million keys share it with others."""
MOST_TEXT: Final = 200
_HASH_BYTES: Final = 32
_HEX: Final = frozenset("0123456789abcdef")


class HitKind(StrEnum):
    """What was found."""

    OPERATOR = "operator"
    BLOCK = "block"
    ACCOUNT = "account"
    CLUSTER = "cluster"
    TRANSACTION = "transaction"
    VALIDATOR = "validator"


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found.

    Attributes:
        id: operator id or block number in decimal, else hex with 0x.
        owner: of an operator, cluster or validator.
    """

    kind: HitKind
    id: str
    owner: Address | None = None


def search(view: View, text: str) -> list[Hit]:
    """Everything that the text names exactly, and validators whose key begins with it."""
    word = text.strip().lower()
    if word.isascii() and word.isdecimal():
        return _numbered(view, int(word)) if len(word) <= len(str(MAX_OPERATOR_ID)) else []
    digits = word.removeprefix("0x")
    if not digits or not set(digits) <= _HEX:
        return []
    hits = _keys(view, digits)
    if len(digits) == 2 * ADDRESS_BYTES:
        hits += _address(view, Address(bytes.fromhex(digits)))
    if len(digits) == 2 * _HASH_BYTES:
        hits += _hash(view, bytes.fromhex(digits))
    return hits


def _numbered(view: View, number: int) -> list[Hit]:
    hits = []
    if number < 2**63:
        found = operators.operator(view, OperatorId(number))
        if found is not None:
            hits.append(Hit(HitKind.OPERATOR, str(number), found.owner))
        if view.position.first_block <= number <= view.at:
            hits.append(Hit(HitKind.BLOCK, str(number)))
    return hits


def _address(view: View, address: Address) -> list[Hit]:
    if not accounts.is_known(view, address):
        return []
    return [Hit(HitKind.ACCOUNT, f"0x{address.hex()}", address)]


def _hash(view: View, raw: bytes) -> list[Hit]:
    hits = []
    cluster = clusters.cluster(view, ClusterId(raw))
    if cluster is not None:
        hits.append(Hit(HitKind.CLUSTER, f"0x{raw.hex()}", cluster.owner))
    in_transaction = select(log.c.block_number).where(
        log.c.transaction_hash == raw, log.c.block_number <= view.at
    )
    if view.first(in_transaction.limit(1)) is not None:
        hits.append(Hit(HitKind.TRANSACTION, f"0x{raw.hex()}"))
    return hits


def _keys(view: View, digits: str) -> list[Hit]:
    """Validators whose key begins with these digits: a range of the index of keys."""
    if not LEAST_KEY_DIGITS <= len(digits) <= 2 * PUBLIC_KEY_BYTES:
        return []
    low = bytes.fromhex(digits.ljust(2 * PUBLIC_KEY_BYTES, "0"))
    high = bytes.fromhex(digits.ljust(2 * PUBLIC_KEY_BYTES, "f"))
    table = validator_version.c
    rows = view.rows(
        select(table.public_key, table.owner)
        .where(view.holds(validator_version), table.public_key.between(low, high))
        .order_by(table.public_key, table.owner)
        .limit(MOST_HITS)
    )
    return [Hit(HitKind.VALIDATOR, f"0x{row.public_key.hex()}", row.owner) for row in rows]
