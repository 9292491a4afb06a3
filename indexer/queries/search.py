"""What a text that somebody typed could mean, and what of it exists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, select

from indexer.queries import accounts, clusters, metadata, operators
from indexer.queries.prepared import Prepared
from indexer.queries.reading import View
from indexer.store.signed import OPERATOR
from indexer.store.tables import block, log, validator_version
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
        name: what its owner calls it, if it was found by that.
    """

    kind: HitKind
    id: str
    owner: Address | None = None
    name: str | None = None


def search(view: View, text: str) -> list[Hit]:
    """Everything that the text names exactly, and keys and names that begin with it."""
    return [*_exact(view, text.strip().lower()), *_names(view, text)]


def _exact(view: View, word: str) -> list[Hit]:
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


def _names(view: View, text: str) -> list[Hit]:
    """What owners call so; whoever is the owner no longer has nothing to say."""
    found = metadata.by_name(view, text, limit=MOST_HITS)
    ids = [_id(each) for each in found if each.kind == OPERATOR]
    known = operators.by_ids(view, ids) if ids else {}
    hits = []
    for each in found:
        if each.kind == OPERATOR:
            operator = known.get(_id(each))
            if operator is not None and operator.owner == each.owner:
                hits.append(Hit(HitKind.OPERATOR, str(_id(each)), each.owner, each.name))
        elif clusters.cluster(view, ClusterId(each.subject)) is not None:
            hits.append(Hit(HitKind.CLUSTER, f"0x{each.subject.hex()}", each.owner, each.name))
    return hits


def _id(named: metadata.Named) -> OperatorId:
    return OperatorId(int.from_bytes(named.subject, "big"))


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
    if view.ask_first(_TRANSACTION, hash=raw) is not None:
        hits.append(Hit(HitKind.TRANSACTION, f"0x{raw.hex()}"))
    found = view.ask_first(_BLOCK, hash=raw)
    if found is not None:
        hits.append(Hit(HitKind.BLOCK, str(found.number)))
    return hits


def _keys(view: View, digits: str) -> list[Hit]:
    """Validators whose key begins with these digits: a range of the index of keys."""
    if not LEAST_KEY_DIGITS <= len(digits) <= 2 * PUBLIC_KEY_BYTES:
        return []
    low = bytes.fromhex(digits.ljust(2 * PUBLIC_KEY_BYTES, "0"))
    high = bytes.fromhex(digits.ljust(2 * PUBLIC_KEY_BYTES, "f"))
    rows = view.ask(_KEYS, low=low, high=high)
    return [Hit(HitKind.VALIDATOR, f"0x{row.public_key.hex()}", row.owner) for row in rows]


_TABLE: Final = validator_version.c
_KEYS: Final = Prepared(
    lambda moment: (
        select(_TABLE.public_key, _TABLE.owner)
        .where(
            moment.holds(validator_version),
            _TABLE.public_key.between(bindparam("low"), bindparam("high")),
        )
        .order_by(_TABLE.public_key, _TABLE.owner)
        .limit(MOST_HITS)
    )
)
_BLOCK: Final = Prepared(
    lambda moment: (
        select(block.c.number)
        .where(block.c.hash == bindparam("hash"), block.c.number <= moment.at)
        .limit(1)
    )
)
_TRANSACTION: Final = Prepared(
    lambda moment: (
        select(log.c.block_number)
        .where(log.c.transaction_hash == bindparam("hash"), log.c.block_number <= moment.at)
        .limit(1)
    )
)
