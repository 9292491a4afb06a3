"""Rows into tables the fastest way Postgres has, COPY in binary form.

Blocking. Values are given as psycopg takes them; JSON is given as bytes, already encoded, and lists
of ids without another check.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format
from psycopg.types import TypeInfo
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Table

SETS: Final = 16_384
"""Sets of operators whose bytes are remembered; those of a cluster come with each of its logs."""
_BIGINT_OID: Final = 20
_JSONB_VERSION: Final = b"\x01"
_HEAD: Final = struct.Struct(">iiI")
"""Of an array: dimensions, flag for NULLs, type of the elements."""


class _JsonDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return _JSONB_VERSION + obj


class _IdsDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: list[int]) -> Buffer:
        return _ids(tuple(obj))


@lru_cache(maxsize=SETS)
def _ids(ids: tuple[int, ...]) -> bytes:
    if not ids:
        return _HEAD.pack(0, 0, _BIGINT_OID)
    return _array(len(ids)).pack(1, 0, _BIGINT_OID, len(ids), 1, *_with_lengths(ids))


@lru_cache(maxsize=64)
def _array(length: int) -> struct.Struct:
    return struct.Struct(">iiIii" + "iq" * length)


def _with_lengths(ids: Sequence[int]) -> list[int]:
    """Each element with its size in bytes before it."""
    return [part for each in ids for part in (8, each)]


class Copier:
    """COPY on one connection.

    Attributes:
        connection: in autocommit; whoever calls opens transactions.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        for name, dumper in (("jsonb", _JsonDumper), ("int8[]", _IdsDumper)):
            own = type(dumper.__name__, (dumper,), {"oid": _oid(name)})
            connection.adapters.register_dumper(None, own)
        # Psycopg's own looks for wrapped values too, in Python, and most columns are bytes.
        connection.adapters.register_dumper(None, BytesBinaryDumper)

    def copy(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Append rows.

        Args:
            table: of ours.
            columns: in the order of the values of each row.
            rows: none may stand in the table already.
        """
        names = ", ".join(f'"{name}"' for name in columns)
        types = [_type_name(table, name) for name in columns]
        statement = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'
        with self.connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


@lru_cache(maxsize=1024)
def _type_name(table: Table, column: str) -> str:
    """As `psycopg` knows it: without precision."""
    name = table.c[column].type.compile(dialect=_dialect()).lower().partition("(")[0]
    return {"bigint[]": "int8[]"}.get(name, name)


def _oid(name: str) -> int:
    info = psycopg.adapters.types.get(name.removesuffix("[]"))
    if not isinstance(info, TypeInfo):
        raise TypeError(f"no type {name}")
    return info.array_oid if name.endswith("[]") else info.oid


def _dialect() -> Any:
    from sqlalchemy.dialects import postgresql

    return postgresql.dialect()  # type: ignore[no-untyped-call]
