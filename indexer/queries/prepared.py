"""Statements that are made once: building and compiling one anew takes longer than its answer.

A statement has two texts: for the newest block, where the indexes of current rows serve, and for
any other. Values are given by name when it is asked, and never become part of a text.

Source: docs/api.md, "Speed".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, Table, and_, bindparam, or_
from sqlalchemy.dialects.postgresql import psycopg

Statement: TypeAlias = Select[*tuple[Any, ...]]
_DIALECT: Final = psycopg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Moment:
    """The block that a statement is for, whose number it is given as `at`."""

    is_newest: bool

    @property
    def at(self) -> BindParameter[int]:
        """Number of the block."""
        return given("at", BigInteger())

    def holds(self, table: Table) -> ColumnElement[bool]:
        """Which versions of a table's records are those of the block."""
        return holding(table, None if self.is_newest else self.at)


@dataclass(frozen=True, slots=True)
class Text:
    """A statement as the driver takes it. `fixed` are the values that are always the same."""

    sql: bytes
    fixed: Mapping[str, Any]


class Prepared:
    """A statement for any block.

    Attributes:
        is_planned_once: the database keeps the plan, too. Right where every value leads to few
            rows; a list is planned for its values, which may be frequent or rare.
    """

    def __init__(
        self, make: Callable[[Moment], Statement], *, is_planned_once: bool = True
    ) -> None:
        """Args: `make` builds it; called at the first use, and once per text."""
        self.is_planned_once = is_planned_once
        self._make = make
        self._texts: dict[bool, Text] = {}

    def text(self, *, is_newest: bool) -> Text:
        """For the newest block, or for another."""
        found = self._texts.get(is_newest)
        if found is None:
            compiled = self._make(Moment(is_newest)).compile(
                dialect=_DIALECT, compile_kwargs={"render_postcompile": True}
            )
            # What is given has no value yet; the driver refuses to go without it.
            fixed = {name: each for name, each in compiled.params.items() if each is not None}
            found = Text(str(compiled).encode(), fixed)
            self._texts[is_newest] = found
        return found


def given(name: str, kind: Any) -> BindParameter[Any]:
    """A value that comes with the question."""
    return bindparam(name, type_=kind)


def listed(values: Iterable[bytes]) -> str:
    """Many bytes as one given value, as the database writes them; by the driver it takes longer."""
    return "{" + ",".join([f'"\\\\x{each.hex()}"' for each in values]) + "}"


def holding(table: Table, at: Any) -> ColumnElement[bool]:
    """Which versions of a table's records are those of a block; None: the newest one."""
    ended = table.c.valid_to
    if at is None:
        return ended.is_(None)  # the indexes of current rows serve this form
    return and_(table.c.valid_from <= at, or_(ended.is_(None), ended > at))
