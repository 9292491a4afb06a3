"""Registry records and changes as rows and bytes of the state store, and back.

Pure. A value is the JSON of the record behind its CRC-32: JSON because amounts in wei do not fit
the 64 bits that MessagePack gives an integer, the checksum because SQLite has none. The store is a
copy of the chain, so it has no format to be kept for ever: `SCHEMA` goes up and it is read again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple, assert_never

import msgspec

from sdk.errors import StorageError
from sdk.registry import (
    Account,
    AccountChanged,
    Change,
    Cluster,
    ClusterChanged,
    Network,
    NetworkChanged,
    Operator,
    OperatorChanged,
    Validator,
    ValidatorChanged,
    WhitelistChanged,
)
from sdk.types import Address, OperatorId

SCHEMA: Final = 2
_CRC_BYTES: Final = 4
_ID_BYTES: Final = 8
_LISTED: Final = b"true"


class Kind(IntEnum):
    """What a row holds; also the order in which rows are loaded."""

    NETWORK = 0
    OPERATOR = 1
    CLUSTER = 2
    VALIDATOR = 3
    ACCOUNT = 4
    WHITELIST = 5


class Row(NamedTuple):
    """A record under its key; None deletes it."""

    kind: Kind
    key: bytes
    value: bytes | None


class _Entry(NamedTuple):
    """One change of an undo record."""

    kind: Kind
    key: bytes
    before: bytes | None
    after: bytes | None


_RECORDS: Final[dict[Kind, msgspec.json.Decoder[Any]]] = {
    Kind.NETWORK: msgspec.json.Decoder(Network),
    Kind.OPERATOR: msgspec.json.Decoder(Operator),
    Kind.CLUSTER: msgspec.json.Decoder(Cluster),
    Kind.VALIDATOR: msgspec.json.Decoder(Validator),
    Kind.ACCOUNT: msgspec.json.Decoder(Account),
    Kind.WHITELIST: msgspec.json.Decoder(bool),
}
_CHANGES: Final[dict[Kind, type[Any]]] = {
    Kind.NETWORK: NetworkChanged,
    Kind.OPERATOR: OperatorChanged,
    Kind.CLUSTER: ClusterChanged,
    Kind.VALIDATOR: ValidatorChanged,
    Kind.ACCOUNT: AccountChanged,
}
_ENTRIES: Final = msgspec.msgpack.Decoder(list[_Entry])
_encode: Final = msgspec.json.Encoder().encode


def rows_of(changes: Sequence[Change]) -> list[Row]:
    """The rows after these changes, each key once, in the order in which a table holds them."""
    last: dict[tuple[Kind, bytes], Change] = {_key(change): change for change in changes}
    return [Row(*key, _value(last[key], is_after=True)) for key in sorted(last)]


def growth(changes: Iterable[Change]) -> int:
    """How many records more there are after these changes; the network's one is not counted."""
    return sum(
        bool(change.after) - bool(change.before)
        for change in changes
        if not isinstance(change, NetworkChanged)
    )


def inverted(changes: Sequence[Change]) -> list[Change]:
    """The changes that take these back, in the order in which to make them."""
    return [_inverse(change) for change in reversed(changes)]


def change_of(row: Row) -> Change:
    """The change that makes a stored record of nothing.

    Raises:
        StorageError: `store_damaged`.
    """
    if row.kind is Kind.NETWORK:
        return NetworkChanged(Network(), _record(row.kind, row.value))
    return _change(_Entry(row.kind, row.key, None, row.value))


def pack_undo(changes: Iterable[Change]) -> bytes:
    """An undo record: the changes of a block in order."""
    entries = [
        _Entry(*_key(change), _value(change, is_after=False), _value(change, is_after=True))
        for change in changes
    ]
    return msgspec.msgpack.encode(entries)


def unpack_undo(data: bytes) -> list[Change]:
    """The changes of an undo record, in order.

    Raises:
        StorageError: `store_damaged`.
    """
    try:
        return [_change(entry) for entry in _ENTRIES.decode(data)]
    except msgspec.DecodeError:
        raise damaged("an undo record cannot be read") from None


def sealed(value: bytes) -> bytes:
    """The value behind its checksum."""
    return zlib.crc32(value).to_bytes(_CRC_BYTES, "big") + value


def opened(data: object) -> bytes:
    """A value whose checksum holds; SQLite gives back whatever a cell holds.

    Raises:
        StorageError: `store_damaged`.
    """
    if not isinstance(data, bytes):
        raise damaged("a record is no bytes")
    value = data[_CRC_BYTES:]
    if zlib.crc32(value).to_bytes(_CRC_BYTES, "big") != data[:_CRC_BYTES]:
        raise damaged("the checksum of a record does not hold")
    return value


def damaged(what: str) -> StorageError:
    """The error after which the store is set aside and read from the chain again."""
    return StorageError(
        f"registry store: {what}",
        code="store_damaged",
        hint="It is set aside and read from the chain again.",
    )


def _key(change: Change) -> tuple[Kind, bytes]:
    match change:
        case NetworkChanged():
            return Kind.NETWORK, b""
        case WhitelistChanged(operator_id=operator_id, address=address):
            return Kind.WHITELIST, operator_id.to_bytes(_ID_BYTES, "big") + address
        case OperatorChanged(before=before, after=after):
            operator: Any = after or before
            return Kind.OPERATOR, operator.operator_id.to_bytes(_ID_BYTES, "big")
        case ClusterChanged(before=before, after=after):
            cluster: Any = after or before
            return Kind.CLUSTER, cluster.cluster_id
        case ValidatorChanged(before=before, after=after):
            validator: Any = after or before
            return Kind.VALIDATOR, validator.owner + validator.public_key
        case AccountChanged(before=before, after=after):
            account: Any = after or before
            return Kind.ACCOUNT, account.owner
        case _:
            assert_never(change)


def _value(change: Change, *, is_after: bool) -> bytes | None:
    record = change.after if is_after else change.before
    if isinstance(change, WhitelistChanged):
        return sealed(_LISTED) if record else None
    return None if record is None else sealed(_encode(record))


def _inverse(change: Change) -> Change:
    match change:
        case WhitelistChanged(operator_id, address, before, after):
            return WhitelistChanged(operator_id, address, after, before)
        case NetworkChanged(before, after):
            return NetworkChanged(after, before)
        case OperatorChanged(before, after):
            return OperatorChanged(after, before)
        case ClusterChanged(before, after):
            return ClusterChanged(after, before)
        case ValidatorChanged(before, after):
            return ValidatorChanged(after, before)
        case AccountChanged(before, after):
            return AccountChanged(after, before)
        case _:
            assert_never(change)


def _change(entry: _Entry) -> Change:
    if entry.kind is Kind.WHITELIST:
        operator_id = OperatorId(int.from_bytes(entry.key[:_ID_BYTES], "big"))
        listed = [_record(entry.kind, each) is not None for each in (entry.before, entry.after)]
        return WhitelistChanged(operator_id, Address(entry.key[_ID_BYTES:]), *listed)
    before, after = (_record(entry.kind, each) for each in (entry.before, entry.after))
    change: Change = _CHANGES[entry.kind](before, after)
    return change


def _record(kind: Kind, value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return _RECORDS[kind].decode(opened(value))
    except msgspec.DecodeError:
        raise damaged(f"a record of kind {kind.name} cannot be read") from None
