"""Logs under the names of the existing subgraph's event entities, at one block.

One query per kind of event; its columns have the names of the entity's fields. Numbers and bytes
are taken out of the arguments as kept, what has a column of its own (owner, operators, key) from
there, because that is what the indexes know.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    LargeBinary,
    Subquery,
    Text,
    cast,
    func,
    select,
    tuple_,
)

from indexer.queries.reading import View
from indexer.queries.subgraph_source import Source, cluster_is, written_cluster
from indexer.store.columns import WEI_DIGITS, Whole
from indexer.store.tables import block, log

_HASH_DIGITS: Final = 64
_INDEX_DIGITS: Final = 5
_STRUCT: Final = "cluster_"
TOPICS_BYTES: Final = 64
"""Of a registration: the event's own topic and the owner. `shares` are these and then the data."""


def event_source(view: View, name: str, kinds: Mapping[str, str]) -> Source:
    """The events of one name.

    Args:
        view: no newer event is in it.
        name: of event and entity.
        kinds: the entity's fields with their types, such as `BigInt`; lists are `[BigInt]`.
    """
    own = dict(_OWN)
    if name.startswith("Validator"):
        own["publicKey"] = lambda: log.c.validator_key
    columns = {
        field: own[field]() if field in own else _argument(field, kind)
        for field, kind in kinds.items()
    }
    return Source(
        select(
            *(column.label(field) for field, column in columns.items()),
            log.c.log_index.label("_place"),
            log.c.cluster_id.label("_cluster"),
        )
        .join(block, block.c.number == log.c.block_number)
        .where(log.c.name == name, log.c.block_number <= view.at)
        .subquery(),
        {"id": _event_is, "cluster": cluster_is},
    )


def event_id(transaction_hash: bytes, log_index: int) -> str:
    """The subgraph's name of a log."""
    return f"0x{transaction_hash.hex()}-{log_index:0{_INDEX_DIGITS}}"


def _argument(field: str, kind: str) -> ColumnElement[Any]:
    """What the arguments have under a field's name."""
    if field.startswith(_STRUCT):
        found = log.c.args["cluster"][field.removeprefix(_STRUCT)]
    else:
        found = log.c.args[field]
    match kind:
        case "BigInt":
            return cast(found.astext, Whole(WEI_DIGITS))
        case "Boolean":
            return cast(found.astext, Boolean)
        case "Bytes":
            return cast(func.decode(func.substr(found.astext, 3), "hex"), LargeBinary)
        case _:
            return found


def _id() -> ColumnElement[str]:
    digits = func.lpad(cast(log.c.log_index, Text), _INDEX_DIGITS, "0")
    return cast(func.concat("0x", func.encode(log.c.transaction_hash, "hex"), "-", digits), Text)


def _event_is(rows: Subquery, values: Sequence[str]) -> ColumnElement[bool]:
    found = {
        (bytes.fromhex(name[2:]), int(index))
        for name, _, index in (each.lower().partition("-") for each in values)
        if _is_hash(name) and index.isascii() and index.isdecimal() and len(index) <= _MOST_DIGITS
    }
    # An empty list of pairs cannot be written; no log has a negative place.
    wanted = sorted(found) or [(b"", -1)]
    return tuple_(rows.c.transactionHash, rows.c._place).in_(wanted)


def _is_hash(text: str) -> bool:
    digits = text[2:]
    return (
        text[:2] == "0x"
        and len(digits) == _HASH_DIGITS
        and all(each in "0123456789abcdef" for each in digits)
    )


_MOST_DIGITS: Final = 9
_OWN: Final[Mapping[str, Callable[[], ColumnElement[Any]]]] = {
    "id": _id,
    "owner": lambda: log.c.owner,
    "operatorIds": lambda: log.c.operator_ids,
    "shares": lambda: log.c.topics.op("||", return_type=LargeBinary())(log.c.data),
    "cluster": lambda: written_cluster(log.c),
    "blockNumber": lambda: log.c.block_number,
    "blockTimestamp": lambda: block.c.timestamp_s,
    "transactionHash": lambda: log.c.transaction_hash,
}
